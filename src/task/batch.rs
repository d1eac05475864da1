//! Many values of one type, encoded one behind the other: the items of a chunk, and its results.

use std::mem;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::codec::{self, foreign};
use super::plain;
use crate::error::Error;
use crate::platform::{Attachment, NoRoom, Packet};
use crate::wire::{PacketReader, Put, Take};

/// Encoded values, one behind the other.
///
/// Numbers lie there as they do in memory. Of all else the lane of heads holds the lengths, so that one that cannot be read
/// harms no other. What a value says of its attachments counts from its own first one.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    count: usize,
    /// How many bytes each number takes. Zero: they are no numbers.
    width: usize,
    packet: Packet,
}

/// A place between two values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cursor {
    /// How many values are before it.
    pub(super) read: usize,
    /// As far as numbers go, they stay where they are.
    pub(super) lanes: Lanes,
}

/// How much of each lane is before a place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lanes {
    heads: usize,
    bytes: usize,
    addresses: usize,
    attachments: usize,
}

/// Says in the lane of heads that three long lengths follow; a short one is an even number.
const LONG_LENGTHS: u32 = 1;

/// From so many bytes on, a value is moved, not copied.
const SWAPPED_FROM: usize = 4096;

impl Batch {
    /// None yet, of this type.
    pub(crate) fn of<T: 'static>() -> Self {
        Self { width: plain::width::<T>(), ..Self::default() }
    }

    /// The one value that a packet holds.
    pub(crate) fn one(mut packet: Packet) -> Self {
        let mut batch = Self::default();
        batch.append(&mut packet);
        batch
    }

    /// The packet of the only value.
    pub(crate) fn into_one(self) -> Packet {
        Packet { heads: Vec::new(), ..self.packet }
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    pub(crate) fn has_attachments(&self) -> bool {
        !self.packet.attachments.is_empty()
    }

    pub(crate) fn attachments(&self) -> &[Attachment] {
        &self.packet.attachments
    }

    /// Encodes one more value. None before it MUST have attachments.
    pub(crate) fn push<T: Serialize + 'static>(&mut self, value: &T) -> Result<(), Error> {
        debug_assert!(!self.has_attachments(), "attachments are counted from the first one of their value");
        if self.push_plain(value) {
            return Ok(());
        }
        let (bytes, addresses) = (self.packet.bytes.len(), self.packet.addresses.len());
        codec::encode(value, &mut self.packet)?;
        let (bytes, addresses) = (self.packet.bytes.len() - bytes, self.packet.addresses.len() - addresses);
        self.note(bytes, addresses, self.packet.attachments.len());
        Ok(())
    }

    /// Appends a number. False if it is something else.
    #[inline]
    pub(super) fn push_plain<T: 'static>(&mut self, value: &T) -> bool {
        let is_plain = self.width > 0 && plain::put(value, &mut self.packet.bytes);
        self.count += usize::from(is_plain);
        is_plain
    }

    /// Appends a value that was encoded for itself, and leaves its packet empty.
    pub(super) fn append(&mut self, value: &mut Packet) {
        self.note(value.bytes.len(), value.addresses.len(), value.attachments.len());
        join(&mut self.packet.bytes, &mut value.bytes);
        join(&mut self.packet.addresses, &mut value.addresses);
        join(&mut self.packet.attachments, &mut value.attachments);
        self.packet.residents.append(mem::take(&mut value.residents));
    }

    fn note(&mut self, bytes: usize, addresses: usize, attachments: usize) {
        self.count += 1;
        let heads = &mut self.packet.heads;
        let short = u32::try_from(bytes).ok().and_then(|bytes| bytes.checked_mul(2));
        match short {
            Some(short) if addresses == 0 && attachments == 0 => {
                heads.extend_from_slice(&short.to_le_bytes());
            }
            _ => {
                heads.extend_from_slice(&LONG_LENGTHS.to_le_bytes());
                for length in [bytes, addresses, attachments] {
                    heads.extend_from_slice(&(length as u64).to_le_bytes());
                }
            }
        }
    }

    /// The last value apart from the others.
    pub(crate) fn split_last(self) -> (Self, Self) {
        let mut last = Cursor::default();
        while let Some(end) = self.next(last).filter(|end| end.read < self.count) {
            last = end;
        }
        let (others, mut alone) = (self.part(Cursor::default(), last), self.part(last, self.end()));
        alone.packet.attachments = self.packet.attachments;
        (others, alone)
    }

    /// The same values, so many in a batch. They MUST have no attachments.
    pub(crate) fn split(&self, size: usize) -> Vec<Self> {
        let mut parts = Vec::new();
        let (mut start, mut cursor) = (Cursor::default(), Cursor::default());
        while let Some(end) = self.next(cursor) {
            cursor = end;
            if cursor.read - start.read == size || cursor.read == self.count {
                parts.push(self.part(start, cursor));
                start = cursor;
            }
        }
        parts
    }

    /// A copy of what is behind a place. It MUST have no attachments.
    pub(super) fn rest(&self, start: Cursor) -> Self {
        self.part(start, self.end())
    }

    fn part(&self, start: Cursor, end: Cursor) -> Self {
        let Packet { heads, bytes, addresses, .. } = &self.packet;
        let (from, to) = (start.lanes, end.lanes);
        let packet = if self.width > 0 {
            let bytes = bytes[start.read * self.width..end.read * self.width].to_vec();
            Packet { bytes, ..Packet::default() }
        } else {
            Packet {
                residents: self.packet.residents.clone(),
                heads: heads[from.heads..to.heads].to_vec(),
                bytes: bytes[from.bytes..to.bytes].to_vec(),
                addresses: addresses[from.addresses..to.addresses].to_vec(),
                ..Packet::default()
            }
        };
        Self { count: end.read - start.read, width: self.width, packet }
    }

    /// The place behind all values.
    fn end(&self) -> Cursor {
        let Packet { heads, bytes, addresses, attachments, residents: _, lost } = &self.packet;
        let lanes = Lanes {
            heads: heads.len(),
            bytes: bytes.len() + lost,
            addresses: addresses.len(),
            attachments: attachments.len(),
        };
        Cursor { read: self.count, lanes }
    }

    /// The place behind the next value.
    #[inline]
    pub(super) fn next(&self, cursor: Cursor) -> Option<Cursor> {
        if cursor.read == self.count {
            return None;
        }
        let mut end = Cursor { read: cursor.read + 1, ..cursor };
        if self.width > 0 {
            return Some(end);
        }
        let lanes = &mut end.lanes;
        let (short, mut rest) = self.packet.heads.get(lanes.heads..)?.split_first_chunk()?;
        let short = u32::from_le_bytes(*short);
        if short == LONG_LENGTHS {
            for length in [&mut lanes.bytes, &mut lanes.addresses, &mut lanes.attachments] {
                let long;
                (long, rest) = rest.split_first_chunk()?;
                *length = length.checked_add(u64::from_le_bytes(*long).try_into().ok()?)?;
            }
        } else {
            lanes.bytes = lanes.bytes.checked_add(short as usize / 2)?;
        }
        lanes.heads = self.packet.heads.len() - rest.len();
        Some(end)
    }

    /// True if its lanes hold so many values as it says, and nothing else.
    fn is_whole(&self) -> bool {
        let Packet { heads, bytes, addresses, attachments, residents: _, lost } = &self.packet;
        if self.width > 0 {
            let is_plain = heads.is_empty() && addresses.is_empty() && attachments.is_empty();
            return is_plain && self.count.checked_mul(self.width) == bytes.len().checked_add(*lost);
        }
        let mut cursor = Cursor::default();
        while let Some(end) = self.next(cursor) {
            cursor = end;
        }
        cursor == self.end()
    }

    /// Decodes the value between two places, of the attachments of all.
    #[inline]
    pub(super) fn decode<T: DeserializeOwned + 'static>(
        &self,
        start: Cursor,
        end: Cursor,
        attachments: &mut [Option<Attachment>],
    ) -> Result<T, Error> {
        let Packet { bytes, addresses, lost, .. } = &self.packet;
        if *lost > 0 {
            return Err(NoRoom(*lost as u64).into());
        }
        if self.width > 0 {
            return plain::take(&bytes[start.read * self.width..][..self.width]).ok_or_else(foreign);
        }
        let (from, to) = (start.lanes, end.lanes);
        let bytes = &bytes[from.bytes..to.bytes];
        let addresses = &addresses[from.addresses..to.addresses];
        codec::decode_from(bytes, addresses, &mut attachments[from.attachments..to.attachments])
    }

    /// Its attachments, to be taken one by one.
    pub(super) fn take_attachments(&mut self) -> Vec<Option<Attachment>> {
        mem::take(&mut self.packet.attachments).into_iter().map(Some).collect()
    }
}

/// Moves what is in a lane to another. The memory of a small one stays, for what comes next.
fn join<T>(lane: &mut Vec<T>, more: &mut Vec<T>) {
    if lane.is_empty() && size_of_val(more.as_slice()) >= SWAPPED_FROM {
        mem::swap(lane, more);
    } else {
        lane.append(more);
    }
}

impl Put for Batch {
    fn put(self, packet: &mut Packet) {
        self.count.put(packet);
        self.width.put(packet);
        self.packet.put(packet);
    }
}

impl Take for Batch {
    fn take(reader: &mut PacketReader) -> Option<Self> {
        let batch =
            Self { count: Take::take(reader)?, width: Take::take(reader)?, packet: Take::take(reader)? };
        batch.is_whole().then_some(batch)
    }
}

/// Reads the values of a batch.
#[derive(Debug, Default)]
pub(crate) struct BatchReader {
    batch: Batch,
    attachments: Vec<Option<Attachment>>,
    cursor: Cursor,
}

impl BatchReader {
    pub(crate) fn new(mut batch: Batch) -> Self {
        Self { attachments: batch.take_attachments(), batch, cursor: Cursor::default() }
    }

    /// How many values are left.
    pub(crate) fn left(&self) -> usize {
        self.batch.count - self.cursor.read
    }

    #[inline]
    pub(crate) fn next<T: DeserializeOwned + 'static>(&mut self) -> Option<Result<T, Error>> {
        let start = self.cursor;
        self.cursor = self.batch.next(start)?;
        Some(self.batch.decode(start, self.cursor, &mut self.attachments))
    }

    /// All values at once, if they are numbers and none was read.
    pub(super) fn take_plain<T: 'static>(&mut self) -> Option<Vec<T>> {
        let Batch { count, width, packet } = &self.batch;
        let is_plain = *width > 0 && packet.lost == 0 && self.cursor.read == 0 && *count > 0;
        let numbers = is_plain.then(|| plain::take_all(&packet.bytes)).flatten()?;
        self.cursor = self.batch.end();
        Some(numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::Transfer;

    fn written(batch: Batch) -> Batch {
        let mut packet = Packet::default();
        7_u32.put(&mut packet);
        batch.put(&mut packet);
        let mut reader = PacketReader::new(packet);
        assert_eq!(u32::take(&mut reader), Some(7));
        let batch = Batch::take(&mut reader).expect("it was put");
        assert!(reader.finish().is_some());
        batch
    }

    fn read<T: DeserializeOwned + 'static>(batch: Batch) -> Vec<T> {
        let mut reader = BatchReader::new(batch);
        std::iter::from_fn(|| reader.next()).collect::<Result<_, _>>().expect("they can be read")
    }

    fn batch<T: Serialize + 'static>(values: &[T]) -> Batch {
        let mut batch = Batch::of::<T>();
        values.iter().for_each(|value| batch.push(value).expect("it can be encoded"));
        batch
    }

    #[test]
    fn values_come_back_whole_and_in_parts() {
        let numbers: Vec<u16> = (0..10).collect();
        let texts: Vec<String> = (0..10).map(|nth| "x".repeat(nth)).collect();
        for size in [1, 3, 10, 11] {
            let parts = batch(&numbers).split(size);
            assert_eq!(parts.len(), 10_usize.div_ceil(size));
            assert_eq!(parts.into_iter().flat_map(read::<u16>).collect::<Vec<_>>(), numbers);
            let parts = written(batch(&texts)).split(size);
            assert_eq!(parts.into_iter().flat_map(read::<String>).collect::<Vec<_>>(), texts);
        }
        assert_eq!(read::<u16>(written(batch(&numbers))), numbers);
        assert_eq!(batch(&numbers).packet.bytes.len(), 20, "they take no more than in memory");
    }

    #[test]
    fn the_rest_is_what_was_not_read() {
        let mut reader = BatchReader::new(batch(&["a", "bc", ""].map(String::from)));
        assert_eq!(reader.next::<String>().unwrap().unwrap(), "a");
        assert_eq!(read::<String>(reader.batch.rest(reader.cursor)), ["bc", ""]);
    }

    #[test]
    fn a_value_that_cannot_be_read_harms_no_other() {
        let mut reader = BatchReader::new(batch(&[1_u32, 0, 2].map(|n| (n, 1_u8))));
        type NonZero = (std::num::NonZeroU32, u8);
        let values: Vec<_> = std::iter::from_fn(|| reader.next::<NonZero>()).map(Result::ok).collect();
        assert_eq!(
            values.iter().map(|value| value.map(|(n, _)| n.get())).collect::<Vec<_>>(),
            [Some(1), None, Some(2)]
        );
    }

    #[test]
    fn attachments_count_from_their_value() {
        let last = written(batch(&[vec![Transfer(vec![1_u8])]]));
        let (others, alone) = last.split_last();
        assert_eq!((others.len(), alone.len()), (0, 1));
        let mut both = Batch::one(alone.into_one());
        both.append(&mut batch(&[vec![Transfer(vec![2_u8])]]).into_one());
        let both = read::<Vec<Transfer<Vec<u8>>>>(written(both));
        assert_eq!(both, [[Transfer(vec![1])], [Transfer(vec![2])]]);
    }

    #[test]
    fn the_last_one_comes_apart_from_the_others() {
        let mut values = batch::<Vec<Transfer<Vec<u8>>>>(&[vec![], vec![]]);
        values.push(&vec![Transfer(vec![3_u8])]).unwrap();
        let (others, alone) = values.split_last();
        assert_eq!(read::<Vec<Transfer<Vec<u8>>>>(others), [[], []]);
        assert_eq!(read::<Vec<Transfer<Vec<u8>>>>(alone), [[Transfer(vec![3])]]);
    }

    #[test]
    fn a_batch_that_lies_is_none() {
        let lies = [
            Batch { count: 3, ..batch(&[1_u8, 2]) },
            Batch { width: 2, ..batch(&[1_u8, 2, 3]) },
            Batch { count: usize::MAX, ..batch(&[1_u64]) },
            Batch { count: 2, ..batch(&["a".to_owned()]) },
            Batch { packet: Packet { bytes: Vec::new(), ..Packet::default() }, ..batch(&["a".to_owned()]) },
        ];
        for lie in lies {
            let mut packet = Packet::default();
            lie.put(&mut packet);
            assert!(Batch::take(&mut PacketReader::new(packet)).is_none());
        }
    }
}
