//! Handles messages from workers.

use super::{PoolState, ReplyTo, on_start_failed};
use crate::error::Error;
use crate::platform::Packet;
use crate::schedule::{PageEvent, TaskId, TaskOptions, Urgency, WorkerId};
use crate::supervisor::slot::{Deferred, WorkerSlot};
use crate::supervisor::stats::TaskRun;
use crate::task;
use crate::wire::{FromWorker, ToWorker};

impl PoolState {
    /// The tasks that have run, by the messages of a worker.
    pub(in crate::supervisor) fn runs(&self, worker: WorkerId, messages: &[FromWorker]) -> Vec<TaskRun> {
        let Some(slot) = self.slots.get(worker) else { return Vec::new() };
        let run = |message: &FromWorker| {
            let FromWorker::Ran { task, location, began, ended } = message else { return None };
            Some(TaskRun {
                made_at: task::read_location(location),
                worker: slot.index,
                made_by: self.worker_at.iter().position(|place| *place == Some(task.maker)),
                began: began.saturating_sub(self.opened),
                ended: ended.saturating_sub(self.opened),
            })
        };
        messages.iter().filter_map(run).collect()
    }

    /// Takes what a worker has posted.
    pub(in crate::supervisor) fn on_messages(&mut self, worker: WorkerId, messages: Vec<FromWorker>) {
        self.stats.messages += 1;
        for message in messages {
            self.on_message(worker, message);
        }
    }

    /// Takes one message of a worker, if that is not gone.
    fn on_message(&mut self, worker: WorkerId, message: FromWorker) {
        if self.slots.get(worker).is_none() {
            return self.effects.dropped.extend(message.into_body());
        }
        match message {
            FromWorker::Ready => self.on_ready(worker),
            FromWorker::Refused { error } => self.lose(worker, on_start_failed(error), None, None),
            FromWorker::Began { task, options } => self.handle(PageEvent::Began { worker, task, options }),
            FromWorker::Suspended { task, ran } => self.handle(PageEvent::Suspended { worker, task, ran }),
            FromWorker::Finished { task, ran, outcome } => {
                self.answer = Some(outcome);
                self.handle(PageEvent::Finished { worker, task, ran });
                // It was settled before, or is one that its worker kept.
                self.effects.dropped.extend(self.answer.take().into_iter().flatten());
            }
            FromWorker::Migrated { task, options, call } => self.on_migrated(worker, task, options, call),
            FromWorker::Reported { local, resting } => {
                self.handle(PageEvent::Reported { worker, local, resting });
            }
            FromWorker::Signal { task, signal } => self.handle(signal.of(task)),
            // Told to those who watch, or run, before.
            FromWorker::Ran { .. } | FromWorker::Call { .. } => {}
            FromWorker::Retired => self.retire(worker),
            FromWorker::Panicked { task, begun, message, location } => {
                let place = location.as_ref().map(|place| format!(" at {place}")).unwrap_or_default();
                let who = self.whose_code(worker, task);
                let cause = self.loss_error(worker, format!("{who} panicked on it{place}: {message}"));
                let culprit = task.map(|task| (task, Error::panic(message, location)));
                self.lose(worker, cause, culprit, begun);
            }
        }
    }

    fn on_ready(&mut self, worker: WorkerId) {
        let queue = self.slots.get_mut(worker).map(WorkerSlot::take_deferred);
        for queued in queue.into_iter().flatten() {
            match queued {
                Deferred::Task(task) => self.post(worker, task, Urgency::Now),
                Deferred::Message(ToWorker::Completed { task, outcome }) => {
                    self.pass_on(worker, task, outcome);
                }
                Deferred::Message(message) => self.send(worker, message),
            }
        }
        self.handle(PageEvent::Ready { worker });
    }

    fn on_migrated(&mut self, worker: WorkerId, task: TaskId, options: TaskOptions, call: Packet) {
        if self.schedule.is_new(worker, task) {
            self.enter(task, options, call, ReplyTo::Worker(worker));
        } else if let Some(held) = self.tasks.get_mut(task) {
            held.call = Some(call);
        } else {
            self.effects.dropped.push(call);
        }
        self.stats.stolen += 1;
        self.handle(PageEvent::Migrated { worker, task, options });
    }
}
