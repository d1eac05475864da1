//! What the prelude of 0.1 had, and the methods that threads had: part of [`wasm_mt::prelude`](crate::prelude). `JsValue` is
//! part of `wasm_bindgen::prelude`, as it was.

pub use super::{ThreadExt, WasmMt};
pub use crate::{__exec_js as exec_js, __exec_js_async as exec_js_async, FnOnce, exec};
