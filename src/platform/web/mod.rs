//! Workers are Web Workers, messages cross by `postMessage`.
//!
//! JavaScript objects stay in thread-local tables and are named by number, so that everything the other rooms hold is
//! `Send`: each instance of the module has one thread.

mod attachment;
mod boot;
mod glue;
mod message;
mod port;
mod time;

use std::any::Any;
use std::panic;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

use wasm_bindgen::prelude::*;

use crate::error::Error;

pub(crate) use attachment::{Attachment, Number};
pub(crate) use boot::Outbox;
use port::Factory;
pub(crate) use port::{Port, start};
pub(crate) use time::{now, sleep, spawn_service, yield_now};

/// How a worker is to be started, as far as only the web has it.
#[derive(Clone, Debug, Default)]
pub(crate) struct WebOptions {
    /// The URL of the worker script, where a blob may not be run.
    pub(crate) script: Option<String>,
    /// The URL of the glue, where it cannot be found.
    pub(crate) glue: Option<String>,
    /// Makes the worker, where a bundler must see how.
    pub(crate) factory: Option<Factory>,
}

/// The task whose code runs. Its address is known to `worker.js`, which reads it after a trap.
static CURRENT: AtomicU32 = AtomicU32::new(0);

/// A panic traps, after its hook has run.
pub(crate) const PANIC_ABORTS: bool = true;

/// Runs code of a task, which [`current`] names meanwhile.
pub(crate) fn guard<R>(task: u32, code: impl FnOnce() -> R) -> Result<R, Box<dyn Any + Send>> {
    let outer = CURRENT.swap(task, Ordering::Relaxed);
    let result = code();
    CURRENT.store(outer, Ordering::Relaxed);
    Ok(result)
}

/// The task whose code runs in this instance; zero if none does.
pub(crate) fn current() -> u32 {
    CURRENT.load(Ordering::Relaxed)
}

/// Addresses are below this.
pub(crate) fn memory_size() -> usize {
    const PAGE: usize = 64 * 1024;
    core::arch::wasm32::memory_size(0) * PAGE
}

pub(crate) use wasm_bindgen_futures::spawn_local;

/// Writes a line where the program's user reads it: the console of the page.
pub(crate) fn print(text: &str) {
    if boot::is_worker() {
        message::tell("print", &JsValue::from_str(text));
    } else {
        log(text);
    }
}

/// The program's way in: runs `future` beside whatever else the page does, and announces its end.
pub(crate) fn run(future: impl Future<Output = Result<(), String>> + 'static) {
    show_panics();
    spawn_local(async move {
        let outcome = future.await;
        if let Err(text) = &outcome {
            error(text);
        }
        message::announce_exit(outcome.err());
    });
}

/// Has the message of a panic shown, which otherwise is a bare trap. The hook that was there is called after ours.
fn show_panics() {
    static SHOWN: Once = Once::new();
    SHOWN.call_once(|| {
        let next = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            error(&info.to_string());
            next(info);
        }));
    });
}

/// What JavaScript threw, as text.
pub(crate) fn js_error(thrown: &JsValue) -> Error {
    let stack = message::get(thrown, "stack").as_string().unwrap_or_default();
    Error::js(text_of(thrown), stack)
}

fn text_of(thrown: &JsValue) -> String {
    match thrown.dyn_ref::<js_sys::Error>() {
        Some(error) => error.to_string().into(),
        None => string(thrown).unwrap_or_else(|_| "a value that has no text".to_owned()),
    }
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = console)]
    fn log(text: &str);
    #[wasm_bindgen(js_namespace = console)]
    fn error(text: &str);
    #[wasm_bindgen(catch, js_name = String)]
    fn string(value: &JsValue) -> Result<String, JsValue>;
}
