//! How what is said of a channel crosses to other memories: as calls that are run as soon as they are read.

use std::cell::RefCell;
use std::mem;

use super::core::{Event, Item, Kind, Mode};
use crate::error::Error;
use crate::platform::{self, Packet, Place};
use crate::task::{Call, raw_call};
use crate::wire::{FromWorker, PacketReader, Put, Take, ToWorker, message};
use crate::worker;

/// An encoded value, or the error that comes in its place.
pub(super) type ItemPacket = Result<Packet, Error>;

impl Item for ItemPacket {
    fn lost() -> Self {
        Err(Error::sender_lost())
    }

    fn is_error(&self) -> bool {
        self.is_err()
    }
}

/// So many calls are posted to a worker without waiting for more.
const MOST_GATHERED: usize = 64;

/// What reads it in the other memory.
pub(super) type Read = fn(Packet) -> Call;

/// Appends to a packet for the memory above or below what has this read there.
pub(super) fn write(read: Read, id: u64, event: Event<ItemPacket>, above: bool, packet: &mut Packet) {
    let call = call(read, id, event);
    if above { FromWorker::Call { call }.write(packet) } else { ToWorker::Call { call }.write(packet) }
}

fn call(read: Read, id: u64, event: Event<ItemPacket>) -> Packet {
    let mut call = raw_call(read);
    // An item is many, and has room for its number and lengths at once.
    call.heads.reserve_exact(24);
    id.put(&mut call);
    event.put(&mut call);
    call
}

/// What is said in the place of an item that cannot be posted.
fn failed(event: &Event<ItemPacket>) -> Option<fn(Error) -> Event<ItemPacket>> {
    match event {
        Event::Item { item: Ok(_) } => Some(|error| Event::Item { item: Err(error) }),
        Event::Unread { item: Ok(_) } => Some(|error| Event::Unread { item: Err(error) }),
        Event::Bounced { item: Ok(_) } => Some(|error| Event::Bounced { item: Err(error) }),
        _ => None,
    }
}

/// Sends it there, with others.
pub(super) fn post(read: Read, id: u64, to: Place, event: Event<ItemPacket>) {
    let failed = failed(&event);
    let call = call(read, id, event);
    let alone = call.travels_alone();
    if to == Place::ABOVE {
        let again = failed
            .filter(|_| alone)
            .map(|failed| Box::new(move |error| post(read, id, to, failed(error))) as Box<dyn FnOnce(Error)>);
        return worker::tell(call, again);
    }
    let packet = ToWorker::packet_of(call);
    if alone {
        flush(Some(to));
        if let (Err(error), Some(failed)) = (platform::post_to(to, packet), failed) {
            post(read, id, to, failed(error));
        }
        return;
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
        (is_first, *count >= MOST_GATHERED)
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
        let posted = platform::post_to(to, packet);
        debug_assert!(posted.is_ok(), "bytes can always be sent");
    }
}

/// True in a synchronous task of a worker, which hears nothing while it runs.
pub(super) fn is_in_call() -> bool {
    !platform::SHARES_MEMORY && worker::is_in_call()
}

/// What such a call says of which channel.
pub(super) fn read(call: Packet) -> Option<(u64, Event<ItemPacket>)> {
    let mut reader = PacketReader::new(call);
    Some((Take::take(&mut reader)?, Take::take(&mut reader)?))
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
