//! What the tests share.

use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_mt::{Error, Remote, Thread};

/// Makes tests for both targets of one body; natively within `wasm_mt::run`. Each fails when its time is over.
macro_rules! remote_test {
    ($($(#[$attribute:meta])* async fn $name:ident() $body:block)*) => {$(
        #[cfg(not(target_family = "wasm"))]
        #[test]
        $(#[$attribute])*
        fn $name() {
            crate::limit::run(concat!(module_path!(), "::", stringify!($name)), || {
                wasm_mt::run(async { $body });
            });
        }

        #[cfg(target_family = "wasm")]
        #[wasm_bindgen_test::wasm_bindgen_test]
        $(#[$attribute])*
        async fn $name() {
            crate::limit::run(concat!(module_path!(), "::", stringify!($name)), async { $body }).await;
        }
    )*};
}

/// Makes a test that is native only, as the end of its name says: `::native`. It fails when its time is over, even if its thread
/// is blocked.
#[cfg(not(target_family = "wasm"))]
macro_rules! native_test {
    ($(#[$attribute:meta])* fn $name:ident() $body:block) => {
        fn $name() $body

        mod $name {
            #[test]
            $(#[$attribute])*
            fn native() {
                crate::limit::run(concat!(module_path!(), "::native"), super::$name);
            }
        }
    };
}

/// Makes a test that is for the web only, as the end of its name says: `::web`. It fails when its time is over, as long as the
/// page itself is not blocked.
#[cfg(target_family = "wasm")]
macro_rules! web_test {
    ($(#[$attribute:meta])* async fn $name:ident() $(-> $result:ty)? $body:block) => {
        async fn $name() $(-> $result)? $body

        mod $name {
            #[allow(unused_imports, reason = "the type of a result may need them")]
            use super::*;

            #[wasm_bindgen_test::wasm_bindgen_test]
            $(#[$attribute])*
            async fn web() $(-> $result)? {
                crate::limit::run(concat!(module_path!(), "::web"), super::$name()).await
            }
        }
    };
}

/// Makes a test for JavaScript that needs no page: it runs in runtimes too. Its name ends in `::javascript`.
#[cfg(target_family = "wasm")]
macro_rules! javascript_test {
    (fn $name:ident() $body:block) => {
        fn $name() $body

        mod $name {
            #[wasm_bindgen_test::wasm_bindgen_test]
            fn javascript() {
                super::$name();
            }
        }
    };
}

/// Holds its thread for some milliseconds.
pub(crate) fn hold_the_thread() {
    let begun = web_time::Instant::now();
    while begun.elapsed() < std::time::Duration::from_millis(5) {}
}

/// Natively runs this test once more, alone in a process of its own: it changes what is the process's. True if that was done
/// by this call; there, and on the web, the test goes on.
pub(crate) fn ran_alone(name: &str) -> bool {
    #[cfg(not(target_family = "wasm"))]
    if std::env::var_os("WASM_MT_TEST_ALONE").is_none() {
        let mut program = std::process::Command::new(std::env::current_exe().unwrap());
        let output = program.args(["--exact", name]).env("WASM_MT_TEST_ALONE", "").output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("1 passed"), "{text}");
        return true;
    }
    let _only_natively = name;
    false
}

/// Resolves when `count` tasks await it with the same `name`: none goes on before all are there, so all run at once.
/// It holds its thread natively.
#[cfg(not(target_family = "wasm"))]
pub(crate) async fn meet(name: &'static str, count: u32) {
    use std::collections::BTreeMap;
    use std::sync::{Arc, Barrier, Mutex};

    static BARRIERS: Mutex<BTreeMap<&str, Arc<Barrier>>> = Mutex::new(BTreeMap::new());

    let barrier = BARRIERS
        .lock()
        .unwrap()
        .entry(name)
        .or_insert_with(|| Arc::new(Barrier::new(count as usize)))
        .clone();
    barrier.wait();
}

/// Resolves when `count` tasks await it with the same `name`: none goes on before all are there, so all run at once.
#[cfg(target_family = "wasm")]
pub(crate) async fn meet(name: &'static str, count: u32) {
    // Whoever hears a new voice answers: those who came later did not hear what was said before.
    let source = format!(
        "const channel = new BroadcastChannel('{name}');
        const me = Math.random();
        const present = new Set([me]);
        await new Promise((resolve) => {{
            channel.onmessage = ({{ data }}) => {{
                if (present.has(data)) return;
                present.add(data);
                channel.postMessage(me);
                if (present.size === {count}) resolve();
            }};
            channel.postMessage(me);
        }});"
    );
    javascript(&source).await;
}

/// Runs the body of an `async` function here.
#[cfg(target_family = "wasm")]
pub(crate) async fn javascript(source: &str) -> wasm_bindgen::JsValue {
    let function = js_sys::Function::new_no_args(&format!("return (async () => {{\n{source}\n}})()"));
    let promise = function.call0(&wasm_bindgen::JsValue::UNDEFINED).unwrap();
    wasm_bindgen_futures::JsFuture::from(js_sys::Promise::from(promise)).await.unwrap()
}

/// Runs a task on a new worker.
pub(crate) async fn on_worker<R>(task: Remote<R>) -> Result<R, Error>
where
    R: Serialize + DeserializeOwned + 'static,
{
    let thread = Thread::new();
    thread.spawn_remote(task).await
}
