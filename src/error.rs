//! The one error type of the crate: an opaque value with predicates.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Why a task has no result.
///
/// Opaque on purpose: ask with the `is_*` predicates, show it with [`Display`](fmt::Display). The text says what
/// failed and what to do about it, and names the task by the place of the call that made it.
///
/// An error is text only, so it can be cloned, sent, encoded and be the result of another task.
///
/// ```
/// # use wasm_mt::Error;
/// fn advice(error: &Error) -> &'static str {
///     if error.is_panic() {
///         "fix the task"
///     } else if error.is_worker_lost() {
///         "run it again"
///     } else {
///         "read the text"
///     }
/// }
/// ```
#[derive(Clone, Serialize, Deserialize)]
pub struct Error {
    kind: Box<ErrorKind>,
    task: Option<Box<str>>,
}

#[derive(Clone, Serialize, Deserialize)]
enum ErrorKind {
    Panic { message: String, location: Option<String> },
    WorkerLost { cause: String },
    Cancelled,
    Timeout { limit: Duration },
    Closed,
    Startup { cause: String },
    Codec { cause: String },
    QueueFull { limit: usize },
    Js { message: String, stack: String },
}

impl Error {
    /// True if the task itself panicked, or made its worker trap.
    #[must_use]
    pub fn is_panic(&self) -> bool {
        matches!(*self.kind, ErrorKind::Panic { .. })
    }

    /// True if the worker was stopped before it could answer, or the task's reply was dropped unanswered.
    #[must_use]
    pub fn is_worker_lost(&self) -> bool {
        matches!(*self.kind, ErrorKind::WorkerLost { .. })
    }

    /// True if the task was aborted.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        matches!(*self.kind, ErrorKind::Cancelled)
    }

    /// True if the task ran longer than its time limit.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(*self.kind, ErrorKind::Timeout { .. })
    }

    /// True if the executor was closed, terminated or dropped before the task had its result.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(*self.kind, ErrorKind::Closed)
    }

    /// True if the worker could not be started.
    #[must_use]
    pub fn is_startup(&self) -> bool {
        matches!(*self.kind, ErrorKind::Startup { .. })
    }

    /// True if an argument or a result could not be encoded or decoded.
    #[must_use]
    pub fn is_codec(&self) -> bool {
        matches!(*self.kind, ErrorKind::Codec { .. })
    }

    /// True if the executor's queue was full and waiting was not wanted.
    #[must_use]
    pub fn is_queue_full(&self) -> bool {
        matches!(*self.kind, ErrorKind::QueueFull { .. })
    }

    /// True if JavaScript threw an exception.
    #[must_use]
    pub fn is_js(&self) -> bool {
        matches!(*self.kind, ErrorKind::Js { .. })
    }

    pub(crate) fn panic(message: impl Into<String>, location: Option<String>) -> Self {
        ErrorKind::Panic { message: message.into(), location }.into()
    }

    pub(crate) fn worker_lost(cause: impl Into<String>) -> Self {
        ErrorKind::WorkerLost { cause: cause.into() }.into()
    }

    pub(crate) fn cancelled() -> Self {
        ErrorKind::Cancelled.into()
    }

    pub(crate) fn closed() -> Self {
        ErrorKind::Closed.into()
    }

    /// `cause` is "what went wrong; what to do", without a full stop.
    pub(crate) fn startup(cause: impl Into<String>) -> Self {
        ErrorKind::Startup { cause: cause.into() }.into()
    }

    /// `cause` is "what went wrong; what to do", without a full stop.
    pub(crate) fn codec(cause: impl Into<String>) -> Self {
        ErrorKind::Codec { cause: cause.into() }.into()
    }

    #[cfg_attr(
        not(target_family = "wasm"),
        expect(dead_code, reason = "only the web has JavaScript exceptions")
    )]
    pub(crate) fn js(message: impl Into<String>, stack: impl Into<String>) -> Self {
        ErrorKind::Js { message: message.into(), stack: stack.into() }.into()
    }

    /// Names the task that the error is about, unless a task nearer to the cause was named before.
    pub(crate) fn of_task(mut self, name: &str) -> Self {
        self.task.get_or_insert_with(|| name.into());
        self
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Error { kind: Box::new(kind), task: None }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.task {
            Some(task) => write!(f, "failed to run the task made at {task}: ")?,
            None => f.write_str("failed to run a task: ")?,
        }
        match &*self.kind {
            ErrorKind::Panic { message, location: Some(location) } => {
                write!(f, "it panicked at {location}: {message}")
            }
            ErrorKind::Panic { message, location: None } => write!(f, "it panicked: {message}"),
            ErrorKind::WorkerLost { cause } => {
                write!(f, "its worker was lost: {cause}; run it again on another worker if it may run twice")
            }
            ErrorKind::Cancelled => f.write_str("it was aborted"),
            ErrorKind::Timeout { limit } => write!(f, "it ran longer than its limit of {} ms", limit.as_millis() as u64),
            ErrorKind::Closed => f.write_str(
                "its executor was closed, terminated or dropped; keep it until the task's handle has resolved",
            ),
            ErrorKind::Startup { cause } => write!(f, "the worker did not start: {cause}"),
            ErrorKind::Codec { cause } => f.write_str(cause),
            ErrorKind::QueueFull { limit } => {
                write!(f, "the queue holds its limit of {limit} tasks; wait for one of them, or raise `max_queue`")
            }
            ErrorKind::Js { message, stack } if stack.is_empty() => {
                write!(f, "JavaScript threw an exception: {message}")
            }
            ErrorKind::Js { message, stack } => write!(f, "JavaScript threw an exception: {message}\n{stack}"),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({self})")
    }
}

impl std::error::Error for Error {}
