//! What the program's user sees: the console, and how the program ended.

use std::panic;
use std::sync::Once;

use wasm_bindgen::prelude::*;

use super::reflect::{call, call_global, construct, global, object};
use super::status::is_worker;
use super::{node, outbox};

/// Writes a line where the program's user reads it: the console of the page.
pub(crate) fn print(text: &str) {
    if is_worker() {
        outbox::tell("print", &JsValue::from_str(text));
    } else {
        console("log", text);
    }
}

/// Has the message of a panic shown, which otherwise is a bare trap. The hook that was there is called after ours.
pub(super) fn show_panics() {
    static SHOWN: Once = Once::new();

    // Where panics abort, an instance that has panicked counts as panicking for ever, and its hook cannot be changed.
    if std::thread::panicking() {
        return;
    }
    SHOWN.call_once(|| {
        let next = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            error(&info.to_string());
            next(info);
        }));
    });
}

/// Fires `wasm-mt-exit` on the global object, for pages that show how a program ended. In Node.js it is an exit code.
pub(super) fn announce_exit(error: Option<String>) {
    if error.is_some() {
        node::fail();
    }
    let error = error.map_or(JsValue::NULL, JsValue::from);
    let init = object([("detail", object([("error", error)]))]);
    let event = construct(&global("CustomEvent"), ["wasm-mt-exit".into(), init]);
    // Node.js has no listener for it.
    let _listens: Result<JsValue, JsValue> = event.and_then(|event| call_global("dispatchEvent", [event]));
}

pub(super) fn error(text: &str) {
    console("error", text);
}

fn console(method: &str, text: &str) {
    // What the program has put in its place may throw.
    let _shown: Result<JsValue, JsValue> = call(&global("console"), method, [text.into()]);
}
