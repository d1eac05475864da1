//! A worker of one's own.

use std::fmt;
use std::future::Future;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::task::{FutureObj, Spawn, SpawnError};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::executor::{Executor, ExecutorExt};
use crate::schedule::Strategy;
use crate::supervisor::{PoolConfig, Stats, Supervisor};
use crate::task::{Job, Remote, RemoteHandle};

/// A worker: a Web Worker in the browser, a `std::thread` natively.
///
/// It is usable at once: tasks wait until the worker is up. Synchronous tasks run one after the other, in the order in
/// which they were spawned; asynchronous ones overlap at their awaits.
///
/// A `Thread` can be cloned and sent; all clones are the same worker. **When the last one is dropped, the worker ends**
/// and what it has not answered resolves with an error that [`is_closed`](Error::is_closed). Natively a synchronous
/// task that runs at that moment cannot be interrupted: it finishes, and its result is thrown away.
///
/// If a task panics, its handle resolves with an error that [`is_panic`](Error::is_panic), the other pending handles
/// with one that [`is_worker_lost`](Error::is_worker_lost), and the thread [`is_lost`](Self::is_lost): make a new one.
///
/// ```
/// use wasm_mt::{Thread, remote};
///
/// # wasm_mt::run(async {
/// let thread = Thread::new();
/// let name = String::from("worker");
/// let greeting = thread.spawn_remote(remote!(move || format!("hello from the {name}"))).await?;
/// assert_eq!(greeting, "hello from the worker");
/// # Ok::<_, wasm_mt::Error>(())
/// # });
/// ```
#[derive(Clone)]
pub struct Thread {
    supervisor: Arc<Supervisor>,
    #[cfg_attr(not(target_family = "wasm"), expect(dead_code, reason = "of interest to `compat` only"))]
    pub(crate) notes: Arc<Notes>,
}

/// What programs of wasm-mt 0.1 note on a thread.
#[derive(Default)]
#[cfg_attr(not(target_family = "wasm"), expect(dead_code, reason = "of interest to `compat` only"))]
pub(crate) struct Notes {
    id: Mutex<Option<String>>,
    pub(crate) busy: AtomicBool,
}

impl Notes {
    #[cfg_attr(not(target_family = "wasm"), expect(dead_code, reason = "of interest to `compat` only"))]
    pub(crate) fn id(&self) -> MutexGuard<'_, Option<String>> {
        self.id.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Thread {
    /// Starts a worker with the defaults of [`builder`](Self::builder).
    ///
    /// Cannot fail: a worker that does not start resolves its tasks with an error that
    /// [`is_startup`](Error::is_startup).
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Starts a worker with options.
    pub fn builder() -> ThreadBuilder {
        ThreadBuilder::default()
    }

    /// Runs a task on this thread.
    ///
    /// The handle is a future of the task's result. Dropping it cancels the task.
    pub fn spawn_remote<R>(&self, task: Remote<R>) -> RemoteHandle<R>
    where
        R: Serialize + DeserializeOwned + 'static,
    {
        ExecutorExt::spawn_remote(self, task)
    }

    /// Resolves when the worker takes tasks. Awaiting it is optional.
    ///
    /// # Errors
    ///
    /// [`is_startup`](Error::is_startup) if the worker did not start; what ended the thread if it has ended since.
    pub fn ready(&self) -> impl Future<Output = Result<(), Error>> + Send + use<> {
        self.supervisor.ready()
    }

    /// True if the worker is gone: it did not start, a task panicked, or it was terminated.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.supervisor.is_lost()
    }

    /// How many tasks were spawned and are not finished.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.supervisor.pending()
    }

    /// Ends the worker. Pending handles, and those of tasks spawned later, resolve with an error that
    /// [`is_closed`](Error::is_closed).
    ///
    /// In the browser a running task is stopped where it is. Natively a synchronous task finishes, unheard.
    pub fn terminate(&self) {
        self.supervisor.terminate();
    }
}

/// A future runs on this thread natively; in the browser it cannot leave its memory, and runs on the event loop here.
impl Spawn for Thread {
    fn spawn_obj(&self, future: FutureObj<'static, ()>) -> Result<(), SpawnError> {
        self.supervisor.spawn(future)
    }

    fn status(&self) -> Result<(), SpawnError> {
        if self.is_lost() { Err(SpawnError::shutdown()) } else { Ok(()) }
    }
}

impl Executor for Thread {
    fn submit(&self, job: Job) {
        let Ok(()) = self.supervisor.submit(job, false) else {
            unreachable!("only a bounded task can be refused");
        };
    }

    fn pending(&self) -> usize {
        Self::pending(self)
    }

    fn stats(&self) -> Stats {
        self.supervisor.stats()
    }

    fn close(&self) -> BoxFuture<'static, ()> {
        Box::pin(self.supervisor.close())
    }
}

impl Default for Thread {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Thread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Thread").field("lost", &self.is_lost()).field("pending", &self.pending()).finish()
    }
}

/// PoolConfig of a [`Thread`].
///
/// ```
/// use std::time::Duration;
/// use wasm_mt::{Thread, remote};
///
/// # wasm_mt::run(async {
/// let thread = Thread::builder()
///     .name("decoder")
///     .start_timeout(Duration::from_secs(30))
///     .on_start(remote!(|| println!("ready to decode")))
///     .build();
/// thread.ready().await
/// # });
/// ```
#[derive(Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct ThreadBuilder {
    options: PoolConfig,
}

impl Default for ThreadBuilder {
    fn default() -> Self {
        // One worker that takes every task at once, and is not replaced.
        let options = PoolConfig { threads: Some(1), replace: false, ..PoolConfig::new(Strategy::Parallel) };
        Self { options }
    }
}

impl ThreadBuilder {
    /// Names the worker, for debuggers.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.options.spec.name = Some(name.into());
        self
    }

    /// How long the worker may take to start, `on_start` included. Default: 10 seconds.
    ///
    /// Time in which the page itself is blocked, frozen or held by a debugger does not count.
    pub fn start_timeout(mut self, limit: Duration) -> Self {
        self.options.start_timeout = limit;
        self
    }

    /// How long an asynchronous task that was [aborted](RemoteHandle::abort), or has run for longer than its
    /// [`timeout`](Remote::timeout), may take to reach an await before the worker is ended. Default: 100 milliseconds.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.options.grace = grace;
        self
    }

    /// A task to run in the worker before all others: to set up logging, for example. If it panics, the worker has not
    /// started. It may take as long as [`start_timeout`](Self::start_timeout) says; a `timeout` of its own does not count.
    pub fn on_start(mut self, task: Remote<()>) -> Self {
        self.options.on_start = Some(task.into_call());
        self
    }

    /// The URL of a worker script on the program's own host; by default the script is a blob.
    ///
    /// Needed under a content security policy that allows `worker-src 'self'` but not `blob:`. The script is
    /// [`WORKER_SCRIPT`](crate::WORKER_SCRIPT): serve it as it is. Ignored natively.
    pub fn script_url(mut self, url: impl Into<String>) -> Self {
        self.options.spec.web.script = Some(url.into());
        self
    }

    /// The URL of the JavaScript that wasm-bindgen generated for the program; by default it is found by itself.
    ///
    /// Needed if a bundler put that JavaScript into a larger file. Ignored natively.
    pub fn glue_url(mut self, url: impl Into<String>) -> Self {
        self.options.spec.web.glue = Some(url.into());
        self
    }

    #[cfg_attr(not(target_family = "wasm"), expect(dead_code, reason = "js.rs sets what only the web has"))]
    pub(crate) fn options(&mut self) -> &mut PoolConfig {
        &mut self.options
    }

    /// Starts the worker. It is usable at once.
    #[must_use]
    pub fn build(self) -> Thread {
        Thread { supervisor: Arc::new(Supervisor::start(self.options)), notes: Arc::default() }
    }
}
