//! What workers say.

use super::{Held, ReplyTo, State, on_start_failed};
use crate::error::Error;
use crate::platform::Packet;
use crate::pool::seat::{Queued, Seat};
use crate::pool::watch::TaskRun;
use crate::schedule::{Event, Haste, TaskId, Terms, WorkerId};
use crate::task;
use crate::wire::{FromWorker, ToWorker};

impl State {
    /// The tasks that have run, by the messages of a worker.
    pub(in crate::pool) fn runs(&self, worker: WorkerId, messages: &[FromWorker]) -> Vec<TaskRun> {
        let Some(seat) = self.seats.get(worker) else { return Vec::new() };
        let run = |message: &FromWorker| {
            let FromWorker::Ran { task, site, began, ended } = message else { return None };
            Some(TaskRun {
                made_at: task::place(*site),
                worker: seat.place,
                made_by: self.places.iter().position(|place| *place == Some(task.owner)),
                began: began.saturating_sub(self.opened),
                ended: ended.saturating_sub(self.opened),
            })
        };
        messages.iter().filter_map(run).collect()
    }

    /// Takes what a worker has posted.
    pub(in crate::pool) fn hear_all(&mut self, worker: WorkerId, messages: Vec<FromWorker>) {
        self.stats.messages += 1;
        for message in messages {
            self.hear(worker, message);
        }
    }

    /// Takes one message of a worker, if that is not gone.
    fn hear(&mut self, worker: WorkerId, message: FromWorker) {
        if self.seats.get(worker).is_none() {
            return;
        }
        match message {
            FromWorker::Ready => self.greeted(worker),
            FromWorker::Refused { error } => self.lose(worker, on_start_failed(error), None, None),
            FromWorker::Began { task, terms } => self.handle(Event::Began { worker, task, terms }),
            FromWorker::Waits { task, ran } => self.handle(Event::Waits { worker, task, ran }),
            FromWorker::Done { task, ran, outcome } => {
                match self.tasks.get_mut(task) {
                    Some(held) => held.outcome = Some(outcome),
                    // It was settled before, or is one that its worker kept.
                    None => self.effects.dropped.extend(outcome),
                }
                self.handle(Event::Finished { worker, task, ran });
            }
            FromWorker::Returned { task, terms, call } => self.returned(worker, task, terms, call),
            FromWorker::Reported { local, resting } => {
                self.handle(Event::Reported { worker, local, resting });
            }
            FromWorker::Said { task, word } => self.handle(word.of(task)),
            // Told to those who watch, before.
            FromWorker::Ran { .. } => {}
            FromWorker::Panicked { task, begun, message, location } => {
                let place = location.as_ref().map(|place| format!(" at {place}")).unwrap_or_default();
                let who = if task.is_some() {
                    "another task"
                } else {
                    "its `on_start`, or what that left running,"
                };
                let cause = self.loss(worker, format!("{who} panicked on it{place}: {message}"));
                let culprit = task.map(|task| (task, Error::panic(message, location)));
                self.lose(worker, cause, culprit, Some(begun));
            }
        }
    }

    fn greeted(&mut self, worker: WorkerId) {
        let queue = self.seats.get_mut(worker).map(Seat::greeted);
        for queued in queue.into_iter().flatten() {
            match queued {
                Queued::Task(task) => self.post(worker, task, Haste::Now),
                Queued::Message(ToWorker::Settled { task, outcome }) => self.pass_on(worker, task, outcome),
                Queued::Message(message) => self.say(worker, message),
            }
        }
        self.handle(Event::Ready { worker });
    }

    fn returned(&mut self, worker: WorkerId, task: TaskId, terms: Terms, call: Packet) {
        if task.owner == worker && !self.schedule.knows(task) {
            self.tasks.insert(
                task,
                Held { terms, call: Some(call), reply: ReplyTo::Worker(worker), outcome: None },
            );
        } else if let Some(held) = self.tasks.get_mut(task) {
            held.call = Some(call);
        } else {
            self.effects.dropped.push(call);
        }
        self.stats.given_back += 1;
        self.handle(Event::Returned { worker, task, terms });
    }
}
