//! What a worker sends to its page.

use std::time::Duration;

use super::message::{Put, message};
use crate::error::Error;
use crate::platform::Packet;
use crate::schedule::{HandleSignal, TaskId, TaskOptions};

/// A message from a worker.
#[derive(Debug)]
pub(crate) enum FromWorker {
    /// The worker takes tasks.
    Ready,
    /// `on_start` could not be run; the worker takes no tasks.
    Refused { error: Error },
    /// The task begins.
    Began { task: TaskId, options: TaskOptions },
    /// The task awaits something, and nothing else is to be run.
    Suspended { task: TaskId, ran: Duration },
    /// The task has ended, with an encoded result or an error. It took the thread for `ran`; `None`: it never began.
    Finished { task: TaskId, ran: Option<Duration>, outcome: Result<Packet, Error> },
    /// The task was not begun here and shall not be.
    Migrated { task: TaskId, options: TaskOptions, call: Packet },
    /// So many unfinished tasks of its own are kept here, and something can be run, or cannot.
    Reported { local: u32, resting: bool },
    /// The handle of a task that was migrated signals this.
    Signal { task: TaskId, signal: HandleSignal },
    /// A task has run; sent if the worker is watched. `location` holds the address of the place that made it.
    Ran { task: TaskId, location: Packet, began: Duration, ended: Duration },
    /// Run this call at once, for it is no task.
    Call { call: Packet },
    /// The worker has no task, and begins none any more: its stack is short.
    Retired,
    /// The task panicked; the worker is lost and this is its last message. No task: the panic was in `on_start`, or between
    /// tasks. `begun`: the posted tasks that have begun, and were not answered before; `None`: not known.
    Panicked { task: Option<TaskId>, begun: Option<Vec<TaskId>>, message: String, location: Option<String> },
}

message!(enum FromWorker {
    Ready,
    Refused { error },
    Began { task, options },
    Suspended { task, ran },
    Finished { task, ran, outcome },
    Migrated { task, options, call },
    Reported { local, resting },
    Signal { task, signal },
    Ran { task, location, began, ended },
    Call { call },
    Retired,
    Panicked { task, begun, message, location },
});

impl FromWorker {
    /// Appends the message, which has no attachments, to a packet.
    pub(crate) fn write(self, packet: &mut Packet) {
        self.put(packet);
    }

    /// What it carries of a task.
    pub(crate) fn into_body(self) -> Option<Packet> {
        match self {
            Self::Finished { outcome: Ok(body), .. } | Self::Migrated { call: body, .. } => Some(body),
            _ => None,
        }
    }

    /// Appends the message to a packet; and to another, which is to be posted before, what holds even if this cannot be posted.
    pub(crate) fn write_behind(self, ahead: &mut Packet, packet: &mut Packet) {
        match &self {
            Self::Finished { outcome: Ok(body), .. }
            | Self::Migrated { call: body, .. }
            | Self::Call { call: body } => body.announce(true, ahead, packet),
            _ => {}
        }
        self.put(packet);
    }
}
