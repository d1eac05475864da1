import init from "./web/house.js";

await init();
