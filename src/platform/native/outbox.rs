//! The worker's end of the way to its page.

use std::sync::Arc;

use futures::future::AbortHandle;

use crate::error::Error;
use crate::platform::{EventHandler, Packet, Place, WorkerEvent};

/// The worker's end of the way to its page.
#[derive(Clone)]
pub(crate) struct Outbox {
    events: Arc<EventHandler>,
    end: AbortHandle,
}

impl Outbox {
    /// `end` is aborted when the port is dropped.
    pub(super) fn new(events: Arc<EventHandler>, end: AbortHandle) -> Self {
        Self { events, end }
    }

    pub(crate) fn post(&self, packet: Packet) -> Result<(), Error> {
        packet.attachments.iter().for_each(|attachment| attachment.moved(Place::HERE));
        (self.events)(WorkerEvent::Packet(packet));
        Ok(())
    }

    /// False once the port was dropped: what is posted goes nowhere, and no task should begin.
    pub(crate) fn is_connected(&self) -> bool {
        !self.end.is_aborted()
    }
}
