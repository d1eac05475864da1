//! What programs of 0.1 import. `JsValue` is part of `wasm_bindgen::prelude`, as it was.

pub use super::WasmMt;
pub use crate::{FnOnce, exec, exec_js, exec_js_async};
