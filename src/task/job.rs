//! The type-erased task inside an executor.

use std::fmt;
use std::panic::{AssertUnwindSafe, Location};

use futures::FutureExt;
use futures::future::{AbortHandle, Abortable, Aborted};

use super::entry::{Call, begin};
use super::handle::Reply;
use crate::error::{Error, panic_text};
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

    /// Runs the task here, through the encoding as anywhere, and answers it. Dropping the future, or the task's handle,
    /// stops it at its next await.
    ///
    /// A panic becomes the task's error where panics unwind. In the browser it ends the program that calls this.
    pub async fn run(self) {
        let Self { call, reply, .. } = self;
        let (abort, registration) = AbortHandle::new_pair();
        if !reply.on_cancel(move || abort.abort()) {
            return;
        }
        let task = async {
            match begin(call) {
                Call::Ended(outcome) => outcome,
                Call::Running(future) => future.await,
            }
        };
        match Abortable::new(AssertUnwindSafe(task).catch_unwind(), registration).await {
            Ok(Ok(outcome)) => reply.send(outcome),
            Ok(Err(payload)) => reply.send(Err(Error::panic(panic_text(&*payload), None))),
            // Nobody waits any more.
            Err(Aborted) => {}
        }
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
