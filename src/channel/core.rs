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

use std::collections::VecDeque;
use std::mem;

use crate::platform::Place;

/// How much a channel holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Bounded {
        capacity: u32,
    },
    Unbounded,
    /// The newest item only.
    Latest,
}

impl Mode {
    /// How many items may be on their way between two memories.
    fn window(self) -> u64 {
        match self {
            Self::Bounded { capacity } => u64::from(capacity.max(1)),
            Self::Unbounded => u64::MAX,
            Self::Latest => 1,
        }
    }
}

/// One of the two kinds of ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Sender,
    Receiver,
}

/// What crosses between two memories.
#[derive(Debug)]
pub(super) enum Event<I> {
    /// The memory below has a channel whose home moves up: so many senders are there, and the receiver perhaps.
    Open {
        mode: Mode,
        senders: u32,
        receiver: bool,
    },
    /// An end is in the message that follows. Downwards, the memory may not know the channel yet.
    Arrive {
        mode: Mode,
        kind: Kind,
    },
    Item {
        item: I,
    },
    /// So many of the items that were sent are taken.
    Credit {
        taken: u64,
    },
    /// There are so many senders more, or fewer.
    Cloned {
        count: u32,
    },
    Dropped {
        count: u32,
    },
    /// So many senders were lost with their worker.
    Lost {
        count: u32,
    },
    /// There is no receiver any more.
    Closed,
    /// There are no senders any more.
    Ended,
    /// The receiver leaves for the memory above. So many items came to it, and so many of them are still to come back.
    Leaving {
        received: u64,
        pending: u64,
    },
    /// An item that the receiver had not taken when it left.
    Unread {
        item: I,
    },
    /// An item that came when the receiver had left.
    Bounced {
        item: I,
    },
    /// So many items that had gone further down when the receiver left were lost there.
    Missing {
        count: u64,
    },
}

/// What is to be done.
#[derive(Debug)]
pub(super) enum Action<I> {
    Post(Place, Event<I>),
    /// The receiver here may find something.
    WakeReceiver,
    /// Senders here may send.
    WakeSenders,
    /// To be dropped where no lock is held.
    Drop(I),
}

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

/// What an item is, as far as the channel goes.
pub(super) trait Item {
    /// In the place of what a lost worker may have sent.
    fn lost() -> Self;
    /// True if it must not be replaced by a newer one.
    fn is_error(&self) -> bool;
}

/// Where an item came from that has been taken once, and has come back.
const RETURNED: Place = Place::NOWHERE;

/// Items on their way in one direction.
#[derive(Debug)]
struct Queue<I> {
    /// What waits, and where it came from.
    queue: VecDeque<(Place, I)>,
    /// How many of these are of this memory's own.
    own: u64,
    /// How many were posted to the next memory, and how many of them are taken.
    posted: u64,
    taken: u64,
}

impl<I> Queue<I> {
    const fn new() -> Self {
        Self { queue: VecDeque::new(), own: 0, posted: 0, taken: 0 }
    }

    fn outstanding(&self) -> u64 {
        self.posted - self.taken
    }

    fn credit(&mut self, taken: u64) {
        self.taken = (self.taken + taken).min(self.posted);
    }
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

    // Senders here.

    /// True if one more item can be sent from here now, or if it makes no sense to wait.
    pub(super) fn admits(&self) -> bool {
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
    pub(super) fn send(&mut self, item: I) {
        self.enqueue(Place::HERE, item);
    }

    /// True if the newest item waits here for the one before to be taken.
    pub(super) fn is_held_up(&self) -> bool {
        self.mode == Mode::Latest && !self.up.queue.is_empty()
    }

    /// Sends up the newest item although the one before was not taken: who sends cannot learn that now.
    pub(super) fn hurry(&mut self) {
        self.up.taken = self.up.posted;
        self.pump_up();
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

    // The receiver here.

    /// The next item.
    pub(super) fn receive(&mut self) -> Received<I> {
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
    pub(super) fn is_terminated(&self) -> bool {
        let is_empty = self.recalled == 0 && self.down.queue.is_empty() && self.unread.is_empty();
        self.receiver != At::Here || (self.ended && is_empty)
    }

    /// The receiver is dropped.
    pub(super) fn drop_receiver(&mut self) {
        if self.receiver != At::Gone {
            self.close();
            self.tell_above(Event::Closed);
        }
    }

    // Ends that cross.

    /// A sender goes from one place to another. False if one of them is gone: then it is not counted.
    pub(super) fn move_sender(&mut self, from: Place, to: Place) -> bool {
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
    pub(super) fn place_receiver(&mut self, at: Place) {
        self.receiver_place = at;
    }

    /// The receiver goes to a worker.
    pub(super) fn move_receiver_below(&mut self, to: Place) {
        if self.receiver == At::Here {
            self.receiver = At::Below(to);
            (self.down.posted, self.down.taken, self.told_end) = (0, 0, false);
            self.pump_down();
        }
    }

    /// An end is about to go up: what makes the memory above know the channel, and the receiver's items if it is that.
    pub(super) fn leave(&mut self, kind: Kind) -> Vec<Event<I>> {
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
    pub(super) fn enter_below(&self, kind: Kind) -> Vec<Event<I>> {
        let mut events = vec![Event::Arrive { mode: self.mode, kind }];
        if self.is_closed() {
            events.push(Event::Closed);
        }
        events
    }

    /// An end has come from there.
    pub(super) fn arrive(&mut self, from: Place, kind: Kind) {
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

    // What comes from other memories.

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
            Event::Leaving { received, pending } => {
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

    /// So many items that were to come back will not.
    fn on_missing(&mut self, count: u64) {
        if self.passes_back {
            self.post(Place::ABOVE, Event::Missing { count });
            return self.is_returned(count);
        }
        self.on_returned(count, I::lost());
    }

    /// An item has come back, in the place of so many.
    fn on_returned(&mut self, count: u64, item: I) {
        if self.is_closed() {
            self.actions.push(Action::Drop(item));
        } else if self.passes_back {
            self.post(Place::ABOVE, Event::Bounced { item });
        } else {
            self.unread.push_back(item);
        }
        self.is_returned(count);
    }

    fn is_returned(&mut self, count: u64) {
        self.recalled = self.recalled.saturating_sub(count);
        if self.recalled == 0 && mem::take(&mut self.passes_back) {
            for item in self.drain_all() {
                self.post(Place::ABOVE, Event::Bounced { item });
            }
        }
        self.pump_down();
    }

    // What follows.

    fn enqueue(&mut self, from: Place, item: I) {
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
    fn pump_up(&mut self) {
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
    fn pump_down(&mut self) {
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
    fn pop_down(&mut self) -> Option<I> {
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
    fn drain_all(&mut self) -> Vec<I> {
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
    fn was_taken(&mut self, source: Place, goes_up: bool) {
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

/// What the receiver finds.
#[derive(Debug)]
pub(super) enum Received<I> {
    Item(I),
    Nothing,
    Ended,
}
