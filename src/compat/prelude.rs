//! What programs of 0.1 import. `JsValue` is part of `wasm_bindgen::prelude`, as it was.

pub use super::WasmMt;
pub use crate::{__exec_js as exec_js, __exec_js_async as exec_js_async, FnOnce, exec};
