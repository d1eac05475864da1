//! Workers that share their tasks.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::task::{FutureObj, Spawn, SpawnError};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Actor, Executor, forward, spawn_actor, spawn_remote, worker_options};
use crate::error::Error;
use crate::schedule::Strategy;
use crate::supervisor::{PoolConfig, Stats, Supervisor};
use crate::task::{ActorInit, Job, Remote, RemoteHandle};

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
/// Tasks of *different* pools can: if a task of a serial pool A awaits one of a pool B, and that awaits another one of A, each
/// waits for the other. Give such tasks a [`timeout`](crate::Remote::timeout), or spawn them on one pool.
///
/// ```
/// use wasm_mt::{Pool, Strategy, remote};
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
    strategy: Strategy,
}

impl Pool {
    /// Starts a pool with the defaults of [`builder`](Self::builder): it steals work, with as many workers as the machine
    /// can run at once.
    ///
    /// Cannot fail: if no worker starts, tasks resolve with an error that [`is_startup`](Error::is_startup).
    ///
    /// ```
    /// # use wasm_mt::{Pool, remote};
    /// # wasm_mt::run(async {
    /// let pool = Pool::new();
    /// let length = pool.spawn_remote(remote!(|| "sea".len()));
    /// let sum = pool.spawn_remote(remote!(|| 2 + 3));
    /// assert_eq!(futures::try_join!(length, sum)?, (3, 5));
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Starts a pool with options.
    pub fn builder() -> PoolBuilder {
        PoolBuilder::default()
    }

    spawn_remote!(pub);

    /// By which tasks are spread over the workers.
    ///
    /// ```
    /// # use wasm_mt::{Pool, Strategy};
    /// # wasm_mt::run(async {
    /// assert_eq!(Pool::new().strategy(), Strategy::WorkStealing);
    /// # });
    /// ```
    #[must_use]
    pub fn strategy(&self) -> Strategy {
        self.strategy
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
                self.supervisor.pin(worker, job).unwrap_or_else(|job| job.fail(self.supervisor.absence()));
            }
            handle
        };
        workers.into_iter().map(send).collect()
    }

    spawn_actor!();

    /// Makes an object on each worker that is there, in the order of their places. There may be none, while a lost one is to be
    /// replaced.
    ///
    /// An object that is made anew, since its worker was lost, comes to the least loaded worker: the one that has taken the place
    /// of the lost one.
    ///
    /// ```
    /// use wasm_mt::{Pool, actor, call};
    ///
    /// # wasm_mt::run(async {
    /// let pool = Pool::builder().threads(2).build();
    /// let lists = pool.spawn_actors(actor!(|| Ok(Vec::new())));
    /// assert_eq!(lists.len(), 2);
    /// lists[0].call(call!(|list| list.push(1))).await?;
    /// assert!(lists[1].call(call!(|list| list.is_empty())).await?);
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    #[must_use]
    pub fn spawn_actors<T: 'static>(&self, init: ActorInit<T>) -> Vec<Actor<T>> {
        let mut workers = self.supervisor.workers();
        // What cannot be copied can be there once.
        let Some(last) = workers.pop() else { return Vec::new() };
        let make = |worker, init| Actor::new(self.supervisor.clone(), init, Some(worker));
        let mut actors: Vec<_> = workers.into_iter().map(|worker| make(worker, init.clone())).collect();
        actors.push(make(last, init));
        actors
    }

    /// Resolves when no worker is starting any more. Awaiting it is optional.
    ///
    /// # Errors
    ///
    /// [`is_startup`](Error::is_startup) if no worker has started; [`is_closed`](Error::is_closed) if the pool was closed,
    /// terminated or dropped meanwhile.
    ///
    /// # Examples
    ///
    /// ```
    /// # use wasm_mt::Pool;
    /// # wasm_mt::run(async {
    /// let pool = Pool::builder().threads(2).build();
    /// pool.ready().await?;
    /// assert_eq!(pool.stats().workers, 2);
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    pub fn ready(&self) -> impl Future<Output = Result<(), Error>> + Send + use<> {
        self.supervisor.ready()
    }

    /// What the pool has done so far, and what it is doing.
    ///
    /// ```
    /// # use wasm_mt::{Pool, remote};
    /// # wasm_mt::run(async {
    /// let pool = Pool::builder().threads(1).build();
    /// pool.spawn_remote(remote!(|| 6 * 7)).await?;
    /// assert_eq!((pool.stats().finished, pool.stats().pending), (1, 0));
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.supervisor.stats()
    }

    /// Ends all workers. Pending handles, and those of tasks spawned later, resolve with an error that
    /// [`is_closed`](Error::is_closed).
    ///
    /// In the browser running tasks are stopped where they are. Natively synchronous tasks finish, and their results are
    /// discarded.
    ///
    /// ```
    /// # use wasm_mt::{Pool, remote};
    /// # wasm_mt::run(async {
    /// let pool = Pool::new();
    /// let endless = pool.spawn_remote(remote!(async { std::future::pending::<()>().await }));
    /// pool.terminate();
    /// assert!(endless.await.unwrap_err().is_closed());
    /// assert!(pool.spawn_remote(remote!(|| 6 * 7)).await.unwrap_err().is_closed());
    /// # });
    /// ```
    pub fn terminate(&self) {
        self.supervisor.terminate();
    }
}

/// A future runs on one of the workers' threads natively; in the browser it cannot leave its memory, and runs on the event
/// loop here. Natively it goes with its thread: when the pool is closed, terminated or dropped, or a task on that worker panics.
impl Spawn for Pool {
    forward!(Spawn, |pool| &*pool.supervisor);
}

impl Executor for Pool {
    forward!(Executor, |pool| &*pool.supervisor);
}

/// What threads and pools forward to.
impl Spawn for Supervisor {
    fn spawn_obj(&self, future: FutureObj<'static, ()>) -> Result<(), SpawnError> {
        self.spawn(future)
    }

    fn status(&self) -> Result<(), SpawnError> {
        if self.is_lost() { Err(SpawnError::shutdown()) } else { Ok(()) }
    }
}

impl Executor for Supervisor {
    fn submit(&self, job: Job) {
        let Ok(()) = Self::submit(self, job, false) else {
            unreachable!("only a bounded task can be refused");
        };
    }

    fn try_submit(&self, job: Job) -> Result<(), Job> {
        Self::submit(self, job, true)
    }

    fn concurrency(&self) -> usize {
        self.threads()
    }

    fn pending(&self) -> usize {
        Self::pending(self)
    }

    fn close(&self) -> BoxFuture<'static, ()> {
        Box::pin(Self::close(self))
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

/// The options of a [`Pool`].
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
///     .on_run(|run| println!("{run}"))
///     .build();
/// pool.ready().await
/// # });
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct PoolBuilder {
    pub(crate) config: PoolConfig,
}

impl PoolBuilder {
    /// How tasks are spread over the workers. Default: [`Strategy::WorkStealing`].
    ///
    /// ```
    /// # use std::cell::RefCell;
    /// # use wasm_mt::{Pool, Strategy, remote};
    /// # wasm_mt::run(async {
    /// thread_local!(static STEPS: RefCell<Vec<u32>> = RefCell::default());
    ///
    /// let pool = Pool::builder().strategy(Strategy::Serial).build();
    /// let tasks = (0..3).map(|n| {
    ///     pool.spawn_remote(remote!(async move {
    ///         STEPS.with_borrow_mut(|steps| steps.push(n));
    ///         for _ in 0..100 {
    ///             wasm_mt::yield_now().await; // no other task begins here
    ///         }
    ///         STEPS.with_borrow_mut(|steps| steps.push(n));
    ///     }))
    /// });
    /// futures::future::try_join_all(tasks).await?;
    /// assert_eq!(pool.spawn_remote(remote!(|| STEPS.take())).await?, [0, 0, 1, 1, 2, 2]);
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    pub fn strategy(mut self, strategy: Strategy) -> Self {
        self.config.strategy = strategy;
        self
    }

    /// How many workers there are. Default: as many as the machine can run at once, by `navigator.hardwareConcurrency` in
    /// the browser; one under [`Strategy::Serial`], where more would only be spare.
    ///
    /// A pool with no thread can be built, but runs nothing: its tasks and [`ready`](Pool::ready) resolve with an error that
    /// [`is_startup`](Error::is_startup).
    ///
    /// ```
    /// # use wasm_mt::{Executor, Pool};
    /// # wasm_mt::run(async {
    /// let pool = Pool::builder().threads(3).build();
    /// assert_eq!(pool.concurrency(), 3);
    ///
    /// let none = Pool::builder().threads(0).build();
    /// assert!(none.ready().await.unwrap_err().is_startup());
    /// # });
    /// ```
    pub fn threads(mut self, count: usize) -> Self {
        let fault = "a pool needs at least one thread; give `threads` a number above zero, or leave it out";
        self.config.threads = Some(count);
        self.config.fault = (count == 0).then(|| Error::startup(fault));
        self
    }

    /// How many tasks may wait for a worker, as far as [`try_spawn_remote`](crate::ExecutorExt::try_spawn_remote) and
    /// [`par_map`](crate::ExecutorExt::par_map) are concerned. Default: any number. `spawn_remote` always queues, and children are
    /// never counted.
    ///
    /// ```
    /// # use wasm_mt::{ExecutorExt, Pool, Strategy, remote};
    /// # wasm_mt::run(async {
    /// let pool = Pool::builder().strategy(Strategy::Serial).max_queue(0).build();
    /// let running = pool.spawn_remote(remote!(async { std::future::pending::<()>().await }));
    /// assert!(pool.try_spawn_remote(remote!(|| 6 * 7)).unwrap_err().is_queue_full());
    ///
    /// let waiting = pool.spawn_remote(remote!(|| 6 * 7)); // whatever the bound
    /// running.abort();
    /// assert_eq!(waiting.await?, 42);
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    pub fn max_queue(mut self, count: usize) -> Self {
        self.config.max_queue = Some(count);
        self
    }

    /// Starts the pool. It is usable at once.
    #[must_use]
    pub fn build(self) -> Pool {
        Pool { strategy: self.config.strategy, supervisor: Arc::new(Supervisor::start(self.config)) }
    }
}

worker_options!(PoolBuilder);

/// The options of [`Pool::new`].
impl Default for PoolBuilder {
    fn default() -> Self {
        Self { config: PoolConfig::new(Strategy::default()) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use futures::future::join_all;

    use super::*;
    use crate::executor::{ExecutorExt, current};
    use crate::task::Remote;

    /// More than there are numbers in tests.
    const MANY: u32 = 600;

    /// Runs many tasks while others wait: each gets what is its own.
    async fn use_up_the_numbers(executor: Arc<dyn Executor>) -> bool {
        let (senders, waiting): (Vec<_>, Vec<_>) = (0..3)
            .map(|number| {
                let (sender, receiver) = futures::channel::oneshot::channel::<()>();
                RELEASES.lock().unwrap_or_else(PoisonError::into_inner).push(receiver);
                let wait = |number: u32| async move {
                    let receiver = RELEASES.lock().unwrap_or_else(PoisonError::into_inner).pop();
                    receiver.expect("there are as many as tasks").await.unwrap_or(());
                    number.to_string()
                };
                (sender, executor.spawn_remote(Remote::new_async(number, wait)))
            })
            .unzip();
        for first in (0..MANY).step_by(100) {
            let numbers = first..first + 100;
            let tasks =
                numbers.clone().map(|number| executor.spawn_remote(Remote::new(number, |number| number)));
            let results = join_all(tasks).await.into_iter().filter_map(Result::ok);
            if !results.eq(numbers) {
                return false;
            }
        }
        drop(senders);
        let texts = join_all(waiting).await.into_iter().filter_map(Result::ok);
        texts.eq(["0", "1", "2"].map(str::to_owned))
    }

    static RELEASES: Mutex<Vec<futures::channel::oneshot::Receiver<()>>> = Mutex::new(Vec::new());

    #[test]
    fn tasks_that_wait_keep_their_names_when_the_numbers_begin_anew() {
        // Under `Serial` no other task runs while one waits.
        for strategy in [Strategy::Parallel, Strategy::WorkStealing] {
            crate::run(async move {
                let pool = Pool::builder().strategy(strategy).threads(2).build();
                // On the page, and on a worker.
                assert!(use_up_the_numbers(Arc::new(pool.clone())).await, "{strategy:?}");
                let on_worker = Remote::new_async((), |()| use_up_the_numbers(current()));
                assert!(pool.spawn_remote(on_worker).await.expect("it does not panic"), "{strategy:?}");
            });
        }
    }
}
