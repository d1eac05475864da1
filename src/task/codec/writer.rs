//! What the strict serializer writes to: the lanes of a packet, and how deep in a value it is.

use std::{fmt, mem};

use postcard::ser_flavors::Flavor;
use serde::Serialize;

use crate::platform::{Address, Attachment, Packet, Residents};

use super::depth::Depth;
use super::fault::Fault;
use super::fingerprint::{self, Shape};

pub(super) struct Writer {
    pub(super) out: postcard::Serializer<Buffer>,
    heads: Vec<u8>,
    addresses: Vec<Address>,
    pub(super) attachments: Vec<Attachment>,
    residents: Residents,
    pub(super) depth: Depth,
    /// What came of the trait object that the writer was lent to.
    pub(super) written: Option<Result<(), Fault>>,
}

impl Writer {
    pub(super) fn new(Packet { heads, bytes, addresses, attachments, residents, lost: _ }: Packet) -> Self {
        let out = postcard::Serializer { output: Buffer { bytes, wanted: 0 } };
        Writer { out, heads, addresses, attachments, residents, depth: Depth::default(), written: None }
    }

    /// Takes the lanes out.
    pub(super) fn take(&mut self) -> Packet {
        Packet {
            bytes: mem::take(&mut self.out.output.bytes),
            heads: mem::take(&mut self.heads),
            addresses: mem::take(&mut self.addresses),
            attachments: mem::take(&mut self.attachments),
            residents: mem::take(&mut self.residents),
            lost: 0,
        }
    }

    /// A writer to stand in for this one.
    pub(super) fn idle(&self) -> Self {
        Writer { depth: self.depth, ..Writer::new(Packet::default()) }
    }

    /// Writes a trait object that the writer was lent to: its entry, and the value in it.
    pub(super) fn write_object<T: Serialize>(&mut self, entry: Address, value: &T) {
        self.addresses.push(entry);
        self.written = Some(value.serialize(&mut *self));
    }

    #[inline]
    pub(super) fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.out.output.bytes
    }

    #[inline]
    pub(super) fn push(&mut self, byte: u8) -> Result<(), Fault> {
        Ok(self.out.output.try_push(byte)?)
    }

    #[inline]
    pub(super) fn extend(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        Ok(self.out.output.try_extend(bytes)?)
    }

    /// How many bytes there was no memory for, if that is what went wrong.
    pub(super) fn wanted(&self) -> Option<usize> {
        Some(self.out.output.wanted).filter(|wanted| *wanted > 0)
    }

    #[inline]
    pub(super) fn length(&mut self, length: usize) -> Result<(), Fault> {
        length.serialize(&mut self.out)?;
        Ok(())
    }

    /// Inserts a length before what was written since `start`.
    pub(super) fn insert_length(&mut self, start: usize, length: usize) -> Result<(), Fault> {
        let mut buffer = [0; 10]; // the longest varint of 64 bits
        let used = postcard::to_slice(&length, &mut buffer)?;
        self.bytes().splice(start..start, used.iter().copied());
        Ok(())
    }

    #[inline]
    pub(super) fn variant(&mut self, index: u32, name: &str, shape: Shape) -> Result<(), Fault> {
        index.serialize(&mut self.out)?;
        self.push(fingerprint::variant(name, shape))
    }

    /// Goes into a struct, a tuple or a newtype; gives the depth to return to.
    #[inline]
    pub(super) fn enter_part(&mut self) -> Result<Depth, Fault> {
        let deeper = self.depth.part()?;
        Ok(mem::replace(&mut self.depth, deeper))
    }

    /// Goes into what a recursive type passes at each turn; gives the depth to return to.
    #[inline]
    pub(super) fn enter_turn(&mut self) -> Result<Depth, Fault> {
        let deeper = self.depth.turn()?;
        Ok(mem::replace(&mut self.depth, deeper))
    }
}

/// Bytes that grow, as long as there is memory.
pub(super) struct Buffer {
    bytes: Vec<u8>,
    /// How many it was to hold when there was none.
    wanted: usize,
}

impl Buffer {
    #[inline(always)]
    fn reserve(&mut self, more: usize) -> postcard::Result<()> {
        if more > self.bytes.capacity() - self.bytes.len() { self.grow(more) } else { Ok(()) }
    }

    #[cold]
    fn grow(&mut self, more: usize) -> postcard::Result<()> {
        // Room for what comes behind it too; or without that, if memory is short.
        let grown = self.bytes.try_reserve(more).or_else(|_| self.bytes.try_reserve_exact(more));
        grown.map_err(|_| {
            self.wanted = self.bytes.len().saturating_add(more);
            postcard::Error::SerializeBufferFull
        })
    }
}

impl Flavor for Buffer {
    type Output = ();

    #[inline(always)]
    fn try_extend(&mut self, data: &[u8]) -> postcard::Result<()> {
        self.reserve(data.len())?;
        self.bytes.extend_from_slice(data);
        Ok(())
    }

    #[inline(always)]
    fn try_push(&mut self, data: u8) -> postcard::Result<()> {
        self.reserve(1)?;
        self.bytes.push(data);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

impl fmt::Write for Buffer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.try_extend(text.as_bytes()).map_err(|_| fmt::Error)
    }
}
