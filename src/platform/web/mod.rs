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
use std::future::Future;
use std::panic;
use std::sync::Once;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use wasm_bindgen::prelude::*;

use crate::error::Error;

pub(crate) use attachment::{Attachment, Number};
pub(crate) use boot::Outbox;
use port::Factory;
pub(crate) use port::{Port, start};
pub(crate) use time::{clock_tick, now, sleep, spawn_service, yield_now};

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

/// What `worker.js` reads after a trap, without entering the instance. It knows the address.
#[repr(C)]
struct StatusBlock {
    /// The task whose code runs.
    current: AtomicU64,
    /// Where the names of the tasks that have begun and may not have been answered lie, and how many there are.
    begun: AtomicUsize,
    count: AtomicUsize,
}

static STATUS: StatusBlock =
    StatusBlock { current: AtomicU64::new(0), begun: AtomicUsize::new(0), count: AtomicUsize::new(0) };

/// A panic traps, after its hook has run.
pub(crate) const PANIC_ABORTS: bool = true;

/// Runs code of a task, which [`current`] names meanwhile.
pub(crate) fn guard<R>(task: u64, code: impl FnOnce() -> R) -> Result<R, Box<dyn Any + Send>> {
    let outer = STATUS.current.swap(task, Ordering::Relaxed);
    let result = code();
    STATUS.current.store(outer, Ordering::Relaxed);
    Ok(result)
}

/// The task whose code runs in this instance; zero if none does.
pub(crate) fn current() -> u64 {
    STATUS.current.load(Ordering::Relaxed)
}

/// Lets the page know, should this instance trap, which tasks had begun. The slice MUST stay where it is until the next call.
pub(crate) fn show_begun(tasks: &[u64]) {
    STATUS.begun.store(tasks.as_ptr().addr(), Ordering::Relaxed);
    STATUS.count.store(tasks.len(), Ordering::Relaxed);
}

/// What is posted in one tick to one worker leaves in one message.
pub(crate) const HAS_TICKS: bool = true;

/// Runs a future in a microtask.
pub(crate) fn at_end_of_tick(future: impl Future<Output = ()> + Send + 'static) {
    spawn_local(future);
}

/// How many threads can run at the same time.
pub(crate) fn parallelism() -> usize {
    let navigator = message::get(&js_sys::global(), "navigator");
    message::get(&navigator, "hardwareConcurrency").as_f64().map_or(1, |count| count as usize).max(1)
}

/// A future that was given to [`spawn_local`] runs without anybody waiting.
pub(crate) const HAS_EVENT_LOOP: bool = true;

/// True if [`spawn_local`] can be called here.
pub(crate) fn has_local_pool() -> bool {
    true
}

/// Addresses are below this.
pub(crate) fn memory_size() -> usize {
    const PAGE: usize = 64 * 1024;
    // 4 GiB are one more than fit.
    core::arch::wasm32::memory_size(0).saturating_mul(PAGE)
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
