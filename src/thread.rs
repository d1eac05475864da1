//! A single worker, for the tasks that it is given.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use futures::task::Spawn;

use crate::error::Error;
use crate::executor::{Executor, forward, spawn_actor, spawn_remote, worker_options};
use crate::schedule::Strategy;
use crate::supervisor::{PoolConfig, Stats, Supervisor};

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
    /// All clones share it: it is what tells one thread from another.
    pub(crate) supervisor: Arc<Supervisor>,
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

    spawn_remote!(pub);

    spawn_actor!();

    /// Resolves when the worker takes tasks. Awaiting it is optional.
    ///
    /// # Errors
    ///
    /// [`is_startup`](Error::is_startup) if the worker did not start; what ended the thread if it has ended since.
    ///
    /// # Examples
    ///
    /// ```
    /// # use wasm_mt::Thread;
    /// # wasm_mt::run(async {
    /// let thread = Thread::new();
    /// thread.ready().await?;
    /// assert_eq!(thread.stats().workers, 1);
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    pub fn ready(&self) -> impl Future<Output = Result<(), Error>> + Send + use<> {
        self.supervisor.ready()
    }

    /// True if the worker is gone: it did not start, a task panicked, or it was terminated.
    ///
    /// ```
    /// # use wasm_mt::{Thread, remote};
    /// # wasm_mt::run(async {
    /// let thread = Thread::new();
    /// thread.spawn_remote(remote!(|| -> u32 { panic!("a bug") })).await.unwrap_err();
    /// assert!(thread.is_lost());
    /// assert!(thread.spawn_remote(remote!(|| 6 * 7)).await.unwrap_err().is_worker_lost());
    /// # });
    /// ```
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.supervisor.is_lost()
    }

    /// How many tasks were spawned and are not finished.
    ///
    /// ```
    /// # use wasm_mt::{Thread, remote};
    /// # wasm_mt::run(async {
    /// let thread = Thread::new();
    /// let endless = thread.spawn_remote(remote!(async { std::future::pending::<()>().await }));
    /// thread.spawn_remote(remote!(|| 6 * 7)).await?;
    /// assert_eq!(thread.pending(), 1);
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    #[must_use]
    pub fn pending(&self) -> usize {
        self.supervisor.pending()
    }

    /// What the thread has done so far, and what it is doing.
    ///
    /// ```
    /// # use wasm_mt::{Thread, remote};
    /// # wasm_mt::run(async {
    /// let thread = Thread::new();
    /// thread.spawn_remote(remote!(|| 6 * 7)).await?;
    /// assert_eq!(thread.stats().finished, 1);
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.supervisor.stats()
    }

    /// Ends the worker. Pending handles, and those of tasks spawned later, resolve with an error that
    /// [`is_closed`](Error::is_closed).
    ///
    /// In the browser a running task is stopped where it is. Natively a synchronous task finishes, and its result is
    /// discarded.
    ///
    /// ```
    /// # use wasm_mt::{Thread, remote};
    /// # wasm_mt::run(async {
    /// let thread = Thread::new();
    /// let endless = thread.spawn_remote(remote!(async { std::future::pending::<()>().await }));
    /// thread.terminate();
    /// assert!(endless.await.unwrap_err().is_closed());
    /// assert!(thread.is_lost());
    /// # });
    /// ```
    pub fn terminate(&self) {
        self.supervisor.terminate();
    }
}

/// A future runs on this thread natively; in the browser it cannot leave its memory, and runs on the event loop here.
impl Spawn for Thread {
    forward!(Spawn, |thread| &*thread.supervisor);
}

impl Executor for Thread {
    forward!(Executor, |thread| &*thread.supervisor);
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

/// The options of a [`Thread`].
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
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct ThreadBuilder {
    pub(crate) config: PoolConfig,
}

impl ThreadBuilder {
    /// Starts the worker. It is usable at once.
    #[must_use]
    pub fn build(self) -> Thread {
        Thread { supervisor: Arc::new(Supervisor::start(self.config)) }
    }
}

worker_options!(ThreadBuilder);

/// The options of [`Thread::new`].
impl Default for ThreadBuilder {
    fn default() -> Self {
        // One worker that takes every task at once, and is not replaced.
        let config = PoolConfig { threads: Some(1), replace: false, ..PoolConfig::new(Strategy::Parallel) };
        Self { config }
    }
}
