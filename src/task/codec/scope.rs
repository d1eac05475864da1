//! A thread-local slot that is filled for a scope.

use std::thread::LocalKey;

use crate::platform::ThreadSlot;

/// Puts back what was in the slot when it is dropped, also in a panic.
pub(super) struct Scope<T: Default + 'static> {
    slot: &'static LocalKey<ThreadSlot<T>>,
    before: T,
}

impl<T: Default> Scope<T> {
    pub(super) fn enter(slot: &'static LocalKey<ThreadSlot<T>>, value: T) -> Self {
        Scope { slot, before: slot.with(|slot| slot.replace(value)) }
    }
}

impl<T: Default> Drop for Scope<T> {
    fn drop(&mut self) {
        let before = std::mem::take(&mut self.before);
        self.slot.with(|slot| slot.set(before));
    }
}
