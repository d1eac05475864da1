//! Memory for what crosses: where there is none, that is the value's error and not the end of the program.

use std::fmt;

use bytemuck::Zeroable;

use crate::error::Error;

/// There is no memory for so many bytes.
#[derive(Debug)]
pub struct NoRoom(pub(crate) u64);

impl NoRoom {
    /// For so many elements of this type.
    #[cold]
    pub(crate) fn of<T>(length: usize) -> Self {
        Self(length as u64 * size_of::<T>() as u64)
    }
}

impl fmt::Display for NoRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no memory for its {} bytes; send it in several parts", self.0)
    }
}

impl From<NoRoom> for Error {
    #[cold]
    fn from(no_room: NoRoom) -> Self {
        Error::codec(no_room.to_string())
    }
}

/// A copy of what may be much.
pub(crate) fn copy<T: Copy>(from: &[T]) -> Result<Vec<T>, NoRoom> {
    let mut to = Vec::new();
    to.try_reserve_exact(from.len()).map_err(|_| NoRoom::of::<T>(from.len()))?;
    to.extend_from_slice(from);
    Ok(to)
}

/// Place for so many numbers.
#[cfg_attr(not(target_family = "wasm"), expect(dead_code, reason = "natively what crosses is there already"))]
pub(crate) fn zeroed<T: Zeroable>(length: usize) -> Result<Vec<T>, NoRoom> {
    bytemuck::try_zeroed_vec(length).map_err(|()| NoRoom::of::<T>(length))
}
