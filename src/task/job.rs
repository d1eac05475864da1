//! The type-erased task inside an executor.

use std::fmt;
use std::panic::Location;

use super::handle::Reply;
use crate::error::Error;
use crate::platform::Packet;

/// A task without its type, as executors hold it.
///
/// A job owns its reply: whatever becomes of the job, its handle resolves. A job that is dropped unanswered resolves
/// it with an error that [`is_worker_lost`](Error::is_worker_lost).
#[must_use = "a job that is dropped resolves its handle with an error"]
pub struct Job {
    pub(crate) call: Packet,
    pub(crate) made_at: &'static Location<'static>,
    pub(crate) reply: Reply,
}

impl Job {
    pub(super) fn new(call: Packet, made_at: &'static Location<'static>, reply: Reply) -> Self {
        Self { call, made_at, reply }
    }

    /// The place of the call that made the task, `file:line:column`.
    #[must_use]
    pub fn name(&self) -> String {
        self.made_at.to_string()
    }

    /// Answers the job with an error, without running it.
    pub fn fail(self, error: Error) {
        self.reply.send(Err(error));
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Job({})", self.made_at)
    }
}
