// The package is not bundled: it lies beside the bundle.
import init from "./pkg/house.js";

init();
