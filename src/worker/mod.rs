//! The far side: decodes tasks, runs them, and replies.
//!
//! One [`Worker`] per worker, driven by the packets of its page. What it does next is decided by its half of the schedule,
//! which lies in its [`WorkerState`]; the loop in [`RunLoop`] does as it is told: it begins a task, yields to the event loop, or rests.
//! It polls the asynchronous ones.
//!
//! Tasks that the code here makes come by [`WorkerContext`], which is what an executor on a worker stands on.
//!
//! After a panic the worker is *poisoned*: it tells its page, and neither begins nor polls anything again. On the web the
//! instance traps and `worker.js` never enters it again; natively the page drops its port and the thread ends.

mod context;
mod panic;
mod run_loop;
mod state;
mod task_future;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use futures::future::{Abortable, abortable};

use self::context::Request;
pub(crate) use self::context::WorkerContext;
use self::run_loop::RunLoop;
use self::state::{InTransit, WorkerEffects, WorkerState};
use self::task_future::TaskFuture;
use crate::error::Error;
use crate::platform::{self, Inbox, Main, Outbox, PANIC_ABORTS, Packet, Tagged};
use crate::schedule::{Completion, HandleSignal, Id, LocalEvent, Next, TaskId};
use crate::task::{self, Call, Job, Outcome, TaskOwner};
use crate::wire::{FromWorker, ToWorker, WorkerConfig};

/// What the platform calls on a new worker.
pub(crate) static MAIN: Tagged<Main> = Tagged::new(Main(main));

thread_local! {
    /// The worker that this thread is.
    static CURRENT_WORKER: RefCell<Option<Rc<Worker>>> = const { RefCell::new(None) };
}

/// The worker that this thread is, if it is one.
fn current_worker() -> Option<Rc<Worker>> {
    // Not while the thread goes away.
    CURRENT_WORKER.try_with(|here| here.borrow().clone()).ok().flatten()
}

/// What executors on this worker stand on, if this thread is one.
pub(crate) fn context() -> Option<Arc<WorkerContext>> {
    current_worker().map(|worker| worker.context.clone())
}

fn main(outbox: Outbox) -> Inbox {
    panic::watch();
    let mut worker = None;
    Box::new(move |packet| {
        // Page and worker run one module and its page has greeted it: what it posts can be read.
        let messages = ToWorker::read_all(packet).expect("the page writes what this very code reads");
        for message in messages {
            match (message, &worker) {
                (ToWorker::Start { config, on_start }, None) => {
                    worker = Some(Worker::start(outbox.clone(), config, on_start));
                }
                (message, Some(worker)) => worker.receive(message),
                (_, None) => unreachable!("the first message is `Start`"),
            }
        }
        if let Some(worker) = &worker {
            worker.tell(LocalEvent::Woken);
            worker.context.wake();
        }
    })
}

struct Worker {
    outbox: Outbox,
    state: RefCell<WorkerState>,
    context: Arc<WorkerContext>,
    /// Somebody is posting what the state have ready.
    posts: Cell<bool>,
    /// Set by the first panic, for ever.
    poisoned: Cell<bool>,
}

impl Worker {
    /// Runs `on_start`, which may be asynchronous, then says that tasks may come, and waits for them.
    fn start(outbox: Outbox, config: WorkerConfig, on_start: Option<Packet>) -> Rc<Self> {
        let worker = Rc::new(Self {
            outbox,
            state: RefCell::new(WorkerState::new(config)),
            context: Arc::new(WorkerContext::new(config)),
            posts: Cell::new(false),
            poisoned: Cell::new(false),
        });
        CURRENT_WORKER.set(Some(worker.clone()));
        // `on_start` may make tasks and await them.
        platform::spawn_local(RunLoop::new(worker.clone()));
        let call = on_start.map(|on_start| worker.guard(None, || task::begin(on_start)));
        match call {
            None => worker.ready(Ok(Packet::default())),
            Some(Some(Call::Ended(outcome))) => worker.ready(outcome),
            Some(Some(Call::Running(future))) => {
                platform::spawn_local(TaskFuture::new(worker.clone(), None, future));
            }
            Some(None) => {}
        }
        worker
    }

    fn ready(self: &Rc<Self>, outcome: Outcome) {
        // The program's own hook may have been set by `on_start`: ours comes before it.
        panic::watch();
        let refusal = outcome.err().map(|error| FromWorker::Refused { error });
        self.say(refusal.unwrap_or(FromWorker::Ready));
    }

    fn receive(&self, message: ToWorker) {
        if self.is_poisoned() {
            return;
        }
        match message {
            ToWorker::Start { .. } => unreachable!("a worker is started once"),
            ToWorker::Run { task, options, call } => {
                self.state.borrow_mut().enter(task, options, call);
                self.tell(LocalEvent::Arrived { task, options });
            }
            ToWorker::Stop { task, completion } => self.stop(task, completion),
            ToWorker::StealRequest { idle } => self.tell(LocalEvent::StealRequested { idle }),
            ToWorker::Completed { task, outcome } => {
                let reply = self.state.borrow_mut().take_reply(task);
                if let Some(reply) = reply {
                    reply.send(outcome);
                }
            }
        }
    }

    fn stop(&self, task: TaskId, completion: Completion) {
        // The page cannot answer a handle that is here, of a task that is here.
        let late =
            if completion == Completion::TimedOut { self.state.borrow_mut().take_late(task) } else { None };
        self.tell(LocalEvent::Stopped { task });
        if let Some((reply, limit)) = late {
            reply.send(Err(Error::timeout(limit)));
        }
    }

    /// Takes a task that the code here makes.
    fn submit(&self, job: Job) {
        let Job { call, options, reply, .. } = job;
        let holder: Arc<dyn TaskOwner> = self.context.clone();
        let task = self.state.borrow_mut().new_task();
        if !reply.set_owner(Arc::downgrade(&holder), task) {
            return;
        }
        self.state.borrow_mut().enter_own(task, options, call, reply);
        self.tell(LocalEvent::Spawned { task, options });
        self.context.wake();
    }

    /// The handle of a task that was made here says something.
    fn on_signal(&self, task: TaskId, signal: HandleSignal) {
        self.tell(match signal {
            HandleSignal::Cancel => LocalEvent::Dropped { task },
            HandleSignal::Abort => LocalEvent::Aborted { task },
            HandleSignal::Detach => LocalEvent::Detached { task },
        });
    }

    /// Does what other threads have asked for.
    fn serve_requests(&self) {
        for request in self.context.take_requests() {
            match request {
                Request::Submit(job) => self.submit(job),
                Request::Signal(task, signal) => self.on_signal(task, signal),
                Request::Spawn(future) => platform::spawn_local(future),
            }
        }
    }

    /// Begins a task: one that is synchronous ends with it, of an asynchronous one comes what is to be polled.
    fn begin(self: &Rc<Self>, task: TaskId) -> Option<Abortable<TaskFuture>> {
        let call = self.state.borrow_mut().begin(task)?;
        match self.guard(Some(task), || task::begin(call))? {
            Call::Ended(outcome) => {
                self.ended(task, outcome);
                None
            }
            Call::Running(future) => {
                let (future, abort) = abortable(TaskFuture::new(self.clone(), Some(task), future));
                self.state.borrow_mut().runs(task, abort);
                self.tell(LocalEvent::Polled { task, ended: false });
                Some(future)
            }
        }
    }

    /// The code of a task has given its result.
    fn ended(&self, task: TaskId, outcome: Outcome) {
        let reply = self.state.borrow_mut().end(task, outcome);
        self.tell(LocalEvent::Polled { task, ended: true });
        if let Some((reply, outcome)) = reply {
            reply.send(outcome);
        }
    }

    /// Tells the schedule, and does what it says. Nothing is woken, dropped or posted while the state are open.
    fn tell(&self, event: LocalEvent) {
        let effects = self.state.borrow_mut().tell(event);
        self.follow(effects);
    }

    fn next(&self) -> Next {
        let (next, effects) = self.state.borrow_mut().next();
        self.follow(effects);
        next
    }

    fn follow(&self, effects: WorkerEffects) {
        self.post();
        effects.happen();
    }

    /// Posts what is ready, in order: whoever comes here meanwhile leaves it to the one that is here.
    fn post(&self) {
        if self.posts.replace(true) {
            return;
        }
        loop {
            let next = self.state.borrow_mut().take_outgoing();
            let Some(outgoing) = next else { break };
            if let (Err(error), Some(bears)) = (self.outbox.post(outgoing.packet), outgoing.bears) {
                self.failed_to_post(bears, error);
            }
        }
        self.posts.set(false);
    }

    /// A task's call or result cannot leave: that is its answer.
    fn failed_to_post(&self, bears: InTransit, error: Error) {
        let InTransit { task, ran, posted } = bears;
        if posted {
            return self.say(FromWorker::Done { task, ran, outcome: Err(error) });
        }
        let reply = self.state.borrow_mut().take_reply(task);
        if let Some(reply) = reply {
            reply.send(Err(error));
        }
    }

    /// Posts what holds no attachment, now.
    fn say(&self, message: FromWorker) {
        let mut packet = Packet::default();
        message.write(&mut packet);
        self.outbox.post(packet).expect("bytes can always be sent");
    }

    /// True after a panic. Where panics abort, nobody comes back to say so: then the hook has noted it, or a task's code
    /// was left without its end and is still the current one.
    fn is_poisoned(&self) -> bool {
        self.poisoned.get() || (PANIC_ABORTS && (panic::was_noted() || platform::current() != 0))
    }

    /// Runs code of a task. `None` if it panicked: then the page knows, and the worker is poisoned.
    fn guard<R>(&self, task: Option<TaskId>, code: impl FnOnce() -> R) -> Option<R> {
        panic::forget_last();
        match platform::guard(task.map_or(0, Id::number), code) {
            Ok(result) => Some(result),
            Err(payload) => {
                self.poisoned.set(true);
                let (message, location) = panic::describe(&*payload);
                self.report_panic(task, message, location);
                // Its drop may panic again, and there is nothing to gain from it.
                std::mem::forget(payload);
                None
            }
        }
    }

    /// Tells the page of a panic, and before it what was not said yet.
    fn report_panic(&self, task: Option<TaskId>, message: String, location: Option<String>) {
        let mut begun = Vec::new();
        let mut effects = WorkerEffects::default();
        // Where panics abort, this runs within the panic: the state may be open, if it is one of our own.
        if let Ok(mut state) = self.state.try_borrow_mut() {
            // A chunk is answered with what it has, the panic too.
            let panic = || Error::panic(message.clone(), location.clone());
            if let Some((task, results)) = task.and_then(|task| Some((task, task::rescue(panic())?))) {
                let reply = state.end(task, Ok(results));
                effects = state.tell(LocalEvent::Polled { task, ended: true });
                effects.answer(reply);
            }
            begun = state.close();
        }
        self.posts.set(false);
        self.post();
        self.say(FromWorker::Panicked { task, begun, message, location });
        effects.happen();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.context.close();
    }
}
