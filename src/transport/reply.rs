//! Where an answer that came back is given.

use std::fmt;
use std::sync::Arc;

use super::flat::{self, FlatOutcome};
use super::seal::{Mac, Seal, SealedKind, TAG, refused};
use crate::error::Error;
use crate::schedule::{HandleSignal, TaskId, WorkerId};
use crate::task::{Outcome, ReplySender, TaskOwner};

/// Where the answer to a sealed call is given, exactly once.
///
/// A reply that is dropped resolves its handle with an error that [`is_worker_lost`](Error::is_worker_lost), so a handle never
/// waits for what does not come.
#[must_use = "a reply that is dropped resolves its handle with an error"]
pub struct Reply {
    sender: ReplySender,
    check: AnswerCheck,
    /// Keeps what the handle signals to.
    owner: Option<Arc<dyn TaskOwner>>,
}

/// Tells whether bytes are the answer to a call.
#[derive(Clone)]
pub(super) struct AnswerCheck {
    seal: Seal,
    /// That of the call: an answer is to this one alone.
    call: Mac,
}

impl AnswerCheck {
    /// The outcome, if a peer has sealed it for this call.
    pub(super) fn open(&self, answer: &[u8]) -> Option<Outcome> {
        let (tag, body) = answer.split_first_chunk::<TAG>()?;
        if !self.seal.is_tag(tag, SealedKind::Answer, &[&self.call, body]) {
            return None;
        }
        match flat::read(body)? {
            FlatOutcome::Ok(result) => result.into_packet(self.seal.reach()),
            FlatOutcome::Err(error) => Some(Err(error)),
        }
    }
}

/// What a handle's owner wants of its task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Signal {
    /// The handle was dropped: nobody wants the answer. A task that has not begun need not run, and one that runs stops at its next
    /// await: drop its [`Answer`](super::Answer).
    Cancel,
    /// The handle's [`abort`](crate::RemoteHandle::abort): as `Cancel`, and its worker may be ended for it ([`Answer::abort`](super::Answer::abort)). The handle
    /// waits for the answer.
    Abort,
    /// The handle's [`forget`](crate::RemoteHandle::forget): the task is to run to its end, and nobody wants the answer.
    Detach,
}

impl From<HandleSignal> for Signal {
    fn from(signal: HandleSignal) -> Self {
        match signal {
            HandleSignal::Cancel => Self::Cancel,
            HandleSignal::Abort => Self::Abort,
            HandleSignal::Detach => Self::Detach,
        }
    }
}

impl Reply {
    pub(super) fn new(sender: ReplySender, seal: Seal, call: Mac) -> Self {
        Self { sender, check: AnswerCheck { seal, call }, owner: None }
    }

    /// Resolves the handle with the answer that a peer gave.
    ///
    /// # Errors
    ///
    /// Gives the reply back, with the reason, if the bytes are no answer to this call that was sealed by a peer. The right one may
    /// still come.
    pub fn answer(self, answer: &[u8]) -> Result<(), (Self, Error)> {
        match self.check.open(answer) {
            Some(outcome) => {
                self.resolve(outcome);
                Ok(())
            }
            None => Err((self, refused())),
        }
    }

    /// The error in which the task has ended, if an answer says so: to run the task again, for example, instead of giving the answer.
    ///
    /// # Errors
    ///
    /// If the bytes are no answer to this call that was sealed by a peer.
    pub fn error_in(&self, answer: &[u8]) -> Result<Option<Error>, Error> {
        self.check.open(answer).map(Outcome::err).ok_or_else(refused)
    }

    pub(super) fn check(&self) -> AnswerCheck {
        self.check.clone()
    }

    /// Resolves the handle with what the [check](Self::check) has given.
    pub(super) fn resolve(self, outcome: Outcome) {
        self.sender.send(outcome);
    }

    /// Resolves the handle with an error.
    pub fn fail(self, error: Error) {
        self.sender.send(Err(error));
    }

    /// Resolves the handle with an error that [`is_worker_lost`](Error::is_worker_lost): what ran the task is gone. `cause` says what, without a full stop.
    pub fn lose(self, cause: impl Into<String>) {
        self.sender.send(Err(Error::worker_lost(cause)));
    }

    /// Calls `on_signal` when the task's handle is dropped, aborted or forgotten, on the thread where that happens. False if it was dropped already: then the
    /// task need not be sent.
    pub fn on_signal(&mut self, on_signal: impl Fn(Signal) + Send + Sync + 'static) -> bool {
        let owner: Arc<dyn TaskOwner> = Arc::new(OnSignal(on_signal));
        let is_wanted = self.sender.set_owner(Arc::downgrade(&owner), SEALED);
        self.owner = Some(owner);
        is_wanted
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reply")
    }
}

/// A reply has one task.
const SEALED: TaskId = TaskId { maker: WorkerId::PAGE, number: 0 };

struct OnSignal<F>(F);

impl<F: Fn(Signal) + Send + Sync> TaskOwner for OnSignal<F> {
    fn on_signal(&self, _task: TaskId, signal: HandleSignal) {
        (self.0)(signal.into());
    }
}
