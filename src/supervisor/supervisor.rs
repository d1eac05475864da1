//! The workers of a pool under one lock, and what happens outside of it.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures::channel::oneshot;
use futures::task::{FutureObj, SpawnError};

use super::config::{OnRun, PoolConfig};
use super::effects::{PoolEffects, Wake};
use super::state::PoolState;
use super::stats::Stats;
use crate::error::Error;
use crate::platform::{self, Packet, Post as _, WorkerEvent};
use crate::schedule::{HandleSignal, PageEvent, TaskId, WorkerId};
use crate::task::{self, Job, TaskOwner};
use crate::wire::{self, FromWorker};

/// Workers under supervision. Dropping it ends them.
pub(crate) struct Supervisor {
    shared: Arc<SharedPool>,
}

struct SharedPool {
    state: Mutex<PoolState>,
    on_run: Option<OnRun>,
    this: Weak<SharedPool>,
}

impl Supervisor {
    /// Starts the workers. A start that fails is the error of what is submitted, and of [`ready`](Self::ready).
    pub(crate) fn start(mut options: PoolConfig) -> Self {
        let fault = options.fault.take();
        let shared = Arc::new_cyclic(|this: &Weak<SharedPool>| {
            let events = this.clone();
            let listen = move |worker| {
                let events = events.clone();
                let take = move |event| {
                    if let Some(shared) = events.upgrade() {
                        shared.take(worker, event);
                    }
                };
                Box::new(take) as platform::EventHandler
            };
            let on_run = options.on_run.clone();
            SharedPool {
                state: Mutex::new(PoolState::new(options, Box::new(listen))),
                on_run,
                this: this.clone(),
            }
        });
        let mut state = shared.lock();
        match fault {
            None => state.open(),
            Some(fault) => state.end(&fault),
        }
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

    /// Takes a task for this worker alone. Gives it back if the worker is gone.
    pub(crate) fn pin(&self, worker: WorkerId, job: Job) -> Result<(), Job> {
        let state = self.shared.lock();
        if let Some(error) = state.ended() {
            drop(state);
            job.fail(error);
            return Ok(());
        }
        if !state.has(worker) {
            return Err(job);
        }
        self.shared.enter(state, job, Some(worker));
        Ok(())
    }

    /// Posts to a worker at once. False if it is gone.
    pub(crate) fn tell(&self, worker: WorkerId, packet: Packet) -> bool {
        let port = self.shared.lock().port(worker);
        port.map(|port| port.try_post(packet)).is_some()
    }

    /// A worker for an object: the wanted one, or the one with the fewest objects, and of these with the fewest tasks.
    pub(crate) fn place(&self, wanted: Option<WorkerId>) -> Option<WorkerId> {
        self.shared.lock().place(wanted)
    }

    /// The object is gone from there.
    pub(crate) fn displace(&self, worker: WorkerId) {
        self.shared.lock().displace(worker);
    }

    /// How long a worker may take to do what it is told.
    pub(crate) fn grace(&self) -> Duration {
        self.shared.lock().grace()
    }

    /// Why there are no workers, if there are none.
    pub(crate) fn absence(&self) -> Error {
        self.shared.lock().absence()
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

impl SharedPool {
    /// No code of the program runs under this lock, so a poisoned one is as good as any.
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
        if job.options.timeout.is_some() {
            state.read_clock();
        }
        state.submit(task, job, worker);
        self.finish(state, false);
    }

    /// Takes what a worker has posted, and what becomes of it.
    fn take(&self, worker: WorkerId, event: WorkerEvent) {
        let messages = match event {
            WorkerEvent::Packet(packet) => {
                let messages = wire::read_all(packet, &mut |message| self.run_call(worker, message));
                messages.map_err(|error| error.to_string())
            }
            WorkerEvent::NotStarted(cause) => {
                let mut state = self.lock();
                state.read_clock();
                state.lose(worker, Error::startup(cause), None, Some(Vec::new()));
                return self.finish(state, true);
            }
            WorkerEvent::Lost(loss) => {
                let mut state = self.lock();
                state.read_clock();
                state.on_loss(worker, loss);
                return self.finish(state, true);
            }
        };
        // `on_run` is called first: natively what follows from it may happen on other threads.
        if let (Some(on_run), Ok(messages)) = (&self.on_run, &messages) {
            let runs = self.lock().runs(worker, messages);
            runs.iter().for_each(|run| platform::contain(|| on_run(run)));
        }
        let mut state = self.lock();
        state.read_clock();
        match messages {
            Ok(messages) => state.on_messages(worker, messages),
            Err(garbled) => state.lose(worker, Error::worker_lost(garbled), None, None),
        }
        self.finish(state, true);
    }

    /// Runs a call that a worker has sent, and gives back any other message.
    fn run_call(&self, worker: WorkerId, message: FromWorker) -> Option<FromWorker> {
        let FromWorker::Call { call } = message else { return Some(message) };
        let place = self.lock().place_of(worker)?;
        // It gives nothing.
        platform::from(place, || drop(task::begin(call)));
        None
    }

    /// Posts what was gathered - now, or at the end of this tick - and lets the effects happen, outside of the lock.
    fn finish<'a>(&'a self, mut state: MutexGuard<'a, PoolState>, at_once: bool) {
        while let Some(outgoing) = state.take_outgoing(at_once) {
            drop(state);
            // A getter of a JavaScript object that is cloned may use this very pool.
            let posted = outgoing.post();
            state = self.lock();
            state.posted(posted);
        }
        let effects = state.take_effects(at_once);
        drop(state);
        let PoolEffects { wake, tick, .. } = effects;
        if let Some((wake, after)) = wake {
            let this = self.this.clone();
            platform::spawn_service(async move {
                if wake.is_due {
                    platform::yield_by_message().await;
                } else {
                    platform::sleep_aside(after).await;
                }
                if let Some(shared) = this.upgrade() {
                    shared.wake(wake);
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

    fn wake(&self, wake: Wake) {
        let mut state = self.lock();
        state.woken(wake);
        self.finish(state, true);
    }
}

impl TaskOwner for SharedPool {
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
