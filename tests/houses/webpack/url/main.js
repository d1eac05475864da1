import init from "./pkg/house.js";

globalThis.wasmMt = { glueUrl: new URL("./pkg/house.js", import.meta.url) };
init();
