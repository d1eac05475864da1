//! Where the code of a module lies: in every instance in the same place.

use std::fs::File;
use std::io;
use std::ops::RangeInclusive;

/// The module that this crate is a part of.
pub(crate) struct Image {
    pub(crate) file: File,
    pub(crate) reach: RangeInclusive<isize>,
}

/// The place that distances count from: they are addresses.
pub(crate) fn anchor() -> usize {
    0
}

impl Image {
    /// Never: an instance cannot read its module.
    pub(crate) fn open() -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// All: whatever is no address within this instance, the engine finds.
    pub(crate) fn reach() -> io::Result<RangeInclusive<isize>> {
        Ok(isize::MIN..=isize::MAX)
    }
}
