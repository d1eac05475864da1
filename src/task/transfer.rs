//! Bulk data beside the bytes.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::platform::{Attachment, NoRoom, Number};

pub(crate) use super::codec::side_table;

/// Bulk data that is moved to the other side instead of being encoded element by element.
///
/// In a task's arguments and result, anywhere inside them, `Transfer(v)` travels as one block beside the encoded
/// bytes. On the web it is copied once out of the sender's linear memory, handed over as a transferable object, and
/// copied once into the receiver's; natively it is copied once. Use it for more than a few kilobytes of numbers: without it a
/// `Vec<u32>` is encoded number by number, which takes many times as long. A `Vec` of `u8`, `i8`, `f32` or `f64` is copied into
/// the encoded bytes and out of them, which costs two copies more.
///
/// `T` is `Vec<N>` or `Box<[N]>`, where `N` is one of `u8`, `u16`, `u32`, `u64`, `usize`, `i8`, `i16`, `i32`, `i64`,
/// `isize`, `f32` and `f64`; on the web it may also be a `Js<T>`. All bits arrive as they were, those of a NaN too.
///
/// # Errors
///
/// If there is no memory for the block, here or there, the task's error [`is_codec`](crate::Error::is_codec) and names its size.
///
/// `Transfer` is serializable only by this crate. Other serializers and deserializers, such as `serde_json`, get an
/// error with a text that says so; give them the value inside.
///
/// # Examples
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use wasm_mt::{Thread, Transfer, remote};
///
/// #[derive(Serialize, Deserialize)]
/// struct Image {
///     width: u32,
///     pixels: Transfer<Vec<u8>>,
/// }
///
/// # wasm_mt::run(async {
/// let mut image = Image { width: 1000, pixels: Transfer(vec![0; 1_000_000]) };
/// let inverted = remote!(move || {
///     image.pixels.0.iter_mut().for_each(|pixel| *pixel = 255 - *pixel);
///     image
/// });
/// let image = Thread::new().spawn_remote(inverted).await?;
/// assert_eq!(image.pixels.0[0], 255);
/// # Ok::<_, wasm_mt::Error>(())
/// # });
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Transfer<T>(pub T);

/// What [`Transfer`] can carry: `Vec<N>` and `Box<[N]>` of numbers, and on the web `Js<T>`.
///
/// Sealed: the list is closed.
///
/// ```
/// # use wasm_mt::{Remote, Transfer, Transferable};
/// fn there_and_back<T: Transferable + 'static>(block: T) -> Remote<Transfer<T>> {
///     Remote::new(Transfer(block), |block| block)
/// }
///
/// # wasm_mt::run(async {
/// assert_eq!(there_and_back(vec![0.5, 1.5]).await?.0, [0.5, 1.5]);
/// # Ok::<_, wasm_mt::Error>(())
/// # });
/// ```
#[diagnostic::on_unimplemented(
    message = "`Transfer` cannot carry a `{Self}`",
    label = "neither a `Vec` or boxed slice of numbers nor, on the web, a `Js`",
    note = "serde types need no `Transfer`: send the value itself"
)]
pub trait Transferable: sealed::Attach {}

pub(crate) mod sealed {
    use crate::platform::{Attachment, NoRoom};

    pub trait Attach: Sized {
        #[doc(hidden)]
        fn attach(&self) -> Result<Attachment, NoRoom>;

        /// `None` if it is of another type.
        #[doc(hidden)]
        fn detach(attachment: Attachment) -> Result<Option<Self>, NoRoom>;
    }
}

impl<N: Number> Transferable for Vec<N> {}

impl<N: Number> sealed::Attach for Vec<N> {
    fn attach(&self) -> Result<Attachment, NoRoom> {
        Attachment::from_slice(self)
    }

    fn detach(attachment: Attachment) -> Result<Option<Self>, NoRoom> {
        attachment.into_vec()
    }
}

impl<N: Number> Transferable for Box<[N]> {}

impl<N: Number> sealed::Attach for Box<[N]> {
    fn attach(&self) -> Result<Attachment, NoRoom> {
        Attachment::from_slice(self)
    }

    fn detach(attachment: Attachment) -> Result<Option<Self>, NoRoom> {
        Ok(attachment.into_vec()?.map(Vec::into_boxed_slice))
    }
}

impl<T: Transferable> Serialize for Transfer<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        side_table::serialize(serializer, "Transfer", || self.0.attach())
    }
}

impl<'de, T: Transferable> Deserialize<'de> for Transfer<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        side_table::deserialize(deserializer, "Transfer", T::detach).map(Transfer)
    }
}
