//! Workers that go, and the end of the pool.

use std::mem;

use super::{ReplyTo, State};
use crate::error::Error;
use crate::platform::Loss;
use crate::pool::seat::Seat;
use crate::schedule::{Alarm, Event, TaskId, WorkerId};

impl State {
    pub(super) fn terminate(&mut self, worker: WorkerId, overdue: Alarm) {
        let Some(seat) = self.seats.remove(worker) else { return };
        let cause = match overdue {
            Alarm::Start(_) => Error::startup(format!(
                "it was not ready within {} ms; if its module is large or `on_start` takes long, \
                 give the builder a longer `start_timeout`",
                self.config.start_timeout.as_millis() as u64
            )),
            Alarm::Timeout(_) => {
                Error::worker_lost("it was ended because another task on it ran for longer than it may")
            }
            Alarm::Grace(_) => {
                Error::worker_lost("it was ended because another task on it did not stop when it was told to")
            }
        };
        self.forget_seat(seat, cause);
    }

    /// A worker is gone, for this reason.
    fn forget_seat(&mut self, seat: Seat, cause: Error) {
        self.stats.lost_workers += u64::from(!seat.is_starting());
        self.posted += seat.posted;
        self.effects.ports.push(seat.port);
        self.cause = cause.clone();
        self.absence = cause;
    }

    /// A worker is gone, as the platform has seen it.
    pub(in crate::pool) fn lost(&mut self, worker: WorkerId, loss: Loss) {
        let Loss { cause, task, trapped, begun } = loss;
        let begun = begun.map(|begun| begun.into_iter().map(TaskId::from_number).collect());
        if trapped {
            let error = Error::panic(format!("the worker trapped: {cause}"), None);
            let culprit = (TaskId::from_number(task), error);
            let cause = self.loss(worker, format!("another task made it trap: {cause}"));
            self.lose(worker, cause, Some(culprit), begun);
        } else {
            let cause = self.loss(worker, cause);
            self.lose(worker, cause, None, begun);
        }
    }

    /// What the loss of a worker is: before it was up, it has not started.
    pub(super) fn loss(&self, worker: WorkerId, cause: String) -> Error {
        if self.seats.get(worker).is_some_and(Seat::is_starting) {
            Error::startup(cause)
        } else {
            Error::worker_lost(cause)
        }
    }

    /// A worker is gone, by the fault of one task if it is known.
    pub(in crate::pool) fn lose(
        &mut self,
        worker: WorkerId,
        cause: Error,
        culprit: Option<(TaskId, Error)>,
        begun: Option<Vec<TaskId>>,
    ) {
        let Some(seat) = self.seats.remove(worker) else { return };
        self.forget_seat(seat, cause);
        let culprit = culprit.map(|(task, error)| {
            self.blame = error;
            task
        });
        self.handle(Event::Lost { worker, culprit, begun });
    }

    /// The end: nothing is taken any more, and everybody is answered.
    pub(in crate::pool) fn end(&mut self, error: &Error) {
        self.ended = Some(error.clone());
        for held in mem::take(&mut self.tasks).into_values() {
            self.effects.dropped.extend(held.call);
            if let ReplyTo::Page(reply) = held.reply {
                self.effects.answers.push((reply, Err(error.clone())));
            }
        }
        self.pending = 0;
        self.events.clear();
        let seats = mem::take(&mut self.seats);
        self.effects.ports.extend(seats.into_values().map(|seat| seat.port));
        self.effects.closed.append(&mut self.closing);
    }
}
