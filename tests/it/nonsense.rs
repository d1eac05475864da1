//! Whatever a worker posts, its page stays whole: nothing panics there, every handle resolves, and memory stays where it was.

use std::time::Duration;

use js_sys::Function;
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;
use wasm_mt::{Error, Thread, exec_js, remote};

use crate::common::javascript;

/// Makes a worker that knows its key.
fn make_worker() -> Result<web_sys::Worker, JsValue> {
    let source =
        "const listen = `addEventListener('message', ({ data }) => { self.bootKey ??= data?.key; });`;
        const blob = new Blob([listen, script], { type: 'text/javascript' });
        return new Worker(URL.createObjectURL(blob));";
    let make = Function::new_with_args("script", source);
    make.call1(&JsValue::UNDEFINED, &wasm_mt::WORKER_SCRIPT.into()).map(JsCast::unchecked_into)
}

/// Fails if the page has thrown something that nobody caught.
async fn assert_whole(seed: u32) {
    let errors = javascript("return (self.uncaught ?? []).join('; ');").await.as_string();
    assert_eq!(errors.as_deref(), Some(""), "seed {seed}");
}

async fn watch_errors() {
    javascript("self.uncaught = []; self.onerror = (message) => { self.uncaught.push(message); };").await;
}

/// Has a new worker post one message, an expression. Gives the error of a task that waits there.
async fn lost_by(message: &str) -> Error {
    let thread = Thread::builder().worker_factory(make_worker).build();
    thread.ready().await.unwrap();
    let waits = remote!(async { std::future::pending::<()>().await }).timeout(Duration::from_secs(10));
    let waits = thread.spawn_remote(waits);
    thread.spawn_remote(exec_js(&format!("self.postMessage({message});"))).forget();
    waits.await.unwrap_err()
}

#[wasm_bindgen_test]
async fn a_worker_that_ends_need_not_say_well_what_had_begun() {
    watch_errors().await;
    for begun in ["undefined", "null", "5", "{ length: 2 ** 32 }", "[NaN, 'x']", "new Uint8Array(3)"] {
        let error = lost_by(&format!("{{ wasmMt: self.bootKey, died: 'for a test', begun: {begun} }}")).await;
        assert!(error.is_worker_lost() && error.to_string().contains("for a test"), "{begun}: {error}");
    }
    assert_whole(0).await;
}

#[wasm_bindgen_test]
async fn what_is_told_to_be_the_parts_of_an_error_need_not_be_any() {
    watch_errors().await;
    let odd = "{ toString: 1, valueOf: 1 }";
    for parts in ["undefined", "null", "5", "{ length: 2 ** 32 }", "[]", &format!("['Error', {odd}, {odd}]")]
    {
        // One attachment, told to be rebuilt, and no message that has it.
        let body = "new Uint8Array(new Uint32Array([2, 0, 0, 0x746d7770]).buffer)";
        let error = lost_by(&format!("[{body}, {parts}]")).await;
        assert!(error.is_worker_lost() && error.to_string().contains("garbled"), "{parts}: {error}");
    }
    assert_whole(0).await;
}
