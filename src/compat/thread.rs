//! The methods that a thread had in 0.1.

use std::any::Any;
use std::cell::RefCell;
use std::future::Future;
use std::ptr;
use std::rc::Rc;
use std::sync::{Arc, Weak};

use wasm_bindgen::JsValue;

use super::closure::{self, ClosureResult};
use super::{MtAsyncClosure, MtClosure, ResultJJ, text, utils};
use crate::task::Remote;
use crate::thread::Thread;

/// The methods that a [`Thread`] had in 0.1. Web only.
///
/// Sealed: a `Thread` alone has them.
///
/// ```ignore (web only)
/// use wasm_mt::prelude::*;
///
/// let th = Thread::new();
/// th.set_id("decoder").init().await?;
/// assert_eq!(th.exec(FnOnce!(move || Ok(JsValue::from(42)))).await?, JsValue::from(42));
/// ```
pub trait ThreadExt: Sized + sealed::IsThread {
    /// Resolves when the worker takes tasks. Awaiting it is optional.
    ///
    /// # Errors
    ///
    /// A text that says why the worker did not start.
    fn init(&self) -> impl Future<Output = Result<&Self, JsValue>> {
        async move {
            self.thread().ready().await.map_err(|error| text(&error))?;
            Ok(self)
        }
    }

    /// As [`init`](Self::init), in a chain of calls.
    ///
    /// # Errors
    ///
    /// As those of `init`.
    fn and_init(self) -> impl Future<Output = Result<Self, JsValue>> {
        async move {
            self.init().await?;
            Ok(self)
        }
    }

    /// Runs a closure that [`FnOnce!`](super::FnOnce) has made.
    ///
    /// An `ArrayBuffer` that it returns is transferred, everything else is cloned.
    ///
    /// # Errors
    ///
    /// The `Err` of the closure; or a text, if it has panicked, its result has no clone, or the worker is gone.
    fn exec<F>(&self, clos: F) -> impl Future<Output = Result<JsValue, JsValue>>
    where
        F: MtClosure,
    {
        async move { run(self.thread(), clos.into_task()).await }
    }

    /// Runs an asynchronous closure that [`FnOnce!`](super::FnOnce) has made.
    ///
    /// # Errors
    ///
    /// As those of [`exec`](Self::exec).
    ///
    /// # Examples
    ///
    /// ```ignore (web only)
    /// let answer = th.exec_async(FnOnce!(async move || {
    ///     wasm_mt::yield_now().await;
    ///     Ok(JsValue::from(42))
    /// }));
    /// assert_eq!(answer.await?, JsValue::from(42));
    /// ```
    fn exec_async<F, T>(&self, aclos: F) -> impl Future<Output = Result<JsValue, JsValue>>
    where
        F: MtAsyncClosure<T>,
    {
        async move { run(self.thread(), aclos.into_task()).await }
    }

    /// Runs JavaScript, as [`utils::run_js`](super::utils::run_js) does.
    ///
    /// # Errors
    ///
    /// What the script throws, or a text as from [`exec`](Self::exec).
    ///
    /// # Examples
    ///
    /// ```ignore (web only)
    /// assert_eq!(th.exec_js("return 6 * 7;").await?, JsValue::from(42));
    /// assert!(th.exec_js("return document.title;").await.is_err()); // a worker has no document
    /// ```
    #[track_caller]
    fn exec_js(&self, js: &str) -> impl Future<Output = Result<JsValue, JsValue>> {
        run(self.thread(), script(js))
    }

    /// Runs asynchronous JavaScript, as [`utils::run_js_async`](super::utils::run_js_async) does.
    ///
    /// # Errors
    ///
    /// What the script throws, or a text as from [`exec`](Self::exec).
    ///
    /// # Examples
    ///
    /// ```ignore (web only)
    /// assert_eq!(th.exec_js_async("return await Promise.resolve(42);").await?, JsValue::from(42));
    /// ```
    #[track_caller]
    fn exec_js_async(&self, js: &str) -> impl Future<Output = Result<JsValue, JsValue>> {
        run(self.thread(), async_script(js))
    }

    /// True if the worker is gone: it was terminated, or a closure has panicked.
    ///
    /// ```ignore (web only)
    /// assert!(!th.is_terminated());
    /// th.terminate();
    /// assert!(th.is_terminated());
    /// ```
    #[must_use]
    fn is_terminated(&self) -> bool {
        self.thread().is_lost()
    }

    /// The name that [`set_id`](Self::set_id) gave, to this thread or a clone of it.
    ///
    /// ```ignore (web only)
    /// let clone = th.clone();
    /// th.set_id("decoder");
    /// assert_eq!(clone.get_id().as_deref().map(String::as_str), Some("decoder"));
    /// ```
    #[must_use]
    fn get_id(&self) -> Option<Rc<String>> {
        with_notes(self.thread(), |notes| notes.id.clone())
    }

    /// Notes a name.
    fn set_id(&self, id: &str) -> &Self {
        with_notes(self.thread(), |notes| notes.id = Some(Rc::new(id.to_owned())));
        self
    }

    /// What [`set_busy`](Self::set_busy) has noted; at first `false`.
    ///
    /// ```ignore (web only)
    /// assert!(!th.get_busy());
    /// assert!(th.set_busy(true).get_busy());
    /// ```
    #[must_use]
    fn get_busy(&self) -> bool {
        with_notes(self.thread(), |notes| notes.busy)
    }

    /// Notes whether the thread is busy. Nothing depends on it.
    fn set_busy(&self, tf: bool) -> &Self {
        with_notes(self.thread(), |notes| notes.busy = tf);
        self
    }
}

impl ThreadExt for Thread {}

mod sealed {
    use super::Thread;

    pub trait IsThread {
        fn thread(&self) -> &Thread;
    }

    impl IsThread for Thread {
        fn thread(&self) -> &Thread {
            self
        }
    }
}

/// The task is given to the thread when this is polled first, as in 0.1.
async fn run(thread: &Thread, task: Remote<ClosureResult>) -> ResultJJ {
    closure::result(thread.spawn_remote(task)).await
}

/// What programs note on a thread.
#[derive(Default)]
struct Notes {
    id: Option<Rc<String>>,
    busy: bool,
}

thread_local! {
    /// The notes of each thread that has any. What all clones of a thread share tells it from others; while an entry is here,
    /// nothing else has that address.
    static NOTES: RefCell<Vec<(Weak<dyn Any>, Notes)>> = const { RefCell::new(Vec::new()) };
}

/// Reads or changes what is noted on a thread. Notes of threads that are gone are removed.
fn with_notes<R>(thread: &Thread, read: impl FnOnce(&mut Notes) -> R) -> R {
    let this = &thread.supervisor;
    NOTES.with_borrow_mut(|all| {
        all.retain(|(of, _)| of.strong_count() > 0);
        let is_this = |of: &Weak<dyn Any>| ptr::addr_eq(of.as_ptr(), Arc::as_ptr(this));
        let place = all.iter().position(|(of, _)| is_this(of)).unwrap_or_else(|| {
            let of = Arc::downgrade(this);
            all.push((of, Notes::default()));
            all.len() - 1
        });
        read(&mut all[place].1)
    })
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
