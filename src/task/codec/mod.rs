//! Values to packets and back: postcard over serde, made strict.
//!
//! Both sides of a packet are the same program, so nothing describes itself: bytes are read by the type alone. Plain
//! postcard then silently misreads a value whose `Serialize` and `Deserialize` do not agree, as serde's attributes
//! easily make them. Here such a value is an error that names the type and the cure:
//!
//! - `skip_field` (`skip_serializing_if`) is refused when it happens.
//! - A struct starts with the number of its fields, and one byte mixed from their names. The count alone would let
//!   a `skip_serializing` on one field and a `skip_deserializing` on another cancel out; the byte catches that, and
//!   fields in another order. With a serde `alias` the reader knows more names than were written; then only the
//!   count is checked. Names that differ between the sides (`rename(serialize = ..)`) cannot be told from a skip,
//!   and are refused. A tuple struct has no names and starts with its count only.
//! - The index of an enum's variant is followed by one byte, mixed from the variant's name and shape: serde counts
//!   variants differently on the two sides when one in the middle is skipped.
//! - A sequence or map of unknown length gets its count when it has ended.
//! - A trait object is its concrete value in the bytes and an address in its lane ([`object`]), which alone says what
//!   the value is.
//! - Bytes and floating-point numbers in a `Vec` or slice are copied ([`bulk`]); what is written is the same.
//! - What is left over is an error, of each lane.
//! - Types that ask what comes next (`flatten`, `untagged`, `tag`, `serde_json::Value`) are refused with their cure, which is
//!   `Described`.
//! - Nesting is bounded, since the stack is, and so are elements that take nothing of a packet.
//!
//! All else is postcard, down to the byte. Nothing in the bytes is trusted: the reader allocates no more than the
//! bytes can fill, and takes an attachment only once and only by its type, so that a crafted `Serialize` or
//! `Deserialize` can spoil no more than its own value. How a value gets into another lane is described in [`side_table`].

mod bulk;
mod depth;
mod deserializer;
mod fault;
mod fingerprint;
pub(crate) mod object;
mod parts;
mod reader;
mod scope;
mod serializer;
mod serializer_slot;
pub(crate) mod side_table;
mod writer;

#[cfg(test)]
mod tests;

use std::any::type_name;
use std::fmt;
use std::vec;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::platform::{Address, Attachment, NoRoom, Packet, Residents};

use self::fault::Fault;
use self::reader::Reader;
use self::writer::Writer;

/// Appends a value to all lanes of a packet. If that fails or panics, the packet is as it was before.
#[inline(never)]
pub(crate) fn encode<T: Serialize + ?Sized>(value: &T, packet: &mut Packet) -> Result<(), Error> {
    let mut append = Append::to(packet);
    if let Err(fault) = value.serialize(&mut append.writer) {
        drop(side_table::take_referred());
        return Err(not_encoded(type_name::<T>(), &fault, append.writer.wanted()));
    }
    append.complete = true;
    drop(append);
    packet.residents.append(side_table::take_referred());
    Ok(())
}

/// What comes from a page or a worker is not what the other side writes.
#[cold]
pub(crate) fn foreign() -> Error {
    Error::codec(
        "the task was made by another build of the program; reload the page so that both sides run the same one",
    )
}

#[cold]
fn not_encoded(name: &str, fault: &Fault, wanted: Option<usize>) -> Error {
    let wanted = wanted.map_or_else(String::new, |wanted| format!(" (it takes {wanted} bytes or more)"));
    Error::codec(format!("a `{name}` could not be encoded: {fault}{wanted}"))
}

#[cold]
fn not_decoded(name: &str, cause: &dyn fmt::Display) -> Error {
    Error::codec(format!("a `{name}` could not be decoded: {cause}"))
}

/// Gives the lanes back to their packet, cut to their former lengths unless the value is complete.
struct Append<'p> {
    packet: &'p mut Packet,
    writer: Writer,
    bytes: usize,
    addresses: usize,
    attachments: usize,
    complete: bool,
}

impl<'p> Append<'p> {
    fn to(packet: &'p mut Packet) -> Self {
        let (bytes, addresses, attachments) =
            (packet.bytes.len(), packet.addresses.len(), packet.attachments.len());
        let writer = Writer::new(std::mem::take(packet));
        Append { packet, writer, bytes, addresses, attachments, complete: false }
    }
}

impl Drop for Append<'_> {
    fn drop(&mut self) {
        *self.packet = self.writer.take();
        if !self.complete {
            self.packet.bytes.truncate(self.bytes);
            self.packet.addresses.truncate(self.addresses);
            self.packet.attachments.truncate(self.attachments);
        }
    }
}

/// True of our own serializer.
pub(super) fn is_writer<S>() -> bool {
    typeid::of::<S>() == typeid::of::<&mut Writer>()
}

/// True of our own deserializer.
pub(super) fn is_reader<D>() -> bool {
    typeid::of::<D>() == typeid::of::<&mut Reader<'_, '_>>()
}

/// Reads a packet's one value.
pub(crate) fn decode<T: DeserializeOwned>(packet: Packet) -> Result<T, Error> {
    Decoder::new(packet).last()
}

/// Reads the one value that these lanes hold.
#[inline(never)]
pub(crate) fn decode_from<T: DeserializeOwned>(
    bytes: &[u8],
    addresses: &[Address],
    attachments: &mut [Option<Attachment>],
) -> Result<T, Error> {
    let mut addresses = Vec::from(addresses).into_iter();
    let mut reader = Reader::new(bytes, &mut addresses, attachments);
    let result = T::deserialize(&mut reader);
    let bytes = reader.bytes_left();
    if result.is_ok() {
        all_read(bytes, addresses.len(), attachments)?;
    }
    result.map_err(|fault| not_decoded(type_name::<T>(), &fault))
}

/// Succeeds if nothing is left.
fn all_read(bytes: usize, addresses: usize, attachments: &[Option<Attachment>]) -> Result<(), Error> {
    let attachments = attachments.iter().flatten().count();
    if bytes == 0 && attachments == 0 && addresses == 0 {
        return Ok(());
    }
    Err(Error::codec(format!(
        "{bytes} bytes, {attachments} attachments and {addresses} trait objects were left over; \
         let `Deserialize` read all that `Serialize` writes"
    )))
}

/// Reads the values of a packet, in the order in which they were appended.
pub(crate) struct Decoder {
    heads: Vec<u8>,
    bytes: Vec<u8>,
    position: usize,
    addresses: vec::IntoIter<Address>,
    attachments: Vec<Option<Attachment>>,
    residents: Residents,
    /// As of the packet.
    lost: usize,
}

impl Decoder {
    pub(crate) fn new(packet: Packet) -> Self {
        Decoder {
            heads: packet.heads,
            bytes: packet.bytes,
            position: 0,
            addresses: packet.addresses.into_iter(),
            attachments: packet.attachments.into_iter().map(Some).collect(),
            residents: packet.residents,
            lost: packet.lost,
        }
    }

    /// Reads the next value.
    pub(crate) fn next<T: DeserializeOwned>(&mut self) -> Result<T, Error> {
        self.read(false)
    }

    fn read<T: DeserializeOwned>(&mut self, is_last: bool) -> Result<T, Error> {
        if self.lost > 0 {
            return Err(not_decoded(type_name::<T>(), &NoRoom(self.lost as u64)));
        }
        let mut reader =
            Reader::new(&self.bytes[self.position..], &mut self.addresses, &mut self.attachments);
        // A result is held once only: it may be large.
        let result = T::deserialize(&mut reader);
        self.position = self.bytes.len() - reader.bytes_left();
        if is_last && result.is_ok() {
            self.finish()?;
        }
        result.map_err(|fault| not_decoded(type_name::<T>(), &fault))
    }

    /// Takes the next address.
    pub(crate) fn take_address(&mut self) -> Option<Address> {
        self.addresses.next()
    }

    /// What was not read.
    pub(crate) fn into_rest(mut self) -> Packet {
        self.bytes.drain(..self.position);
        Packet {
            heads: self.heads,
            bytes: self.bytes,
            addresses: self.addresses.collect(),
            attachments: self.attachments.into_iter().flatten().collect(),
            residents: self.residents,
            lost: self.lost,
        }
    }

    /// What the packet refers to.
    pub(crate) fn residents(&self) -> &Residents {
        &self.residents
    }

    /// Reads the last value: all that is left.
    pub(crate) fn last<T: DeserializeOwned>(mut self) -> Result<T, Error> {
        self.read(true)
    }

    /// Succeeds if everything was read.
    pub(crate) fn finish(&self) -> Result<(), Error> {
        all_read(self.bytes.len() - self.position, self.addresses.len(), &self.attachments)
    }
}
