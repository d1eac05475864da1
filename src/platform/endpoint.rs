//! What is followed from place to place: attachments that are ends of something.
//!
//! The end of a channel is in one place at a time: here, on its way, or with a worker. Whoever owns the other ends has to know
//! that, also when a worker is lost. So an end tells where it goes when it is posted.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError, Weak};

use super::packet::Packet;
use crate::error::Error;

/// Where an end is, as this memory sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place(pub(super) u64);

impl Place {
    /// In this memory; natively, with no worker.
    pub(crate) const HERE: Self = Self(0);
    /// With the page of this worker, or further up.
    pub(crate) const ABOVE: Self = Self(u64::MAX);

    pub(crate) fn number(self) -> u64 {
        self.0
    }

    /// The place that has this number.
    pub(crate) fn from_number(number: u64) -> Self {
        Self(number)
    }
}

/// The end of something. By this trait, only programs that have such ends have their code.
pub(crate) trait Endpoint: Send + Sync + fmt::Debug {
    /// What it is an end of, and which: below 2^53. Those with the same name can stand for one another.
    fn name(&self) -> u64;

    /// One more. Of some there is one only.
    fn try_clone(&self) -> Result<Box<dyn Endpoint>, Error>;

    #[cfg_attr(not(target_family = "wasm"), expect(dead_code, reason = "natively nothing leaves the memory"))]
    /// The calls that make it known in the memory above or below, to be run there before it is needed.
    fn announce(&self, above: bool) -> Vec<Packet>;

    /// It was posted to this place, or has arrived in it.
    fn moved(&self, to: Place);

    fn into_any(self: Box<Self>) -> Box<dyn Any>;
}

/// Who wants to know that a worker is gone.
pub(crate) trait Watch: Send + Sync {
    fn gone(&self, place: Place);
}

/// By the place that is watched. There are few.
static WATCHES: Mutex<Vec<(Place, Weak<dyn Watch>)>> = Mutex::new(Vec::new());

/// Has somebody told when this place is gone.
pub(crate) fn watch(place: Place, watch: Weak<dyn Watch>) {
    let mut watches = lock(&WATCHES);
    watches.retain(|(_, watch)| watch.strong_count() > 0);
    watches.push((place, watch));
}

/// A worker is gone. Called where no lock is held.
pub(super) fn gone(place: Place) {
    let watches = {
        let mut watches = lock(&WATCHES);
        let (gone, left) = mem::take(&mut *watches).into_iter().partition(|(watched, _)| *watched == place);
        *watches = left;
        let gone: Vec<(Place, Weak<dyn Watch>)> = gone;
        gone
    };
    for watch in watches.iter().filter_map(|(_, watch)| watch.upgrade()) {
        watch.gone(place);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

thread_local! {
    /// Ends that were announced to this memory and are not taken yet, by name.
    static ARRIVED: RefCell<mem::ManuallyDrop<Vec<Box<dyn Endpoint>>>> =
        const { RefCell::new(mem::ManuallyDrop::new(Vec::new())) };
}

/// An end has come, with a message that is about to be read.
pub(crate) fn arrive(end: Box<dyn Endpoint>) {
    ARRIVED.with_borrow_mut(|arrived| arrived.push(end));
}

/// One of the ends of this name that have come.
#[cfg_attr(not(target_family = "wasm"), expect(dead_code, reason = "natively ends cross as what they are"))]
pub(super) fn take_arrived(name: u64) -> Option<Box<dyn Endpoint>> {
    ARRIVED.with_borrow_mut(|arrived| {
        let place = arrived.iter().position(|end| end.name() == name)?;
        Some(arrived.remove(place))
    })
}

thread_local! {
    /// The worker whose calls run.
    static SENDER: Cell<Place> = const { Cell::new(Place::HERE) };
}

/// Runs calls that a worker has sent.
pub(crate) fn from(place: Place, code: impl FnOnce()) {
    let outer = SENDER.replace(place);
    code();
    SENDER.set(outer);
}

/// The worker that has sent the call that runs.
pub(crate) fn sender() -> Place {
    SENDER.get()
}
