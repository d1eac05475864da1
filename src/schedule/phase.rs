//! The life of a worker.
//!
//! ```text
//!             started              greeted                    gone
//!  (nothing) ---------> STARTING -----------> READY --------------------> (nothing)
//!                          |                                                 ^
//!                          +------------------ gone ------------------------+
//! ```
//!
//! *Gone* is a loss that its page saw, or an end that its page made: a deadline, or the close of the pool. There is no
//! state for it. A worker that is gone is forgotten in the same step in which all its tasks are accounted for, so no later
//! message can be taken for its own.
//!
//! A worker that goes while READY is replaced, under a new name. One of the first that goes while STARTING is not: what kept
//! it from starting would keep the next. But where one has been up, another will be: so a worker that was to replace
//! another and goes before it has run a task is tried again, after a pause that grows from one attempt to the next.

/// The states of a worker. Each excludes the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WorkerPhase {
    /// It was asked for and has not greeted. No task has begun on it, whatever was posted.
    /// -> READY, by its greeting.
    Starting,
    /// It takes tasks.
    Ready,
}

impl WorkerPhase {
    /// True if tasks posted to a worker that goes in this state may have begun.
    pub(crate) fn may_have_begun(self) -> bool {
        self == Self::Ready
    }
}
