//! A thread-local slot that is filled for a scope.

use std::cell::Cell;
use std::thread::LocalKey;

/// Puts back what was in the slot when it is dropped, also in a panic.
pub(super) struct Scope<T: Default + 'static> {
    slot: &'static LocalKey<Cell<T>>,
    before: T,
}

impl<T: Default> Scope<T> {
    pub(super) fn enter(slot: &'static LocalKey<Cell<T>>, value: T) -> Self {
        Scope { slot, before: slot.replace(value) }
    }
}

impl<T: Default> Drop for Scope<T> {
    fn drop(&mut self) {
        self.slot.set(std::mem::take(&mut self.before));
    }
}
