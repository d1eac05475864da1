//! What the strict deserializer reads from: the lanes of a packet, and how deep in a value it is.

use std::{ptr, vec};

use serde::Deserialize;

use crate::platform::{Address, Attachment};

use super::depth::Depth;
use super::fault::{AGREE, Fault};
use super::fingerprint;

/// Elements that take nothing of a packet are as many as their sequence says. So much memory those of a value may take, each a
/// byte at least.
const MOST_EMPTY: usize = 1 << 20;

/// How much of a packet is left.
#[derive(Clone, Copy, Default, PartialEq)]
pub(super) struct Left {
    bytes: usize,
    /// Those of trait objects, which may take no bytes.
    addresses: usize,
}

pub(super) struct Reader<'de, 'l> {
    bytes: &'de [u8],
    pub(super) addresses: &'l mut vec::IntoIter<Address>,
    attachments: &'l mut [Option<Attachment>],
    /// Sequences, maps and all with fields set it for each of their parts; so it is never set back.
    pub(super) depth: Depth,
    /// How many elements of the sequences around are to come, of those that have a byte each.
    promised: usize,
    /// How much of [`MOST_EMPTY`] is left.
    empty_left: usize,
    /// The names of the last struct and their byte: the next one is often of the same type.
    names: &'static [&'static str],
    fingerprint: u8,
}

impl<'de, 'l> Reader<'de, 'l> {
    pub(super) fn new(
        bytes: &'de [u8],
        addresses: &'l mut vec::IntoIter<Address>,
        attachments: &'l mut [Option<Attachment>],
    ) -> Self {
        Reader {
            bytes,
            addresses,
            attachments,
            depth: Depth::default(),
            promised: 0,
            empty_left: MOST_EMPTY,
            names: &[],
            fingerprint: fingerprint::FieldNames::default().byte(),
        }
    }

    pub(super) fn bytes_left(&self) -> usize {
        self.bytes.len()
    }

    #[inline]
    pub(super) fn leaf<T: Deserialize<'de>>(&mut self) -> Result<T, Fault> {
        let (value, rest) = postcard::take_from_bytes(self.bytes)?;
        self.bytes = rest;
        Ok(value)
    }

    /// The next bytes: so many elements of this size.
    #[inline]
    pub(super) fn bytes(&mut self, length: usize, size: usize) -> Result<&'de [u8], Fault> {
        let (bytes, rest) = length
            .checked_mul(size)
            .and_then(|length| self.bytes.split_at_checked(length))
            .ok_or(postcard::Error::DeserializeUnexpectedEnd)?;
        self.bytes = rest;
        Ok(bytes)
    }

    /// Goes into a struct, a tuple or a newtype.
    #[inline]
    pub(super) fn enter_part(&mut self) -> Result<(), Fault> {
        self.depth = self.depth.part()?;
        Ok(())
    }

    /// Goes into what a recursive type passes at each turn.
    #[inline]
    pub(super) fn enter_turn(&mut self) -> Result<(), Fault> {
        self.depth = self.depth.turn()?;
        Ok(())
    }

    /// How much is left of what an element must take some of, lest there be more of them than the packet can hold.
    #[inline]
    pub(super) fn left(&self) -> Left {
        Left { bytes: self.bytes.len(), addresses: self.addresses.len() }
    }

    /// True if so many elements may have a byte each, beside those of the sequences around.
    #[inline]
    pub(super) fn backs(&self, length: usize) -> bool {
        length <= self.bytes.len().saturating_sub(self.promised)
    }

    /// Promises a byte to each of so many elements.
    #[inline]
    pub(super) fn promise(&mut self, elements: usize) {
        self.promised += elements;
    }

    /// One of these elements is read.
    #[inline]
    pub(super) fn keep_promise(&mut self) {
        self.promised -= 1;
    }

    /// Allows an element of this size that has taken nothing.
    #[cold]
    pub(super) fn allow_empty(&mut self, size: usize) -> Result<(), Fault> {
        self.empty_left = self.empty_left.checked_sub(size.max(1)).ok_or_else(Fault::too_many)?;
        Ok(())
    }

    pub(super) fn attachment(&mut self) -> Result<Attachment, Fault> {
        let index: usize = self.leaf()?;
        let attachment = self.attachments.get_mut(index).and_then(Option::take);
        attachment.ok_or_else(|| Fault::new(format!("there is no such attachment; {AGREE}")))
    }

    #[inline]
    pub(super) fn fingerprint_of(&mut self, names: &'static [&'static str]) -> u8 {
        if !ptr::eq(names, self.names) {
            self.names = names;
            self.fingerprint = fingerprint::FieldNames::of(names).byte();
        }
        self.fingerprint
    }
}
