//! What an executor on a worker stands on: the way to the worker, from its own thread and, natively, from others.

use std::any::Any;
use std::cell::RefCell;
use std::mem;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use futures::task::{ArcWake, FutureObj, SpawnError};

use super::loop_waker::LoopWaker;
use crate::error::Error;
use crate::platform;
use crate::schedule::{HandleSignal, TaskId};
use crate::task::{Job, TaskOwner};
use crate::wire::WorkerConfig;

/// What a worker does for code on its own thread.
pub(super) trait LocalWorker: Any {
    /// For what only some programs have: it is not called by methods of this trait, whose code all have.
    fn as_any(&self) -> &dyn Any;

    /// Unfinished tasks that were made here and are still here.
    fn pending(&self) -> usize;

    /// Takes a task that the code here makes.
    fn submit(&self, job: Job);

    /// True while a call runs: nothing else does, until it returns.
    fn is_in_call(&self) -> bool;

    /// The handle of a task that was made here signals something.
    fn on_signal(&self, task: TaskId, signal: HandleSignal);

    /// The code of a task, or code between tasks, has panicked.
    fn report_panic(&self, task: Option<TaskId>, message: String, location: Option<String>);

    /// Such a panic was caught: the worker does not go on.
    fn poison(&self, task: Option<TaskId>, payload: Box<dyn Any + Send>);
}

/// A worker, on its thread.
struct Current {
    worker: Rc<dyn LocalWorker>,
    context: Arc<WorkerContext>,
}

thread_local! {
    /// The worker that this thread is.
    static CURRENT_WORKER: RefCell<Option<Current>> = const { RefCell::new(None) };
}

/// Makes this thread the worker's.
pub(super) fn enter(worker: Rc<dyn LocalWorker>, context: Arc<WorkerContext>) {
    CURRENT_WORKER.set(Some(Current { worker, context }));
    // What tasks leave behind fails as they do.
    platform::on_panic(|payload| {
        if let Some(worker) = current_worker() {
            worker.poison(None, payload);
        }
    });
}

/// The worker that this thread is, if it is one.
pub(super) fn current_worker() -> Option<Rc<dyn LocalWorker>> {
    // Not while the thread goes away.
    CURRENT_WORKER.try_with(|current| Some(current.borrow().as_ref()?.worker.clone())).ok().flatten()
}

/// What executors on this worker stand on, if this thread is one.
pub(crate) fn context() -> Option<Arc<WorkerContext>> {
    CURRENT_WORKER.try_with(|current| Some(current.borrow().as_ref()?.context.clone())).ok().flatten()
}

/// The way to a worker. It may be sent, as executors may: a call from another thread becomes a request.
pub(crate) struct WorkerContext {
    threads: usize,
    /// Requests of other threads. `None`: the worker has ended.
    requests: Mutex<Option<Vec<Request>>>,
    /// Wakes the worker's loop.
    pub(super) loop_waker: LoopWaker,
}

/// A request of another thread to the worker.
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
            loop_waker: LoopWaker::new(),
        }
    }

    /// How many workers the pool has.
    pub(crate) fn threads(&self) -> usize {
        self.threads
    }

    /// The worker itself, if this is its thread.
    fn on_thread(&self) -> Option<Rc<dyn LocalWorker>> {
        let is_this = |current: &Current| std::ptr::eq(&*current.context, self);
        let worker = |current: &RefCell<Option<Current>>| {
            Some(current.borrow().as_ref().filter(|current| is_this(current))?.worker.clone()
                as Rc<dyn LocalWorker>)
        };
        CURRENT_WORKER.try_with(worker).ok().flatten()
    }

    /// Unfinished tasks that were made here and are still here. On another thread that is not known.
    pub(crate) fn pending(&self) -> usize {
        self.on_thread().map_or(0, |worker| worker.pending())
    }

    /// Takes a task, which becomes a child of the one whose code runs.
    pub(crate) fn submit(&self, job: Job) {
        match self.on_thread() {
            Some(worker) => worker.submit(job),
            None => {
                if let Err(Request::Submit(job)) = self.request(Request::Submit(job)) {
                    job.fail(Error::closed());
                }
            }
        }
    }

    /// Runs a future on the worker's thread.
    pub(crate) fn spawn(&self, future: FutureObj<'static, ()>) -> Result<(), SpawnError> {
        if self.on_thread().is_some() {
            // Natively a thread that ends drops its futures when nothing runs any more.
            if !platform::has_local_pool() {
                return Err(SpawnError::shutdown());
            }
            platform::spawn_local(future);
            return Ok(());
        }
        self.request(Request::Spawn(future)).map_err(|_| SpawnError::shutdown())
    }

    /// True if the worker has ended.
    pub(crate) fn is_closed(&self) -> bool {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Gives the request back if the worker has ended.
    fn request(&self, request: Request) -> Result<(), Request> {
        match &mut *self.requests.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(requests) => requests.push(request),
            None => return Err(request),
        }
        self.loop_waker.wake();
        Ok(())
    }

    /// True if another thread has cancelled this task and that was not served yet.
    pub(super) fn is_cancelled(&self, task: TaskId) -> bool {
        let is_this = |request: &Request| matches!(request, Request::Signal(signalled, HandleSignal::Cancel | HandleSignal::Abort) if *signalled == task);
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.as_ref().is_some_and(|requests| requests.iter().any(is_this))
    }

    pub(super) fn take_requests(&self) -> Vec<Request> {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.as_mut().map(mem::take).unwrap_or_default()
    }

    /// The worker has ended: requests that were not served are refused.
    pub(super) fn close(&self) {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner).take();
        for request in requests.into_iter().flatten() {
            if let Request::Submit(job) = request {
                job.fail(Error::closed());
            }
        }
    }
}

impl TaskOwner for WorkerContext {
    fn is_blocked(&self) -> bool {
        self.on_thread().is_some_and(|worker| worker.is_in_call())
    }

    fn on_signal(&self, task: TaskId, signal: HandleSignal) {
        match self.on_thread() {
            Some(worker) => {
                worker.on_signal(task, signal);
                self.loop_waker.wake();
            }
            // A worker that has ended has no such task any more.
            None => drop(self.request(Request::Signal(task, signal))),
        }
    }
}

impl ArcWake for WorkerContext {
    fn wake_by_ref(context: &Arc<Self>) {
        context.loop_waker.wake();
    }
}
