//! Whatever a worker posts, its page stays whole: nothing panics there, every handle resolves, and memory stays where it was.

use std::time::Duration;

use futures::future::join_all;
use js_sys::Function;
use wasm_bindgen::prelude::*;
use wasm_mt::{Error, Executor, ExecutorExt, Js, Pool, Remote, Thread, exec_js, remote};

use crate::common::javascript;

const ROUNDS: u32 = 30;

/// Posts messages that no worker of ours would, all made of one seed. Those that end a worker are the last.
const GENERATOR: &str = include_str!("nonsense.js");

/// Makes a worker that knows its key.
fn make_worker() -> Result<web_sys::Worker, JsValue> {
    let source =
        "const listen = `addEventListener('message', ({ data }) => { self.bootKey ??= data?.key; });`;
        const blob = new Blob([listen, script], { type: 'text/javascript' });
        return new Worker(URL.createObjectURL(blob));";
    let make = Function::new_with_args("script", source);
    make.call1(&JsValue::UNDEFINED, &wasm_mt::WORKER_SCRIPT.into()).map(JsCast::unchecked_into)
}

fn nonsense(seed: u32) -> Remote<Js<JsValue>> {
    exec_js(format!("const SEED = {seed};\n{GENERATOR}")).timeout(Duration::from_secs(10))
}

/// Fails if the page has thrown something that nobody caught.
async fn assert_whole(seed: u32) {
    let errors = javascript("return (self.uncaught ?? []).join('; ');").await.as_string();
    assert_eq!(errors.as_deref(), Some(""), "seed {seed}");
}

async fn watch_errors() {
    javascript(
        "self.uncaught = []; addEventListener('error', ({ message }) => { self.uncaught.push(message); });",
    )
    .await;
}

/// Has a worker post nonsense, beside tasks that others wait for. True if it was lost by that.
async fn bombard(executor: &dyn Executor, seed: u32) -> bool {
    let bystander =
        |number: u32| executor.spawn_remote(remote!(move || number).timeout(Duration::from_secs(10)));
    let before = join_all((0..4).map(bystander)).await;
    let posted = executor.spawn_remote(nonsense(seed));
    let after = (0..4).map(bystander).collect::<Vec<_>>();
    let resolved = posted.await.map(|_| 0);
    let results = before.into_iter().chain([resolved]).chain(join_all(after).await);
    let errors = results.filter_map(Result::err).collect::<Vec<Error>>();
    for error in &errors {
        assert!(!error.is_timeout(), "seed {seed}: {error}");
    }
    assert_whole(seed).await;
    !errors.is_empty()
}

fn pages() -> usize {
    core::arch::wasm32::memory_size(0)
}

web_test! { async fn nonsense_that_a_worker_posts_harms_no_page() {
    watch_errors().await;
    let pool = Pool::builder().threads(1).worker_factory(make_worker).build();
    pool.ready().await.unwrap();
    let before = pages();
    let mut lost = 0;
    for seed in 0..ROUNDS {
        lost += u32::from(if seed % 2 == 0 {
            bombard(&pool, seed).await
        } else {
            bombard(&Thread::builder().worker_factory(make_worker).build(), seed).await
        });
    }
    let grown = (pages() - before) * 64 * 1024;
    assert!(grown < 16 << 20, "the page's memory grew by {grown} bytes");
    assert!(lost > 0, "what ends a worker was among it");
    // A replacement was never in it.
    assert_eq!(pool.spawn_remote(remote!(|| 6 * 7)).await.unwrap(), 42);
}}

/// Has a new worker post one message, an expression. Gives the error of a task that waits there.
async fn lost_by(message: &str) -> Error {
    let thread = Thread::builder().worker_factory(make_worker).build();
    thread.ready().await.unwrap();
    let waits = remote!(async { std::future::pending::<()>().await }).timeout(Duration::from_secs(10));
    let waits = thread.spawn_remote(waits);
    thread.spawn_remote(exec_js(format!("self.postMessage({message});"))).forget();
    waits.await.unwrap_err()
}

web_test! { async fn a_worker_that_ends_need_not_say_well_what_had_begun() {
    watch_errors().await;
    for begun in ["undefined", "null", "5", "{ length: 2 ** 32 }", "[NaN, 'x']", "new Uint8Array(3)"] {
        let error = lost_by(&format!("{{ wasmMt: self.bootKey, died: 'for a test', begun: {begun} }}")).await;
        assert!(error.is_worker_lost() && error.to_string().contains("for a test"), "{begun}: {error}");
    }
    assert_whole(0).await;
}}

web_test! { async fn what_is_told_to_be_the_parts_of_an_error_need_not_be_any() {
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
}}

// What a window, a frame or another tab can send must not be taken for a packet.
web_test! { async fn nothing_listens_to_windows_or_broadcast_channels() {
    javascript(
        "self.listeners = [];
        const { addEventListener } = EventTarget.prototype;
        EventTarget.prototype.addEventListener = function (name, ...rest) {
            const isPort = this instanceof Worker || this instanceof MessagePort;
            if (String(name).startsWith('message') && !isPort) listeners.push(String(this ?? self) + ' ' + name);
            return addEventListener.call(this, name, ...rest);
        };
        const { BroadcastChannel } = self;
        self.BroadcastChannel = class extends BroadcastChannel {
            constructor(name) {
                super(name);
                listeners.push('broadcast channel ' + name);
            }
        };
        self.restore = () => {
            EventTarget.prototype.addEventListener = addEventListener;
            self.BroadcastChannel = BroadcastChannel;
        };",
    )
    .await;
    let pool = Pool::builder().threads(2).build();
    let run = pool.spawn_remote(remote!(async move { Thread::new().spawn_remote(remote!(|| 42)).await }));
    let result = run.await;
    drop(pool);
    let heard = javascript("restore(); return [...listeners, onmessage && 'onmessage'].filter(Boolean).join();").await;
    assert_eq!(result.unwrap().unwrap(), 42);
    assert_eq!(heard.as_string().as_deref(), Some(""));
}}
