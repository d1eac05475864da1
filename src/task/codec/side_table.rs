//! How a value leaves the bytes for another lane, and comes back.
//!
//! Serde knows no such thing, so a newtype with a name of ours stands for it. Our writer knows the name: it opens
//! the slot, lets the newtype's content serialize itself, and finds in the slot what goes into the lane; only its
//! index is written. Our reader takes the value from the lane, puts it into the slot, and the newtype's visitor takes
//! it from there. Any other serializer or deserializer does not open the slot, and gets an error text instead.
//!
//! The slot is open only while that one newtype is visited, and is restored by a guard, also in a panic. A newtype
//! that merely borrows the name gains nothing: it may put no value into the slot (then it is an ordinary newtype),
//! or leave one there (then it is dropped). What an attachment is, is checked where it is taken.
//!
//! A further lane needs a name of its own and a further kind of `Filled`.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error as _, Visitor};
use serde::ser::Error as _;
use serde::{Deserializer, Serialize, Serializer};

use super::scope::Scope;
use crate::platform::{Attachment, NoRoom, Resident, Residents, ThreadSlot};

/// The newtype that stands for an attachment.
pub(super) const ATTACHMENT: &str = "$wasm_mt::Attachment";

#[derive(Default)]
enum AttachmentSlot {
    /// Nobody asks.
    #[default]
    Closed, // -> Open, by the writer; -> Filled, by the reader
    /// The writer asks for a value.
    Open, // -> Filled, by the value
    /// A value on its way between a lane and its type.
    Filled(Attachment), // -> Closed, by the taker
}

thread_local! {
    static ATTACHMENT_SLOT: ThreadSlot<AttachmentSlot> = const { ThreadSlot::new(AttachmentSlot::Closed) };
}

/// Runs the serialization of a value, and gives what it put into the slot.
pub(super) fn collect<E>(serialize: impl FnOnce() -> Result<(), E>) -> Result<Option<Attachment>, E> {
    let _scope = Scope::enter(&ATTACHMENT_SLOT, AttachmentSlot::Open);
    serialize()?;
    Ok(match ATTACHMENT_SLOT.with(ThreadSlot::take) {
        AttachmentSlot::Filled(attachment) => Some(attachment),
        AttachmentSlot::Open | AttachmentSlot::Closed => None,
    })
}

/// Runs the deserialization of a value that finds the attachment in the slot.
pub(super) fn deliver<T>(attachment: Attachment, deserialize: impl FnOnce() -> T) -> T {
    let _scope = Scope::enter(&ATTACHMENT_SLOT, AttachmentSlot::Filled(attachment));
    deserialize()
}

/// Serializes a value of type `name` as an attachment.
pub(crate) fn serialize<S: Serializer, E: fmt::Display>(
    serializer: S,
    name: &'static str,
    attach: impl Fn() -> Result<Attachment, E>,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_newtype_struct(ATTACHMENT, &AttachmentOffer { name, attach })
}

struct AttachmentOffer<F> {
    name: &'static str,
    attach: F,
}

impl<E: fmt::Display, F: Fn() -> Result<Attachment, E>> Serialize for AttachmentOffer<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match ATTACHMENT_SLOT.with(ThreadSlot::take) {
            AttachmentSlot::Open => {
                let attachment = (self.attach)().map_err(S::Error::custom)?;
                ATTACHMENT_SLOT.with(|slot| slot.set(AttachmentSlot::Filled(attachment)));
                serializer.serialize_unit()
            }
            other => {
                ATTACHMENT_SLOT.with(|slot| slot.set(other));
                Err(S::Error::custom(foreign(self.name)))
            }
        }
    }
}

/// Deserializes a value of type `name` from an attachment; `detach` gives `None` if it is of another type.
pub(crate) fn deserialize<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    name: &'static str,
    detach: impl FnOnce(Attachment) -> Result<Option<T>, NoRoom>,
) -> Result<T, D::Error> {
    deserializer
        .deserialize_newtype_struct(ATTACHMENT, AttachmentVisitor { name, detach, value: PhantomData })
}

struct AttachmentVisitor<F, T> {
    name: &'static str,
    detach: F,
    value: PhantomData<fn() -> T>,
}

impl<'de, F: FnOnce(Attachment) -> Result<Option<T>, NoRoom>, T> Visitor<'de> for AttachmentVisitor<F, T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a `{}` in a task's arguments or result", self.name)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, _: D) -> Result<T, D::Error> {
        match ATTACHMENT_SLOT.with(ThreadSlot::take) {
            AttachmentSlot::Filled(attachment) => {
                (self.detach)(attachment).map_err(D::Error::custom)?.ok_or_else(|| {
                    D::Error::custom(format_args!(
                        "the attachment is no `{}`; let `Serialize` and `Deserialize` of the type agree",
                        std::any::type_name::<T>()
                    ))
                })
            }
            other => {
                ATTACHMENT_SLOT.with(|slot| slot.set(other));
                Err(D::Error::custom(foreign(self.name)))
            }
        }
    }
}

thread_local! {
    /// What the value that is being encoded refers to.
    static REFERRED: ThreadSlot<Residents> = const { ThreadSlot::new(Residents::NONE) };
}

/// The value that is being encoded, by our own serializer, refers to this one.
pub(crate) fn refer(resident: Resident) {
    REFERRED.with(|slot| {
        let mut referred = slot.take();
        referred.push(resident);
        slot.set(referred);
    });
}

/// What the value that was encoded refers to.
pub(super) fn take_referred() -> Residents {
    REFERRED.with(ThreadSlot::take)
}

pub(crate) fn foreign(name: &str) -> String {
    format!(
        "`{name}` travels only through wasm-mt, in a task's arguments or result; \
         give other formats the value inside it"
    )
}
