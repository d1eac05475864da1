//! Finds the JavaScript that wasm-bindgen generated for this program: a worker loads the same.

use std::cell::RefCell;

use wasm_bindgen::JsValue;

use super::message;

thread_local! {
    static URL: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// In a worker: the page knows it already.
pub(super) fn set_url(url: String) {
    URL.set(Some(url));
}

/// The glue's URL, where it is known.
pub(super) fn url() -> Option<String> {
    URL.with_borrow(Clone::clone)
}

/// A stack trace from which `worker.js` takes the URL: JavaScript has regular expressions at hand. Only the glue can make
/// an error for us, so its script is the first in there.
pub(super) fn trace() -> JsValue {
    message::get(&js_sys::Error::new(""), "stack")
}
