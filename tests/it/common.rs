//! What the tests share.

use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_mt::{Error, Remote, Thread};

#[cfg(target_family = "wasm")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

/// Makes tests for both targets of one body: `#[test]` within `wasm_mt::run` natively, `#[wasm_bindgen_test]` on the web.
macro_rules! remote_test {
    ($($(#[$attribute:meta])* async fn $name:ident() $body:block)*) => {$(
        #[cfg(not(target_family = "wasm"))]
        #[test]
        $(#[$attribute])*
        fn $name() {
            wasm_mt::run(async { $body });
        }

        #[cfg(target_family = "wasm")]
        #[wasm_bindgen_test::wasm_bindgen_test]
        $(#[$attribute])*
        async fn $name() $body
    )*};
}

/// Runs a task on a new worker.
pub(crate) async fn on_worker<R>(task: Remote<R>) -> Result<R, Error>
where
    R: Serialize + DeserializeOwned + 'static,
{
    let thread = Thread::new();
    thread.spawn_remote(task).await
}
