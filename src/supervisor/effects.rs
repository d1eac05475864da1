//! What is left to happen when the lock is free.

use std::time::Duration;

use futures::channel::oneshot;

use super::slot::{QueuedPacket, WorkerSlot};
use crate::error::Error;
use crate::platform::{self, Packet, Residents};
use crate::task::{Outcome, ReplySender};

/// A wake-up of the schedule.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Wake {
    /// The time for which it is planned.
    pub(super) at: Duration,
    /// That has come: the next turn of the event loop brings it, since a timer of a hidden tab may take a minute.
    pub(super) is_due: bool,
}

/// What is dropped for good: a worker ends with the last that holds its port.
pub(super) enum Gone {
    Slot(#[expect(dead_code, reason = "it is dropped")] WorkerSlot),
    Unsent(#[expect(dead_code, reason = "it is dropped")] QueuedPacket),
}

/// Gathered under the lock, in the order in which it was decided.
#[derive(Default)]
pub(super) struct PoolEffects {
    /// Workers that are gone or shall go, and what was to be posted to them.
    pub(super) gone: Vec<Gone>,
    pub(super) answers: Vec<(ReplySender, Outcome)>,
    /// What is no longer needed.
    pub(super) dropped: Vec<Packet>,
    pub(super) residents: Residents,
    /// Who waited for the workers, and for what.
    pub(super) ready: Vec<oneshot::Sender<Result<(), Error>>>,
    pub(super) readiness: Option<Result<(), Error>>,
    pub(super) closed: Vec<oneshot::Sender<()>>,
    /// How the schedule is to be woken, and how long from now.
    pub(super) wake: Option<(Wake, Duration)>,
    /// What was gathered is to be posted at the end of this tick.
    pub(super) tick: bool,
}

impl PoolEffects {
    pub(super) fn happen(self) {
        // Workers end before an answer is told: what that wakes may start another.
        drop(self.gone);
        drop(self.dropped);
        drop(self.residents);
        for (reply, outcome) in self.answers {
            reply.send(outcome);
        }
        // Each calls a waker, which may panic: the others are called all the same.
        for sender in self.ready {
            let Some(readiness) = &self.readiness else { break };
            // A receiver that is gone does not wait.
            platform::contain(|| sender.send(readiness.clone()).unwrap_or(()));
        }
        for sender in self.closed {
            platform::contain(|| sender.send(()).unwrap_or(()));
        }
    }
}
