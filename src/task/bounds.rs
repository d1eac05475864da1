//! What bounds the code that runs on this thread: the time limit of its task, and whether its run was aborted.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::AbortHandle;

use crate::error::Error;
use crate::platform;

/// When a task has to have ended: the seconds of the clock, a number that little code computes, since every program has it.
/// Infinite if the task may take as long as it likes.
#[derive(Clone, Copy)]
pub(crate) struct TimeLimit(f64);

thread_local! {
    /// The limit of the code that runs here: the nearest, if it runs within other code.
    static CURRENT_LIMIT: Cell<TimeLimit> = const { Cell::new(TimeLimit::NONE) };
    /// The runs, within one another, of [`Job::run`](super::Job::run) here.
    static RUNS: RefCell<Vec<AbortHandle>> = const { RefCell::new(Vec::new()) };
}

impl TimeLimit {
    pub(crate) const NONE: Self = Self(f64::INFINITY);

    /// That of a task which began then.
    pub(crate) fn new(timeout: Option<Duration>, began: Duration) -> Self {
        timeout.map_or(Self::NONE, |timeout| Self(began.as_secs_f64() + timeout.as_secs_f64()))
    }

    /// Bounds the code that runs here, until the guard is dropped.
    pub(crate) fn enter(self) -> LimitScope {
        let outer = CURRENT_LIMIT.get();
        CURRENT_LIMIT.set(Self(self.0.min(outer.0)));
        LimitScope(outer)
    }

    /// True if it has passed: then a result that comes now is too late, also by the exact numbers of others, however coarse the
    /// clock is, and for what the limit was inherited from, in steps of a microsecond.
    fn has_passed(self) -> bool {
        self.0 < f64::INFINITY && platform::now().as_secs_f64() - self.0 > 1e-5
    }

    /// The time until then, if it is limited: to the microsecond, and none if it has passed.
    fn left(self) -> Option<Duration> {
        let left = || Duration::from_micros(((self.0 - platform::now().as_secs_f64()) * 1e6 + 0.5) as u64);
        (self.0 < f64::INFINITY).then(left)
    }
}

/// Puts back the limit that was there.
pub(crate) struct LimitScope(TimeLimit);

impl Drop for LimitScope {
    fn drop(&mut self) {
        CURRENT_LIMIT.set(self.0);
    }
}

/// The timeout of a task that the code here makes: it has no more time than that code has left.
pub(super) fn inherited(timeout: Option<Duration>) -> Option<Duration> {
    match (CURRENT_LIMIT.get().left(), timeout) {
        (Some(left), Some(timeout)) => Some(left.min(timeout)),
        (left, timeout) => left.or(timeout),
    }
}

/// Fails if the code that runs here has used up its time, or if a run that it is in was aborted.
pub(crate) fn check() -> Result<(), Error> {
    if CURRENT_LIMIT.get().has_passed() {
        return Err(Error::out_of_time());
    }
    // Not while the thread goes away.
    let aborted = RUNS.try_with(|runs| runs.borrow().iter().any(AbortHandle::is_aborted));
    if aborted.unwrap_or(false) { Err(Error::cancelled()) } else { Ok(()) }
}

/// What bounds a task that is run by [`Job::run`](super::Job::run).
pub(super) struct RunBounds {
    pub(super) limit: TimeLimit,
    pub(super) abort: AbortHandle,
}

impl RunBounds {
    pub(super) fn enter(&self) -> RunScope {
        let entered = RUNS.try_with(|runs| runs.borrow_mut().push(self.abort.clone())).is_ok();
        RunScope { _limit: self.limit.enter(), entered }
    }
}

/// Forgets the run that was entered last.
pub(super) struct RunScope {
    _limit: LimitScope,
    entered: bool,
}

impl Drop for RunScope {
    fn drop(&mut self) {
        let last = RUNS.try_with(|runs| if self.entered { runs.borrow_mut().pop() } else { None });
        drop(last);
    }
}

/// A future of such a task.
pub(super) struct Bounded<F> {
    pub(super) bounds: RunBounds,
    pub(super) future: F,
}

impl<F: Future + Unpin> Future for Bounded<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let _entered = self.bounds.enter();
        Pin::new(&mut self.future).poll(context)
    }
}
