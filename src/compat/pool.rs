//! The pool of wasm-mt-pool 0.1.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::rc::Rc;

use js_sys::ArrayBuffer;
use wasm_bindgen::JsValue;

use super::closure::{self, ClosureResult};
use super::thread::{async_script, script};
use super::{MtAsyncClosure, MtClosure, ResultJJ, text};
use crate::executor::Pool;
use crate::platform::{self, spawn_local};
use crate::task::Remote;

/// What a pool calls with the result of a job: every function that takes a `Result<JsValue, JsValue>`.
pub trait PoolCallback: FnOnce(ResultJJ) + 'static {}

impl<G: FnOnce(ResultJJ) + 'static> PoolCallback for G {}

/// The pool of wasm-mt-pool 0.1, over a work-stealing [`Pool`]. Web only.
///
/// As many jobs run at once as it has threads, in the order in which they came; the others wait. A job whose worker is
/// lost is an `Err` for its callback, and another worker takes its place.
///
/// **Dropping it cancels all jobs**: the callbacks of those that wait and of those that run receive an `Err`.
///
/// ```ignore (web only)
/// let pool = ThreadPool::new(2, "./pkg/app.js").and_init().await?;
/// let (sender, receiver) = futures::channel::oneshot::channel();
/// let n = 42;
/// pool.exec_with_cb(FnOnce!(move || Ok(JsValue::from(n))), |result| sender.send(result).expect("it is awaited"));
/// assert_eq!(receiver.await.expect("it is called once"), Ok(JsValue::from(42)));
/// ```
pub struct ThreadPool(Rc<Inner>);

struct Inner {
    size: usize,
    /// `None` when the pool was dropped.
    pool: RefCell<Option<Pool>>,
    queue: RefCell<VecDeque<PoolJob>>,
    running: Cell<usize>,
}

struct PoolJob {
    task: Remote<ClosureResult>,
    callback: Box<dyn FnOnce(ResultJJ)>,
}

impl ThreadPool {
    /// Starts a pool. The path of the program's JavaScript may be empty, as that of [`WasmMt::new`](super::WasmMt::new).
    ///
    /// # Panics
    ///
    /// If `size` is 0.
    #[must_use]
    pub fn new(size: usize, pkg_js_uri: &str) -> Self {
        assert!(size > 0, "a pool has at least one thread: give `ThreadPool::new` a `size` above 0");
        let mut builder = Pool::builder().threads(size);
        pkg_js_uri.clone_into(&mut builder.config.spec.web.hidden_glue);
        let pool = builder.build();
        Self(Rc::new(Inner {
            size,
            pool: RefCell::new(Some(pool)),
            queue: RefCell::default(),
            running: Cell::default(),
        }))
    }

    /// Starts a pool, for programs that have fetched their JavaScript and their module themselves.
    ///
    /// # Panics
    ///
    /// If `size` is 0.
    #[must_use]
    pub fn new_with_arraybuffers(size: usize, ab_js: ArrayBuffer, ab_wasm: ArrayBuffer) -> Self {
        drop(ab_wasm);
        Self::new(size, &platform::url_of_hidden_glue(&ab_js))
    }

    /// Accepts the program's JavaScript, which is not needed.
    pub fn set_ab_init(&self, ab: ArrayBuffer) {
        drop(ab);
    }

    /// Resolves when the pool takes jobs. Awaiting it is optional.
    ///
    /// # Errors
    ///
    /// A text that says why no worker did start.
    pub async fn init(&self) -> Result<&Self, JsValue> {
        let ready = self.0.pool.borrow().as_ref().map(Pool::ready);
        if let Some(ready) = ready {
            ready.await.map_err(|error| text(&error))?;
        }
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

    /// How many jobs wait for a thread.
    ///
    /// ```ignore (web only)
    /// let pool = ThreadPool::new(1, "");
    /// pool.exec_js("for (;;);");
    /// pool.exec_js("return 1;");
    /// assert_eq!(pool.count_pending_jobs(), 1); // the other one has the thread
    /// ```
    #[must_use]
    pub fn count_pending_jobs(&self) -> usize {
        self.0.queue.borrow().len()
    }

    /// Runs a closure that [`FnOnce!`](super::FnOnce) has made. Its result is discarded.
    pub fn exec<F>(&self, job: F)
    where
        F: MtClosure,
    {
        self.exec_with_cb(job, drop);
    }

    /// Runs an asynchronous closure that [`FnOnce!`](super::FnOnce) has made. Its result is discarded.
    pub fn exec_async<F, T>(&self, job: F)
    where
        F: MtAsyncClosure<T>,
    {
        self.exec_async_with_cb(job, drop);
    }

    /// Runs a closure, and calls `cb` with its result or, as a text, with the reason why there is none.
    ///
    /// ```ignore (web only)
    /// let job = FnOnce!(move || Err(JsValue::from("no")));
    /// pool.exec_with_cb(job, |result| assert_eq!(result, Err(JsValue::from("no"))));
    /// ```
    pub fn exec_with_cb<F, G>(&self, job: F, cb: G)
    where
        F: MtClosure,
        G: PoolCallback,
    {
        self.0.clone().queue(job.into_task(), cb);
    }

    /// Runs an asynchronous closure, and calls `cb` as [`exec_with_cb`](Self::exec_with_cb) does.
    ///
    /// ```ignore (web only)
    /// let job = FnOnce!(async move || {
    ///     wasm_mt::yield_now().await;
    ///     Ok(JsValue::from(42))
    /// });
    /// pool.exec_async_with_cb(job, |result| assert_eq!(result, Ok(JsValue::from(42))));
    /// ```
    pub fn exec_async_with_cb<F, T, G>(&self, job: F, cb: G)
    where
        F: MtAsyncClosure<T>,
        G: PoolCallback,
    {
        self.0.clone().queue(job.into_task(), cb);
    }

    /// Runs JavaScript. Its result is discarded.
    #[track_caller]
    pub fn exec_js(&self, js: &str) {
        self.exec_js_with_cb(js, drop);
    }

    /// Runs asynchronous JavaScript. Its result is discarded.
    #[track_caller]
    pub fn exec_js_async(&self, js: &str) {
        self.exec_js_async_with_cb(js, drop);
    }

    /// Runs JavaScript, and calls `cb` as [`exec_with_cb`](Self::exec_with_cb) does.
    ///
    /// ```ignore (web only)
    /// pool.exec_js_with_cb("return 6 * 7;", |result| assert_eq!(result, Ok(JsValue::from(42))));
    /// ```
    #[track_caller]
    pub fn exec_js_with_cb<G>(&self, js: &str, cb: G)
    where
        G: PoolCallback,
    {
        self.0.clone().queue(script(js), cb);
    }

    /// Runs asynchronous JavaScript, and calls `cb` as [`exec_with_cb`](Self::exec_with_cb) does.
    ///
    /// ```ignore (web only)
    /// let script = "return await Promise.resolve(42);";
    /// pool.exec_js_async_with_cb(script, |result| assert_eq!(result, Ok(JsValue::from(42))));
    /// ```
    #[track_caller]
    pub fn exec_js_async_with_cb<G>(&self, js: &str, cb: G)
    where
        G: PoolCallback,
    {
        self.0.clone().queue(async_script(js), cb);
    }
}

impl Inner {
    fn queue(self: Rc<Self>, task: Remote<ClosureResult>, callback: impl PoolCallback) {
        self.queue.borrow_mut().push_back(PoolJob { task, callback: Box::new(callback) });
        self.start_jobs();
    }

    /// Starts the jobs that have a thread.
    fn start_jobs(self: Rc<Self>) {
        let pool = self.pool.borrow();
        let Some(pool) = &*pool else { return };
        while self.running.get() < self.size {
            let Some(PoolJob { task, callback }) = self.queue.borrow_mut().pop_front() else { break };
            self.running.set(self.running.get() + 1);
            let (handle, inner) = (pool.spawn_remote(task), self.clone());
            spawn_local(async move {
                let result = closure::result(handle).await;
                inner.running.set(inner.running.get() - 1);
                inner.start_jobs();
                callback(result);
            });
        }
    }
}

impl Drop for ThreadPool {
    fn drop(&mut self) {
        // Callbacks are called when the program is done for now: it may hold what they borrow.
        for PoolJob { callback, .. } in self.0.queue.take() {
            let cancelled =
                JsValue::from_str("the job was cancelled: its pool was dropped before a thread was free");
            spawn_local(async { callback(Err(cancelled)) });
        }
        drop(self.0.pool.take());
    }
}

impl fmt::Debug for ThreadPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { size, running, .. } = &*self.0;
        f.debug_struct("ThreadPool")
            .field("size", size)
            .field("running", &running.get())
            .field("pending", &self.count_pending_jobs())
            .finish()
    }
}
