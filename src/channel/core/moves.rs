//! Ends that cross from one memory to another, and what comes back behind them.

use std::mem;

use super::queue::RETURNED;
use super::{Action, At, Core, Event, Item, Kind, Mode};
use crate::platform::Place;

impl<I: Item> Core<I> {
    /// A sender goes from one place to another. False if one of them is gone: then it is not counted.
    pub(in crate::channel) fn move_sender(&mut self, from: Place, to: Place) -> bool {
        if self.is_dead(from) {
            return false;
        }
        if from != Place::ABOVE {
            self.subtract(from, 1);
        }
        if to != Place::ABOVE {
            *self.count(to) += 1;
        }
        if self.is_closed() && to != Place::HERE && to != Place::ABOVE {
            self.post(to, Event::Closed);
        }
        true
    }

    /// Natively the receiver is there, and its items stay here.
    pub(in crate::channel) fn place_receiver(&mut self, at: Place) {
        self.receiver_place = at;
    }

    /// The receiver goes to a worker.
    pub(in crate::channel) fn move_receiver_below(&mut self, to: Place) {
        if self.receiver == At::Here {
            self.receiver = At::Below(to);
            (self.down.posted, self.down.taken, self.told_end) = (0, 0, false);
            self.pump_down();
        }
    }

    /// An end is about to go up: what makes the memory above know the channel, and the receiver's items if it is that.
    pub(in crate::channel) fn leave(&mut self, kind: Kind) -> Vec<Event<I>> {
        let mut events = Vec::new();
        if mem::replace(&mut self.is_home, false) {
            let senders = self.senders.iter().map(|(_, count)| *count).sum();
            events.push(Event::Open { mode: self.mode, senders, receiver: self.receiver != At::Gone });
            self.received = 0;
        }
        if kind == Kind::Sender && self.mode == Mode::Latest {
            // What it has sent goes ahead of it, although the one before was not taken.
            while let Some((source, item)) = self.up.queue.pop_front() {
                self.up.posted += 1;
                events.push(Event::Item { item });
                self.was_taken(source, true);
            }
        }
        if kind == Kind::Receiver && self.receiver == At::Here {
            // What is to come back from below goes on when it is there, and what came after that behind it.
            let unread =
                if self.recalled == 0 { self.drain_all() } else { mem::take(&mut self.unread).into() };
            // It waits for it already if the receiver was here before.
            let pending = if self.passes_back { 0 } else { self.recalled + self.down.queue.len() as u64 };
            self.passes_back |= pending > 0;
            events.push(Event::Leaving { received: self.received, pending });
            events.extend(unread.into_iter().map(|item| Event::Unread { item }));
            self.receiver = At::Above;
            self.owed.retain(|(place, _)| *place != Place::ABOVE);
        }
        events.push(Event::Arrive { mode: self.mode, kind });
        events
    }

    /// An end is about to go to a worker: what makes the memory there know the channel.
    pub(in crate::channel) fn enter_below(&self, kind: Kind) -> Vec<Event<I>> {
        let mut events = vec![Event::Arrive { mode: self.mode, kind }];
        if self.is_closed() {
            events.push(Event::Closed);
        }
        events
    }

    /// An end has come from there.
    pub(in crate::channel) fn arrive(&mut self, from: Place, kind: Kind) {
        match kind {
            Kind::Sender => {
                self.move_sender(from, Place::HERE);
            }
            Kind::Receiver => {
                self.receiver = At::Here;
                if from == Place::ABOVE {
                    (self.received, self.ended) = (0, false);
                }
                self.pump_down();
            }
        }
    }

    /// So many items that were to come back will not.
    pub(super) fn on_missing(&mut self, count: u64) {
        if self.passes_back {
            self.post(Place::ABOVE, Event::Missing { count });
            return self.is_returned(count);
        }
        self.on_returned(count, I::lost());
    }

    /// An item has come back, in the place of so many.
    pub(super) fn on_returned(&mut self, count: u64, item: I) {
        if self.is_closed() {
            self.actions.push(Action::Drop(item));
        } else if self.passes_back {
            self.post(Place::ABOVE, Event::Bounced { item });
        } else {
            self.unread.push_back(item);
        }
        self.is_returned(count);
    }

    pub(super) fn is_returned(&mut self, count: u64) {
        self.recalled = self.recalled.saturating_sub(count);
        if self.recalled == 0 && mem::take(&mut self.passes_back) {
            for item in self.drain_all() {
                self.post(Place::ABOVE, Event::Bounced { item });
            }
        }
        self.pump_down();
    }

    /// The receiver leaves that place for here.
    pub(super) fn on_leaving(&mut self, from: Place, received: u64, pending: u64) {
        if self.receiver == At::Below(from) {
            self.receiver = At::Transit;
            // Nothing was posted while something was to come back from elsewhere.
            if self.recalled == 0 {
                self.recalled = self.down.posted.saturating_sub(received) + pending;
                self.recalled_from = from;
                // What was not posted comes behind what comes back.
                for item in mem::take(&mut self.unread).into_iter().rev() {
                    self.down.queue.push_front((RETURNED, item));
                }
            }
        }
    }
}
