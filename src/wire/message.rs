//! How messages lie in a packet: a derive of our own.
//!
//! A message is its fields one after the other. Plain data is numbers in the lane of heads, each one call of the same two
//! functions. A field that is a packet itself, a *body*, is the lengths of its lanes, and behind what is there its lanes. What
//! is in every task's messages takes few of these calls: a tiny task's time is made of them.
//!
//! Derived serde over postcard did the same work for 3.4 KB more of each program's module (gzip), most of it in the visitors
//! of the two message types.

use std::sync::Arc;
use std::time::Duration;

use super::reader::PacketReader;
use crate::error::{Error, ErrorInner, ErrorKind};
use crate::platform::{Packet, Resident, Residents};
use crate::schedule::{HandleSignal, Id, Site, Strategy, TaskId, TaskKind, TaskOptions, WorkerId, nanos};

/// What can be appended to a packet.
pub(crate) trait Put {
    fn put(self, packet: &mut Packet);
}

/// What can be taken from the front of a packet.
pub(crate) trait Take: Sized {
    /// `None`: it is not there.
    fn take(reader: &mut PacketReader) -> Option<Self>;
}

/// Seven bits a byte, the lowest first; all but the last byte have the highest bit set (LEB128).
#[inline(never)]
fn put_number(packet: &mut Packet, mut number: u64) {
    while number > 0x7f {
        packet.heads.push(number as u8 | 0x80);
        number >>= 7;
    }
    packet.heads.push(number as u8);
}

#[inline(never)]
fn take_number(reader: &mut PacketReader) -> Option<u64> {
    let mut number = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let byte = reader.head_byte()?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

macro_rules! numbers {
    ($($number:ty: $widen:expr,)*) => {$(
        impl Put for $number {
            fn put(self, packet: &mut Packet) {
                put_number(packet, ($widen)(self));
            }
        }

        impl Take for $number {
            fn take(reader: &mut PacketReader) -> Option<Self> {
                take_number(reader)?.try_into().ok()
            }
        }
    )*};
}

numbers! {
    u32: u64::from,
    u64: u64::from,
    usize: |length| length as u64,
}

impl Put for bool {
    fn put(self, packet: &mut Packet) {
        put_number(packet, u64::from(self));
    }
}

impl Take for bool {
    fn take(reader: &mut PacketReader) -> Option<Self> {
        Some(take_number(reader)? != 0)
    }
}

/// In nanoseconds: what is longer than 500 years is as long as that.
impl Put for Duration {
    fn put(self, packet: &mut Packet) {
        put_number(packet, nanos(self));
    }
}

impl Take for Duration {
    fn take(reader: &mut PacketReader) -> Option<Self> {
        take_number(reader).map(Self::from_nanos)
    }
}

impl Put for TaskId {
    fn put(self, packet: &mut Packet) {
        put_number(packet, self.number());
    }
}

impl Take for TaskId {
    fn take(reader: &mut PacketReader) -> Option<Self> {
        take_number(reader).map(Self::from_number)
    }
}

/// Most are what most tasks run on: then the site and one more byte are all.
impl Put for TaskOptions {
    fn put(self, packet: &mut Packet) {
        let Self { site, kind, timeout, retries, detached, pinned, aside } = self;
        let flags = [kind == TaskKind::Async, timeout.is_some(), detached, pinned, aside];
        let flags =
            flags.into_iter().rev().fold(u64::from(retries), |flags, flag| flags << 1 | u64::from(flag));
        put_number(packet, flags);
        site.put(packet);
        if let Some(timeout) = timeout {
            timeout.put(packet);
        }
    }
}

impl Take for TaskOptions {
    fn take(reader: &mut PacketReader) -> Option<Self> {
        let flags = take_number(reader)?;
        let is_set = |nth: u32| flags >> nth & 1 == 1;
        Some(Self {
            site: Take::take(reader)?,
            kind: if is_set(0) { TaskKind::Async } else { TaskKind::Sync },
            timeout: if is_set(1) { Some(Take::take(reader)?) } else { None },
            detached: is_set(2),
            pinned: is_set(3),
            aside: is_set(4),
            retries: (flags >> 5).try_into().ok()?,
        })
    }
}

impl Put for String {
    fn put(self, packet: &mut Packet) {
        put_bytes(packet, self.as_bytes());
    }
}

impl Take for String {
    fn take(reader: &mut PacketReader) -> Option<Self> {
        Self::from_utf8(take_bytes(reader)?).ok()
    }
}

/// Bytes in the lane of heads, behind their number.
fn put_bytes(packet: &mut Packet, bytes: &[u8]) {
    bytes.len().put(packet);
    packet.heads.extend_from_slice(bytes);
}

fn take_bytes(reader: &mut PacketReader) -> Option<Vec<u8>> {
    let length = usize::take(reader)?;
    reader.head_bytes(length)
}

/// A body.
impl Put for Packet {
    fn put(self, packet: &mut Packet) {
        put_lengths(packet, &self);
        packet.append(self);
    }
}

/// A copy of a body, which MUST have no attachments.
impl Put for &Packet {
    fn put(self, packet: &mut Packet) {
        debug_assert!(self.attachments.is_empty(), "an attachment is moved, not copied");
        put_lengths(packet, self);
        packet.heads.extend_from_slice(&self.heads);
        packet.bytes.extend_from_slice(&self.bytes);
        packet.addresses.extend_from_slice(&self.addresses);
        packet.residents.append(self.residents.clone());
    }
}

/// Most have neither heads nor attachments, nor refer to resident values: the lowest bit of the first number says whether the
/// lengths of these, and the values' names, follow.
fn put_lengths(packet: &mut Packet, body: &Packet) {
    let Packet { heads, bytes, addresses, attachments, residents, lost: _ } = body;
    let rare = !heads.is_empty() || !attachments.is_empty() || !residents.is_empty();
    put_number(packet, (bytes.len() as u64) << 1 | u64::from(rare));
    addresses.len().put(packet);
    if rare {
        heads.len().put(packet);
        attachments.len().put(packet);
        residents.iter().count().put(packet);
        residents.iter().for_each(|resident| resident.name().put(packet));
    }
}

impl Take for Packet {
    fn take(reader: &mut PacketReader) -> Option<Self> {
        let number = take_number(reader)?;
        let bytes = (number >> 1).try_into().ok()?;
        let addresses = usize::take(reader)?;
        let (mut heads, mut attachments, mut residents) = (0, 0, Residents::default());
        if number & 1 == 1 {
            heads = usize::take(reader)?;
            attachments = usize::take(reader)?;
            for _ in 0..usize::take(reader)? {
                residents.push(Resident::Named(Take::take(reader)?));
            }
        }
        let body = reader.body(heads, bytes, addresses, attachments)?;
        Some(Packet { residents, ..body })
    }
}

impl<T: Put> Put for Option<T> {
    fn put(self, packet: &mut Packet) {
        self.is_some().put(packet);
        if let Some(value) = self {
            value.put(packet);
        }
    }
}

impl<T: Take> Take for Option<T> {
    fn take(reader: &mut PacketReader) -> Option<Self> {
        Some(if bool::take(reader)? { Some(T::take(reader)?) } else { None })
    }
}

impl<T: Put, E: Put> Put for Result<T, E> {
    fn put(self, packet: &mut Packet) {
        self.is_ok().put(packet);
        match self {
            Ok(value) => value.put(packet),
            Err(error) => error.put(packet),
        }
    }
}

impl<T: Take, E: Take> Take for Result<T, E> {
    fn take(reader: &mut PacketReader) -> Option<Self> {
        Some(if bool::take(reader)? { Ok(T::take(reader)?) } else { Err(E::take(reader)?) })
    }
}

/// Several values, behind their number.
impl<T: Put> Put for Vec<T> {
    fn put(self, packet: &mut Packet) {
        self.len().put(packet);
        self.into_iter().for_each(|value| value.put(packet));
    }
}

impl<T: Take> Take for Vec<T> {
    fn take(reader: &mut PacketReader) -> Option<Self> {
        let count = usize::take(reader)?;
        // Each takes a byte at least: no more is allocated than can come.
        let mut values = Self::with_capacity(count.min(reader.heads_left()));
        for _ in 0..count {
            values.push(T::take(reader)?);
        }
        Some(values)
    }
}

/// Implements [`Put`] and [`Take`]: variant by variant, field by field, in the order of the list. The compiler sees to it
/// that none is left out.
macro_rules! message {
    (struct $name:ident { $($field:ident),* $(,)? }) => {
        impl $crate::wire::Put for $name {
            fn put(self, packet: &mut $crate::platform::Packet) {
                let Self { $($field),* } = self;
                $($field.put(packet);)*
            }
        }

        impl $crate::wire::Take for $name {
            fn take(reader: &mut $crate::wire::PacketReader) -> Option<Self> {
                Some(Self { $($field: $crate::wire::Take::take(reader)?),* })
            }
        }
    };
    (enum $name:ident $(<$body:ident>)? { $($variant:ident $({ $($field:ident),* })?),* $(,)? }) => {
        const _: () = {
            enum Variant {
                $($variant),*
            }

            impl$(<$body: $crate::wire::Put>)? $crate::wire::Put for $name$(<$body>)? {
                fn put(self, packet: &mut $crate::platform::Packet) {
                    match self {
                        $(Self::$variant $({ $($field),* })? => {
                            (Variant::$variant as u32).put(packet);
                            $($($field.put(packet);)*)?
                        })*
                    }
                }
            }

            impl$(<$body: $crate::wire::Take>)? $crate::wire::Take for $name$(<$body>)? {
                fn take(reader: &mut $crate::wire::PacketReader) -> Option<Self> {
                    let variant = u32::take(reader)?;
                    $(if variant == Variant::$variant as u32 {
                        return Some(Self::$variant $({
                            $($field: $crate::wire::Take::take(reader)?),*
                        })?);
                    })*
                    None
                }
            }
        };
    };
}

pub(crate) use message;

macro_rules! newtypes {
    ($($name:ident)*) => {$(
        impl Put for $name {
            fn put(self, packet: &mut Packet) {
                self.0.put(packet);
            }
        }

        impl Take for $name {
            fn take(reader: &mut PacketReader) -> Option<Self> {
                Take::take(reader).map(Self)
            }
        }
    )*};
}

newtypes!(WorkerId Site);
message!(
    enum Strategy {
        Serial,
        Parallel,
        WorkStealing,
    }
);
message!(
    enum HandleSignal {
        Cancel,
        Abort,
        Detach,
    }
);

impl Put for Error {
    fn put(self, packet: &mut Packet) {
        let ErrorInner { kind, what, place, task } = &*self.0;
        kind.put(packet);
        for text in [what, place, task] {
            put_bytes(packet, text.as_bytes());
        }
    }
}

impl Take for Error {
    fn take(reader: &mut PacketReader) -> Option<Self> {
        let kind = Take::take(reader)?;
        let [what, place, task] = [Take::take(reader)?, Take::take(reader)?, Take::take(reader)?];
        Some(Self(Arc::new(ErrorInner { kind, what, place, task })))
    }
}

message!(
    enum ErrorKind {
        Panic,
        WorkerLost,
        Cancelled,
        Timeout,
        Closed,
        Startup,
        Codec,
        QueueFull,
        Js,
        Other,
        WouldBlock,
    }
);

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(value: impl Put) -> Packet {
        let mut packet = Packet::default();
        value.put(&mut packet);
        packet
    }

    fn take<T: Take>(packet: Packet) -> Option<T> {
        T::take(&mut PacketReader::new(packet))
    }

    #[test]
    fn numbers_of_every_size_come_back() {
        for number in [0, 1, 0x7f, 0x80, u64::from(u32::MAX), u64::MAX] {
            let whole = packet(number);
            let cut = Packet { heads: whole.heads[..whole.heads.len() - 1].to_vec(), ..Packet::default() };
            assert_eq!(take(whole), Some(number));
            assert_eq!(take::<u64>(cut), None);
        }
        assert_eq!(packet(u64::MAX).heads.len(), 10);
        assert_eq!(take::<u32>(packet(u64::MAX)), None, "it does not fit");
        let endless = Packet { heads: vec![0x80; 11], ..Packet::default() };
        assert_eq!(take::<u64>(endless), None);
    }

    #[test]
    fn durations_longer_than_any_wait_are_cut() {
        let never = Duration::from_nanos(u64::MAX);
        for (duration, taken) in [(Duration::ZERO, Duration::ZERO), (never, never), (Duration::MAX, never)] {
            assert_eq!(take(packet(duration)), Some(taken));
        }
    }

    #[test]
    fn options_of_every_kind_come_back() {
        let plain = TaskOptions::new(Site(0x0010_2030), TaskKind::Sync);
        for options in [
            plain,
            TaskOptions { kind: TaskKind::Async, ..plain },
            TaskOptions { timeout: Some(Duration::from_millis(3)), ..plain },
            TaskOptions { retries: u32::MAX, ..plain },
            TaskOptions { detached: true, ..plain },
            TaskOptions { pinned: true, ..plain },
            TaskOptions { aside: true, ..plain },
        ] {
            assert_eq!(take(packet(options)), Some(options));
        }
        assert_eq!(
            take::<TaskOptions>(Packet {
                heads: vec![0xe0, 0xff, 0xff, 0xff, 0xff, 0x7f, 0],
                ..Packet::default()
            }),
            None
        );
    }

    #[test]
    fn a_count_that_lies_allocates_nothing() {
        assert_eq!(take::<String>(packet(usize::MAX)), None);
        assert!(take::<Vec<u32>>(packet(usize::MAX)).is_none());
    }

    #[test]
    fn a_body_within_a_body_comes_back() {
        let inner = Packet { bytes: vec![1, 2], ..packet(7_u32) };
        let outer = Packet { bytes: vec![3], ..Packet::default() };
        let mut whole = outer;
        inner.put(&mut whole);
        let mut message = packet(8_u32);
        whole.put(&mut message);
        9_u32.put(&mut message);

        let mut reader = PacketReader::new(message);
        assert_eq!(u32::take(&mut reader), Some(8));
        let whole = Packet::take(&mut reader).expect("it was put");
        assert_eq!(u32::take(&mut reader), Some(9));
        assert!(!reader.has_heads());
        assert_eq!(whole.bytes, [3, 1, 2]);
        let mut reader = PacketReader::new(Packet { bytes: vec![1, 2], ..whole });
        let inner = Packet::take(&mut reader).expect("it was put");
        assert_eq!((inner.bytes, inner.heads), (vec![1, 2], vec![7]));
    }
}
