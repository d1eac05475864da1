//! What a page sends to its worker.

use super::message::{Put, message};
use crate::error::Error;
use crate::platform::Packet;
use crate::schedule::{Strategy, TaskId, TaskOptions, WorkerId};

/// A message to a worker. `B` is what it carries.
#[derive(Debug)]
pub(crate) enum ToWorker<B = Packet> {
    /// Get ready: run `on_start`, if there is one, before anything else.
    Start { config: WorkerConfig, on_start: Option<B> },
    /// Run this call at once, for it is no task.
    Call { call: B },
    /// Run the task.
    Run { task: TaskId, options: TaskOptions, call: B },
    /// Stop the task: do not begin it, or drop it at its next await. It was cancelled, or has run out of time.
    Stop { task: TaskId },
    /// Say how the worker stands.
    ReportRequest,
    /// So many workers are idle: migrate tasks that have not begun.
    StealRequest { idle: u32 },
    /// A task that this worker migrated has ended.
    Completed { task: TaskId, outcome: Result<B, Error> },
}

/// How a worker is configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WorkerConfig {
    pub(crate) worker: WorkerId,
    pub(crate) strategy: Strategy,
    /// How many workers its pool has.
    pub(crate) threads: u32,
    /// It reports every task that it has run.
    pub(crate) watched: bool,
    /// Another takes its place when it ends.
    pub(crate) replaced: bool,
}

message!(enum ToWorker<B> {
    Start { config, on_start },
    Call { call },
    Run { task, options, call },
    Stop { task },
    ReportRequest,
    StealRequest { idle },
    Completed { task, outcome },
});
message!(struct WorkerConfig { worker, strategy, threads, watched, replaced });

impl ToWorker {
    /// Appends the message to a packet.
    pub(crate) fn write(self, packet: &mut Packet) {
        if let Some(body) = self.body() {
            // Nothing is ahead: the memory below knows nothing yet.
            body.announce(false, &mut Packet::default(), packet);
        }
        self.put(packet);
    }

    /// A packet that has a worker run this call, and nothing else.
    pub(crate) fn packet_of(call: Packet) -> Packet {
        let mut packet = Packet::default();
        Self::Call { call }.write(&mut packet);
        packet
    }

    /// Appends a `Run` with a copy of its call, which MUST have no attachments.
    pub(crate) fn write_run(task: TaskId, options: TaskOptions, call: &Packet, packet: &mut Packet) {
        ToWorker::Run { task, options, call }.put(packet);
    }

    /// True if it may be that it cannot be posted.
    pub(crate) fn travels_alone(&self) -> bool {
        self.body().is_some_and(Packet::travels_alone)
    }

    /// What may have attachments.
    fn body(&self) -> Option<&Packet> {
        match self {
            Self::Start { on_start: Some(body), .. }
            | Self::Call { call: body }
            | Self::Run { call: body, .. }
            | Self::Completed { outcome: Ok(body), .. } => Some(body),
            _ => None,
        }
    }
}
