//! What runs on this thread's event loop.

use std::future::Future;
use std::pin::Pin;

use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

/// Runs a future here, in a microtask. Boxed as one type, because the code that takes a future is in the program once per type.
pub(crate) fn spawn_local(future: impl Future<Output = ()> + 'static) {
    spawn_boxed(Box::pin(future));
}

#[inline(never)]
fn spawn_boxed(future: Pin<Box<dyn Future<Output = ()>>>) {
    wasm_bindgen_futures::spawn_local(future);
}

/// What becomes of the promise that a call gave, or the value.
pub(super) fn settled(promise: Result<JsValue, JsValue>) -> JsFuture {
    match promise {
        Ok(promise) => Promise::resolve(&promise),
        Err(thrown) => Promise::reject(&thrown),
    }
    .into()
}
