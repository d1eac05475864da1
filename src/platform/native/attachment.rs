//! A value that travels beside the bytes: moved, not encoded.

use std::any::Any;
#[cfg(feature = "transport")]
use std::any::TypeId;
use std::fmt;

use super::place::here;
use crate::error::Error;
use crate::platform::{Endpoint, NoRoom, Place, room};

/// A boxed value, moved to the other side.
pub struct Attachment(Box<dyn Value>);

trait Value: Any + Send + Sync {
    fn clone_boxed(&self) -> Result<Box<dyn Value>, Error>;
    fn into_any(self: Box<Self>) -> Box<dyn Any>;

    /// It goes there.
    fn moved(&self, _to: Place) {}
}

impl Value for Box<dyn Endpoint> {
    fn clone_boxed(&self) -> Result<Box<dyn Value>, Error> {
        Ok(Box::new(self.try_clone()?))
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }

    fn moved(&self, to: Place) {
        (**self).moved(to);
    }
}

impl<N: Number> Value for Vec<N> {
    fn clone_boxed(&self) -> Result<Box<dyn Value>, Error> {
        Ok(Box::new(room::copy(self)?))
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

impl Attachment {
    /// An end that is to be elsewhere.
    pub(crate) fn of_end(end: Box<dyn Endpoint>) -> Self {
        Attachment(Box::new(end))
    }

    /// The end itself, or `None` if the attachment is something else.
    pub(crate) fn into_end(self) -> Option<Box<dyn Any>> {
        let end = self.0.into_any().downcast::<Box<dyn Endpoint>>().ok()?;
        Endpoint::moved(&**end, here());
        Some(Endpoint::into_any(*end))
    }

    /// It is posted to that place.
    pub(super) fn moved(&self, to: Place) {
        self.0.moved(to);
    }

    /// None: natively an end crosses as what it is, and nobody is told.
    #[expect(clippy::unused_self, reason = "the seam; on the web they are told of ahead")]
    pub(crate) fn end(&self) -> Option<&dyn Endpoint> {
        None
    }

    /// It is in something that all threads share.
    pub(crate) fn is_shared(&self) {
        self.0.moved(Place::HERE);
    }

    /// Nothing is to be done.
    pub(crate) fn settle(self) -> Self {
        self
    }

    /// Copies numbers into an attachment.
    pub(crate) fn from_slice<N: Number>(numbers: &[N]) -> Result<Self, NoRoom> {
        Ok(Attachment(Box::new(room::copy(numbers)?)))
    }

    /// Moves the numbers out, or gives `None` if the attachment is something else.
    #[expect(clippy::unnecessary_wraps, reason = "the seam; on the web there may be no memory for them")]
    pub(crate) fn into_vec<N: Number>(self) -> Result<Option<Vec<N>>, NoRoom> {
        Ok(self.0.into_any().downcast().ok().map(|numbers| *numbers))
    }

    /// True if it is what [`into_vec`](Self::into_vec) gives as numbers of this type.
    #[cfg(feature = "transport")]
    pub(crate) fn is_vec_of<N: Number>(&self) -> bool {
        (*self.0).type_id() == TypeId::of::<Vec<N>>()
    }

    /// True if posting moves it: always, since a copy costs as much as what it holds.
    #[expect(clippy::unused_self, reason = "the seam; on the web some values are cloned")]
    pub(crate) fn moves(&self) -> bool {
        true
    }

    /// Always well: it is moved.
    #[expect(
        clippy::unused_self,
        clippy::unnecessary_wraps,
        reason = "the seam; on the web some values are cloned"
    )]
    pub(crate) fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    /// A second attachment with the same value, to send it again.
    pub(crate) fn try_clone(&self) -> Result<Self, Error> {
        Ok(Attachment((*self.0).clone_boxed()?))
    }
}

impl fmt::Debug for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Attachment")
    }
}

/// A number of which whole slices travel.
pub trait Number: Copy + Send + Sync + 'static {}

macro_rules! numbers {
    ($($number:ty)*) => {
        $(impl Number for $number {})*
    };
}

numbers!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize f32 f64);
