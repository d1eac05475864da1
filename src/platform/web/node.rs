//! Node.js, and Deno and Bun, which have its modules too: workers are threads of `worker_threads`, for which `worker.js` makes
//! up what they lack of a Web Worker. They end with the main thread, and that ends when it waits for nothing.

use std::cell::Cell;

use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::Worker;

use super::local::settled;
use super::reflect::{call, call_global, construct, get, global, object, set, text};
use crate::platform::WORKER_SCRIPT;

thread_local! {
    /// The module `worker_threads`, if this is Node.js or the like.
    static THREADS: Option<JsValue> = threads();
    /// A timer that never comes, by which this thread stays.
    static TIMER: JsValue = timer("setInterval", &function([]), i32::MAX);
    /// For how many it is to stay.
    static HOLDS: Cell<usize> = const { Cell::new(0) };
}

/// A window of Electron has them too, and is a page.
fn threads() -> Option<JsValue> {
    global("document").is_undefined().then(|| builtin("node:worker_threads")).flatten()
}

/// A module that is part of Node.js.
fn builtin(name: &str) -> Option<JsValue> {
    call(&global("process"), "getBuiltinModule", [name.into()]).ok().filter(|module| !module.is_undefined())
}

/// True if this is Node.js or the like.
#[inline(never)]
pub(super) fn is_here() -> bool {
    THREADS.with(Option::is_some)
}

/// A thread that runs the worker script, the host's own or else that of the library.
pub(super) fn create_worker(script: Option<&str>, name: JsValue) -> Result<JsValue, JsValue> {
    let module = THREADS.with(Clone::clone).unwrap_or_default();
    let url = script.map(|url| construct(&global("URL"), [url.into()])).transpose()?;
    let options = object([("eval", url.is_none().into()), ("name", name)]);
    let script = url.unwrap_or_else(|| WORKER_SCRIPT.into());
    construct(&get(&module, "Worker"), [script, options])
}

/// True if this is a worker of `worker_threads`. In Deno an application may make others.
pub(super) fn is_thread(worker: &Worker) -> bool {
    get(worker, "on").is_function()
}

/// Hears of what happens to such a worker. It is so for good: some comes after its end.
pub(super) fn listen(worker: &Worker, event: &str, listener: Closure<dyn FnMut(JsValue)>) {
    let listens = call(worker, "on", [event.into(), listener.into_js_value()]);
    // A program stays by its timer. The listener for messages stays too.
    let listens = listens.and_then(|_| call(worker, "unref", []));
    debug_assert!(listens.is_ok(), "a worker of Node.js is an event emitter");
}

/// The place of a script in a line of a stack trace: a URL, or the path of one that is no module.
pub(super) const PATH_PATTERN: &str = r"(?:file:|\/|\w:\\).*(?=:\d+:\d+\)?$)";

/// What stands in a stack trace as a URL.
pub(super) fn url_of(script: String) -> Option<String> {
    if script.starts_with("file:") {
        return Some(script);
    }
    text(&call(&builtin("node:url")?, "pathToFileURL", [script.into()]).ok()?, "href")
}

/// The module at this URL, which runs already.
pub(super) fn import(url: &str) -> JsFuture {
    let import = function(["url".into(), "return import(url)".into()]);
    settled(call(&import, "call", [JsValue::UNDEFINED, url.into()]))
}

/// True if that is what wasm-bindgen generated for the program.
pub(super) fn is_glue(module: &JsValue) -> bool {
    const EXPORT: &str = "__wasm_mt_start";

    get(module, EXPORT).is_function() || get(&get(module, "default"), EXPORT).is_function()
}

/// How many threads can run at the same time.
pub(super) fn parallelism() -> Option<f64> {
    call(&builtin("node:os")?, "availableParallelism", []).ok()?.as_f64()
}

/// Has the process end with an exit code that says it failed.
pub(super) fn fail() {
    if is_here() {
        set(&global("process"), "exitCode", &1.into());
    }
}

/// Calls a function in a turn of the event loop of its own.
pub(super) fn set_immediate(callback: &JsValue) {
    let set = call_global("setImmediate", [callback.clone()]);
    debug_assert!(set.is_ok(), "Node.js has this function");
}

/// While there is one, this thread does not end, even without work.
pub(crate) struct KeepAlive(());

impl KeepAlive {
    pub(crate) fn new() -> Self {
        if HOLDS.replace(HOLDS.get() + 1) == 0 && is_here() {
            TIMER.with(|timer| hold(timer, "ref"));
        }
        Self(())
    }
}

impl Drop for KeepAlive {
    fn drop(&mut self) {
        HOLDS.set(HOLDS.get() - 1);
        if HOLDS.get() == 0 && is_here() {
            TIMER.with(|timer| hold(timer, "unref"));
        }
    }
}

/// Calls a function later, for which alone the thread does not stay.
pub(super) fn set_timeout_aside(callback: &JsValue, milliseconds: i32) {
    hold(&timer("setTimeout", callback, milliseconds), "unref");
}

/// Timers of the module are objects; those of the global scope are numbers in Deno.
fn timer(kind: &str, callback: &JsValue, milliseconds: i32) -> JsValue {
    let timers = builtin("node:timers").unwrap_or_default();
    call(&timers, kind, [callback.clone(), milliseconds.into()]).unwrap_or_default()
}

fn hold(timer: &JsValue, how: &str) {
    let held = call(timer, how, []);
    debug_assert!(held.is_ok(), "a timer of this module can be held");
}

/// A function of JavaScript: its parameters, and its body.
fn function<const N: usize>(source: [JsValue; N]) -> JsValue {
    construct(&global("Function"), source).unwrap_or_default()
}
