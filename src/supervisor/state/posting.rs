//! Posts what is gathered, when the lock is free.

use std::mem;

use super::PoolState;
use crate::error::Error;
use crate::schedule::{PageEvent, TaskId, WorkerId};
use crate::supervisor::slot::{Carried, Posted, QueuedPacket};
use crate::wire::ToWorker;

impl PoolState {
    /// The next packet to be posted, when the lock is free: of what is gathered all, or what should not wait. `None` too if
    /// another caller is posting, which goes on with what is here. [`posted`](Self::posted) MUST follow.
    pub(in crate::supervisor) fn take_outgoing(&mut self, all: bool) -> Option<QueuedPacket> {
        for worker in mem::take(&mut self.dirty) {
            let Some(slot) = self.slots.get_mut(worker) else { continue };
            if all || slot.is_urgent() {
                slot.mark(false);
                slot.flush(&mut self.outgoing);
            } else {
                self.dirty.push(worker);
            }
        }
        if self.posting {
            return None;
        }
        let next = self.outgoing.pop_front();
        self.posting = next.is_some();
        next
    }

    /// A packet was posted, or could not be.
    pub(in crate::supervisor) fn posted(&mut self, posted: Posted) {
        self.posting = false;
        match posted {
            Ok(()) => {}
            Err((Carried::Task(worker, task), error)) => {
                self.fail(worker, task, error);
                self.handle_events();
            }
            Err((Carried::Outcome(maker, task), error)) => {
                self.send(maker, ToWorker::Completed { task, outcome: Err(error) });
            }
        }
    }

    /// A task could not be posted.
    pub(super) fn fail(&mut self, worker: WorkerId, task: TaskId, error: Error) {
        // One that is settled is owed an answer too.
        if self.tasks.get(task).is_some() {
            self.failures.push((task, error));
        }
        self.events.push_back(PageEvent::Finished { worker, task, ran: None });
    }
}
