//! Workers that share their tasks.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::task::{FutureObj, Spawn, SpawnError};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Executor;
use crate::error::Error;
use crate::schedule::Strategy;
use crate::supervisor::{PoolConfig, Stats, Supervisor, TaskRun};
use crate::task::{Job, Remote, RemoteHandle};

/// Several workers, and a [`Strategy`] by which tasks are spread over them.
///
/// A pool is usable at once: tasks wait until workers are up. A worker that is lost, because a task on it panicked for
/// example, is replaced; tasks that had not begun on it run on another.
///
/// A `Pool` can be cloned and sent; all clones are the same pool. **When the last one is dropped, its workers end** and what
/// they have not answered resolves with an error that [`is_closed`](Error::is_closed). [`close`](Executor::close) lets them
/// finish before.
///
/// What a task spawns, by awaiting another task or on [`executor::current()`](crate::executor::current), are its *children*.
/// They run within the same pool, are never refused and never counted against [`max_queue`](PoolBuilder::max_queue), so a
/// task that awaits its children cannot deadlock, whatever the strategy.
///
/// ```
/// use wasm_mt::{ExecutorExt, Pool, Strategy, remote};
///
/// # wasm_mt::run(async {
/// let pool = Pool::builder().strategy(Strategy::WorkStealing).threads(4).build();
/// let squares = (0..100_u64).map(|n| pool.spawn_remote(remote!(move || n * n)));
/// let squares = futures::future::try_join_all(squares).await?;
/// assert_eq!(squares.iter().sum::<u64>(), 328_350);
/// # Ok::<_, wasm_mt::Error>(())
/// # });
/// ```
#[derive(Clone)]
pub struct Pool {
    supervisor: Arc<Supervisor>,
}

impl Pool {
    /// Starts a pool with the defaults of [`builder`](Self::builder): it steals work, with as many workers as the machine
    /// can run at once.
    ///
    /// Cannot fail: if no worker starts, tasks resolve with an error that [`is_startup`](Error::is_startup).
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Starts a pool with options.
    pub fn builder() -> PoolBuilder {
        PoolBuilder { options: PoolConfig::new(Strategy::WorkStealing) }
    }

    pub(crate) fn start(options: PoolConfig) -> Self {
        Self { supervisor: Arc::new(Supervisor::start(options)) }
    }

    /// Runs a task on every worker, ahead of what waits there. A handle for each, in the order of the workers' places.
    ///
    /// What the task captured is copied for each. It is for these workers: if one is lost under it, its handle resolves with
    /// an error. Workers that replace others later do not run it; what every worker needs is for
    /// [`on_start`](PoolBuilder::on_start).
    ///
    /// ```
    /// # use wasm_mt::{Pool, remote};
    /// # wasm_mt::run(async {
    /// let pool = Pool::builder().threads(2).build();
    /// let greetings = pool.broadcast(remote!(|| "hello".to_owned()));
    /// assert_eq!(futures::future::try_join_all(greetings).await?, ["hello", "hello"]);
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    #[must_use = "dropping the handles cancels the tasks"]
    pub fn broadcast<R>(&self, task: Remote<R>) -> Vec<RemoteHandle<R>>
    where
        R: Serialize + DeserializeOwned + 'static,
    {
        let workers = self.supervisor.workers();
        let send = |worker| {
            let (job, handle) = task.clone().into_job();
            if let Some(job) = job {
                self.supervisor.pin(worker, job);
            }
            handle
        };
        workers.into_iter().map(send).collect()
    }

    /// Resolves when no worker is starting any more. Awaiting it is optional.
    ///
    /// # Errors
    ///
    /// [`is_startup`](Error::is_startup) if no worker has started; [`is_closed`](Error::is_closed) if the pool was closed,
    /// terminated or dropped meanwhile.
    pub fn ready(&self) -> impl Future<Output = Result<(), Error>> + Send + use<> {
        self.supervisor.ready()
    }

    /// Ends all workers. Pending handles, and those of tasks spawned later, resolve with an error that
    /// [`is_closed`](Error::is_closed).
    ///
    /// In the browser running tasks are stopped where they are. Natively synchronous tasks finish, unheard.
    pub fn terminate(&self) {
        self.supervisor.terminate();
    }
}

/// A future runs on one of the workers' threads natively; in the browser it cannot leave its memory, and runs on the event
/// loop here. Natively it goes with its thread: when the pool is closed, terminated or dropped, or a task on that worker panics.
impl Spawn for Pool {
    fn spawn_obj(&self, future: FutureObj<'static, ()>) -> Result<(), SpawnError> {
        self.supervisor.spawn(future)
    }

    fn status(&self) -> Result<(), SpawnError> {
        if self.supervisor.is_lost() { Err(SpawnError::shutdown()) } else { Ok(()) }
    }
}

impl Executor for Pool {
    fn submit(&self, job: Job) {
        let Ok(()) = self.supervisor.submit(job, false) else {
            unreachable!("only a bounded task can be refused");
        };
    }

    fn try_submit(&self, job: Job) -> Result<(), Job> {
        self.supervisor.submit(job, true)
    }

    fn concurrency(&self) -> usize {
        self.supervisor.threads()
    }

    fn pending(&self) -> usize {
        self.supervisor.pending()
    }

    fn stats(&self) -> Stats {
        self.supervisor.stats()
    }

    fn close(&self) -> BoxFuture<'static, ()> {
        Box::pin(self.supervisor.close())
    }
}

impl Default for Pool {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("stats", &self.stats()).finish()
    }
}

/// PoolConfig of a [`Pool`].
///
/// ```
/// use std::time::Duration;
/// use wasm_mt::{Pool, Strategy, remote};
///
/// # wasm_mt::run(async {
/// let pool = Pool::builder()
///     .strategy(Strategy::Parallel)
///     .threads(2)
///     .max_queue(100)
///     .name("renderer")
///     .start_timeout(Duration::from_secs(30))
///     .on_start(remote!(|| println!("ready to render")))
///     .build();
/// pool.ready().await
/// # });
/// ```
#[derive(Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct PoolBuilder {
    options: PoolConfig,
}

impl PoolBuilder {
    /// How tasks are spread over the workers. Default: [`Strategy::WorkStealing`].
    pub fn strategy(mut self, strategy: Strategy) -> Self {
        self.options.strategy = strategy;
        self
    }

    /// How many workers there are, at least one. Default: as many as the machine can run at once, by
    /// `navigator.hardwareConcurrency` in the browser; one under [`Strategy::Serial`], where more would only be spare.
    pub fn threads(mut self, count: usize) -> Self {
        self.options.threads = Some(count);
        self
    }

    /// How many tasks may wait for a worker, as far as [`try_spawn_remote`](crate::ExecutorExt::try_spawn_remote) and
    /// [`par_map`](crate::ExecutorExt::par_map) are concerned. Default: any number. `spawn_remote` always queues, and children are
    /// never counted.
    pub fn max_queue(mut self, count: usize) -> Self {
        self.options.max_queue = Some(count);
        self
    }

    /// Names the workers, for debuggers.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.options.spec.name = Some(name.into());
        self
    }

    /// How long a worker may take to start, `on_start` included. Default: 10 seconds.
    ///
    /// Time in which the page itself is blocked, frozen or held by a debugger does not count.
    pub fn start_timeout(mut self, limit: Duration) -> Self {
        self.options.start_timeout = limit;
        self
    }

    /// How long an asynchronous task that was [aborted](RemoteHandle::abort), or has run for longer than its
    /// [`timeout`](Remote::timeout), may take to reach an await before its worker is ended. Default: 100 milliseconds.
    pub fn grace(mut self, grace: Duration) -> Self {
        self.options.grace = grace;
        self
    }

    /// A task to run in every worker before all others, those that replace lost ones too: to set up logging, for example.
    /// If it panics, the worker has not started. It may take as long as [`start_timeout`](Self::start_timeout) says; a
    /// `timeout` of its own does not count.
    pub fn on_start(mut self, task: Remote<()>) -> Self {
        self.options.on_start = Some(task.into_call());
        self
    }

    /// Has a function called with every task that has run, on any worker: for timelines and measurements.
    ///
    /// In the browser it is called on the thread that made the pool; natively on the workers' threads. It costs each task a
    /// message, although not one of its own.
    pub fn on_run(mut self, hook: impl Fn(&TaskRun) + Send + Sync + 'static) -> Self {
        self.options.on_run = Some(Arc::new(hook));
        self
    }

    /// The URL of a worker script on the program's own host: see [`ThreadBuilder::script_url`](crate::ThreadBuilder::script_url).
    /// Ignored natively.
    pub fn script_url(mut self, url: impl Into<String>) -> Self {
        self.options.spec.web.script = Some(url.into());
        self
    }

    /// The URL of the JavaScript that wasm-bindgen generated for the program: see
    /// [`ThreadBuilder::glue_url`](crate::ThreadBuilder::glue_url). Ignored natively.
    pub fn glue_url(mut self, url: impl Into<String>) -> Self {
        self.options.spec.web.glue = Some(url.into());
        self
    }

    #[cfg_attr(not(target_family = "wasm"), expect(dead_code, reason = "js.rs sets what only the web has"))]
    pub(crate) fn options(&mut self) -> &mut PoolConfig {
        &mut self.options
    }

    /// Starts the pool. It is usable at once.
    #[must_use]
    pub fn build(self) -> Pool {
        Pool::start(self.options)
    }
}
