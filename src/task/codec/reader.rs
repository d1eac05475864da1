//! What the strict deserializer reads from: the lanes of a packet, and how deep in a value it is.

use std::{ptr, vec};

use serde::Deserialize;

use crate::platform::{Address, Attachment};

use super::fault::{AGREE, Fault, MAX_DEPTH};
use super::fingerprint;

/// Elements that take no bytes are as many as their sequence says. So much memory those of a value may take, each a byte at
/// least.
const MOST_UNBACKED: usize = 1 << 20;

pub(super) struct Reader<'de, 'l> {
    bytes: &'de [u8],
    pub(super) addresses: &'l mut vec::IntoIter<Address>,
    attachments: &'l mut [Option<Attachment>],
    depth: u32,
    /// How many elements of the sequences around are to come, of those that have a byte each.
    promised: usize,
    /// How much of [`MOST_UNBACKED`] is left.
    unbacked: usize,
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
            depth: 0,
            promised: 0,
            unbacked: MOST_UNBACKED,
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

    #[inline]
    pub(super) fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        if self.depth == MAX_DEPTH {
            return Err(Fault::too_deep());
        }
        self.depth += 1;
        let value = read(self);
        self.depth -= 1;
        value
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

    /// Allows an element that no byte was promised to.
    pub(super) fn allow_unbacked(&mut self, size: usize) -> Result<(), Fault> {
        self.unbacked = self.unbacked.checked_sub(size.max(1)).ok_or_else(Fault::too_many)?;
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
