//! How a trait object gets hold of the writer, and out of the reader.
//!
//! A trait object is written by a function that knows its concrete type, but serde hides the serializer's. So an object
//! is written as a newtype with a name of ours, as attachments are ([`side_table`](super::side_table)), and our writer, when it sees that
//! name, is lent to the object as a whole: it moves into the slot, the object takes it from there and puts it back. In
//! the other direction the object says in the slot of which trait it is to be, and finds itself there, read. Any other
//! serializer or deserializer does neither, and the object gives an error text instead.
//!
//! The slot is restored by guards, also in a panic. A newtype that merely borrows the name is refused.

use std::any::{Any, TypeId};
use std::mem;

use super::fault::Fault;
use super::scope::Scope;
use super::writer::Writer;
use crate::platform::ThreadSlot;

/// The newtype that stands for a trait object.
pub(super) const OBJECT: &str = "$wasm_mt::Object";

#[derive(Default)]
enum WriterSlot {
    /// Nobody asks.
    #[default]
    Closed, // -> Lent, by the writer; -> Wanted, by an object; -> Read, by the reader
    /// The writer, for an object to write itself.
    Lent(Writer), // -> Closed, by the object while it writes, and by the writer
    /// The type of the object that the reader is to read.
    Wanted(TypeId), // -> Closed, by the reader
    /// An object that was read: a `Box<dyn Trait>`, boxed.
    Read(Box<dyn Any>), // -> Closed, by the object
}

thread_local! {
    static WRITER_SLOT: ThreadSlot<WriterSlot> = const { ThreadSlot::new(WriterSlot::Closed) };
}

/// Lends the writer to the object that serializes itself in `offer`. What else is written there is lost.
pub(super) fn lend(
    writer: &mut Writer,
    offer: impl FnOnce(&mut Writer) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let idle = writer.idle();
    let lent = LentWriter {
        before: WRITER_SLOT.with(|slot| slot.replace(WriterSlot::Lent(mem::replace(writer, idle)))),
        writer,
    };
    let offered = offer(&mut *lent.writer);
    drop(lent);
    writer.written.take().unwrap_or_else(|| offered.and_then(|()| Err(reserved())))
}

/// Gives the writer back to its owner.
struct LentWriter<'w> {
    writer: &'w mut Writer,
    before: WriterSlot,
}

impl Drop for LentWriter<'_> {
    fn drop(&mut self) {
        if let WriterSlot::Lent(writer) = WRITER_SLOT.with(|slot| slot.replace(mem::take(&mut self.before))) {
            *self.writer = writer;
        }
    }
}

/// The writer in the hands of an object; back in the slot when this is dropped.
pub(super) struct BorrowedWriter {
    pub(super) writer: Writer,
}

/// Takes the writer that is lent, if there is one and no object has used it.
pub(super) fn borrow() -> Option<BorrowedWriter> {
    match WRITER_SLOT.with(ThreadSlot::take) {
        WriterSlot::Lent(writer) if writer.written.is_none() => Some(BorrowedWriter { writer }),
        other => {
            WRITER_SLOT.with(|slot| slot.set(other));
            None
        }
    }
}

impl Drop for BorrowedWriter {
    fn drop(&mut self) {
        let idle = self.writer.idle();
        WRITER_SLOT.with(|slot| slot.set(WriterSlot::Lent(mem::replace(&mut self.writer, idle))));
    }
}

/// Runs a deserialization in which the reader finds out that a trait object of this type is wanted.
pub(super) fn want<T>(object: TypeId, deserialize: impl FnOnce() -> T) -> T {
    let _scope = Scope::enter(&WRITER_SLOT, WriterSlot::Wanted(object));
    deserialize()
}

/// The trait object that is wanted.
pub(super) fn wanted() -> Result<TypeId, Fault> {
    match WRITER_SLOT.with(ThreadSlot::take) {
        WriterSlot::Wanted(object) => Ok(object),
        other => {
            WRITER_SLOT.with(|slot| slot.set(other));
            Err(reserved())
        }
    }
}

/// Runs the deserialization of a trait object that finds itself in the slot.
pub(super) fn hand_over<T>(object: Box<dyn Any>, deserialize: impl FnOnce() -> T) -> T {
    let _scope = Scope::enter(&WRITER_SLOT, WriterSlot::Read(object));
    deserialize()
}

/// Takes the trait object that was read.
pub(super) fn receive() -> Option<Box<dyn Any>> {
    match WRITER_SLOT.with(ThreadSlot::take) {
        WriterSlot::Read(object) => Some(object),
        other => {
            WRITER_SLOT.with(|slot| slot.set(other));
            None
        }
    }
}

#[cold]
fn reserved() -> Fault {
    Fault::new(format!("the name `{OBJECT}` is reserved; give the newtype another one"))
}
