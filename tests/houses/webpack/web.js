import init from "./web-pkg/house.js";

init();
