//! What a memory knows of a channel: where its ends are, what waits for the receiver, and who may send how much. Pure: it says
//! what is to be done and does nothing.
//!
//! The memories of a program are a tree: a page, its workers, the workers of those. A channel is at *home* in the topmost memory
//! that any of its ends has reached, and counts them there. What is sent goes up to the home, and down to where the
//! receiver is.
//!
//! From one memory to the next go at most as many items as the channel's capacity before the first of them is *taken*: by
//! the receiver, or by the memory after the next. So no memory holds more of a bounded channel than its capacity for each
//! way into it.
//!
//! ```text
//!   sender (worker) --Item--> home (page) --Item--> receiver (worker)
//!                   <-Credit-             <-Credit-
//! ```

mod event;
mod items;
mod moves;
mod queue;

use std::collections::VecDeque;
use std::mem;

use crate::platform::Place;

pub(super) use self::event::{Action, Event, Item, Kind, Mode, Received};
use self::queue::{Queue, RETURNED};

/// Where the receiver is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Here,
    Below(Place),
    Above,
    /// On its way from below.
    Transit,
    Gone,
}

#[derive(Debug)]
pub(super) struct Core<I> {
    pub(super) mode: Mode,
    is_home: bool,
    /// How many senders are in each place but above.
    senders: Vec<(Place, u32)>,
    receiver: At,
    /// Where natively the receiver is, that is lost with its worker.
    receiver_place: Place,
    /// To the receiver. Where the channel is not at home all of it comes from above.
    down: Queue<I>,
    /// To the home.
    up: Queue<I>,
    /// What comes before the queue: the receiver had it when it left another memory.
    unread: VecDeque<I>,
    /// How many items are to come back from this place before the queue's turn.
    recalled: u64,
    recalled_from: Place,
    /// They, and what is queued, go on to the memory above: it waits for them.
    passes_back: bool,
    /// How many items came from above for a receiver here or below.
    received: u64,
    /// Items from other memories that were taken, and of which those are not told.
    owed: Vec<(Place, u64)>,
    /// Senders that are gone, of which is told behind what they have sent.
    dropped: u32,
    lost: u32,
    /// Workers of which it was told that they are lost.
    lost_places: Vec<Place>,
    /// Places that are gone with senders.
    dead: Vec<Place>,
    /// There are no senders any more.
    ended: bool,
    told_end: bool,
    actions: Vec<Action<I>>,
}

impl<I: Item> Core<I> {
    /// A new channel, with both ends here.
    pub(super) fn new(mode: Mode, here: Place) -> Self {
        Self { receiver_place: here, ..Self::with(mode, true, vec![(here, 1)], At::Here) }
    }

    /// A channel of the memory above.
    pub(super) fn of_above(mode: Mode) -> Self {
        Self::with(mode, false, Vec::new(), At::Above)
    }

    /// A channel that a memory below has opened, and that is at home here from now on.
    pub(super) fn of_below(mode: Mode, from: Place, senders: u32, receiver: bool) -> Self {
        let at = if receiver { At::Below(from) } else { At::Gone };
        let mut core = Self::with(mode, true, vec![(from, senders)], at);
        core.check_end();
        core
    }

    fn with(mode: Mode, is_home: bool, senders: Vec<(Place, u32)>, receiver: At) -> Self {
        Self {
            mode,
            is_home,
            senders,
            receiver,
            receiver_place: Place::HERE,
            down: Queue::new(),
            up: Queue::new(),
            unread: VecDeque::new(),
            recalled: 0,
            recalled_from: Place::HERE,
            passes_back: false,
            received: 0,
            owed: Vec::new(),
            dropped: 0,
            lost: 0,
            lost_places: Vec::new(),
            dead: Vec::new(),
            ended: false,
            told_end: false,
            actions: Vec::new(),
        }
    }

    pub(super) fn take_actions(&mut self) -> Vec<Action<I>> {
        mem::take(&mut self.actions)
    }

    /// There is no receiver any more.
    pub(super) fn is_closed(&self) -> bool {
        self.receiver == At::Gone
    }

    /// This memory has to know the channel, even if it has no end of it.
    pub(super) fn is_shared(&self) -> bool {
        let senders = self.senders.iter().any(|(place, count)| *place != Place::HERE && *count > 0);
        let receiver = matches!(self.receiver, At::Below(_) | At::Transit);
        // A sender that comes later may not send more than is free.
        let goes_up =
            !self.up.queue.is_empty() || (self.mode != Mode::Unbounded && self.up.outstanding() > 0);
        senders || receiver || (goes_up && !self.is_closed()) || self.passes_back
    }

    /// How many items wait here that came from each place.
    #[cfg(test)]
    pub(super) fn queued(&self) -> std::collections::BTreeMap<Place, u64> {
        let mut queued = std::collections::BTreeMap::new();
        for (from, item) in self.down.queue.iter().chain(&self.up.queue) {
            *queued.entry(*from).or_default() += u64::from(!item.is_error() && *from != RETURNED);
        }
        queued
    }

    /// False if its place is gone: then it is not counted.
    pub(super) fn clone_sender(&mut self, at: Place) -> bool {
        if self.is_dead(at) {
            return false;
        }
        *self.count(at) += 1;
        self.tell_above(Event::Cloned { count: 1 });
        true
    }

    /// True of a place that is gone. Natively its code may go on.
    pub(super) fn is_dead(&self, place: Place) -> bool {
        self.dead.contains(&place)
    }

    /// A sender is dropped; `lost`: by a panic.
    pub(super) fn drop_sender(&mut self, at: Place, lost: bool) {
        // It may have been lost with its place before.
        if *self.count(at) == 0 {
            return;
        }
        *self.count(at) -= 1;
        if self.mode == Mode::Latest {
            // The last value of a sender always comes.
            self.hurry();
        }
        // Natively a worker that is lost drops one after the other.
        let is_known = self.lost_places.contains(&at);
        if lost && !is_known && at != Place::HERE {
            self.lost_places.push(at);
        }
        let lost = lost && !is_known;
        self.less(u32::from(!lost), u32::from(lost));
    }

    /// The receiver is dropped.
    pub(super) fn drop_receiver(&mut self) {
        if self.receiver != At::Gone {
            self.close();
            self.tell_above(Event::Closed);
        }
    }

    /// A place is gone, with all that was there.
    pub(super) fn gone(&mut self, place: Place) {
        let lost = mem::take(self.count(place));
        self.owed.retain(|(owed, _)| *owed != place);
        let returns = self.recalled_from == place && (self.recalled > 0 || self.receiver == At::Transit);
        if returns && self.receiver != At::Gone {
            self.on_missing(self.recalled);
        }
        let has_receiver = match self.receiver {
            At::Below(below) => below == place,
            At::Here => self.receiver_place == place,
            At::Transit => returns,
            At::Above | At::Gone => false,
        };
        if has_receiver {
            self.drop_receiver();
        }
        self.senders.retain(|(known, _)| *known != place);
        self.lost_places.retain(|known| *known != place);
        if lost > 0 {
            self.dead.push(place);
        }
        self.less(0, lost);
        self.pump_down();
    }

    pub(super) fn on_event(&mut self, from: Place, event: Event<I>) {
        match event {
            Event::Item { item } => self.on_item(from, item),
            Event::Credit { taken } if from == Place::ABOVE => {
                self.up.credit(taken);
                self.pump_up();
                self.actions.push(Action::WakeSenders);
            }
            Event::Credit { taken } => {
                if self.receiver == At::Below(from) {
                    self.down.credit(taken);
                    self.pump_down();
                }
            }
            Event::Cloned { count } => {
                *self.count(from) += count;
                self.tell_above(Event::Cloned { count });
            }
            Event::Dropped { count } => {
                self.subtract(from, count);
                if self.mode == Mode::Latest {
                    self.hurry();
                }
                self.less(count, 0);
            }
            Event::Lost { count } => {
                self.subtract(from, count);
                self.less(0, count);
            }
            Event::Closed => {
                self.close();
                if from != Place::ABOVE {
                    self.tell_above(Event::Closed);
                }
            }
            Event::Ended => {
                self.ended = true;
                self.pump_down();
            }
            Event::Leaving { received, pending } => self.on_leaving(from, received, pending),
            Event::Unread { item } if self.receiver == At::Gone => self.actions.push(Action::Drop(item)),
            Event::Unread { item } => self.unread.push_back(item),
            Event::Bounced { item } => self.on_returned(1, item),
            Event::Missing { count } => self.on_missing(count),
            // What they make known is done by the caller.
            Event::Open { .. } | Event::Arrive { .. } => {}
        }
    }

    fn on_item(&mut self, from: Place, item: I) {
        if from == Place::ABOVE {
            if self.receiver == At::Above && !self.passes_back {
                return self.post(Place::ABOVE, Event::Bounced { item });
            }
            self.received += 1;
        } else if self.receiver == At::Gone {
            // Its worker may not have been there to be told.
            self.post(from, Event::Closed);
        }
        self.enqueue(from, item);
    }

    /// There is no receiver any more.
    fn close(&mut self) {
        self.receiver = At::Gone;
        let senders = self.senders.iter().filter(|(_, count)| *count > 0).map(|(place, _)| *place);
        let queued = self.down.queue.iter().chain(&self.up.queue).map(|(place, _)| *place);
        let mut places: Vec<Place> = senders.chain(queued).collect();
        places.extend(self.owed.drain(..).map(|(place, _)| place));
        places.sort_unstable();
        places.dedup();
        for place in places {
            if ![Place::HERE, Place::ABOVE, RETURNED].contains(&place) {
                self.post(place, Event::Closed);
            }
        }
        (self.recalled, self.passes_back) = (0, false);
        (self.down.own, self.up.own) = (0, 0);
        let queued = mem::take(&mut self.down.queue).into_iter().chain(mem::take(&mut self.up.queue));
        let dropped = mem::take(&mut self.unread).into_iter().chain(queued.map(|(_, item)| item));
        self.actions.extend(dropped.map(Action::Drop));
        self.actions.push(Action::WakeSenders);
        self.pump_up();
    }

    /// So many senders were dropped, or lost: then the receiver learns it.
    fn less(&mut self, dropped: u32, lost: u32) {
        if !self.is_home {
            self.dropped += dropped;
            self.lost += lost;
            return self.pump_up();
        }
        if lost > 0 {
            self.enqueue(Place::HERE, I::lost());
        }
        self.check_end();
    }

    fn check_end(&mut self) {
        if self.is_home && self.senders.iter().all(|(_, count)| *count == 0) {
            self.ended = true;
            self.pump_down();
        }
    }

    fn tell_above(&mut self, event: Event<I>) {
        if !self.is_home {
            self.post(Place::ABOVE, event);
        }
    }

    fn post(&mut self, to: Place, event: Event<I>) {
        self.actions.push(Action::Post(to, event));
    }

    fn subtract(&mut self, place: Place, count: u32) {
        let senders = self.count(place);
        *senders = senders.saturating_sub(count);
    }

    fn count(&mut self, place: Place) -> &mut u32 {
        let known = self.senders.iter().position(|(known, _)| *known == place);
        let nth = known.unwrap_or_else(|| {
            self.senders.push((place, 0));
            self.senders.len() - 1
        });
        &mut self.senders[nth].1
    }
}
