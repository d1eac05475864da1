//! The two ends of a task's result: [`RemoteHandle`], where it is awaited, and [`Reply`], where it is given.

use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

use futures::future::FusedFuture;

use super::entry::Outcome;
use super::lazy::{self, Lazy};
use crate::error::Error;
use crate::platform::{self, Packet};
use crate::schedule::{HandleSignal, TaskId};

/// What both ends share.
pub(super) struct ReplySlot {
    state: Mutex<ReplyState>,
}

enum ReplyState {
    /// No answer yet; the handle is there. -> `Answered`, by the reply, or by an abort that nobody else hears;
    /// -> `Abandoned`, by the handle.
    Waiting {
        waker: Option<Waker>,
        owner: Option<Owner>,
        /// The task itself, if it is the handle that runs it.
        lazy: Option<Lazy>,
    },
    /// The answer is there and the handle has not taken it. -> `Abandoned`, by the handle.
    Answered(Outcome),
    /// The handle is gone, or has its answer: nobody waits any more.
    Abandoned,
}

/// Whoever holds jobs hears what their handles say.
///
/// It is called under no lock of this crate, on the thread that has the handle.
pub(crate) trait TaskOwner: Send + Sync {
    /// The handle of this task was dropped, let go, or wants it stopped at any price.
    fn on_signal(&self, task: TaskId, signal: HandleSignal);
}

/// Where the job is, and its name there. A handle does not keep its executor alive.
#[derive(Clone)]
struct Owner {
    owner: Weak<dyn TaskOwner>,
    task: TaskId,
}

impl Owner {
    fn signal(&self, signal: HandleSignal) {
        if let Some(owner) = self.owner.upgrade() {
            owner.on_signal(self.task, signal);
        }
    }
}

impl ReplySlot {
    /// Nothing that could panic runs under this lock, so a poisoned one is as good as any.
    fn lock(&self) -> MutexGuard<'_, ReplyState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True if there is no answer, and somebody who may wait for it.
    pub(super) fn is_waiting(&self) -> bool {
        matches!(*self.lock(), ReplyState::Waiting { .. })
    }

    pub(super) fn take_lazy(&self) -> Option<Lazy> {
        match &mut *self.lock() {
            ReplyState::Waiting { lazy, .. } => lazy.take(),
            _ => None,
        }
    }

    /// The task that the handle runs, if it can go on on this thread.
    pub(super) fn take_lazy_here(&self) -> Option<Lazy> {
        match &mut *self.lock() {
            ReplyState::Waiting { lazy, .. } => lazy.take_if(|lazy| lazy.is_free()),
            _ => None,
        }
    }

    /// Gives the handle its task to run. Gives it back if nobody waits for it.
    pub(super) fn put_lazy(&self, new: Lazy) -> Result<(), Lazy> {
        match &mut *self.lock() {
            ReplyState::Waiting { lazy, .. } => {
                *lazy = Some(new);
                Ok(())
            }
            _ => Err(new),
        }
    }

    /// Has the handle polled.
    pub(super) fn wake(&self) {
        let waker = match &mut *self.lock() {
            ReplyState::Waiting { waker, .. } => waker.clone(),
            _ => None,
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// The answer, if it is there. Else `waker` will be told of it.
    fn take_answer(&self, waker: &Waker) -> Option<Outcome> {
        // Cloned before the lock is taken: a waker's code is not ours.
        let new = waker.clone();
        let mut state = self.lock();
        let replaced = match &mut *state {
            ReplyState::Waiting { waker, .. } => waker.replace(new),
            ReplyState::Answered(_) => {
                let ReplyState::Answered(outcome) = std::mem::replace(&mut *state, ReplyState::Abandoned)
                else {
                    unreachable!("the state was matched under the same lock")
                };
                return Some(outcome);
            }
            ReplyState::Abandoned => unreachable!("only the handle drops the slot, and it was not taken"),
        };
        drop(state);
        drop(replaced);
        None
    }

    pub(super) fn answer(&self, outcome: Outcome) {
        let mut state = self.lock();
        if let ReplyState::Waiting { waker, .. } = &mut *state {
            let waker = waker.take();
            let before = std::mem::replace(&mut *state, ReplyState::Answered(outcome));
            // Nothing is dropped, and the waiting task is not woken, under the lock.
            drop(state);
            drop(before);
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }
}

/// The result of a task that was given to an executor, as a future.
///
/// It always resolves: to the task's value, or to an [`Error`] that says why there is none.
///
/// **Dropping the handle cancels the task**: one that has not begun when its worker hears of it never starts, an
/// asynchronous one is dropped at its next await, and a synchronous one that has begun finishes and its result is thrown
/// away. [`forget`](Self::forget) lets it run instead, [`abort`](Self::abort) stops it at any price. The handle does not
/// keep its executor alive.
#[must_use = "dropping a handle cancels its task; call `.forget()` to let it run"]
pub struct RemoteHandle<T> {
    slot: Arc<ReplySlot>,
    made_at: &'static Location<'static>,
    decode: fn(Packet) -> Result<T, Error>,
    taken: bool,
}

impl<T> RemoteHandle<T> {
    pub(super) fn new(
        made_at: &'static Location<'static>,
        decode: fn(Packet) -> Result<T, Error>,
    ) -> (Reply, Self) {
        let state = Mutex::new(ReplyState::Waiting { waker: None, owner: None, lazy: None });
        let slot = Arc::new(ReplySlot { state });
        (Reply { slot: Some(slot.clone()) }, Self { slot, made_at, decode, taken: false })
    }

    /// Lets the task run to its end without anybody waiting for it. Its result, or error, is thrown away.
    pub fn forget(mut self) {
        let (_waker, owner, lazy) = match &mut *self.slot.lock() {
            ReplyState::Waiting { waker, owner, lazy } => (waker.take(), owner.take(), lazy.take()),
            _ => (None, None, None),
        };
        self.taken = true;
        if let Some(owner) = owner {
            owner.signal(HandleSignal::Detach);
        }
        if let Some(lazy) = lazy.filter(|_| !platform::HAS_EVENT_LOOP) {
            if !lazy.detach() {
                let before = std::mem::replace(&mut *self.slot.lock(), ReplyState::Abandoned);
                drop(before);
            }
        }
    }

    /// Stops the task at any price, and resolves the handle with an error that [`is_cancelled`](Error::is_cancelled),
    /// unless it has its answer already.
    ///
    /// A task that has not begun never starts; an asynchronous one is dropped at its next await. If it has not ended after
    /// a grace of 100 milliseconds (see [`PoolBuilder::grace`](crate::PoolBuilder::grace)), its worker is ended with it:
    /// in the browser where it is; natively the thread runs on, unheard, until the task ends. A pool replaces that worker,
    /// and other tasks on it resolve with an error that [`is_worker_lost`](Error::is_worker_lost). A
    /// [`Thread`](crate::Thread) is lost. A task that runs on the thread of its own executor, an
    /// [`InlineExecutor`](crate::InlineExecutor) or [`Job::run`](crate::Job::run), is only ever stopped at an await.
    pub fn abort(&self) {
        let owner = match &*self.slot.lock() {
            ReplyState::Waiting { owner, .. } => owner.clone(),
            _ => return,
        };
        match owner {
            Some(owner) => owner.signal(HandleSignal::Abort),
            // Nobody has taken the job yet, or nobody minds words: whoever does later finds it answered.
            None => self.slot.answer(Err(Error::cancelled())),
        }
    }

    /// True once the task has its result, or failed: awaiting the handle gives it at once.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        !matches!(*self.slot.lock(), ReplyState::Waiting { .. })
    }
}

impl<T> Future for RemoteHandle<T> {
    type Output = Result<T, Error>;

    /// # Panics
    ///
    /// If the handle is polled again after it gave its result.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        assert!(!self.taken, "a RemoteHandle was polled after it had given its result");
        let mut answer = self.slot.take_answer(context.waker());
        // Where nobody else would run it, the task may be in here.
        if answer.is_none() && !platform::HAS_EVENT_LOOP && lazy::drive(&self.slot, context) {
            answer = self.slot.take_answer(context.waker());
        }
        let Some(outcome) = answer else { return Poll::Pending };
        self.taken = true;
        let result = outcome.and_then(self.decode);
        Poll::Ready(result.map_err(|error| error.of_task(&self.made_at.to_string())))
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
        let before = std::mem::replace(&mut *self.slot.lock(), ReplyState::Abandoned);
        if let ReplyState::Waiting { owner, lazy, .. } = before {
            if let Some(owner) = owner {
                owner.signal(HandleSignal::Cancel);
            }
            if let Some(lazy) = lazy.filter(|_| !platform::HAS_EVENT_LOOP) {
                lazy.discard();
            }
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
    slot: Option<Arc<ReplySlot>>,
}

impl Reply {
    pub(crate) fn send(mut self, outcome: Outcome) {
        self.answer(outcome);
    }

    /// Has `owner` hear what the handle says, by this name. False if nobody waits for the
    /// answer: then the task need not run.
    pub(crate) fn set_owner(&self, owner: Weak<dyn TaskOwner>, task: TaskId) -> bool {
        let Some(slot) = &self.slot else { return false };
        match &mut *slot.lock() {
            ReplyState::Waiting { owner: current, .. } => {
                *current = Some(Owner { owner, task });
                true
            }
            ReplyState::Answered(_) | ReplyState::Abandoned => false,
        }
    }

    /// Where the handle waits.
    pub(super) fn slot(&self) -> Arc<ReplySlot> {
        self.slot.clone().expect("whoever answers takes the reply")
    }

    fn answer(&mut self, outcome: Outcome) {
        if let Some(slot) = self.slot.take() {
            slot.answer(outcome);
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
