//! Takes a packet apart from its front.

use std::mem;
use std::vec;

use crate::platform::{Address, Attachment, Packet, Residents};

/// A packet of which a part was read.
pub(crate) struct PacketReader {
    heads: Lane,
    bytes: Lane,
    addresses: vec::IntoIter<Address>,
    attachments: vec::IntoIter<Attachment>,
    /// How much of the lane of bytes is left to come that there was no memory for.
    lost: usize,
}

/// A lane of bytes, and how much of it was read.
struct Lane {
    bytes: Vec<u8>,
    read: usize,
}

impl Lane {
    fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, read: 0 }
    }

    fn left(&self) -> usize {
        self.bytes.len() - self.read
    }

    /// The next bytes: the lane itself, if that is all of it.
    fn take(&mut self, length: usize) -> Option<Vec<u8>> {
        if length > self.left() {
            return None;
        }
        if length == self.bytes.len() {
            return Some(mem::take(&mut self.bytes));
        }
        let end = self.read + length;
        let taken = self.bytes[self.read..end].to_vec();
        self.read = end;
        Some(taken)
    }
}

impl PacketReader {
    pub(crate) fn new(packet: Packet) -> Self {
        let Packet { heads, bytes, addresses, attachments, residents: _, lost } = packet;
        Self {
            heads: Lane::new(heads),
            bytes: Lane::new(bytes),
            addresses: addresses.into_iter(),
            attachments: attachments.into_iter(),
            lost,
        }
    }

    /// How many bytes are left in the lane of heads.
    pub(super) fn heads_left(&self) -> usize {
        self.heads.left()
    }

    /// True if there is a further message.
    pub(super) fn has_heads(&self) -> bool {
        self.heads_left() > 0
    }

    /// `None` if something was not read.
    pub(crate) fn finish(&self) -> Option<()> {
        let read = self.heads.left() == 0
            && self.bytes.left() == 0
            && self.addresses.len() == 0
            && self.attachments.len() == 0
            && self.lost == 0;
        read.then_some(())
    }

    /// The next byte of the lane of heads.
    pub(super) fn head_byte(&mut self) -> Option<u8> {
        let byte = self.heads.bytes.get(self.heads.read).copied()?;
        self.heads.read += 1;
        Some(byte)
    }

    /// The next bytes of the lane of heads.
    pub(super) fn head_bytes(&mut self, length: usize) -> Option<Vec<u8>> {
        self.heads.take(length)
    }

    /// The next body, whose lanes have these lengths.
    pub(super) fn body(
        &mut self,
        heads: usize,
        bytes: usize,
        addresses: usize,
        attachments: usize,
    ) -> Option<Packet> {
        if addresses > self.addresses.len() || attachments > self.attachments.len() {
            return None;
        }
        let (bytes, lost) = if self.lost == 0 { (bytes, 0) } else { (0, bytes) };
        self.lost = self.lost.checked_sub(lost)?;
        Some(Packet {
            lost,
            heads: self.heads.take(heads)?,
            bytes: self.bytes.take(bytes)?,
            addresses: self.addresses.by_ref().take(addresses).collect(),
            attachments: self.attachments.by_ref().take(attachments).map(Attachment::settle).collect(),
            residents: Residents::default(),
        })
    }
}
