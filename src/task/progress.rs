//! How far the chunk that runs on this thread has come.
//!
//! A panic takes what lies on the stack. So a [chunk](super::chunk) keeps its outcomes here until it has ended. The code that
//! handles the panic, after the unwinding or within the hook where panics abort, [`rescue`]s them.

use std::cell::RefCell;
use std::mem::{self, ManuallyDrop};
use std::vec;

use super::entry::Outcome;
use crate::error::Error;
use crate::platform::Packet;

/// How far a chunk has come.
pub(super) struct Progress {
    pub(super) outcomes: Vec<Outcome>,
    /// What has not begun.
    pub(super) items: vec::IntoIter<Packet>,
    /// Encodes what there is to report after a panic. By this address, only programs with chunks have its code.
    rescue: fn(Self, Error) -> Packet,
}

/// Where the chunk that runs on this thread keeps its [`Progress`].
struct ChunkSlot {
    /// How many tasks run here within one another: a task of the worker may run others itself, by [`Job::run`](super::Job::run).
    depth: u32,
    progress: Option<Progress>,
}

impl ChunkSlot {
    const EMPTY: Self = Self { depth: 0, progress: None };
}

thread_local! {
    /// Not dropped with the thread, whose own values may run tasks when they are: each chunk takes out what it put in.
    static CHUNK: RefCell<ManuallyDrop<ChunkSlot>> = const { RefCell::new(ManuallyDrop::new(ChunkSlot::EMPTY)) };
}

impl Progress {
    /// Begins a chunk with these items. `rescue` encodes what it has to report if one of them panics.
    pub(super) fn begin(items: Vec<Packet>, rescue: fn(Self, Error) -> Packet) {
        let outcomes = Vec::with_capacity(items.len());
        let progress = Self { outcomes, items: items.into_iter(), rescue };
        CHUNK.with_borrow_mut(|slot| slot.progress = Some(progress));
    }

    /// The next item, and whether it is the last.
    pub(super) fn next() -> Option<(Packet, bool)> {
        CHUNK.with_borrow_mut(|slot| {
            let items = &mut slot.progress.as_mut()?.items;
            Some((items.next()?, items.len() == 0))
        })
    }

    pub(super) fn add(outcome: Outcome) {
        CHUNK.with_borrow_mut(|slot| {
            if let Some(progress) = &mut slot.progress {
                progress.outcomes.push(outcome);
            }
        });
    }

    /// Ends the chunk.
    pub(super) fn take() -> Option<Self> {
        CHUNK.with_borrow_mut(|slot| slot.progress.take())
    }
}

/// What the task of this worker that has panicked gives all the same, if it is a chunk.
pub(crate) fn rescue(panic: Error) -> Option<Packet> {
    let progress = CHUNK.with_borrow_mut(|slot| if slot.depth == 0 { slot.progress.take() } else { None })?;
    Some((progress.rescue)(progress, panic))
}

/// Begins a task within the code of another, whose progress it leaves alone, until this is dropped.
pub(super) struct NestedScope(ChunkSlot);

impl NestedScope {
    pub(super) fn enter() -> Self {
        Self(CHUNK.with_borrow_mut(|slot| {
            let depth = slot.depth + 1;
            mem::replace(&mut **slot, ChunkSlot { depth, progress: None })
        }))
    }

    /// As [`rescue`], for the task that was begun in here.
    pub(super) fn rescue(&self, panic: Error) -> Outcome {
        match Progress::take() {
            Some(progress) => Ok((progress.rescue)(progress, panic)),
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
