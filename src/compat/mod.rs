#![doc = include_str!("../../docs/coming-from-0.1.md")]

mod closure;
mod macros;
mod pool;
pub mod prelude;
mod thread;
pub mod utils;

pub use closure::{MtAsyncClosure, MtClosure};
pub use pool::{PoolCallback, ThreadPool};
pub use thread::ThreadExt;

#[doc(inline)]
pub use crate::{
    __exec_js as exec_js, __exec_js_async as exec_js_async, FnOnce, console_ln, debug_ln, exec, pool_exec,
    pool_exec_js, pool_exec_js_async,
};

#[doc(hidden)]
pub use closure::{Closure, ClosureOutput, ClosureResult, Immediate, Promised, Return};

use std::fmt;

use js_sys::ArrayBuffer;
use wasm_bindgen::JsValue;

use crate::error::Error;
use crate::platform;
use crate::thread::Thread;

/// What a closure of 0.1 returns, and what comes back.
type ResultJJ = Result<JsValue, JsValue>;

/// What went wrong, in the form that 0.1 had for it: a text.
fn text(error: &Error) -> JsValue {
    JsValue::from_str(&error.to_string())
}

/// Makes threads, as in 0.1. Web only.
///
/// A worker runs the module that the page runs, which is not fetched again. The path of the program's JavaScript, or its text in a
/// buffer, is needed only if the page evaluated that JavaScript (`new Function(..)`, `eval`): then the browser does not know where it
/// is from.
///
/// ```ignore (web only)
/// use wasm_mt::prelude::*;
///
/// let mt = WasmMt::new("./pkg/exec.js").and_init().await?;
/// let th = mt.thread().and_init().await?;
/// assert_eq!(exec!(th, move || Ok(JsValue::from(42))).await?, JsValue::from(42));
/// ```
#[derive(Default)]
pub struct WasmMt(
    /// Where the program says that its JavaScript is. May be empty.
    String,
);

impl WasmMt {
    /// A builder of threads. The path of the program's JavaScript may be empty if the page loaded that by a `<script>` or an
    /// `import`.
    #[must_use]
    pub fn new(pkg_js_uri: &str) -> Self {
        Self(pkg_js_uri.to_owned())
    }

    /// A builder of threads, for programs that have fetched their JavaScript and their module themselves.
    #[must_use]
    pub fn new_with_arraybuffers(ab_js: ArrayBuffer, ab_wasm: ArrayBuffer) -> Self {
        drop(ab_wasm);
        Self(platform::url_of_hidden_glue(&ab_js))
    }

    /// Accepts the program's JavaScript, which is not needed.
    pub fn set_ab_init(&self, ab: ArrayBuffer) {
        drop(ab);
    }

    /// Accepts the program's module, which is not needed.
    pub fn set_ab_wasm(&self, ab: ArrayBuffer) {
        drop(ab);
    }

    /// Does nothing, successfully. [`thread`](Self::thread) may be called without it.
    ///
    /// # Errors
    ///
    /// None any more.
    #[expect(clippy::unused_async, reason = "as it was in 0.1")]
    pub async fn init(&self) -> Result<&Self, JsValue> {
        Ok(self)
    }

    /// As [`init`](Self::init), in a chain of calls.
    ///
    /// # Errors
    ///
    /// None any more.
    #[expect(clippy::unused_async, reason = "as it was in 0.1")]
    pub async fn and_init(self) -> Result<Self, JsValue> {
        Ok(self)
    }

    /// Starts a thread.
    #[must_use]
    pub fn thread(&self) -> Thread {
        let mut builder = Thread::builder();
        builder.config.spec.web.hidden_glue.clone_from(&self.0);
        builder.build()
    }
}

impl fmt::Debug for WasmMt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WasmMt")
    }
}
