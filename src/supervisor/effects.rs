//! What is left to happen when the lock is free.

use std::time::Duration;

use futures::channel::oneshot;

use crate::error::Error;
use crate::platform::{Packet, Port};
use crate::task::{Outcome, Reply};

/// Gathered under the lock, in the order in which it was decided.
#[derive(Default)]
pub(super) struct PoolEffects {
    /// Workers that are gone or shall go.
    pub(super) ports: Vec<Port>,
    pub(super) answers: Vec<(Reply, Outcome)>,
    /// What is no longer needed.
    pub(super) dropped: Vec<Packet>,
    /// Who waited for the workers, and for what.
    pub(super) ready: Vec<oneshot::Sender<Result<(), Error>>>,
    pub(super) readiness: Option<Result<(), Error>>,
    pub(super) closed: Vec<oneshot::Sender<()>>,
    /// When the schedule is to be woken, by its clock and from now.
    pub(super) wake: Option<(Duration, Duration)>,
    /// What was gathered is to be posted at the end of this tick.
    pub(super) tick: bool,
}

impl PoolEffects {
    pub(super) fn happen(self) {
        // Workers go before anybody who is woken may start another.
        drop(self.ports);
        drop(self.dropped);
        for (reply, outcome) in self.answers {
            reply.send(outcome);
        }
        for sender in self.ready {
            let Some(readiness) = &self.readiness else { break };
            // A receiver that is gone does not wait.
            sender.send(readiness.clone()).unwrap_or(());
        }
        for sender in self.closed {
            sender.send(()).unwrap_or(());
        }
    }
}
