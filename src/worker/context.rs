//! What an executor on a worker stands on: the way into the worker, from its own thread and, natively, from others.

use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;

use futures::task::{AtomicWaker, FutureObj, SpawnError};

use super::current_worker;
use crate::error::Error;
use crate::platform;
use crate::schedule::{HandleSignal, TaskId};
use crate::task::{Job, TaskOwner};
use crate::wire::WorkerConfig;

/// The way into a worker. It may be sent, as executors may: what another thread wants becomes an request.
pub(crate) struct WorkerContext {
    threads: usize,
    /// What other threads want. `None`: the worker has ended.
    requests: Mutex<Option<Vec<Request>>>,
    /// Wakes the worker's loop when it rests.
    waker: AtomicWaker,
    /// Something has come. -> false, by the loop, before it looks.
    awake: AtomicBool,
    /// The loop goes on, and will look at `awake` before it sleeps.
    busy: AtomicBool,
}

/// What another thread wants of the worker.
pub(super) enum Request {
    Submit(Job),
    Signal(TaskId, HandleSignal),
    Spawn(FutureObj<'static, ()>),
}

impl WorkerContext {
    pub(super) fn new(config: WorkerConfig) -> Self {
        Self {
            threads: config.threads as usize,
            requests: Mutex::new(Some(Vec::new())),
            waker: AtomicWaker::new(),
            awake: AtomicBool::new(false),
            busy: AtomicBool::new(false),
        }
    }

    /// How many workers the pool has.
    pub(crate) fn threads(&self) -> usize {
        self.threads
    }

    /// Unfinished tasks that were made here and are still here. On another thread nobody knows.
    pub(crate) fn pending(self: &Arc<Self>) -> usize {
        current_worker()
            .filter(|worker| Arc::ptr_eq(&worker.context, self))
            .map_or(0, |worker| worker.state.borrow().pending())
    }

    /// Takes a task, which becomes a child of the one whose code runs.
    pub(crate) fn submit(self: &Arc<Self>, job: Job) {
        match current_worker().filter(|worker| Arc::ptr_eq(&worker.context, self)) {
            Some(worker) => worker.submit(job),
            None => {
                if let Err(Request::Submit(job)) = self.request(Request::Submit(job)) {
                    job.fail(Error::closed());
                }
            }
        }
    }

    /// Runs a future on the worker's thread.
    pub(crate) fn spawn(self: &Arc<Self>, future: FutureObj<'static, ()>) -> Result<(), SpawnError> {
        if current_worker().is_some_and(|worker| Arc::ptr_eq(&worker.context, self)) {
            platform::spawn_local(future);
            return Ok(());
        }
        self.request(Request::Spawn(future)).map_err(|_| SpawnError::shutdown())
    }

    /// True if the worker has ended.
    pub(crate) fn is_closed(&self) -> bool {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Gives the request back if nobody will follow it.
    fn request(&self, request: Request) -> Result<(), Request> {
        match &mut *self.requests.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(requests) => requests.push(request),
            None => return Err(request),
        }
        self.wake();
        Ok(())
    }

    pub(super) fn take_requests(&self) -> Vec<Request> {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.as_mut().map(mem::take).unwrap_or_default()
    }

    /// The worker has ended: what was not followed is refused.
    pub(super) fn close(&self) {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner).take();
        for request in requests.into_iter().flatten() {
            if let Request::Submit(job) = request {
                job.fail(Error::closed());
            }
        }
    }

    /// Something has come that the worker's loop may not know of.
    pub(super) fn wake(&self) {
        self.awake.store(true, Ordering::SeqCst);
        // The loop looks before it goes to sleep.
        if !self.busy.load(Ordering::SeqCst) {
            self.waker.wake();
        }
    }

    /// The loop goes on.
    pub(super) fn enter(&self, waker: &Waker) {
        self.waker.register(waker);
        self.busy.store(true, Ordering::SeqCst);
    }

    /// The loop will not look any more.
    pub(super) fn leave(&self) {
        self.busy.store(false, Ordering::SeqCst);
    }

    /// True if something has come that the loop has not looked at.
    pub(super) fn is_awake(&self) -> bool {
        self.awake.load(Ordering::SeqCst)
    }

    /// True if something has come since this was asked last.
    pub(super) fn take_wakes(&self) -> bool {
        self.awake.swap(false, Ordering::SeqCst)
    }
}

impl TaskOwner for WorkerContext {
    fn on_signal(&self, task: TaskId, signal: HandleSignal) {
        match current_worker().filter(|worker| std::ptr::eq(&*worker.context, self)) {
            Some(worker) => {
                worker.on_signal(task, signal);
                self.wake();
            }
            // A worker that has ended has no such task any more.
            None => drop(self.request(Request::Signal(task, signal))),
        }
    }
}
