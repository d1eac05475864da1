//! The two ends of a task's result: [`RemoteHandle`], where it is awaited, and [`Reply`], where it is given.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures::future::FusedFuture;

use super::entry::Outcome;
use crate::error::Error;
use crate::platform::Packet;

/// What both ends share.
struct Slot {
    state: Mutex<State>,
}

enum State {
    /// No answer yet; the handle is there. -> `Answered`, by the reply; -> `Dropped`, by the handle.
    Waiting { waker: Option<Waker>, on_cancel: Option<OnCancel> },
    /// The answer is there and the handle has not taken it. -> `Dropped`, by the handle.
    Answered(Outcome),
    /// The handle is gone, or has its answer: nobody waits any more.
    Dropped,
}

type OnCancel = Box<dyn FnOnce() + Send>;

impl Slot {
    /// Nothing that could panic runs under this lock, so a poisoned one is as good as any.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The result of a task that was given to an executor, as a future.
///
/// It always resolves: to the task's value, or to an [`Error`] that says why there is none.
///
/// **Dropping the handle cancels the task**: one that its worker has not received never starts, an asynchronous one is
/// dropped at its next await, and a synchronous one that was received finishes and its result is thrown away.
/// [`forget`](Self::forget) lets it run instead. The handle does not keep its executor alive.
#[must_use = "dropping a handle cancels its task; call `.forget()` to let it run"]
pub struct RemoteHandle<T> {
    slot: Arc<Slot>,
    made_at: &'static Location<'static>,
    decode: fn(Packet) -> Result<T, Error>,
    taken: bool,
}

impl<T> RemoteHandle<T> {
    pub(super) fn new(
        made_at: &'static Location<'static>,
        decode: fn(Packet) -> Result<T, Error>,
    ) -> (Reply, Self) {
        let state = Mutex::new(State::Waiting { waker: None, on_cancel: None });
        let slot = Arc::new(Slot { state });
        (Reply { slot: Some(slot.clone()) }, Self { slot, made_at, decode, taken: false })
    }

    /// Lets the task run to its end without anybody waiting for it. Its result, or error, is thrown away.
    pub fn forget(mut self) {
        let hooks = match &mut *self.slot.lock() {
            State::Waiting { waker, on_cancel } => (waker.take(), on_cancel.take()),
            _ => (None, None),
        };
        drop(hooks);
        self.taken = true;
    }

    /// True once the task has its result, or failed: awaiting the handle gives it at once.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        !matches!(*self.slot.lock(), State::Waiting { .. })
    }
}

impl<T> Future for RemoteHandle<T> {
    type Output = Result<T, Error>;

    /// # Panics
    ///
    /// If the handle is polled again after it gave its result.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        assert!(!self.taken, "a RemoteHandle was polled after it had given its result");
        // Cloned before the lock is taken: a waker's code is not ours.
        let new = context.waker().clone();
        let mut state = self.slot.lock();
        let replaced = match &mut *state {
            State::Waiting { waker, .. } => waker.replace(new),
            State::Answered(_) => {
                let State::Answered(outcome) = std::mem::replace(&mut *state, State::Dropped) else {
                    unreachable!("the state was matched under the same lock")
                };
                drop(state);
                self.taken = true;
                let result = outcome.and_then(self.decode);
                return Poll::Ready(result.map_err(|error| error.of_task(&self.made_at.to_string())));
            }
            State::Dropped => unreachable!("only the handle drops the slot, and it was not taken"),
        };
        drop(state);
        drop(replaced);
        Poll::Pending
    }
}

impl<T> FusedFuture for RemoteHandle<T> {
    fn is_terminated(&self) -> bool {
        self.taken
    }
}

impl<T> Drop for RemoteHandle<T> {
    fn drop(&mut self) {
        if self.taken {
            return;
        }
        let before = std::mem::replace(&mut *self.slot.lock(), State::Dropped);
        if let State::Waiting { on_cancel: Some(on_cancel), .. } = before {
            on_cancel();
        }
    }
}

impl<T> fmt::Debug for RemoteHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RemoteHandle({})", self.made_at)
    }
}

/// Where a task's result is given, exactly once.
///
/// A reply that is dropped unanswered answers with an error, so a handle cannot wait for ever.
pub(crate) struct Reply {
    /// `None` once answered.
    slot: Option<Arc<Slot>>,
}

impl Reply {
    pub(crate) fn send(mut self, outcome: Outcome) {
        self.answer(outcome);
    }

    /// Has `hook` called when the handle is dropped before the answer. True if the handle is still there.
    pub(crate) fn on_cancel(&self, hook: impl FnOnce() + Send + 'static) -> bool {
        let Some(slot) = &self.slot else { return false };
        match &mut *slot.lock() {
            State::Waiting { on_cancel, .. } => {
                *on_cancel = Some(Box::new(hook));
                true
            }
            _ => false,
        }
    }

    fn answer(&mut self, outcome: Outcome) {
        let Some(slot) = self.slot.take() else { return };
        let mut state = slot.lock();
        if let State::Waiting { waker, .. } = &mut *state {
            let waker = waker.take();
            let before = std::mem::replace(&mut *state, State::Answered(outcome));
            // Neither the hook is dropped nor the waiting task woken under the lock.
            drop(state);
            drop(before);
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        if self.slot.is_some() {
            self.answer(Err(Error::worker_lost("its executor dropped it unanswered")));
        }
    }
}
