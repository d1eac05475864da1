//! Whether the broker is reached, as far as a process knows.
//!
//! The events of `async_nats` come through a queue that has an end: what does not fit is lost, `Connected` too. So it is also asked, now and
//! then, and who has counted its connections also notices one that came and went unheard.

use std::sync::atomic::Ordering;

use async_nats::connection::State;
use async_nats::{Client, Event};

#[derive(Debug)]
pub(crate) struct Link {
    is_connected: bool,
    /// The last one that was noticed.
    connection: u64,
}

/// What the client of NATS says by itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    is_connected: bool,
    /// How many connections it has had.
    connections: u64,
}

impl Seen {
    pub(crate) fn of(client: &Client) -> Self {
        let is_connected = client.connection_state() == State::Connected;
        Self { is_connected, connections: client.statistics().connects.load(Ordering::Relaxed) }
    }
}

impl Link {
    /// Of a connection that was made. It says so by an event, too.
    pub(crate) fn new() -> Self {
        Self { is_connected: true, connection: 0 }
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.is_connected
    }

    /// True if there is a connection that was not noticed before: the broker may have come back without what it had.
    pub(crate) fn happened(&mut self, event: &Event, seen: Seen) -> bool {
        match event {
            Event::Disconnected => self.is_connected = false,
            Event::Connected => {
                self.is_connected = true;
                return self.is_new(seen);
            }
            _ => {}
        }
        false
    }

    /// As [`happened`](Self::happened), without an event.
    pub(crate) fn look(&mut self, seen: Seen) -> bool {
        self.is_connected = seen.is_connected;
        self.is_connected && self.is_new(seen)
    }

    fn is_new(&mut self, seen: Seen) -> bool {
        std::mem::replace(&mut self.connection, seen.connections) != seen.connections
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AWAY: Seen = Seen { is_connected: false, connections: 1 };

    fn connected(connections: u64) -> Seen {
        Seen { is_connected: true, connections }
    }

    /// One whose first connection was noticed.
    fn a_link() -> Link {
        let mut link = Link::new();
        assert!(link.happened(&Event::Connected, connected(1)));
        link
    }

    #[test]
    fn events_say_that_the_broker_is_away_and_back() {
        let mut link = a_link();
        assert!(!link.happened(&Event::Disconnected, AWAY));
        assert!(!link.is_connected());
        assert!(link.happened(&Event::Connected, connected(2)));
        assert!(link.is_connected());
        assert!(!link.happened(&Event::SlowConsumer(1), connected(2)));
        assert!(!link.look(connected(2)), "it is noticed once");
    }

    #[test]
    fn an_event_that_is_lost_is_made_up_for() {
        let mut link = a_link();
        link.happened(&Event::Disconnected, AWAY);
        assert!(link.look(connected(2)) && link.is_connected());
        // It comes late.
        assert!(!link.happened(&Event::Connected, connected(2)) && link.is_connected());
        assert!(!link.look(Seen { is_connected: false, connections: 2 }) && !link.is_connected());
        assert!(link.happened(&Event::Connected, connected(3)) && link.is_connected());
    }

    #[test]
    fn a_connection_that_came_and_went_unheard_is_noticed() {
        let mut link = a_link();
        assert!(!link.look(connected(1)));
        assert!(link.look(connected(2)) && link.is_connected());
    }
}
