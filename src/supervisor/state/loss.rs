//! Workers that go, and the end of the pool.

use std::mem;

use super::{PoolState, ReplyTo};
use crate::error::Error;
use crate::platform::{self, Loss};
use crate::schedule::{Deadline, PageEvent, TaskId, WorkerId};
use crate::supervisor::effects::Gone;
use crate::supervisor::slot::WorkerSlot;

impl PoolState {
    pub(super) fn terminate(&mut self, worker: WorkerId, overdue: Deadline) {
        let Some(slot) = self.slots.remove(worker) else { return };
        slot.port.end();
        self.stats.running_on += u64::from(!slot.is_starting() && !platform::can_interrupt());
        let cause = match overdue {
            Deadline::Start(_) => Error::startup(format!(
                "it was not ready within {} ms; if its module is large or `on_start` takes long, \
                 give the builder a longer `start_timeout`",
                self.config.start_timeout.as_millis() as u64
            )),
            Deadline::Timeout(_) => {
                Error::worker_lost("it was ended because another task on it ran for longer than it may")
            }
            Deadline::Silence(_) => Error::worker_lost(
                "it was ended because it did not answer while a task with a timeout waited there, though no task was known to \
                 keep it busy: code that was left behind on it, such as a timer or a spawned future, or a task that went on for \
                 longer than a worker may take to start; let such code end, or yield now and then",
            ),
            Deadline::Restart(_) => unreachable!("it ends no worker"),
            Deadline::Grace(_) => Error::worker_lost(
                "it was ended because another task on it did not stop when it was asked to",
            ),
        };
        self.count_loss(&slot);
        self.forget_slot(slot, cause);
    }

    fn count_loss(&mut self, slot: &WorkerSlot) {
        self.stats.lost_workers += u64::from(!slot.is_starting());
        self.stats.failed_starts += u64::from(slot.is_starting());
    }

    /// A worker is gone, for this reason.
    fn forget_slot(&mut self, slot: WorkerSlot, cause: Error) {
        for packet in mem::take(&mut self.outgoing) {
            if packet.is_for(&slot) {
                self.effects.gone.push(Gone::Unsent(packet));
            } else {
                self.outgoing.push_back(packet);
            }
        }
        self.posted += slot.posted;
        self.effects.gone.push(Gone::Slot(slot));
        self.cause = cause.clone();
        self.absence = cause;
    }

    /// A worker is gone, as the platform has seen it.
    pub(in crate::supervisor) fn on_loss(&mut self, worker: WorkerId, loss: Loss) {
        let Loss { cause, task, trapped, begun } = loss;
        let begun = begun.map(|begun| begun.into_iter().map(TaskId::from_number).collect());
        let task = (task != 0).then(|| TaskId::from_number(task));
        if trapped {
            let who = self.whose_code(worker, task);
            let error = Error::panic(format!("the worker trapped: {cause}"), None);
            let cause = self.loss_error(worker, format!("{who} made it trap: {cause}"));
            self.lose(worker, cause, task.map(|task| (task, error)), begun);
        } else {
            let cause = self.loss_error(worker, cause);
            self.lose(worker, cause, None, begun);
        }
    }

    /// Whose code has failed on a worker, as far as that is known: this task's, or that of none.
    pub(super) fn whose_code(&self, worker: WorkerId, task: Option<TaskId>) -> &'static str {
        let starting = self.slots.get(worker).is_some_and(WorkerSlot::is_starting);
        match task {
            // A worker that starts has no tasks but such as this one has made.
            _ if starting && self.on_start.is_some() => "its `on_start`, or what that had begun,",
            _ if starting => "its start",
            Some(_) => "another task",
            None => "code of no task, such as a timer, a listener or a spawned future,",
        }
    }

    /// What the loss of a worker is: before it was up, it has not started.
    pub(super) fn loss_error(&self, worker: WorkerId, cause: String) -> Error {
        if self.slots.get(worker).is_some_and(WorkerSlot::is_starting) {
            Error::startup(cause)
        } else {
            Error::worker_lost(cause)
        }
    }

    /// A worker is gone, by the fault of one task if it is known.
    pub(in crate::supervisor) fn lose(
        &mut self,
        worker: WorkerId,
        cause: Error,
        culprit: Option<(TaskId, Error)>,
        begun: Option<Vec<TaskId>>,
    ) {
        let Some(slot) = self.slots.remove(worker) else { return };
        self.count_loss(&slot);
        self.forget_slot(slot, cause);
        let culprit = culprit.map(|(task, error)| {
            self.blame = error;
            task
        });
        self.handle(PageEvent::Lost { worker, culprit, begun });
    }

    /// A worker has ended between tasks.
    pub(super) fn retire(&mut self, worker: WorkerId) {
        let Some(slot) = self.slots.remove(worker) else { return };
        self.stats.retired_workers += 1;
        self.forget_slot(slot, Error::worker_lost("exceptions had used up a part of its stack"));
        self.handle(PageEvent::Lost { worker, culprit: None, begun: Some(Vec::new()) });
    }

    /// The end: nothing is taken any more, and everybody is answered.
    pub(in crate::supervisor) fn end(&mut self, error: &Error) {
        self.ended = Some(error.clone());
        for held in mem::take(&mut self.tasks).into_values() {
            self.effects.dropped.extend(held.call);
            self.effects.residents.append(held.residents);
            if let ReplyTo::Page(reply) = held.reply {
                self.effects.answers.push((reply, Err(error.clone())));
            }
        }
        self.pending = 0;
        self.events.clear();
        self.effects.gone.extend(mem::take(&mut self.outgoing).into_iter().map(Gone::Unsent));
        let slots = mem::take(&mut self.slots);
        self.effects.gone.extend(slots.into_values().map(Gone::Slot));
        self.effects.closed.append(&mut self.closing);
    }
}
