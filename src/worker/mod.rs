//! The far side: decodes a task, runs it, and replies.
//!
//! One `Worker` per worker, driven by the packets of its page. A synchronous task runs where its packet is read, so
//! tasks begin in the order in which they came; an asynchronous one is polled beside the others of its thread.
//!
//! After a panic the worker is *poisoned*: it tells its page, and neither begins nor polls anything again. On the web the
//! instance traps and `worker.js` never enters it again; natively the page drops its port and the thread ends.

mod panic;
mod running;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures::future::AbortHandle;

use self::running::Running;
use crate::error::Error;
use crate::platform::{self, Inbox, Main, Outbox, PANIC_ABORTS, Packet};
use crate::table::Table;
use crate::task::{self, Call, Outcome};
use crate::wire::{FromWorker, TaskId, ToWorker};

/// What the platform calls on a new worker.
pub(crate) static MAIN: Main = Main::new(main);

fn main(outbox: Outbox) -> Inbox {
    let worker = Rc::new(Worker { outbox, running: RefCell::default(), poisoned: Cell::new(false) });
    panic::watch(&worker.outbox);
    Box::new(move |packet| worker.clone().receive(packet))
}

struct Worker {
    outbox: Outbox,
    /// The asynchronous tasks that have begun and not ended.
    running: RefCell<Table<AbortHandle>>,
    /// Set by the first panic, for ever.
    poisoned: Cell<bool>,
}

impl Worker {
    fn receive(self: Rc<Self>, packet: Packet) {
        // Page and worker run one module and its page has greeted it: what it posts can be read.
        let messages = ToWorker::read_all(packet).expect("the page writes what this very code reads");
        for message in messages {
            if self.is_poisoned() {
                return;
            }
            match message {
                ToWorker::Start { on_start } => self.clone().start(on_start),
                ToWorker::Run { id, call } => self.clone().run(id, call),
                ToWorker::Cancel { id } => self.cancel(id),
            }
        }
    }

    /// Runs `on_start`, which may be asynchronous, and then says that tasks may come.
    fn start(self: Rc<Self>, on_start: Option<Packet>) {
        let Some(on_start) = on_start else { return self.ready(Ok(Packet::default())) };
        match self.guard(0, || task::begin(on_start)) {
            Some(Call::Ended(outcome)) => self.ready(outcome),
            Some(Call::Running(future)) => platform::spawn_local(async move {
                let future = Running::new(self.clone(), 0, future);
                if let Some(outcome) = future.await {
                    self.ready(outcome);
                }
            }),
            None => {}
        }
    }

    fn ready(&self, outcome: Outcome) {
        // The program's own hook may have been set by `on_start`: ours comes before it.
        panic::watch(&self.outbox);
        self.post(match outcome {
            Ok(_unit) => FromWorker::Ready,
            Err(error) => FromWorker::Refused { error },
        });
    }

    fn run(self: Rc<Self>, id: TaskId, call: Packet) {
        match self.guard(id, || task::begin(call)) {
            Some(Call::Ended(outcome)) => self.done(id, outcome),
            Some(Call::Running(future)) => {
                let future = Running::new(self.clone(), id, future);
                let (future, abort) = futures::future::abortable(future);
                self.running.borrow_mut().insert(id, abort);
                platform::spawn_local(async move {
                    let outcome = match future.await {
                        Ok(Some(outcome)) => outcome,
                        Ok(None) => return,
                        Err(_aborted) => Err(Error::cancelled()),
                    };
                    self.running.borrow_mut().remove(id);
                    self.done(id, outcome);
                });
            }
            None => {}
        }
    }

    /// True after a panic. Where panics abort, nobody comes back to say so: then the hook has noted it, or a task's code
    /// was left without its end and is still the current one.
    fn is_poisoned(&self) -> bool {
        self.poisoned.get() || (PANIC_ABORTS && (panic::was_noted() || platform::current() != 0))
    }

    fn cancel(&self, id: TaskId) {
        if let Some(task) = self.running.borrow().get(id) {
            task.abort();
        }
    }

    fn done(&self, id: TaskId, outcome: Outcome) {
        let mut packet = Packet::default();
        FromWorker::Done { id, outcome }.write(&mut packet);
        if let Err(error) = self.outbox.post(packet) {
            self.post(FromWorker::Done { id, outcome: Err(error) });
        }
    }

    /// Posts what holds no attachment.
    fn post(&self, message: FromWorker) {
        let mut packet = Packet::default();
        message.write(&mut packet);
        self.outbox.post(packet).expect("bytes can always be sent");
    }

    /// Runs code of a task. `None` if it panicked: then the page knows, and the worker is poisoned.
    fn guard<R>(&self, id: TaskId, code: impl FnOnce() -> R) -> Option<R> {
        panic::forget_last();
        match platform::guard(id, code) {
            Ok(result) => Some(result),
            Err(payload) => {
                self.poisoned.set(true);
                let (message, location) = panic::describe(&*payload);
                self.post(FromWorker::Panicked { id: (id != 0).then_some(id), message, location });
                // Its drop may panic again, and there is nothing to gain from it.
                std::mem::forget(payload);
                None
            }
        }
    }
}
