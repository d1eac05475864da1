//! What the strict serializer writes to: the lanes of a packet, and how deep in a value it is.

use std::{fmt, mem};

use postcard::ser_flavors::Flavor;
use serde::Serialize;

use crate::platform::{Address, Attachment, Packet};

use super::depth::Depth;
use super::fault::Fault;
use super::fingerprint::{self, Shape};

pub(super) struct Writer {
    pub(super) out: postcard::Serializer<Buffer>,
    heads: Vec<u8>,
    addresses: Vec<Address>,
    pub(super) attachments: Vec<Attachment>,
    pub(super) depth: Depth,
    /// What came of the trait object that the writer was lent to.
    pub(super) written: Option<Result<(), Fault>>,
}

impl Writer {
    pub(super) fn new(Packet { heads, bytes, addresses, attachments }: Packet) -> Self {
        let out = postcard::Serializer { output: Buffer(bytes) };
        Writer { out, heads, addresses, attachments, depth: Depth::default(), written: None }
    }

    /// Takes the lanes out.
    pub(super) fn take(&mut self) -> Packet {
        Packet {
            bytes: mem::take(&mut self.out.output.0),
            heads: mem::take(&mut self.heads),
            addresses: mem::take(&mut self.addresses),
            attachments: mem::take(&mut self.attachments),
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
        &mut self.out.output.0
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
        self.bytes().push(fingerprint::variant(name, shape));
        Ok(())
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

/// Bytes that grow.
pub(super) struct Buffer(Vec<u8>);

impl Flavor for Buffer {
    type Output = ();

    #[inline(always)]
    fn try_extend(&mut self, data: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(data);
        Ok(())
    }

    #[inline(always)]
    fn try_push(&mut self, data: u8) -> postcard::Result<()> {
        self.0.push(data);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

impl fmt::Write for Buffer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}
