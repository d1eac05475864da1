//! The promises of a channel, by chance over whole runs: memories in a tree, with links that deliver late.

use std::collections::{BTreeMap, VecDeque};
use std::panic;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::core::{Action, Core, Event, Item, Kind, Mode, Received};
use crate::platform::Place;

/// What is sent: the how-manieth value of this sender, or what comes in the place of one that is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    Value { sender: u32, nth: u32 },
    Lost,
}

impl Item for Sent {
    fn lost() -> Self {
        Self::Lost
    }

    fn is_error(&self) -> bool {
        *self == Self::Lost
    }
}

/// What a link carries.
#[derive(Debug)]
enum Message {
    Event(Event<Sent>),
    /// An end, behind its announcement.
    Sender(u32),
    Receiver,
}

#[derive(Default)]
struct Memory {
    core: Option<Core<Sent>>,
    senders: Vec<u32>,
    has_receiver: bool,
    /// An end was announced, and is in the next message.
    is_arriving: bool,
    is_lost: bool,
    /// What is on its way from here to the memory above, and from there to here.
    up: VecDeque<Message>,
    down: VecDeque<Message>,
}

/// A page, its two workers, and a worker of the first of those.
const ABOVE: [Option<usize>; 4] = [None, Some(0), Some(0), Some(1)];

struct World {
    memories: [Memory; 4],
    mode: Mode,
    /// How many values each sender has sent, and what of them has come.
    sent: BTreeMap<u32, u32>,
    received: Vec<Sent>,
    has_ended: bool,
    lost_senders: bool,
}

fn place(memory: usize) -> Place {
    Place::from_number(memory as u64)
}

impl World {
    fn new(mode: Mode, home: usize) -> Self {
        let mut memories: [Memory; 4] = Default::default();
        let core = Some(Core::new(mode, Place::HERE));
        memories[home] = Memory { core, senders: vec![0], has_receiver: true, ..Memory::default() };
        let sent = BTreeMap::from([(0, 0)]);
        Self { memories, mode, sent, received: Vec::new(), has_ended: false, lost_senders: false }
    }

    /// Changes what a memory knows, and does what follows.
    fn with<R>(&mut self, at: usize, change: impl FnOnce(&mut Core<Sent>) -> R) -> Option<R> {
        let core = self.memories[at].core.as_mut()?;
        let result = change(core);
        for action in core.take_actions() {
            if let Action::Post(to, event) = action {
                self.post(at, to, Message::Event(event));
            }
        }
        let memory = &mut self.memories[at];
        let is_needed = memory.has_receiver || memory.is_arriving || !memory.senders.is_empty();
        if !is_needed && memory.core.as_ref().is_some_and(|core| !core.is_shared()) {
            memory.core = None;
        }
        Some(result)
    }

    fn post(&mut self, from: usize, to: Place, message: Message) {
        if to == Place::ABOVE {
            self.memories[from].up.push_back(message);
        } else {
            let below = to.number() as usize;
            assert_eq!(ABOVE[below], Some(from), "a memory posts to its own workers");
            if !self.memories[below].is_lost {
                self.memories[below].down.push_back(message);
            }
        }
    }

    fn take(&mut self, at: usize, from: Place, message: Message) {
        match message {
            Message::Sender(sender) => {
                self.memories[at].is_arriving = false;
                self.memories[at].senders.push(sender);
            }
            Message::Receiver => {
                self.memories[at].is_arriving = false;
                self.memories[at].has_receiver = true;
            }
            Message::Event(Event::Open { mode, senders, receiver }) => {
                assert!(self.memories[at].core.is_none(), "a channel is opened once");
                self.memories[at].core = Some(Core::of_below(mode, from, senders, receiver));
                self.with(at, |_| ());
            }
            Message::Event(Event::Arrive { mode, kind }) => {
                self.memories[at].is_arriving = true;
                self.memories[at].core.get_or_insert_with(|| Core::of_above(mode));
                self.with(at, |core| core.arrive(from, kind));
            }
            Message::Event(Event::Item { item })
                if self.memories[at].core.is_none() && from == Place::ABOVE =>
            {
                self.post(at, Place::ABOVE, Message::Event(Event::Bounced { item }));
            }
            Message::Event(event) => {
                self.with(at, |core| core.on_event(from, event));
            }
        }
    }

    /// Delivers the next message of a link, with the end that belongs to it. False if there is none.
    fn deliver(&mut self, link: usize, upwards: bool) -> bool {
        let Some(above) = ABOVE[link] else { return false };
        let mut is_announced = false;
        loop {
            let memory = &mut self.memories[link];
            let message = if upwards { memory.up.pop_front() } else { memory.down.pop_front() };
            let Some(message) = message else { return is_announced };
            // These are in one packet with the end.
            let more = matches!(
                message,
                Message::Event(Event::Open { .. } | Event::Leaving { .. } | Event::Unread { .. })
            );
            if upwards {
                self.take(above, place(link), message);
            } else {
                self.take(link, Place::ABOVE, message);
            }
            let at = if upwards { above } else { link };
            if !more && !self.memories[at].is_arriving {
                return true;
            }
            is_announced = true;
        }
    }

    fn send(&mut self, at: usize, nth: usize) {
        let senders = &self.memories[at].senders;
        let Some(sender) = senders.get(nth % senders.len().max(1)).copied() else { return };
        let may = self.memories[at].core.as_ref().is_some_and(|core| core.admits() && !core.is_closed());
        if may {
            let nth = self.sent.entry(sender).or_default();
            let value = Sent::Value { sender, nth: *nth };
            *nth += 1;
            self.with(at, |core| core.send(value));
        }
    }

    fn clone_sender(&mut self, at: usize) {
        if !self.memories[at].senders.is_empty() && self.sent.len() < 12 {
            let sender = self.sent.len() as u32;
            self.sent.insert(sender, 0);
            self.memories[at].senders.push(sender);
            assert_eq!(self.with(at, |core| core.clone_sender(Place::HERE)), Some(true));
        }
    }

    fn drop_sender(&mut self, at: usize) {
        if self.memories[at].senders.pop().is_some() {
            self.with(at, |core| core.drop_sender(Place::HERE, false));
        }
    }

    fn move_end(&mut self, at: usize, to: usize, kind: Kind) {
        let goes_up = ABOVE[at] == Some(to);
        if !goes_up && ABOVE[to] != Some(at) || self.memories[to].is_lost || self.memories[at].core.is_none()
        {
            return;
        }
        let message = match kind {
            Kind::Sender => match self.memories[at].senders.pop() {
                Some(sender) => Message::Sender(sender),
                None => return,
            },
            Kind::Receiver if self.memories[at].has_receiver => Message::Receiver,
            Kind::Receiver => return,
        };
        let there = if goes_up { Place::ABOVE } else { place(to) };
        // Kept until it is posted.
        let events = if goes_up {
            self.memories[at].core.as_mut().map(|core| core.leave(kind)).unwrap_or_default()
        } else {
            self.memories[at].core.as_ref().map(|core| core.enter_below(kind)).unwrap_or_default()
        };
        for event in events {
            self.post(at, there, Message::Event(event));
        }
        self.post(at, there, message);
        if kind == Kind::Receiver {
            self.memories[at].has_receiver = false;
        }
        self.with(at, |core| match kind {
            Kind::Sender => assert!(core.move_sender(Place::HERE, there)),
            Kind::Receiver if !goes_up => core.move_receiver_below(there),
            Kind::Receiver => {}
        });
    }

    /// Takes one item. False if there is none.
    fn receive(&mut self, at: usize) -> bool {
        if !self.memories[at].has_receiver {
            return false;
        }
        match self.with(at, Core::receive) {
            Some(Received::Item(item)) => {
                assert!(!self.has_ended, "nothing comes behind the end");
                self.received.push(item);
                true
            }
            Some(Received::Ended) => {
                self.has_ended = true;
                false
            }
            Some(Received::Nothing) | None => false,
        }
    }

    fn lose(&mut self, at: usize) {
        let Some(above) = ABOVE[at] else { return };
        if self.memories[at].is_lost {
            return;
        }
        for (memory, its_above) in ABOVE.iter().enumerate() {
            if memory == at || *its_above == Some(at) {
                self.lost_senders |= !self.memories[memory].senders.is_empty();
                self.memories[memory] = Memory { is_lost: true, ..Memory::default() };
            }
        }
        self.with(above, |core| core.gone(place(at)));
    }

    /// Delivers everything, and receives it.
    fn settle(&mut self) {
        for _ in 0..100_000 {
            let mut moved = false;
            for link in 0..4 {
                moved |= self.deliver(link, true);
                moved |= self.deliver(link, false);
                moved |= self.receive(link);
            }
            if !moved {
                return;
            }
        }
        panic!("it does not come to rest");
    }

    /// No memory holds more than the capacity for each way into it.
    fn check_bound(&self) {
        let Mode::Bounded { capacity } = self.mode else { return };
        for (at, memory) in self.memories.iter().enumerate() {
            let Some(core) = &memory.core else { continue };
            for (from, count) in core.queued() {
                assert!(count <= u64::from(capacity.max(1)), "memory {at} holds {count} from {from:?}");
            }
        }
    }

    /// What holds when nothing is on its way and all that could be was received.
    fn check_order(&self, nothing_lost: bool) {
        let mut next = BTreeMap::new();
        for item in &self.received {
            let Sent::Value { sender, nth } = *item else { continue };
            let expected: &mut u32 = next.entry(sender).or_default();
            if nothing_lost && self.mode != Mode::Latest {
                assert_eq!(nth, *expected, "of sender {sender}: {:?}", self.received);
            }
            assert!(nth >= *expected, "of sender {sender}: {:?}", self.received);
            *expected = nth + 1;
        }
        if nothing_lost && self.mode != Mode::Latest {
            for (sender, sent) in &self.sent {
                assert_eq!(next.get(sender).copied().unwrap_or_default(), *sent, "of sender {sender}");
            }
        }
    }
}

fn run(mode: Mode, home: usize, steps: &[(u8, u8, u8)], may_lose: bool) {
    let mut world = World::new(mode, home);
    let mut losses = false;
    for (step, at, to) in steps.iter().copied() {
        let (at, to) = (usize::from(at) % 4, usize::from(to) % 4);
        match step % 16 {
            0..=3 => world.send(at, to),
            4 => world.clone_sender(at),
            5 => world.drop_sender(at),
            6 | 7 => world.move_end(at, to, Kind::Sender),
            8 | 9 => world.move_end(at, to, Kind::Receiver),
            10 | 11 => drop(world.receive(at)),
            12 | 13 => drop(world.deliver(at, true)),
            14 if may_lose && step > 200 => {
                world.lose(at);
                losses |= at > 0;
            }
            _ => drop(world.deliver(at, false)),
        }
        world.check_bound();
    }
    world.settle();
    let receiver = world.memories.iter().any(|memory| memory.has_receiver);
    world.check_order(receiver && !losses);
    assert!(!world.received.contains(&Sent::Lost) || losses);
    assert!(
        !(receiver && world.lost_senders) || world.received.contains(&Sent::Lost),
        "{:?}",
        world.received
    );
    if !receiver {
        // All that are left know it.
        for at in 0..4 {
            let memory = &world.memories[at];
            let knows = memory.core.as_ref().is_none_or(Core::is_closed);
            assert!(memory.senders.is_empty() || knows, "memory {at}");
        }
    }
    for at in 0..4 {
        while !world.memories[at].senders.is_empty() {
            world.drop_sender(at);
        }
    }
    world.settle();
    assert!(world.has_ended || !receiver, "the stream ends");
    if let (1, [sent], true, false) = (world.sent.len(), &[world.sent[&0]], receiver, losses) {
        let last = world.received.last().copied();
        let expected = sent.checked_sub(1).map(|nth| Sent::Value { sender: 0, nth });
        assert_eq!(last, expected, "the last value of a sender always comes");
    }
    for at in 0..4 {
        if world.memories[at].has_receiver {
            world.memories[at].has_receiver = false;
            world.with(at, Core::drop_receiver);
        }
    }
    world.settle();
    for (at, memory) in world.memories.iter().enumerate() {
        assert!(memory.core.is_none(), "memory {at} keeps {:?}", memory.core);
    }
}

/// A panic is caught, so that the steps are made fewer and shown.
fn try_run(mode: Mode, home: usize, steps: &[(u8, u8, u8)], may_lose: bool) -> Result<(), TestCaseError> {
    let run = panic::catch_unwind(|| run(mode, home, steps, may_lose));
    run.map_err(|_| TestCaseError::fail("see the panic above"))
}

fn any_mode() -> impl Strategy<Value = Mode> {
    prop_oneof![
        (0..5_u32).prop_map(|capacity| Mode::Bounded { capacity }),
        Just(Mode::Unbounded),
        Just(Mode::Latest)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn everything_comes_once_in_order_and_ends(
        mode in any_mode(),
        home in 0..4_usize,
        steps in vec(any::<(u8, u8, u8)>(), 0..120),
    ) {
        try_run(mode, home, &steps, false)?;
    }

    #[test]
    fn a_loss_is_told_and_ends_what_it_must(
        mode in any_mode(),
        home in 0..4_usize,
        steps in vec(any::<(u8, u8, u8)>(), 0..120),
    ) {
        try_run(mode, home, &steps, true)?;
    }
}
