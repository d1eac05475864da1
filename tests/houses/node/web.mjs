import { readFileSync } from "node:fs";
import { initSync } from "./web/house.js";

initSync({ module: readFileSync(new URL("./web/house_bg.wasm", import.meta.url)) });
