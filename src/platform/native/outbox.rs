//! The worker's end of the way to its page.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::AbortHandle;

use crate::error::Error;
use crate::platform::{EventHandler, Packet, Place, WorkerEvent};

/// The worker's end of the way to its page.
#[derive(Clone)]
pub(crate) struct Outbox {
    events: Arc<EventHandler>,
    end: AbortHandle,
    stops: Stops,
}

/// The tasks that the page stops, for their code to see: their messages are read later. One for each message.
#[derive(Clone, Default)]
pub(super) struct Stops(Arc<Mutex<Vec<u64>>>);

impl Stops {
    pub(super) fn lock(&self) -> MutexGuard<'_, Vec<u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outbox {
    /// `end` is aborted when the port is dropped.
    pub(super) fn new(events: Arc<EventHandler>, end: AbortHandle, stops: Stops) -> Self {
        Self { events, end, stops }
    }

    pub(crate) fn post(&self, packet: Packet) -> Result<(), Error> {
        packet.attachments.iter().for_each(|attachment| attachment.moved(Place::HERE));
        (self.events)(WorkerEvent::Packet(packet));
        Ok(())
    }

    /// True if the page stops this task and the message that says so was not read yet.
    pub(crate) fn is_stopped(&self, task: u64) -> bool {
        self.stops.lock().contains(&task)
    }

    /// The message was read that stops this task.
    pub(crate) fn has_read_stop(&self, task: u64) {
        let mut stops = self.stops.lock();
        if let Some(place) = stops.iter().position(|stopped| *stopped == task) {
            stops.swap_remove(place);
        }
    }

    /// False once the port was dropped: what is posted goes nowhere, and no task should begin.
    pub(crate) fn is_connected(&self) -> bool {
        !self.end.is_aborted()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_is_seen_until_its_message_was_read() {
        let stops = Stops::default();
        let outbox = Outbox::new(Arc::new(Box::new(|_| {})), AbortHandle::new_pair().0, stops.clone());
        stops.lock().extend([1, 2]);
        assert!(outbox.is_stopped(1) && outbox.is_stopped(2) && !outbox.is_stopped(3));
        outbox.has_read_stop(1);
        assert!(!outbox.is_stopped(1) && outbox.is_stopped(2));
        outbox.has_read_stop(2);
        assert!(stops.lock().is_empty());
    }
}
