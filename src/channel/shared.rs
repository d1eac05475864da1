//! A channel as one memory has it: its ends here, what it knows, and the way to the other memories.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::core::{Action, Core, Event, Kind, Mode, Received};
use super::crossing::{self, ItemPacket};
use crate::error::Error;
use crate::platform::{self, Attachment, Endpoint, Packet, Place, SHARES_MEMORY};
use crate::task::Call;

/// How long a synchronous task waits until it sends the next of the values of which only the newest counts.
const HURRY: Duration = Duration::from_millis(4);

pub(super) struct Channel {
    /// The same in all memories.
    pub(super) id: u64,
    state: Mutex<State>,
    this: Weak<Channel>,
}

struct State {
    core: Core<ItemPacket>,
    /// Who waits for an item, or for leave to send one.
    receiver: Option<Waker>,
    senders: Vec<Waker>,
    /// Who waits for the end of the receiver, by number.
    closing: Vec<(u64, Waker)>,
    /// Itself, while ends are elsewhere.
    keep: Option<Arc<Channel>>,
    /// When a newest value was last sent before the one before was taken.
    hurried: Option<Duration>,
    /// Workers whose end is to be told.
    watched: Vec<Place>,
}

/// The channels of this memory, by their number, for what others say of them. Natively there are no others.
static CHANNELS: Mutex<BTreeMap<u64, Weak<Channel>>> = Mutex::new(BTreeMap::new());

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn find(id: u64) -> Option<Arc<Channel>> {
    lock(&CHANNELS).get(&id).and_then(Weak::upgrade)
}

/// Makes a channel. The ends are those of this memory.
pub(super) fn open(mode: Mode) -> (End, End) {
    /// Numbers are unique among all memories: each counts from a place of its own, and they cross as a double's integer.
    static REALM: OnceLock<u64> = OnceLock::new();
    static LAST: AtomicU64 = AtomicU64::new(0);
    const NUMBERS: u64 = 1 << 51;

    let realm = REALM.get_or_init(|| platform::realm() % NUMBERS);
    let id = realm.wrapping_add(LAST.fetch_add(1, Ordering::Relaxed)) % NUMBERS;
    let here = platform::here();
    let channel = Channel::new(id, Core::new(mode, here));
    if here != Place::HERE {
        channel.watch(here);
    }
    (End::new(channel.clone(), Kind::Sender, here), End::new(channel, Kind::Receiver, here))
}

impl Channel {
    pub(super) fn new(id: u64, core: Core<ItemPacket>) -> Arc<Self> {
        let state = State {
            core,
            receiver: None,
            senders: Vec::new(),
            closing: Vec::new(),
            keep: None,
            hurried: None,
            watched: Vec::new(),
        };
        let channel = Arc::new_cyclic(|this| Self { id, state: Mutex::new(state), this: this.clone() });
        if !SHARES_MEMORY {
            lock(&CHANNELS).insert(id, Arc::downgrade(&channel));
        }
        platform::announce_by(announce);
        channel
    }

    /// Changes what is known, and does what follows from it, outside of the lock.
    pub(super) fn with<R>(&self, change: impl FnOnce(&mut Core<ItemPacket>) -> R) -> R {
        let mut state = lock(&self.state);
        let result = change(&mut state.core);
        self.finish(state);
        result
    }

    fn finish(&self, state: MutexGuard<'_, State>) {
        wake(self.act(state));
    }

    /// Does what follows from a change, outside of the lock, but for waking these.
    fn act(&self, mut state: MutexGuard<'_, State>) -> Vec<Waker> {
        let actions = state.core.take_actions();
        let mut kept = None;
        if !SHARES_MEMORY && state.core.is_shared() != state.keep.is_some() {
            kept = match state.keep.take() {
                None => {
                    state.keep = self.this.upgrade();
                    None
                }
                kept => kept,
            };
        }
        let mut wakers = Vec::new();
        for action in &actions {
            match action {
                Action::WakeReceiver => wakers.extend(state.receiver.take()),
                Action::WakeSenders => {
                    wakers.append(&mut state.senders);
                    // Rarely, and these look again.
                    wakers.extend(mem::take(&mut state.closing).into_iter().map(|(_, waker)| waker));
                }
                Action::Post(..) | Action::Drop(_) => {}
            }
        }
        drop(state);
        for action in actions {
            if let (Action::Post(to, event), false) = (action, SHARES_MEMORY) {
                let read = if to == Place::ABOVE { from_below } else { from_above };
                crossing::post(read, self.id, to, event);
            }
        }
        drop(kept);
        wakers
    }

    /// A channel that a worker has opened is known here from now on.
    pub(super) fn enter(&self, from: Place) {
        self.watch(from);
        self.with(|_| ());
    }

    /// An end is there.
    fn watch(&self, place: Place) {
        let is_new = {
            let mut state = lock(&self.state);
            let is_new = !state.watched.contains(&place);
            if is_new {
                state.watched.push(place);
            }
            is_new
        };
        if is_new {
            platform::on_gone(on_gone);
            lock(&WATCHES).insert((place, self.id), self.this.clone());
        }
    }
}

/// Channels that have had ends there, by place and number.
static WATCHES: Mutex<BTreeMap<(Place, u64), Weak<Channel>>> = Mutex::new(BTreeMap::new());

/// A worker is gone.
fn on_gone(place: Place) {
    let mut watches = lock(&WATCHES);
    let mut gone = watches.split_off(&(place, 0));
    watches.append(&mut gone.split_off(&(place, u64::MAX)));
    drop(watches);
    // What a channel does then may drop others.
    for channel in gone.into_values().filter_map(|channel| channel.upgrade()) {
        channel.with(|core| core.gone(place));
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        let watched = mem::take(&mut self.state.get_mut().unwrap_or_else(PoisonError::into_inner).watched);
        let mut watches = lock(&WATCHES);
        for place in watched {
            watches.remove(&(place, self.id));
        }
        drop(watches);
        if !SHARES_MEMORY {
            let mut known = lock(&CHANNELS);
            // Another of its number may have come.
            if known.get(&self.id).is_some_and(|known| known.strong_count() == 0) {
                known.remove(&self.id);
            }
        }
    }
}

/// Read in a memory that the one above has sent it to.
fn from_above(call: Packet) -> Call {
    read(call, Place::ABOVE)
}

fn from_below(call: Packet) -> Call {
    read(call, platform::sender())
}

fn read(call: Packet, from: Place) -> Call {
    if let Some((id, event)) = crossing::read(call) {
        on_event(id, from, event);
    }
    Call::Ended(Ok(Packet::default()))
}

fn on_event(id: u64, from: Place, event: Event<ItemPacket>) {
    match (event, find(id)) {
        (Event::Open { mode, senders, receiver }, None) => {
            let channel = Channel::new(id, Core::of_below(mode, from, senders, receiver));
            channel.enter(from);
        }
        (Event::Arrive { mode, kind }, channel) => {
            let channel = channel.unwrap_or_else(|| Channel::new(id, Core::of_above(mode)));
            let end = End::new(channel.clone(), kind, Place::HERE);
            channel.with(|core| core.arrive(from, kind));
            platform::arrive(Box::new(end));
        }
        (event, Some(channel)) => channel.with(|core| core.on_event(from, event)),
        // The receiver was here, and no end is left.
        (Event::Item { item }, None) if from == Place::ABOVE => {
            crossing::post(from_below, id, Place::ABOVE, Event::Bounced { item });
        }
        (_, None) => {}
    }
}

/// An end of a channel, whatever its type.
pub(super) struct End {
    pub(super) channel: Arc<Channel>,
    kind: Kind,
    place: AtomicU64,
}

impl End {
    pub(super) fn new(channel: Arc<Channel>, kind: Kind, place: Place) -> Self {
        Self { channel, kind, place: AtomicU64::new(place.number()) }
    }

    pub(super) fn is_sender(&self) -> bool {
        self.kind == Kind::Sender
    }

    fn place(&self) -> Place {
        Place::from_number(self.place.load(Ordering::Relaxed))
    }

    /// A second sender.
    pub(super) fn clone_sender(&self) -> Self {
        let place = self.place();
        let is_counted = place != Place::NOWHERE && self.channel.with(|core| core.clone_sender(place));
        Self::new(self.channel.clone(), Kind::Sender, if is_counted { place } else { Place::NOWHERE })
    }

    /// Waits until an item may be sent.
    pub(super) fn poll_admission(&self, context: &Context<'_>) -> Poll<()> {
        let waker = context.waker().clone();
        let mut state = lock(&self.channel.state);
        if state.core.admits() || self.has_no_receiver(&state) {
            return Poll::Ready(());
        }
        if !state.senders.iter().any(|known| known.will_wake(&waker)) {
            state.senders.push(waker);
        }
        Poll::Pending
    }

    /// Waits until what is sent would be lost.
    pub(super) fn closing(&self) -> Closing<'_> {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Closing { end: self, number: LAST.fetch_add(1, Ordering::Relaxed) }
    }

    /// Sends a value. Gives it back if there is no room for it.
    ///
    /// # Errors
    ///
    /// The receiver is gone.
    pub(super) fn send(&self, value: Packet) -> Result<Option<Packet>, Error> {
        // Whoever sent it may be gone before it is received.
        value.attachments.iter().for_each(Attachment::is_shared);
        let mut state = lock(&self.channel.state);
        if self.has_no_receiver(&state) {
            drop(state);
            return Err(Error::no_receiver());
        }
        if !state.core.admits() {
            return Ok(Some(value));
        }
        state.core.send(Ok(value));
        // A synchronous task cannot learn what was taken while it runs.
        if state.core.is_held_up() && crossing::is_in_call() {
            let now = platform::now();
            if state.hurried.is_none_or(|last| now.saturating_sub(last) >= HURRY) {
                state.hurried = Some(now);
                state.core.hurry();
            }
        }
        self.channel.finish(state);
        Ok(None)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.has_no_receiver(&lock(&self.channel.state))
    }

    /// True if what is sent by this end is lost.
    fn has_no_receiver(&self, state: &State) -> bool {
        let place = self.place();
        place == Place::NOWHERE || state.core.is_closed() || state.core.is_dead(place)
    }

    /// Fails if a value that is sent now is not taken.
    pub(super) fn check(&self) -> Result<(), Error> {
        let state = lock(&self.channel.state);
        if self.has_no_receiver(&state) {
            return Err(Error::no_receiver());
        }
        if state.core.admits() { Ok(()) } else { Err(Error::channel_full()) }
    }

    /// The next value, for the receiver.
    pub(super) fn poll_receive(&self, context: Option<&Context<'_>>) -> Poll<Option<ItemPacket>> {
        // Neither cloned nor dropped under the lock: both are code of others.
        let waker = context.map(|context| context.waker().clone());
        let mut replaced = None;
        let mut state = lock(&self.channel.state);
        let received = state.core.receive();
        if matches!(received, Received::Nothing) && waker.is_some() {
            replaced = mem::replace(&mut state.receiver, waker);
        }
        self.channel.finish(state);
        drop(replaced);
        match received {
            Received::Item(value) => Poll::Ready(Some(value)),
            Received::Nothing => Poll::Pending,
            Received::Ended => Poll::Ready(None),
        }
    }

    pub(super) fn is_terminated(&self) -> bool {
        lock(&self.channel.state).core.is_terminated()
    }
}

/// The wait of a sender for the end of the receiver.
pub(super) struct Closing<'a> {
    end: &'a End,
    number: u64,
}

impl Closing<'_> {
    pub(super) fn poll(&mut self, context: &Context<'_>) -> Poll<()> {
        let waker = context.waker().clone();
        let mut state = lock(&self.end.channel.state);
        if self.end.has_no_receiver(&state) {
            return Poll::Ready(());
        }
        let known = state.closing.iter_mut().find(|(number, _)| *number == self.number);
        let replaced = match known {
            Some((_, known)) => Some(mem::replace(known, waker)),
            None => {
                state.closing.push((self.number, waker));
                None
            }
        };
        drop(state);
        drop(replaced);
        Poll::Pending
    }
}

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.end.channel.state);
        let place = state.closing.iter().position(|(number, _)| *number == self.number);
        let waker = place.map(|place| state.closing.swap_remove(place));
        drop(state);
        drop(waker);
    }
}

impl fmt::Debug for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("End").field("channel", &self.channel.id).field("kind", &self.kind).finish()
    }
}

impl Endpoint for End {
    fn name(&self) -> u64 {
        self.channel.id << 1 | u64::from(self.kind == Kind::Receiver)
    }

    fn try_clone(&self) -> Result<Box<dyn Endpoint>, Error> {
        match self.kind {
            Kind::Sender => Ok(Box::new(self.clone_sender())),
            Kind::Receiver => Err(Error::codec(
                "a `Receiver` is in one place at a time, and cannot be sent twice; capture it in a task that runs once, without `retry`",
            )),
        }
    }

    fn moved(&self, to: Place) {
        let from = self.place();
        if from == to || from == Place::NOWHERE {
            return;
        }
        self.place.store(to.number(), Ordering::Relaxed);
        if to != Place::HERE && to != Place::ABOVE {
            self.channel.watch(to);
        }
        let is_counted = self.channel.with(|core| {
            match self.kind {
                Kind::Sender => return core.move_sender(from, to),
                Kind::Receiver if SHARES_MEMORY => core.place_receiver(to),
                Kind::Receiver if to != Place::ABOVE => core.move_receiver_below(to),
                // Said before.
                Kind::Receiver => {}
            }
            true
        });
        if !is_counted {
            self.place.store(Place::NOWHERE.number(), Ordering::Relaxed);
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

/// Makes an end known in the memory above or below.
fn announce(end: &dyn Endpoint, above: bool, ahead: &mut Packet, packet: &mut Packet) {
    let Some(End { channel, kind, .. }) = end.as_any().downcast_ref() else { return };
    let mut state = lock(&channel.state);
    let events = if above { state.core.leave(*kind) } else { state.core.enter_below(*kind) };
    // Whoever posts the packet may not be disturbed.
    let wakers = channel.act(state);
    if !wakers.is_empty() {
        platform::at_end_of_tick(async { wake(wakers) });
    }
    let read = if above { from_below } else { from_above };
    for event in events {
        let is_end = matches!(event, Event::Arrive { .. } | Event::Closed);
        crossing::write(read, channel.id, event, above, if is_end { packet } else { ahead });
    }
}

/// Each may panic: the others are woken all the same.
fn wake(wakers: Vec<Waker>) {
    for waker in wakers {
        platform::contain(|| waker.wake());
    }
}

impl Drop for End {
    fn drop(&mut self) {
        let place = self.place();
        // What was posted is not here, and what was lost is not counted.
        if place == Place::NOWHERE || (!SHARES_MEMORY && place != Place::HERE) {
            return;
        }
        self.channel.with(|core| match self.kind {
            Kind::Sender => core.drop_sender(place, platform::is_lost()),
            Kind::Receiver => core.drop_receiver(),
        });
    }
}
