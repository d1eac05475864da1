//! Drives a schedule with real workers: starts them, gives them tasks, hears how they fare, and answers for them.
//!
//! [`PoolState`] is everything that is known, under one lock. What happens - a task is submitted, a packet arrives, a worker is
//! lost, time passes - becomes an event of the schedule, and the actions that the schedule says are done: posts are made at
//! once or gathered, everything else becomes one of the [`PoolEffects`]. Those happen when the lock is free: nothing is woken,
//! answered or dropped under it.
//!
//! Whoever is to be answered is in the table of tasks, from `submit` to the schedule's one `Settle`; the end of the pool
//! answers all that are left. So nobody is forgotten.

mod effects;
mod slot;
mod state;
mod stats;

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures::channel::oneshot;
use futures::task::{FutureObj, SpawnError};

use self::effects::PoolEffects;
use self::state::PoolState;
pub use self::stats::{Stats, TaskRun};
use crate::error::Error;
use crate::platform::{self, Packet, WorkerEvent, WorkerSpec};
use crate::schedule::{HandleSignal, PageEvent, Strategy, TaskId, WorkerId};
use crate::task::{Job, TaskOwner};
use crate::wire::FromWorker;

/// How to start a pool.
pub(crate) struct PoolConfig {
    pub(crate) spec: WorkerSpec,
    pub(crate) strategy: Strategy,
    /// `None`: as many as the machine can run at once.
    pub(crate) threads: Option<usize>,
    /// A worker that is lost is replaced.
    pub(crate) replace: bool,
    pub(crate) max_queue: Option<usize>,
    pub(crate) start_timeout: Duration,
    pub(crate) grace: Duration,
    /// Runs first in each worker.
    pub(crate) on_start: Option<Result<Packet, Error>>,
    /// Is told of every task that has run.
    pub(crate) on_run: Option<OnRun>,
}

pub(crate) type OnRun = Arc<dyn Fn(&TaskRun) + Send + Sync>;

impl PoolConfig {
    pub(crate) fn new(strategy: Strategy) -> Self {
        Self {
            spec: WorkerSpec::default(),
            strategy,
            threads: None,
            replace: true,
            max_queue: None,
            start_timeout: Duration::from_secs(10),
            grace: Duration::from_millis(100),
            on_start: None,
            on_run: None,
        }
    }

    /// How many workers there are to be. A serial pool needs no more than one.
    fn threads(&self) -> usize {
        let default = || if self.strategy == Strategy::Serial { 1 } else { platform::parallelism() };
        self.threads.unwrap_or_else(default).max(1)
    }
}

impl fmt::Debug for PoolConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolConfig")
            .field("spec", &self.spec)
            .field("strategy", &self.strategy)
            .field("threads", &self.threads)
            .field("max_queue", &self.max_queue)
            .finish_non_exhaustive()
    }
}

/// Workers under supervision. Dropping it ends them.
pub(crate) struct Supervisor {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<PoolState>,
    on_run: Option<OnRun>,
    this: Weak<Shared>,
}

impl Supervisor {
    /// Starts the workers. A start that fails is told by what is submitted, and by [`ready`](Self::ready).
    pub(crate) fn start(options: PoolConfig) -> Self {
        let shared = Arc::new_cyclic(|this: &Weak<Shared>| {
            let events = this.clone();
            let listen = move |worker| {
                let events = events.clone();
                let take = move |event| {
                    if let Some(shared) = events.upgrade() {
                        shared.take(worker, event);
                    }
                };
                Box::new(take) as platform::Events
            };
            let on_run = options.on_run.clone();
            Shared {
                state: Mutex::new(PoolState::new(options, Box::new(listen))),
                on_run,
                this: this.clone(),
            }
        });
        let mut state = shared.lock();
        state.open();
        shared.finish(state, true);
        Self { shared }
    }

    /// Takes a task. Gives it back if it is `bounded` and the queue is full.
    pub(crate) fn submit(&self, job: Job, bounded: bool) -> Result<(), Job> {
        let state = self.shared.lock();
        if let Some(error) = state.ended() {
            drop(state);
            job.fail(error);
            return Ok(());
        }
        if bounded && state.is_full() {
            return Err(job);
        }
        self.shared.enter(state, job, None);
        Ok(())
    }

    /// Takes a task for this worker alone.
    pub(crate) fn pin(&self, worker: WorkerId, job: Job) {
        let state = self.shared.lock();
        if let Some(error) = state.ended() {
            drop(state);
            return job.fail(error);
        }
        self.shared.enter(state, job, Some(worker));
    }

    /// The workers that are there, in the order of their places.
    pub(crate) fn workers(&self) -> Vec<WorkerId> {
        self.shared.lock().workers()
    }

    /// Resolves when no worker is starting: well if at least one is up.
    pub(crate) fn ready(&self) -> impl Future<Output = Result<(), Error>> + Send + use<> {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.shared.lock();
        let known = state.readiness();
        if known.is_none() {
            state.awaits_ready(sender);
        }
        drop(state);
        async move {
            match known {
                Some(known) => known,
                // The pool was dropped meanwhile.
                None => receiver.await.unwrap_or_else(|_| Err(Error::closed())),
            }
        }
    }

    /// True if there are no workers and will be none.
    pub(crate) fn is_lost(&self) -> bool {
        self.shared.lock().is_lost()
    }

    /// How many workers there are to be.
    pub(crate) fn threads(&self) -> usize {
        self.shared.lock().threads()
    }

    /// Tasks of the page that are not answered.
    pub(crate) fn pending(&self) -> usize {
        self.shared.lock().pending()
    }

    pub(crate) fn stats(&self) -> Stats {
        self.shared.lock().stats()
    }

    /// Runs a future on a worker's thread, if that shares our memory.
    pub(crate) fn spawn(&self, future: FutureObj<'static, ()>) -> Result<(), SpawnError> {
        let refused = self.shared.lock().spawn(future);
        // It is dropped when the lock is free.
        refused.map_err(|_future| SpawnError::shutdown())
    }

    /// Takes no more tasks; resolves when all that were taken have ended, and the workers with them.
    pub(crate) fn close(&self) -> impl Future<Output = ()> + Send + use<> {
        let (sender, receiver) = oneshot::channel::<()>();
        let mut state = self.shared.lock();
        if state.ended().is_none() {
            state.awaits_close(sender);
            state.handle(PageEvent::Closing);
            self.shared.finish(state, false);
        }
        // A sender that is gone has nothing to wait for.
        async { receiver.await.unwrap_or(()) }
    }

    /// Ends all workers. What is not answered, and what is submitted later, is closed.
    pub(crate) fn terminate(&self) {
        let mut state = self.shared.lock();
        if state.ended().is_none() {
            state.end(&Error::closed());
            self.shared.finish(state, true);
        }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.terminate();
    }
}

impl Shared {
    /// No task's code runs under this lock, so a poisoned one is as good as any. (In a browser, posting may call a getter
    /// of a JavaScript object that is cloned; a getter that uses the same pool would find the lock taken.)
    fn lock(&self) -> MutexGuard<'_, PoolState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, mut state: MutexGuard<'_, PoolState>, job: Job, worker: Option<WorkerId>) {
        let task = state.new_task();
        let owner: Weak<dyn TaskOwner> = self.this.clone();
        // The handle may be dropped at any time, by another thread too; then nothing is to be done.
        if !job.reply.set_owner(owner, task) {
            drop(state);
            return drop(job);
        }
        state.submit(task, job, worker);
        self.finish(state, false);
    }

    /// Takes what a worker has posted, and what becomes of it.
    fn take(&self, worker: WorkerId, event: WorkerEvent) {
        let messages = match event {
            WorkerEvent::Packet(packet) => FromWorker::read_all(packet).map_err(|error| error.to_string()),
            WorkerEvent::NotStarted(cause) => {
                let mut state = self.lock();
                state.read_clock();
                state.lose(worker, Error::startup(cause), None, None);
                return self.finish(state, true);
            }
            WorkerEvent::Lost(loss) => {
                let mut state = self.lock();
                state.read_clock();
                state.lost(worker, loss);
                return self.finish(state, true);
            }
        };
        // Whoever watches is told first: natively what follows from it may happen on other threads.
        if let (Some(on_run), Ok(messages)) = (&self.on_run, &messages) {
            let runs = self.lock().runs(worker, messages);
            runs.iter().for_each(|run| on_run(run));
        }
        let mut state = self.lock();
        state.read_clock();
        match messages {
            Ok(messages) => state.on_messages(worker, messages),
            Err(garbled) => state.lose(worker, Error::worker_lost(garbled), None, None),
        }
        self.finish(state, true);
    }

    /// Posts what was gathered - now, or at the end of this tick - and lets the effects happen, outside of the lock.
    fn finish(&self, mut state: MutexGuard<'_, PoolState>, at_once: bool) {
        let effects = state.settle_up(at_once);
        drop(state);
        let PoolEffects { wake, tick, .. } = effects;
        if let Some((at, after)) = wake {
            let this = self.this.clone();
            platform::spawn_service(async move {
                platform::sleep(after).await;
                if let Some(shared) = this.upgrade() {
                    shared.wake(at);
                }
            });
        }
        if tick {
            let this = self.this.clone();
            platform::at_end_of_tick(async move {
                if let Some(shared) = this.upgrade() {
                    shared.finish(shared.lock(), true);
                }
            });
        }
        effects.happen();
    }

    fn wake(&self, at: Duration) {
        let mut state = self.lock();
        state.woken(at);
        self.finish(state, true);
    }
}

impl TaskOwner for Shared {
    fn on_signal(&self, task: TaskId, signal: HandleSignal) {
        let mut state = self.lock();
        if state.ended().is_none() {
            if signal == HandleSignal::Abort {
                state.read_clock();
            }
            state.handle(signal.of(task));
            self.finish(state, false);
        }
    }
}
