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
    /// Run the task.
    Run { task: TaskId, options: TaskOptions, call: B },
    /// Stop the task: do not begin it, or drop it at its next await. It was cancelled, or has run out of time.
    Stop { task: TaskId, timed_out: bool },
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
}

message!(enum ToWorker<B> {
    Start { config, on_start },
    Run { task, options, call },
    Stop { task, timed_out },
    StealRequest { idle },
    Completed { task, outcome },
});
message!(struct WorkerConfig { worker, strategy, threads, watched });

impl ToWorker {
    /// Appends the message to a packet.
    pub(crate) fn write(self, packet: &mut Packet) {
        self.put(packet);
    }

    /// Appends a `Run` with a copy of its call, which MUST have no attachments.
    pub(crate) fn write_run(task: TaskId, options: TaskOptions, call: &Packet, packet: &mut Packet) {
        ToWorker::Run { task, options, call }.put(packet);
    }

    /// True if it may be that it cannot be posted.
    pub(crate) fn bears_attachments(&self) -> bool {
        match self {
            Self::Run { call: body, .. }
            | Self::Start { on_start: Some(body), .. }
            | Self::Completed { outcome: Ok(body), .. } => !body.attachments.is_empty(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::schedule::{Site, TaskKind};
    use crate::wire::read_all;

    fn body(bytes: &[u8], heads: &[u8]) -> Packet {
        Packet { bytes: bytes.to_vec(), heads: heads.to_vec(), ..Packet::default() }
    }

    fn task(number: u32) -> TaskId {
        TaskId { owner: WorkerId(7), number }
    }

    fn options() -> TaskOptions {
        TaskOptions {
            timeout: Some(Duration::from_secs(1 << 40)),
            retries: 3,
            detached: true,
            pinned: true,
            ..TaskOptions::new(Site(0xDEAD_BEEF), TaskKind::Async)
        }
    }

    fn messages() -> Vec<ToWorker> {
        let config =
            WorkerConfig { worker: WorkerId(3), strategy: Strategy::WorkStealing, threads: 4, watched: true };
        vec![
            ToWorker::Start { config, on_start: None },
            ToWorker::Start { config, on_start: Some(body(b"start", &[7])) },
            ToWorker::Run { task: task(1), options: options(), call: body(b"one", &[1, 2]) },
            ToWorker::Stop { task: task(9), timed_out: true },
            ToWorker::StealRequest { idle: 5 },
            ToWorker::Run {
                task: task(u32::MAX),
                options: TaskOptions::new(Site(1), TaskKind::Sync),
                call: body(b"", &[3, 4]),
            },
            ToWorker::Completed { task: task(2), outcome: Ok(body(b"result", &[])) },
            ToWorker::Completed { task: task(3), outcome: Err(Error::closed()) },
        ]
    }

    #[test]
    fn messages_of_one_packet_come_out_as_they_went_in() {
        let mut packet = Packet::default();
        messages().into_iter().for_each(|message| message.write(&mut packet));
        let read = read_all::<ToWorker>(packet).expect("whole");
        assert_eq!(format!("{read:?}"), format!("{:?}", messages()));
    }

    #[test]
    fn a_call_that_is_copied_is_written_like_one_that_is_moved() {
        let call = body(b"call", &[1, 2]);
        let (mut copied, mut moved) = (Packet::default(), Packet::default());
        ToWorker::write_run(task(1), options(), &call, &mut copied);
        ToWorker::Run { task: task(1), options: options(), call }.write(&mut moved);
        assert_eq!(format!("{copied:?}"), format!("{moved:?}"));
    }
}
