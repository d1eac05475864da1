//! How what is said of a channel crosses to other memories: as calls that are run as soon as they are read.

use std::cell::{Cell, RefCell};
use std::mem;
use std::time::Duration;

use super::core::{Core, Event, Kind, Mode};
use super::shared::{Channel, End, Value, find};
use crate::platform::{self, Packet, Place};
use crate::task::{Call, raw_call};
use crate::wire::{FromWorker, PacketReader, Put, Take, ToWorker, message};
use crate::worker;

/// So many calls are posted to a worker without waiting for more.
const FLUSH_AT: usize = 64;

/// How long a synchronous task waits until it sends the next of the values of which only the newest counts.
const HURRY: Duration = Duration::from_millis(4);

/// Appends to a packet for the memory above or below what has this read there.
pub(super) fn write(id: u64, event: Event<Value>, above: bool, packet: &mut Packet) {
    let call = call(id, event, above);
    if above { FromWorker::Call { call }.write(packet) } else { ToWorker::Call { call }.write(packet) }
}

fn call(id: u64, event: Event<Value>, above: bool) -> Packet {
    let mut call = raw_call(if above { from_below } else { from_above });
    id.put(&mut call);
    event.put(&mut call);
    call
}

/// Sends it there, with others.
pub(super) fn post(id: u64, to: Place, event: Event<Value>) {
    let call = call(id, event, to == Place::ABOVE);
    if to == Place::ABOVE {
        return worker::tell(call);
    }
    let mut packet = Packet::default();
    let alone = call.travels_alone();
    ToWorker::Call { call }.write(&mut packet);
    if alone {
        flush(Some(to));
        return platform::post_to(to, packet);
    }
    let (is_first, is_full) = GATHERED.with_borrow_mut(|gathered| {
        let is_first = gathered.is_empty();
        let nth = gathered.iter().position(|(place, ..)| *place == to).unwrap_or_else(|| {
            gathered.push((to, Packet::default(), 0));
            gathered.len() - 1
        });
        let (_, lanes, count) = &mut gathered[nth];
        lanes.append(packet);
        *count += 1;
        (is_first, *count >= FLUSH_AT)
    });
    if is_full {
        flush(Some(to));
    } else if is_first {
        platform::at_end_of_tick(async { flush(None) });
    }
}

thread_local! {
    /// What is to be posted to workers at the end of this tick, and how many calls it holds.
    static GATHERED: RefCell<Vec<(Place, Packet, usize)>> = const { RefCell::new(Vec::new()) };
    /// When a value was last sent so that it may have come before the one before was taken.
    static HURRIED: Cell<Option<Duration>> = const { Cell::new(None) };
}

/// Posts what was gathered for this place, or for all.
fn flush(place: Option<Place>) {
    let gathered = GATHERED.with_borrow_mut(|gathered| match place {
        None => mem::take(gathered),
        Some(place) => {
            let nth = gathered.iter().position(|(to, ..)| *to == place);
            nth.map(|nth| gathered.remove(nth)).into_iter().collect()
        }
    });
    for (to, packet, _) in gathered {
        platform::post_to(to, packet);
    }
}

/// True now and then in a synchronous task of a worker that cannot hear of what it has sent.
pub(super) fn may_hurry() -> bool {
    if platform::SHARES_MEMORY || !worker::is_in_call() {
        return false;
    }
    let now = platform::now();
    let is_time = HURRIED.get().is_none_or(|last| now.saturating_sub(last) >= HURRY);
    if is_time {
        HURRIED.set(Some(now));
    }
    is_time
}

fn from_above(call: Packet) -> Call {
    read(call, Place::ABOVE)
}

fn from_below(call: Packet) -> Call {
    read(call, platform::sender())
}

fn read(call: Packet, from: Place) -> Call {
    let mut reader = PacketReader::new(call);
    let id = u64::take(&mut reader);
    let event = Event::<Value>::take(&mut reader);
    if let (Some(id), Some(event)) = (id, event) {
        on_event(id, from, event);
    }
    Call::Ended(Ok(Packet::default()))
}

fn on_event(id: u64, from: Place, event: Event<Value>) {
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
            post(id, Place::ABOVE, Event::Bounced { item });
        }
        (_, None) => {}
    }
}

message!(enum Event<I> {
    Open { mode, senders, receiver },
    Arrive { mode, kind },
    Item { item },
    Credit { taken },
    Cloned { count },
    Dropped { count },
    Lost { count },
    Closed,
    Ended,
    Leaving { received, pending },
    Unread { item },
    Bounced { item },
    Missing { count },
});
message!(enum Mode { Bounded { capacity }, Unbounded, Latest });
message!(
    enum Kind {
        Sender,
        Receiver,
    }
);
