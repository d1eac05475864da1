//! The way of the items.

use std::mem;

use super::queue::RETURNED;
use super::{Action, At, Core, Event, Item, Mode, Received};
use crate::platform::Place;

impl<I: Item> Core<I> {
    /// True if one more item can be sent from here now, or if it makes no sense to wait.
    pub(in crate::channel) fn admits(&self) -> bool {
        if !matches!(self.mode, Mode::Bounded { .. }) || self.is_closed() {
            return true;
        }
        let window = self.mode.window();
        // What goes up waits there, if anywhere.
        if self.is_home {
            self.down.own < window
        } else {
            self.up.queue.is_empty() && self.up.outstanding() < window
        }
    }

    /// Sends an item from here.
    pub(in crate::channel) fn send(&mut self, item: I) {
        self.enqueue(Place::HERE, item);
    }

    /// True if the newest item waits here for the one before to be taken.
    pub(in crate::channel) fn is_held_up(&self) -> bool {
        self.mode == Mode::Latest && !self.up.queue.is_empty()
    }

    /// Sends up the newest item although the one before was not taken: who sends cannot learn that now.
    pub(in crate::channel) fn hurry(&mut self) {
        self.up.taken = self.up.posted;
        self.pump_up();
    }

    /// The next item.
    pub(in crate::channel) fn receive(&mut self) -> Received<I> {
        if self.receiver != At::Here {
            return Received::Ended;
        }
        match self.pop_down() {
            Some(item) => Received::Item(item),
            None if self.is_terminated() => Received::Ended,
            None => Received::Nothing,
        }
    }

    /// True if nothing is left, and nothing will come.
    pub(in crate::channel) fn is_terminated(&self) -> bool {
        let is_empty = self.recalled == 0 && self.down.queue.is_empty() && self.unread.is_empty();
        self.receiver != At::Here || (self.ended && is_empty)
    }

    pub(super) fn enqueue(&mut self, from: Place, item: I) {
        if self.receiver == At::Gone {
            return self.actions.push(Action::Drop(item));
        }
        let goes_up = !self.is_home && from != Place::ABOVE;
        let is_newer = |last: &(Place, I)| !last.1.is_error() && !item.is_error();
        let flow = if goes_up { &mut self.up } else { &mut self.down };
        // What is to go back is counted.
        let may_replace = self.mode == Mode::Latest && (goes_up || !self.passes_back);
        let older =
            if may_replace && flow.queue.back().is_some_and(is_newer) { flow.queue.pop_back() } else { None };
        flow.own += u64::from(from == Place::HERE);
        flow.queue.push_back((from, item));
        if let Some((source, older)) = older {
            self.was_taken(source, goes_up);
            self.actions.push(Action::Drop(older));
        }
        if goes_up { self.pump_up() } else { self.pump_down() }
    }

    /// Sends up what may go.
    pub(super) fn pump_up(&mut self) {
        while self.up.outstanding() < self.mode.window() {
            let Some((source, item)) = self.up.queue.pop_front() else { break };
            self.up.posted += 1;
            self.post(Place::ABOVE, Event::Item { item });
            self.was_taken(source, true);
        }
        if self.up.queue.is_empty() {
            let (dropped, lost) = (mem::take(&mut self.dropped), mem::take(&mut self.lost));
            if lost > 0 {
                self.post(Place::ABOVE, Event::Lost { count: lost });
            }
            if dropped > 0 {
                self.post(Place::ABOVE, Event::Dropped { count: dropped });
            }
        }
    }

    /// Sends on to the receiver what may go, or wakes it.
    pub(super) fn pump_down(&mut self) {
        let to = match self.receiver {
            At::Below(place) => place,
            At::Here => {
                let has_some = !self.unread.is_empty() || (self.recalled == 0 && !self.down.queue.is_empty());
                if has_some || self.ended {
                    self.actions.push(Action::WakeReceiver);
                }
                return;
            }
            At::Above | At::Transit | At::Gone => return,
        };
        while self.recalled == 0 && self.down.outstanding() < self.mode.window() {
            let Some(item) = self.pop_down() else { break };
            self.down.posted += 1;
            self.post(to, Event::Item { item });
        }
        let is_empty = self.down.queue.is_empty() && self.unread.is_empty() && self.recalled == 0;
        if self.ended && is_empty && !mem::replace(&mut self.told_end, true) {
            self.post(to, Event::Ended);
        }
    }

    /// The next item for the receiver.
    pub(super) fn pop_down(&mut self) -> Option<I> {
        if let Some(item) = self.unread.pop_front() {
            return Some(item);
        }
        if self.recalled > 0 {
            return None;
        }
        let (source, item) = self.down.queue.pop_front()?;
        self.was_taken(source, false);
        Some(item)
    }

    /// All that waits for the receiver goes with it.
    pub(super) fn drain_all(&mut self) -> Vec<I> {
        let mut items: Vec<I> = mem::take(&mut self.unread).into();
        while let Some((source, item)) = self.down.queue.pop_front() {
            items.push(item);
            // The memory above counts anew.
            if source != Place::ABOVE {
                self.was_taken(source, false);
            }
        }
        items
    }

    /// An item that came from there has left its queue.
    pub(super) fn was_taken(&mut self, source: Place, goes_up: bool) {
        let flow = if goes_up { &mut self.up } else { &mut self.down };
        let is_empty = flow.queue.is_empty();
        if source == Place::HERE {
            flow.own -= 1;
            self.actions.push(Action::WakeSenders);
        } else if source != RETURNED && self.mode != Mode::Unbounded {
            match self.owed.iter_mut().find(|(owed, _)| *owed == source) {
                Some((_, taken)) => *taken += 1,
                None => self.owed.push((source, 1)),
            }
        }
        // Rarely one by one, and never so that anybody waits for more.
        let enough = self.mode.window().div_ceil(2);
        let mut owed = mem::take(&mut self.owed);
        owed.retain(|(source, taken)| {
            let is_due = is_empty || *taken >= enough;
            if is_due {
                self.post(*source, Event::Credit { taken: *taken });
            }
            !is_due
        });
        self.owed = owed;
    }
}
