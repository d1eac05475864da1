//! What JavaScript throws.

use wasm_bindgen::prelude::*;

use super::reflect;
use crate::error::Error;

/// What JavaScript threw, as text.
pub(crate) fn js_error(thrown: &JsValue) -> Error {
    let stack = reflect::text(thrown, "stack").unwrap_or_default();
    Error::js(text_of(thrown), stack)
}

pub(super) fn text_of(thrown: &JsValue) -> String {
    string(thrown).unwrap_or_else(|_| "a value that has no text".to_owned())
}

/// A JavaScript `Error` with the text, for functions that JavaScript calls.
impl From<Error> for JsValue {
    fn from(error: Error) -> Self {
        js_sys::Error::new(&error.to_string()).into()
    }
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_name = String)]
    fn string(value: &JsValue) -> Result<String, JsValue>;
}

/// `postMessage` refused a value.
pub(super) fn not_cloneable(thrown: &JsValue) -> Error {
    Error::codec(format!(
        "a JavaScript value could not be sent: {}; send what structured clone carries, and transfer a value once only",
        js_error(thrown)
    ))
}
