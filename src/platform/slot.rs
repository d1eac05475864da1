//! What a thread keeps for longer than its own values.

use std::cell::Cell;
use std::mem::ManuallyDrop;

/// A value of a thread that code of others can reach also when the thread ends and drops its own values: to use one that is
/// gone would be a panic, and end the process. So this one is not dropped with the thread: what is put in MUST be taken out.
pub(crate) struct ThreadSlot<T>(Cell<ManuallyDrop<T>>);

impl<T> ThreadSlot<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(Cell::new(ManuallyDrop::new(value)))
    }

    /// Puts a value in, and takes out what was there.
    pub(crate) fn replace(&self, value: T) -> T {
        ManuallyDrop::into_inner(self.0.replace(ManuallyDrop::new(value)))
    }

    /// Puts a value in, and drops what was there.
    pub(crate) fn set(&self, value: T) {
        drop(self.replace(value));
    }
}

impl<T: Default> ThreadSlot<T> {
    /// Takes out what is there.
    pub(crate) fn take(&self) -> T {
        self.replace(T::default())
    }
}

impl<T: Default + Clone> ThreadSlot<T> {
    /// A copy of what is there.
    pub(crate) fn get(&self) -> T {
        let value = self.take();
        self.set(value.clone());
        value
    }
}
