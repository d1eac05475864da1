//! What is followed from place to place: attachments that are ends of something.
//!
//! The end of a channel is in one place at a time: here, on its way, or with a worker. Whoever owns the other ends has to know
//! that, also when a worker is lost. So an end tells where it goes when it is posted.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::mem;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::OnceLock;

use crate::error::Error;

/// Where an end is, as this memory sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place(pub(super) u64);

impl Place {
    /// In this memory; natively, with no worker.
    pub(crate) const HERE: Self = Self(0);
    /// With the page of this worker, or further up.
    pub(crate) const ABOVE: Self = Self(u64::MAX);
    /// In none.
    pub(crate) const NOWHERE: Self = Self(u64::MAX - 1);

    pub(crate) fn number(self) -> u64 {
        self.0
    }

    /// The place that has this number.
    pub(crate) fn from_number(number: u64) -> Self {
        Self(number)
    }
}

/// The end of something. By this trait, only programs that have such ends have their code.
pub(crate) trait Endpoint: Send + Sync + UnwindSafe + RefUnwindSafe + fmt::Debug {
    /// What it is an end of, and which: below 2^53. Those with the same name can stand for one another.
    fn name(&self) -> u64;

    /// One more. Of some there is one only.
    fn try_clone(&self) -> Result<Box<dyn Endpoint>, Error>;

    /// It was posted to this place, or has arrived in it.
    fn moved(&self, to: Place);

    fn as_any(&self) -> &dyn Any;

    fn into_any(self: Box<Self>) -> Box<dyn Any>;
}

/// Who is told that a worker is gone, if anybody wants to know.
static ON_GONE: OnceLock<fn(Place)> = OnceLock::new();

/// Has this called, from now on, for each worker that is gone, where no lock is held.
pub(crate) fn on_gone(tell: fn(Place)) {
    ON_GONE.get_or_init(|| tell);
}

/// A worker is gone.
pub(super) fn gone(place: Place) {
    if let Some(tell) = ON_GONE.get() {
        tell(place);
    }
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
