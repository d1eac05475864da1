//! Workers as a bundler knows them: `worker.js` is a module of the program then, and finds the program in its package.

use wasm_bindgen::prelude::*;
use web_sys::Worker;

/// Makes a worker that brings the program's JavaScript.
pub(super) fn create_worker() -> Result<Worker, JsValue> {
    create()
}

#[wasm_bindgen(module = "/src/platform/web/worker.js")]
extern "C" {
    #[wasm_bindgen(catch, js_name = __wasm_mt_create_worker)]
    fn create() -> Result<Worker, JsValue>;
}
