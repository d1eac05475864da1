//! Where a task's result is given: [`ReplySender`], and the slot that it shares with the handle.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Waker;

use super::entry::Outcome;
use super::lazy::{Lazy, Wanted};
use crate::error::Error;
use crate::platform;
use crate::schedule::{HandleSignal, TaskId, TaskKind};

/// What both ends share.
pub(super) struct ReplySlot {
    state: Mutex<ReplyState>,
}

pub(super) enum ReplyState {
    /// No answer yet; the handle is there. -> `Answered`, by the reply, or by an abort that has no owner to go to;
    /// -> `Abandoned`, by the handle.
    Waiting {
        waker: Option<Waker>,
        owner: Option<OwnedTask>,
        /// The task itself, if it is the handle that runs it.
        lazy: Option<Lazy>,
    },
    /// The answer is there and the handle has not taken it. -> `Abandoned`, by the handle.
    Answered(Outcome),
    /// The handle is gone, or has its answer.
    Abandoned,
}

/// Where jobs are: it receives the signals of their handles.
///
/// It is called under no lock of this crate, on the thread that has the handle.
pub(crate) trait TaskOwner: Send + Sync {
    /// The handle of this task was dropped, detached, or aborted.
    fn on_signal(&self, task: TaskId, signal: HandleSignal);

    /// True if the task cannot go on while the code that runs now waits for it.
    fn is_blocked(&self) -> bool {
        false
    }
}

/// Where the job is, and its name there. A handle does not keep its executor alive.
#[derive(Clone)]
pub(crate) struct OwnedTask {
    pub(crate) owner: Weak<dyn TaskOwner>,
    pub(crate) task: TaskId,
}

impl OwnedTask {
    fn is_blocked(&self) -> bool {
        self.owner.upgrade().is_some_and(|owner| owner.is_blocked())
    }

    pub(super) fn signal(&self, signal: HandleSignal) {
        if let Some(owner) = self.owner.upgrade() {
            owner.on_signal(self.task, signal);
        }
    }
}

impl ReplySlot {
    /// A slot that waits for its answer.
    pub(super) fn new() -> Arc<Self> {
        let state = Mutex::new(ReplyState::Waiting { waker: None, owner: None, lazy: None });
        Arc::new(Self { state })
    }

    /// The handle is gone, or has its answer. Gives what there was, to be dropped when the lock is free.
    pub(super) fn abandon(&self) -> ReplyState {
        std::mem::replace(&mut *self.lock(), ReplyState::Abandoned)
    }

    /// Nothing that could panic runs under this lock, so a poisoned one is as good as any.
    pub(super) fn lock(&self) -> MutexGuard<'_, ReplyState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True if there is no answer, and the handle is there.
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

    /// The task that the handle runs, if one poll of it is all that it takes.
    pub(super) fn take_lazy_sync(&self) -> Option<Lazy> {
        match &mut *self.lock() {
            ReplyState::Waiting { lazy, .. } => lazy.take_if(|lazy| lazy.is_unbegun(TaskKind::Sync)),
            _ => None,
        }
    }

    /// Gives the handle its task to run. Gives it back if the handle is gone.
    pub(super) fn put_lazy(&self, new: Lazy) -> Result<(), Lazy> {
        match &mut *self.lock() {
            ReplyState::Waiting { lazy, .. } => {
                *lazy = Some(new);
                Ok(())
            }
            _ => Err(new),
        }
    }

    /// Where the task is, if it has no answer.
    pub(super) fn owned_task(&self) -> Option<OwnedTask> {
        match &*self.lock() {
            ReplyState::Waiting { owner, .. } => owner.clone(),
            _ => None,
        }
    }

    /// True if there is no answer, and none will come while the code that runs now waits for it.
    pub(super) fn is_blocked(&self) -> bool {
        self.owned_task().is_some_and(|owner| owner.is_blocked())
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

    /// The answer, if it is there. Else `waker` is woken when it comes.
    pub(super) fn take_answer(&self, waker: &Waker) -> Option<Outcome> {
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
            // Who waits may fail; it is not the code here that is to pay for that.
            if let Some(waker) = waker {
                platform::contain(|| waker.wake());
            }
        }
    }
}

impl Wanted for ReplySlot {
    fn is_wanted(&self) -> bool {
        self.is_waiting()
    }
}

/// Where a task's result is given, exactly once.
///
/// A reply that is dropped unanswered answers with an error, so a handle cannot wait for ever.
pub(crate) struct ReplySender {
    /// `None` once answered.
    slot: Option<Arc<ReplySlot>>,
}

impl ReplySender {
    pub(super) fn new(slot: Arc<ReplySlot>) -> Self {
        Self { slot: Some(slot) }
    }

    pub(crate) fn send(mut self, outcome: Outcome) {
        self.answer(outcome);
    }

    /// Sends signals of the handle to `owner`, by this id. False if the handle does not wait for the
    /// answer: then the task need not run.
    pub(crate) fn set_owner(&self, owner: Weak<dyn TaskOwner>, task: TaskId) -> bool {
        let Some(slot) = &self.slot else { return false };
        match &mut *slot.lock() {
            ReplyState::Waiting { owner: current, .. } => {
                *current = Some(OwnedTask { owner, task });
                true
            }
            ReplyState::Answered(_) | ReplyState::Abandoned => false,
        }
    }

    /// Where the handle waits.
    pub(super) fn slot(&self) -> Arc<ReplySlot> {
        self.slot.clone().expect("only the answer takes the reply")
    }

    fn answer(&mut self, outcome: Outcome) {
        if let Some(slot) = self.slot.take() {
            slot.answer(outcome);
        }
    }
}

impl Drop for ReplySender {
    fn drop(&mut self) {
        if self.slot.is_some() {
            self.answer(Err(Error::worker_lost("its executor dropped it unanswered")));
        }
    }
}
