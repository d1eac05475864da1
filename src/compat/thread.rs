//! The methods that a thread had in 0.1.

use std::future::Future;
use std::rc::Rc;
use std::sync::atomic::Ordering;

use wasm_bindgen::JsValue;

use super::closure::{self, ClosureResult};
use super::{MtAsyncClosure, MtClosure, ResultJJ, text, utils};
use crate::executor::ExecutorExt;
use crate::task::Remote;
use crate::thread::Thread;

/// What it could do in 0.1. Web only; see [`compat`](crate::compat).
impl Thread {
    /// Resolves when the worker takes tasks. Awaiting it is optional.
    ///
    /// # Errors
    ///
    /// A text that says why the worker did not start.
    pub async fn init(&self) -> Result<&Self, JsValue> {
        self.ready().await.map_err(|error| text(&error))?;
        Ok(self)
    }

    /// As [`init`](Self::init), in a chain of calls.
    ///
    /// # Errors
    ///
    /// As those of `init`.
    pub async fn and_init(self) -> Result<Self, JsValue> {
        self.init().await?;
        Ok(self)
    }

    /// Runs a closure that [`FnOnce!`](crate::FnOnce) has made.
    ///
    /// An `ArrayBuffer` that it returns is transferred, everything else is cloned.
    ///
    /// # Errors
    ///
    /// The `Err` of the closure; or a text, if it has panicked, its result has no clone, or the worker is gone.
    pub async fn exec<F>(&self, clos: F) -> Result<JsValue, JsValue>
    where
        F: MtClosure,
    {
        self.run(clos.into_task()).await
    }

    /// Runs an asynchronous closure that [`FnOnce!`](crate::FnOnce) has made.
    ///
    /// # Errors
    ///
    /// As those of [`exec`](Self::exec).
    pub async fn exec_async<F, T>(&self, aclos: F) -> Result<JsValue, JsValue>
    where
        F: MtAsyncClosure<T>,
    {
        self.run(aclos.into_task()).await
    }

    /// Runs JavaScript, as [`utils::run_js`](super::utils::run_js) does.
    ///
    /// # Errors
    ///
    /// What the script throws, or a text as from [`exec`](Self::exec).
    #[track_caller]
    pub fn exec_js(&self, js: &str) -> impl Future<Output = Result<JsValue, JsValue>> {
        let task = script(js);
        async { self.run(task).await }
    }

    /// Runs asynchronous JavaScript, as [`utils::run_js_async`](super::utils::run_js_async) does.
    ///
    /// # Errors
    ///
    /// What the script throws, or a text as from [`exec`](Self::exec).
    #[track_caller]
    pub fn exec_js_async(&self, js: &str) -> impl Future<Output = Result<JsValue, JsValue>> {
        let task = async_script(js);
        async { self.run(task).await }
    }

    async fn run(&self, task: Remote<ClosureResult>) -> ResultJJ {
        closure::result(ExecutorExt::spawn_remote(self, task)).await
    }

    /// True if the worker is gone: it was terminated, or a closure has panicked.
    #[must_use]
    pub fn is_terminated(&self) -> bool {
        self.is_lost()
    }

    /// The name that [`set_id`](Self::set_id) gave.
    #[must_use]
    pub fn get_id(&self) -> Option<Rc<String>> {
        self.notes.id().clone().map(Rc::new)
    }

    /// Notes a name.
    #[expect(clippy::must_use_candidate, reason = "it is called for what it does")]
    pub fn set_id(&self, id: &str) -> &Self {
        *self.notes.id() = Some(id.to_owned());
        self
    }

    /// What [`set_busy`](Self::set_busy) has noted; at first `false`.
    #[must_use]
    pub fn get_busy(&self) -> bool {
        self.notes.busy.load(Ordering::Relaxed)
    }

    /// Notes whether the thread is busy. Nothing depends on it.
    #[expect(clippy::must_use_candidate, reason = "it is called for what it does")]
    pub fn set_busy(&self, tf: bool) -> &Self {
        self.notes.busy.store(tf, Ordering::Relaxed);
        self
    }
}

/// JavaScript as a task.
#[track_caller]
pub(super) fn script(js: &str) -> Remote<ClosureResult> {
    Remote::new(js.to_owned(), |js: String| ClosureResult::new(utils::run_js(&js)))
}

/// Asynchronous JavaScript as a task.
#[track_caller]
pub(super) fn async_script(js: &str) -> Remote<ClosureResult> {
    Remote::new_async(js.to_owned(), |js: String| async move {
        ClosureResult::new(utils::run_js_async(&js).await)
    })
}
