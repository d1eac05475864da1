//! A worker on its thread: the requests of the page and of tasks, and its answers.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::resume_unwind;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use futures::future::AbortHandle;

use super::context::{LocalWorker, Request, WorkerContext};
use super::panic;
use super::state::{InTransit, OnFailure, Outgoing, TaskEvent, WorkerEffects, WorkerState};
use crate::error::{Error, panic_text};
use crate::platform::{self, Outbox, PANIC_ABORTS, Packet};
use crate::schedule::{HandleSignal, Id, LocalEvent, Next, TaskId};
use crate::task::{self, Call, Job, LimitScope, Outcome, TaskOwner, TimeLimit};
use crate::wire::{FromWorker, ToWorker, WorkerConfig};

pub(super) struct Worker {
    pub(super) outbox: Outbox,
    state: RefCell<WorkerState>,
    /// Calls for the page that are not in the state yet.
    told: RefCell<Vec<(Packet, Option<OnFailure>)>>,
    pub(super) context: Arc<WorkerContext>,
    /// Some call posts what is ready.
    posts: Cell<bool>,
    /// A call runs: a synchronous task, or what makes the future of an asynchronous one.
    in_call: Cell<bool>,
    /// It has greeted.
    is_up: Cell<bool>,
    /// Set by the first panic, for ever.
    poisoned: Cell<bool>,
}

impl Worker {
    pub(super) fn new(outbox: Outbox, config: WorkerConfig) -> Rc<Self> {
        Rc::new(Self {
            outbox,
            state: RefCell::new(WorkerState::new(config)),
            told: RefCell::default(),
            context: Arc::new(WorkerContext::new(config)),
            posts: Cell::new(false),
            in_call: Cell::new(false),
            is_up: Cell::new(false),
            poisoned: Cell::new(false),
        })
    }

    pub(super) fn ready(self: &Rc<Self>, outcome: Outcome) {
        self.is_up.set(true);
        let refusal = outcome.err().map(|error| FromWorker::Refused { error });
        self.send(refusal.unwrap_or(FromWorker::Ready));
    }

    pub(super) fn receive(&self, message: ToWorker) {
        if self.is_poisoned() {
            return;
        }
        match message {
            ToWorker::Start { .. } => unreachable!("a worker is started once"),
            ToWorker::Call { call } => {
                // It gives nothing. A panic is that of no task.
                let _ended = self.call(None, call);
            }
            ToWorker::Run { task, options, call } => {
                let effects = self.state.borrow_mut().enter_posted(task, options, call);
                self.follow(effects);
            }
            ToWorker::Stop { task } => {
                self.outbox.has_read_stop(task.number());
                self.handle(LocalEvent::Stopped { task });
            }
            ToWorker::ReportRequest => self.handle(LocalEvent::ReportRequested),
            ToWorker::StealRequest { idle } => self.handle(LocalEvent::StealRequested { idle }),
            ToWorker::Completed { task, outcome } => {
                let reply = self.state.borrow_mut().take_migrated(task);
                if let Some(reply) = reply {
                    reply.send(outcome);
                }
            }
        }
    }

    /// Does what other threads have asked for.
    pub(super) fn serve_requests(&self) {
        for request in self.context.take_requests() {
            match request {
                Request::Submit(job) => self.submit(job),
                Request::Signal(task, signal) => self.on_signal(task, signal),
                Request::Spawn(future) => platform::spawn_local(future),
            }
        }
    }

    /// Has the page run a call.
    pub(super) fn tell(&self, call: Packet, on_failure: Option<OnFailure>) {
        // A task's code may be the current one.
        if self.poisoned.get() {
            return;
        }
        self.told.borrow_mut().push((call, on_failure));
        self.post();
        // What was only gathered is posted when nothing else is to be done.
        self.context.loop_waker.wake();
    }

    /// Begins a task. `None` if it is gone, or panicked.
    pub(super) fn begin(&self, id: TaskId) -> Option<Call> {
        let call = self.state.borrow_mut().begin(id)?;
        self.call(Some(id), call)
    }

    /// Runs a call, of a task or of `on_start`. `None` if it panicked.
    pub(super) fn call(&self, task: Option<TaskId>, call: Packet) -> Option<Call> {
        self.in_call.set(true);
        let call = self.guard(task, || task::begin(call));
        self.in_call.set(false);
        call
    }

    /// Runs a task within the code that runs, if it may be: its reply has the outcome then. A panic is that of the code, too.
    pub(super) fn join(&self, id: TaskId) {
        let joined = if self.poisoned.get() { None } else { self.state.borrow_mut().join(id) };
        let Some((call, outer, effects)) = joined else { return };
        self.follow(effects);
        let limited = self.state.borrow_mut().limit(id).enter();
        let in_call = self.in_call.replace(true);
        let ended = platform::guard(platform::current_task(), || task::begin(call));
        self.in_call.set(in_call);
        drop(limited);
        let (outcome, panic) = match ended {
            Ok(Call::Ended(outcome)) => (outcome, None),
            Ok(Call::Running(_)) => unreachable!("it is synchronous"),
            Err(payload) => (Err(Error::panic(panic_text(&*payload), None)), Some(payload)),
        };
        let effects = self.state.borrow_mut().joined(id, outcome, outer);
        self.follow(effects);
        if let Some(payload) = panic {
            resume_unwind(payload);
        }
    }

    /// The task that has begun goes on when its future is polled.
    pub(super) fn runs(&self, task: TaskId, abort: AbortHandle) {
        let effects = self.state.borrow_mut().runs(task, abort);
        self.follow(effects);
    }

    /// The code of a task has given its result.
    pub(super) fn ended(&self, task: TaskId, outcome: Outcome) {
        let effects = self.state.borrow_mut().end(task, outcome);
        self.follow(effects);
    }

    /// Tells the schedule, and does what it says. Nothing is woken, dropped or posted while the state is borrowed.
    pub(super) fn handle(&self, event: TaskEvent) {
        let effects = self.state.borrow_mut().handle(event);
        self.follow(effects);
    }

    pub(super) fn next(&self) -> Next {
        let (next, effects) = self.state.borrow_mut().next();
        self.follow(effects);
        let retires = || self.is_up.get() && self.state.borrow().may_retire();
        if next == Next::Rest && platform::stack_has_sunk() && retires() {
            self.poisoned.set(true);
            self.send(FromWorker::Retired);
        }
        next
    }

    /// When the schedule is to be asked again, if nothing else happens before.
    pub(super) fn wake_at(&self) -> Option<Duration> {
        self.state.borrow().wake_at()
    }

    /// Reads the clock: whenever this thread was elsewhere.
    pub(super) fn read_clock(&self) {
        self.state.borrow_mut().read_clock();
    }

    fn follow(&self, effects: WorkerEffects) {
        self.post();
        effects.happen();
    }

    /// Posts what is ready, in order: a call that comes here meanwhile leaves it to the first.
    fn post(&self) {
        if self.posts.replace(true) {
            return;
        }
        while let Some(outgoing) = self.take_outgoing() {
            if let Err(error) = self.outbox.post(outgoing.packet) {
                match (outgoing.bears, outgoing.on_failure) {
                    (Some(bears), _) => self.failed_to_post(bears, error),
                    (None, Some(on_failure)) => on_failure(error),
                    (None, None) => {}
                }
            }
        }
        self.posts.set(false);
    }

    /// The next packet to be posted. None while the state is borrowed: who borrows it posts when that is over.
    fn take_outgoing(&self) -> Option<Outgoing> {
        let mut state = self.state.try_borrow_mut().ok()?;
        for (call, on_failure) in self.told.take() {
            state.tell(call, on_failure, self.in_call.get());
        }
        state.take_outgoing()
    }

    /// A task's call or result cannot leave: that is its answer.
    fn failed_to_post(&self, bears: InTransit, error: Error) {
        let InTransit { task, ran, replied_here } = bears;
        if !replied_here {
            return self.send(FromWorker::Finished { task, ran, outcome: Err(error) });
        }
        let reply = self.state.borrow_mut().take_migrated(task);
        if let Some(reply) = reply {
            reply.send(Err(error));
        }
    }

    /// Posts what holds no attachment, now.
    fn send(&self, message: FromWorker) {
        let mut packet = Packet::default();
        message.write(&mut packet);
        self.outbox.post(packet).expect("bytes can always be sent");
    }

    /// True if the task whose code runs is to be stopped, or the page has given the worker up.
    pub(super) fn stops_current_task(&self) -> bool {
        let number = platform::current_task();
        let task = TaskId::from_number(number);
        !self.outbox.is_connected()
            || number != 0
                && (self.outbox.is_stopped(number)
                    || self.context.is_cancelled(task)
                    || self.state.borrow().is_stopping(task))
    }

    /// True after a panic. Where panics abort, no code runs afterwards: then the hook has noted it, or a task's code
    /// was left without its end and is still the current one.
    pub(super) fn is_poisoned(&self) -> bool {
        self.poisoned.get() || (PANIC_ABORTS && (panic::was_reported() || platform::current_task() != 0))
    }

    /// Before code of a task: its limit is that of the code, until the guard is dropped.
    fn enter_limit(&self, task: Option<TaskId>) -> LimitScope {
        panic::prepare();
        task.map_or(TimeLimit::NONE, |task| self.state.borrow_mut().limit(task)).enter()
    }

    /// Runs code of a task. `None` if it panicked: then the page knows, and the worker is poisoned.
    pub(super) fn guard<R>(&self, task: Option<TaskId>, code: impl FnOnce() -> R) -> Option<R> {
        let _limited = self.enter_limit(task);
        match platform::guard(task.map_or(0, Id::number), code) {
            Ok(result) => Some(result),
            Err(payload) => {
                self.poison(task, payload);
                None
            }
        }
    }
}

impl LocalWorker for Worker {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn pending(&self) -> usize {
        self.state.borrow().pending()
    }

    fn is_in_call(&self) -> bool {
        self.in_call.get()
    }

    fn submit(&self, job: Job) {
        let Job { call, options, reply, .. } = job;
        let owner: Arc<dyn TaskOwner> = self.context.clone();
        let task = self.state.borrow_mut().new_task();
        if !reply.set_owner(Arc::downgrade(&owner), task) {
            return;
        }
        let effects = self.state.borrow_mut().enter_own(task, options, call, reply);
        self.follow(effects);
        self.context.loop_waker.wake();
    }

    fn on_signal(&self, task: TaskId, signal: HandleSignal) {
        self.handle(match signal {
            HandleSignal::Cancel => LocalEvent::Dropped { task },
            HandleSignal::Abort => LocalEvent::Aborted { task },
            HandleSignal::Detach => LocalEvent::Detached { task },
        });
    }

    /// Reports the panic to the page, and before it what was not sent yet.
    fn report_panic(&self, task: Option<TaskId>, message: String, location: Option<String>) {
        let mut begun = None;
        let mut effects = WorkerEffects::default();
        // Where panics abort, this runs within the panic: the state may be borrowed, if it is one of our own. Then what was
        // not sent is lost, and the page treats all that it has posted here as begun.
        if let Ok(mut state) = self.state.try_borrow_mut() {
            // A chunk is answered with what it has, the panic too.
            let panic = || Error::panic(message.clone(), location.clone());
            if let Some((task, results)) = task.and_then(|task| Some((task, task::rescue(panic())?))) {
                effects = state.end(task, Ok(results));
            }
            begun = Some(state.close());
        }
        if begun.is_some() {
            self.posts.set(false);
            self.post();
        }
        self.send(FromWorker::Panicked { task, begun, message, location });
        effects.happen();
    }

    fn poison(&self, task: Option<TaskId>, payload: Box<dyn Any + Send>) {
        if !self.poisoned.replace(true) {
            let (message, location) = panic::describe(&*payload);
            self.report_panic(task, message, location);
        }
        // Its drop may panic again, and there is nothing to gain from it.
        std::mem::forget(payload);
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.context.close();
        panic::forget_last();
    }
}
