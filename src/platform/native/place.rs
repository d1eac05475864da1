//! Which worker this thread is.

use std::cell::OnceCell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use futures::future::AbortHandle;

use crate::platform::Place;

thread_local! {
    /// The worker that this thread is, and what ends it.
    static WORKER: OnceCell<(Place, AbortHandle)> = const { OnceCell::new() };
}

/// The place of a new worker.
pub(super) fn next() -> Place {
    static LAST: AtomicU64 = AtomicU64::new(0);
    Place::from_number(LAST.fetch_add(1, Ordering::Relaxed) + 1)
}

/// This thread is a worker, from now on.
pub(super) fn enter(place: Place, end: AbortHandle) {
    WORKER.with(|worker| {
        worker.get_or_init(|| (place, end));
    });
}

/// Where what this thread has is: with a worker, or with none.
pub(crate) fn here() -> Place {
    let place = WORKER.try_with(|worker| worker.get().map(|(place, _)| *place));
    place.ok().flatten().unwrap_or(Place::HERE)
}

/// True if this thread drops what its code did not let go of: in a panic, or because its worker was ended.
pub(crate) fn is_lost() -> bool {
    let has_ended = || WORKER.try_with(|worker| worker.get().is_some_and(|(_, end)| end.is_aborted()));
    thread::panicking() || has_ended().unwrap_or(true)
}
