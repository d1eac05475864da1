//! A task that is run by its own handle.

use std::sync::{Arc, Weak};
use std::task::Context;

use futures::FutureExt;
use futures::future::LocalBoxFuture;
use futures::task::noop_waker_ref;

use super::lazy::{self, Lazy, NestedPoll};
use super::reply::ReplySlot;
use crate::error::Error;

/// A task that was given to its handle.
pub(crate) struct InHandle(pub(super) Weak<ReplySlot>);

impl InHandle {
    /// True if it has no result yet and its handle is there.
    pub(crate) fn is_waiting(&self) -> bool {
        self.0.upgrade().is_some_and(|slot| slot.is_waiting())
    }

    /// Takes it out of its handle, if it has not begun and is wanted.
    pub(crate) fn begin(&self) -> Option<LocalBoxFuture<'static, ()>> {
        match self.0.upgrade()?.take_lazy()? {
            Lazy::Unbegun(begin, _) => Some(begin()),
            Lazy::Begun(_) => None,
        }
    }

    /// Has it run beside the other futures of this thread, which MUST have a pool for them; its handle only waits then.
    pub(crate) fn release(&self) {
        if let Some(lazy) = self.0.upgrade().and_then(|slot| slot.take_lazy_here()) {
            lazy.detach();
        }
    }
}

/// Runs the task of a slot, if it has one that is synchronous and has not begun. False if not.
pub(super) fn run(slot: &ReplySlot) -> bool {
    let Some(Lazy::Unbegun(begin, _)) = slot.take_lazy_sync() else { return false };
    match NestedPoll::enter() {
        // It is ready at once.
        Ok(_nested) => drop(begin().poll_unpin(&mut Context::from_waker(noop_waker_ref()))),
        Err(too_deep) => slot.answer(Err(too_deep)),
    }
    true
}

/// Polls the task of a slot, if it has one here. False if it has none: it runs elsewhere.
pub(super) fn drive(slot: &Arc<ReplySlot>, context: &mut Context<'_>) -> bool {
    let Some(lazy) = slot.take_lazy() else { return false };
    let _nested = match NestedPoll::enter() {
        Ok(nested) => nested,
        Err(too_deep) => {
            slot.answer(Err(too_deep));
            lazy.discard();
            return true;
        }
    };
    let number = lazy.begin(slot.clone());
    // Its handle is here, polled.
    drop(slot.put_lazy(Lazy::Begun(number)));
    let mut future = match lazy::take_future(number) {
        Some(Some(future)) => future,
        // It is being polled, and what it runs polls its own handle.
        Some(None) => return true,
        None => {
            slot.answer(Err(Error::worker_lost(
                "it began on another thread and cannot leave it; poll its handle on one thread only",
            )));
            lazy::orphan();
            return true;
        }
    };
    let ended = future.as_mut().poll(context).is_ready();
    lazy::put_back(number, future, ended || !slot.is_waiting());
    true
}
