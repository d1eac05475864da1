//! The two message types that cross between a page and its worker, and their one codec.
//!
//! Each [`ToWorker::Run`] MUST be answered by exactly one [`FromWorker::Done`], also when it was cancelled - or by
//! the loss of the worker. [`ToWorker::Start`] is the first message and MUST be answered by one [`FromWorker::Ready`] or
//! [`FromWorker::Refused`], or by the loss of the worker.
//!
//! Several messages may share a packet. Each is a head of numbers and a body, the part of each lane whose length the head
//! tells. Heads lie in the lane of entries, before the entries of their bodies: values cannot forge them, and the bytes of
//! a message that is alone in its packet are not copied.

use std::mem;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::platform::{Attachment, Packet};

/// Names a task between a page and one worker. Zero names none.
pub(crate) type TaskId = u32;

/// What a page tells its worker.
#[derive(Debug)]
pub(crate) enum ToWorker {
    /// Make ready: run `on_start`, if there is one, before anything else.
    Start { on_start: Option<Packet> },
    /// Run the task.
    Run { id: TaskId, call: Packet },
    /// Nobody waits for this task any more: do not begin it, or drop it at its next await.
    Cancel { id: TaskId },
}

/// What a worker tells its page.
#[derive(Debug)]
pub(crate) enum FromWorker {
    /// The worker takes tasks.
    Ready,
    /// `on_start` could not be run; the worker takes no tasks.
    Refused { error: Error },
    /// The task has ended, with an encoded result or an error.
    Done { id: TaskId, outcome: Result<Packet, Error> },
    /// The task panicked; the worker is lost and says nothing more. No task: the panic was in `on_start`, or between tasks.
    Panicked { id: Option<TaskId>, message: String, location: Option<String> },
}

/// What a message is, and how much of each lane its body takes.
struct Head {
    kind: usize,
    id: TaskId,
    bytes: usize,
    entries: usize,
    attachments: usize,
}

impl Head {
    /// How many numbers it is in the lane of entries.
    const LENGTH: usize = 5;
}

/// The kinds of messages. What is a whole value in a body is encoded by postcard.
mod kind {
    // To a worker.
    pub(super) const START: usize = 0;
    pub(super) const START_WITH: usize = 1; // body: the call of `on_start`
    pub(super) const RUN: usize = 2; // body: the call
    pub(super) const CANCEL: usize = 3;
    // From a worker.
    pub(super) const READY: usize = 4;
    pub(super) const DONE: usize = 5; // body: the result
    pub(super) const FAILED: usize = 6; // body: an `Error`
    pub(super) const PANICKED: usize = 7; // body: message and location; no task: zero
    pub(super) const REFUSED: usize = 8; // body: an `Error`
}

impl ToWorker {
    /// Appends the message to a packet.
    pub(crate) fn write(self, packet: &mut Packet) {
        match self {
            Self::Start { on_start: None } => append(packet, kind::START, 0, Packet::default()),
            Self::Start { on_start: Some(call) } => append(packet, kind::START_WITH, 0, call),
            Self::Run { id, call } => append(packet, kind::RUN, id, call),
            Self::Cancel { id } => append(packet, kind::CANCEL, id, Packet::default()),
        }
    }

    fn read(kind: usize, id: TaskId, body: Packet) -> Result<Self, Error> {
        Ok(match kind {
            kind::START => Self::Start { on_start: None },
            kind::START_WITH => Self::Start { on_start: Some(body) },
            kind::RUN => Self::Run { id, call: body },
            kind::CANCEL => Self::Cancel { id },
            _ => return Err(garbled()),
        })
    }

    /// The messages of a packet, in order.
    pub(crate) fn read_all(packet: Packet) -> Result<Vec<Self>, Error> {
        Reader::new(packet).all(Self::read)
    }
}

impl FromWorker {
    /// Appends the message to a packet.
    pub(crate) fn write(self, packet: &mut Packet) {
        match self {
            Self::Ready => append(packet, kind::READY, 0, Packet::default()),
            Self::Refused { error } => append(packet, kind::REFUSED, 0, encode(&error)),
            Self::Done { id, outcome: Ok(result) } => append(packet, kind::DONE, id, result),
            Self::Done { id, outcome: Err(error) } => append(packet, kind::FAILED, id, encode(&error)),
            Self::Panicked { id, message, location } => {
                append(packet, kind::PANICKED, id.unwrap_or(0), encode(&(message, location)));
            }
        }
    }

    fn read(kind: usize, id: TaskId, body: Packet) -> Result<Self, Error> {
        Ok(match kind {
            kind::READY => Self::Ready,
            kind::REFUSED => Self::Refused { error: decode(&body)? },
            kind::DONE => Self::Done { id, outcome: Ok(body) },
            kind::FAILED => Self::Done { id, outcome: Err(decode(&body)?) },
            kind::PANICKED => {
                let (message, location) = decode(&body)?;
                Self::Panicked { id: (id != 0).then_some(id), message, location }
            }
            _ => return Err(garbled()),
        })
    }

    /// The messages of a packet, in order.
    pub(crate) fn read_all(packet: Packet) -> Result<Vec<Self>, Error> {
        Reader::new(packet).all(Self::read)
    }
}

fn append(packet: &mut Packet, kind: usize, id: TaskId, body: Packet) {
    let Packet { bytes, entries, attachments } = body;
    packet.entries.reserve_exact(Head::LENGTH + entries.len());
    packet.entries.extend([kind, id as usize, bytes.len(), entries.len(), attachments.len()]);
    packet.entries.extend(entries);
    join(&mut packet.bytes, bytes);
    join(&mut packet.attachments, attachments);
}

fn join<T>(lane: &mut Vec<T>, mut more: Vec<T>) {
    if lane.is_empty() {
        *lane = more;
    } else {
        lane.append(&mut more);
    }
}

fn encode(value: &impl Serialize) -> Packet {
    let Ok(bytes) = postcard::to_stdvec(value) else { unreachable!("plain data can be encoded") };
    Packet { bytes, ..Packet::default() }
}

fn decode<T: DeserializeOwned>(body: &Packet) -> Result<T, Error> {
    postcard::from_bytes(&body.bytes).map_err(|_| garbled())
}

/// Takes a packet apart from its front.
struct Reader {
    bytes: Vec<u8>,
    at: usize,
    entries: std::vec::IntoIter<usize>,
    attachments: std::vec::IntoIter<Attachment>,
}

impl Reader {
    fn new(packet: Packet) -> Self {
        let Packet { bytes, entries, attachments } = packet;
        Self { bytes, at: 0, entries: entries.into_iter(), attachments: attachments.into_iter() }
    }

    fn all<M>(mut self, read: impl Fn(usize, TaskId, Packet) -> Result<M, Error>) -> Result<Vec<M>, Error> {
        let mut messages = Vec::new();
        while let Some(kind) = self.entries.next() {
            let mut number = || self.entries.next().ok_or_else(garbled);
            let head = Head {
                kind,
                id: number()? as TaskId,
                bytes: number()?,
                entries: number()?,
                attachments: number()?,
            };
            let body = self.body(&head)?;
            messages.push(read(head.kind, head.id, body)?);
        }
        Ok(messages)
    }

    fn body(&mut self, head: &Head) -> Result<Packet, Error> {
        let end =
            self.at.checked_add(head.bytes).filter(|end| *end <= self.bytes.len()).ok_or_else(garbled)?;
        if head.entries > self.entries.len() || head.attachments > self.attachments.len() {
            return Err(garbled());
        }
        let bytes = if self.at == 0 && end == self.bytes.len() {
            mem::take(&mut self.bytes)
        } else {
            let bytes = self.bytes[self.at..end].to_vec();
            self.at = end;
            bytes
        };
        Ok(Packet {
            bytes,
            entries: self.entries.by_ref().take(head.entries).collect(),
            attachments: self.attachments.by_ref().take(head.attachments).collect(),
        })
    }
}

fn garbled() -> Error {
    Error::codec(
        "a message between page and worker is garbled; reload the page so that both run the same program",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(bytes: &[u8], entries: &[usize]) -> Packet {
        Packet { bytes: bytes.to_vec(), entries: entries.to_vec(), attachments: Vec::new() }
    }

    #[test]
    fn messages_of_one_packet_come_out_as_they_went_in() {
        let mut packet = Packet::default();
        ToWorker::Start { on_start: Some(body(b"start", &[7])) }.write(&mut packet);
        ToWorker::Run { id: 1, call: body(b"one", &[1, 2]) }.write(&mut packet);
        ToWorker::Cancel { id: 9 }.write(&mut packet);
        ToWorker::Run { id: u32::MAX, call: body(b"", &[3, 4]) }.write(&mut packet);
        let messages = ToWorker::read_all(packet).expect("whole");
        let shown = messages.iter().map(|message| format!("{message:?}")).collect::<Vec<_>>();
        assert_eq!(shown.len(), 4);
        assert!(shown[0].contains("Start") && shown[0].contains("entries: [7]"), "{shown:?}");
        assert!(shown[1].contains("id: 1") && shown[1].contains("bytes: [111, 110, 101]"), "{shown:?}");
        assert!(shown[2].contains("Cancel { id: 9 }"), "{shown:?}");
        assert!(shown[3].contains("entries: [3, 4]") && shown[3].contains("bytes: []"), "{shown:?}");
    }

    #[test]
    fn every_shortened_packet_is_garbled_or_a_shorter_list() {
        let mut packet = Packet::default();
        FromWorker::Ready.write(&mut packet);
        FromWorker::Done { id: 3, outcome: Ok(body(b"result", &[])) }.write(&mut packet);
        FromWorker::Done { id: 4, outcome: Err(Error::closed()) }.write(&mut packet);
        let whole = packet.bytes;
        for len in 0..whole.len() {
            let packet = Packet { bytes: whole[..len].to_vec(), ..Packet::default() };
            match FromWorker::read_all(packet) {
                Ok(messages) => assert!(messages.len() < 3),
                Err(error) => assert!(error.is_codec()),
            }
        }
    }
}
