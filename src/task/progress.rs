//! How far the chunk that runs on this thread has come.
//!
//! A panic takes what lies on the stack. So a [chunk](super::chunk) that runs is known here too. The code that
//! handles the panic, after the unwinding or within the hook where panics abort, [`rescue`]s what it has.

use std::cell::RefCell;
use std::mem::{self, ManuallyDrop};
use std::rc::Rc;

use crate::error::Error;
use crate::platform::Packet;

/// A chunk that runs. By this trait, only programs with chunks have their code.
pub(super) trait Rescue {
    /// What there is to report though one of its items has panicked.
    fn rescue(&self, panic: Error) -> Packet;
}

/// Where the chunk that runs on this thread is known.
struct ChunkSlot {
    /// How many tasks run here within one another: a task of the worker may run others itself, by [`Job::run`](super::Job::run).
    depth: u32,
    chunk: Option<Rc<dyn Rescue>>,
}

impl ChunkSlot {
    const EMPTY: Self = Self { depth: 0, chunk: None };
}

thread_local! {
    /// Not dropped with the thread, whose own values may run tasks when they are: each chunk takes out what it put in.
    static CHUNK: RefCell<ManuallyDrop<ChunkSlot>> = const { RefCell::new(ManuallyDrop::new(ChunkSlot::EMPTY)) };
}

/// True if the task that runs here is within another.
pub(super) fn is_nested() -> bool {
    CHUNK.with_borrow(|slot| slot.depth > 0)
}

/// Begins a chunk.
pub(super) fn begin(chunk: Rc<dyn Rescue>) {
    CHUNK.with_borrow_mut(|slot| slot.chunk = Some(chunk));
}

/// Ends it.
pub(super) fn end() -> Option<Rc<dyn Rescue>> {
    CHUNK.with_borrow_mut(|slot| slot.chunk.take())
}

/// What the task of this worker that has panicked gives all the same, if it is a chunk.
pub(crate) fn rescue(panic: Error) -> Option<Packet> {
    let chunk = CHUNK.with_borrow_mut(|slot| if slot.depth == 0 { slot.chunk.take() } else { None })?;
    Some(chunk.rescue(panic))
}

/// Begins a task within the code of another, whose progress it leaves alone, until this is dropped.
pub(super) struct NestedScope(ChunkSlot);

impl NestedScope {
    pub(super) fn enter() -> Self {
        Self(CHUNK.with_borrow_mut(|slot| {
            let depth = slot.depth + 1;
            mem::replace(&mut **slot, ChunkSlot { depth, chunk: None })
        }))
    }

    /// As [`rescue`], for the task that was begun in here.
    pub(super) fn rescue(&self, panic: Error) -> Result<Packet, Error> {
        match end() {
            Some(chunk) => Ok(chunk.rescue(panic)),
            None => Err(panic),
        }
    }
}

impl Drop for NestedScope {
    fn drop(&mut self) {
        let outer = mem::replace(&mut self.0, ChunkSlot::EMPTY);
        let inner = CHUNK.with_borrow_mut(|slot| mem::replace(&mut **slot, outer));
        drop(inner);
    }
}
