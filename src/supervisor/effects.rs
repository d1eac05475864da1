//! What is left to happen when the lock is free.

use std::sync::Arc;
use std::time::Duration;

use futures::channel::oneshot;

use crate::error::Error;
use crate::platform::{self, Packet, Port, Residents};
use crate::task::{Outcome, Reply};

/// A wake-up of the schedule.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Wake {
    /// The time for which it is planned.
    pub(super) at: Duration,
    /// That has come: the next turn of the event loop brings it, since a timer of a hidden tab may take a minute.
    pub(super) is_due: bool,
}

/// Gathered under the lock, in the order in which it was decided.
#[derive(Default)]
pub(super) struct PoolEffects {
    /// Workers that are gone or shall go.
    pub(super) ports: Vec<Arc<Port>>,
    pub(super) answers: Vec<(Reply, Outcome)>,
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
        // Workers end before a waker runs: what it wakes may start another.
        drop(self.ports);
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
