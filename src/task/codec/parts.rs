//! The parts of what is read: elements of sequences, entries of maps, fields of structs and tuples.

use serde::de::{self, DeserializeSeed};

use super::depth::Depth;
use super::fault::Fault;
use super::reader::{Left, Reader};

/// Elements of a sequence, or entries of a map.
pub(super) struct ElementReader<'r, 'de, 'l> {
    reader: &'r mut Reader<'de, 'l>,
    depth: Depth,
    pub(super) left: usize,
    /// Each may have a byte: then their number is believed for an allocation.
    backed: bool,
    /// What was left before the last element, or before the key of the last entry.
    before: Left,
}

impl<'r, 'de, 'l> ElementReader<'r, 'de, 'l> {
    #[inline]
    pub(super) fn new(reader: &'r mut Reader<'de, 'l>, left: usize) -> Self {
        let backed = reader.backs(left);
        if backed {
            reader.promise(left);
        }
        Self { depth: reader.depth, reader, left, backed, before: Left::default() }
    }

    #[inline]
    fn hint(&self) -> Option<usize> {
        self.backed.then_some(self.left)
    }

    #[inline]
    fn element<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        if self.backed {
            self.reader.keep_promise();
        }
        self.before = self.reader.left();
        self.reader.depth = self.depth;
        let result = seed.deserialize(&mut *self.reader);
        self.count_if_empty(size_of::<S::Value>())?;
        result.map(Some)
    }

    /// Nothing but its own size bounds an element that takes nothing.
    #[inline]
    fn count_if_empty(&mut self, size: usize) -> Result<(), Fault> {
        if self.reader.left() == self.before { self.reader.allow_empty(size) } else { Ok(()) }
    }
}

impl<'de> de::SeqAccess<'de> for &mut ElementReader<'_, 'de, '_> {
    type Error = Fault;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        self.element(seed)
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        self.hint()
    }
}

impl<'de> de::MapAccess<'de> for &mut ElementReader<'_, 'de, '_> {
    type Error = Fault;

    #[inline]
    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        self.element(seed)
    }

    #[inline]
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        self.reader.depth = self.depth;
        let result = seed.deserialize(&mut *self.reader);
        self.count_if_empty(size_of::<S::Value>())?;
        result
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        self.hint()
    }
}

/// Fields of a struct or tuple.
pub(super) struct FieldReader<'r, 'de, 'l> {
    reader: &'r mut Reader<'de, 'l>,
    depth: Depth,
    owner: &'static str,
    /// Empty for a tuple.
    names: &'static [&'static str],
    length: usize,
    pub(super) left: usize,
}

impl<'r, 'de, 'l> FieldReader<'r, 'de, 'l> {
    #[inline]
    pub(super) fn new(
        reader: &'r mut Reader<'de, 'l>,
        owner: &'static str,
        names: &'static [&'static str],
        length: usize,
    ) -> Self {
        Self { depth: reader.depth, reader, owner, names, length, left: length }
    }

    /// Nothing is left. Where more names are known than were written, that may be no end: some may be aliases, but they may also
    /// be fields that are not written, and a type with defaults would take the end for one of them and misread the others.
    #[cold]
    fn end(&self) -> Result<(), Fault> {
        if self.names.len() <= self.length { Ok(()) } else { Err(one_too_many(self.owner, self.length)) }
    }

    #[cold]
    fn note_field(&self, fault: &mut Fault) {
        if let Some(name) = self.names.get(self.length - self.left - 1) {
            if self.names.len() == self.length {
                fault.note_field(self.owner, name);
            }
        }
    }
}

impl<'de> de::SeqAccess<'de> for &mut FieldReader<'_, 'de, '_> {
    type Error = Fault;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        if self.left == 0 {
            return self.end().map(|()| None);
        }
        self.left -= 1;
        self.reader.depth = self.depth;
        let mut result = seed.deserialize(&mut *self.reader);
        if let Err(fault) = &mut result {
            self.note_field(fault);
        }
        result.map(Some)
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        self.reader.backs(self.left).then_some(self.left)
    }
}

#[cold]
fn one_too_many(owner: &str, length: usize) -> Fault {
    Fault::new(format!(
        "`{owner}` reads more than the {length} fields that it writes, as `skip_serializing` does; \
         skip on both sides with `#[serde(skip)]`"
    ))
}

/// What a visitor made, unless it has left some parts.
#[inline]
pub(super) fn whole<T>(result: Result<T, Fault>, owner: &str, left: usize) -> Result<T, Fault> {
    if left != 0 && result.is_ok() {
        return Err(not_all_read(owner, left));
    }
    result
}

#[cold]
fn not_all_read(owner: &str, left: usize) -> Fault {
    Fault::new(format!(
        "`{owner}` writes {left} more than it reads, as `skip_deserializing` does; \
         skip on both sides with `#[serde(skip)]`"
    ))
}
