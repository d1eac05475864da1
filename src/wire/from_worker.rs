//! What a worker sends to its page.

use std::time::Duration;

use super::head::head;
use super::packet::{Extent, put_message, read_messages};
use crate::error::Error;
use crate::platform::Packet;
use crate::schedule::{HandleSignal, TaskId, TaskOptions};

/// A message from a worker. `B` is its body: a packet, or in a head the body's [`Extent`].
#[derive(Debug)]
pub(crate) enum FromWorker<B = Packet> {
    /// The worker takes tasks.
    Ready,
    /// `on_start` could not be run; the worker takes no tasks.
    Refused { error: Error },
    /// The task begins.
    Began { task: TaskId, options: TaskOptions },
    /// The task awaits something, and nothing else is to be run.
    Suspended { task: TaskId, ran: Duration },
    /// The task has ended, with an encoded result or an error. It took the thread for `ran`; `None`: it never began.
    Done { task: TaskId, ran: Option<Duration>, outcome: Result<B, Error> },
    /// The task was not begun here and shall not be.
    Migrated { task: TaskId, options: TaskOptions, call: B },
    /// So many unfinished tasks of its own are kept here, and something can be run, or cannot.
    Reported { local: u32, resting: bool },
    /// The handle of a task that was migrated signals this.
    Signal { task: TaskId, signal: HandleSignal },
    /// A task has run; sent if the worker is watched. The body is the address of the place that made it.
    Ran { task: TaskId, location: B, began: Duration, ended: Duration },
    /// The task panicked; the worker is lost and this is its last message. No task: the panic was in `on_start`, or between
    /// tasks. `begun`: the posted tasks that have begun, and were not answered before.
    Panicked { task: Option<TaskId>, begun: Vec<TaskId>, message: String, location: Option<String> },
}

head!(enum FromWorker<Extent> {
    Ready,
    Refused { error },
    Began { task, options },
    Suspended { task, ran },
    Done { task, ran, outcome },
    Migrated { task, options, call },
    Reported { local, resting },
    Signal { task, signal },
    Ran { task, location, began, ended },
    Panicked { task, begun, message, location },
});

impl<B> FromWorker<B> {
    fn try_map<C>(self, map: impl FnOnce(B) -> Option<C>) -> Option<FromWorker<C>> {
        Some(match self {
            Self::Ready => FromWorker::Ready,
            Self::Refused { error } => FromWorker::Refused { error },
            Self::Began { task, options } => FromWorker::Began { task, options },
            Self::Suspended { task, ran } => FromWorker::Suspended { task, ran },
            Self::Done { task, ran, outcome } => {
                let outcome = match outcome {
                    Ok(result) => Ok(map(result)?),
                    Err(error) => Err(error),
                };
                FromWorker::Done { task, ran, outcome }
            }
            Self::Migrated { task, options, call } => {
                FromWorker::Migrated { task, options, call: map(call)? }
            }
            Self::Reported { local, resting } => FromWorker::Reported { local, resting },
            Self::Signal { task, signal } => FromWorker::Signal { task, signal },
            Self::Ran { task, location, began, ended } => {
                FromWorker::Ran { task, location: map(location)?, began, ended }
            }
            Self::Panicked { task, begun, message, location } => {
                FromWorker::Panicked { task, begun, message, location }
            }
        })
    }
}

impl FromWorker {
    /// Appends the message to a packet.
    pub(crate) fn write(self, packet: &mut Packet) {
        put_message(packet, |detach| self.try_map(detach));
    }

    /// The messages of a packet, in order.
    pub(crate) fn read_all(packet: Packet) -> Result<Vec<Self>, Error> {
        read_messages(packet, |head: FromWorker<Extent>, attach| head.try_map(attach))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::{Site, TaskKind, WorkerId};

    fn body(bytes: &[u8], heads: &[u8]) -> Packet {
        Packet { bytes: bytes.to_vec(), heads: heads.to_vec(), ..Packet::default() }
    }

    fn task(number: u32) -> TaskId {
        TaskId { owner: WorkerId(7), number }
    }

    fn messages() -> Vec<FromWorker> {
        let ms = Duration::from_millis;
        let options = TaskOptions::new(Site(0xDEAD_BEEF), TaskKind::Async);
        vec![
            FromWorker::Ready,
            FromWorker::Refused { error: Error::startup("no") },
            FromWorker::Began { task: task(1), options },
            FromWorker::Suspended { task: task(2), ran: ms(3) },
            FromWorker::Done { task: task(3), ran: Some(ms(0)), outcome: Ok(body(b"result", &[])) },
            FromWorker::Done { task: task(4), ran: None, outcome: Err(Error::closed()) },
            FromWorker::Migrated { task: task(5), options, call: body(b"call", &[1]) },
            FromWorker::Reported { local: 6, resting: true },
            FromWorker::Signal { task: task(7), signal: HandleSignal::Detach },
            FromWorker::Ran { task: task(8), location: body(&[], &[]), began: ms(10), ended: ms(11) },
            FromWorker::Panicked {
                task: None,
                begun: vec![task(1), task(2)],
                message: "m".into(),
                location: None,
            },
            FromWorker::Panicked {
                task: Some(task(1)),
                begun: vec![],
                message: "m".into(),
                location: Some("l".into()),
            },
        ]
    }

    #[test]
    fn messages_of_one_packet_come_out_as_they_went_in() {
        let mut packet = Packet::default();
        messages().into_iter().for_each(|message| message.write(&mut packet));
        let read = FromWorker::read_all(packet).expect("whole");
        assert_eq!(format!("{read:?}"), format!("{:?}", messages()));
    }

    #[test]
    fn every_shortened_packet_is_garbled_or_a_shorter_list() {
        let mut packet = Packet::default();
        messages().into_iter().for_each(|message| message.write(&mut packet));
        let check = |bytes: usize, heads: usize| {
            let packet = body(&packet.bytes[..bytes], &packet.heads[..heads]);
            match FromWorker::read_all(packet) {
                Ok(read) => assert!(read.len() < messages().len()),
                Err(error) => assert!(error.is_codec()),
            }
        };
        (0..packet.bytes.len()).for_each(|bytes| check(bytes, packet.heads.len()));
        (0..packet.heads.len()).for_each(|heads| check(packet.bytes.len(), heads));
    }
}
