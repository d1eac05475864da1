import init from "./pkg/house.js";

init();
