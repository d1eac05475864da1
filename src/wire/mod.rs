//! The two message types that cross between a page and its worker, and their one codec.
//!
//! Each [`ToWorker::Run`] MUST be answered by exactly one [`FromWorker::Done`] or [`FromWorker::Migrated`], also when it was
//! stopped - or by the loss of the worker. [`ToWorker::Start`] is the first message and MUST be answered by one
//! [`FromWorker::Ready`] or [`FromWorker::Refused`], or by the loss of the worker. A worker is told of each task that it handed
//! over by one [`ToWorker::Completed`], unless nobody waits for it any more.
//!
//! Several messages may share a packet. Each is a head of numbers and a body, the part of each lane whose length the head
//! tells. Heads lie in the lane of entries, before the entries of their bodies: values cannot forge them.

mod words;

use std::mem;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use self::words::Words;
use crate::error::Error;
use crate::platform::{Attachment, Packet};
use crate::schedule::{Completion, HandleSignal, Site, Strategy, TaskId, TaskOptions, WorkerId};

/// What a page tells its worker.
#[derive(Debug)]
pub(crate) enum ToWorker {
    /// Make ready: run `on_start`, if there is one, before anything else.
    Start { config: WorkerConfig, on_start: Option<Packet> },
    /// Run the task.
    Run { task: TaskId, options: TaskOptions, call: Packet },
    /// Stop the task, for this reason: do not begin it, or drop it at its next await.
    Stop { task: TaskId, completion: Completion },
    /// So many workers have nothing to do: hand over what has not begun.
    StealRequest { idle: u32 },
    /// A task that this worker handed over has ended.
    Completed { task: TaskId, outcome: Result<Packet, Error> },
}

/// What a worker is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WorkerConfig {
    /// Its name.
    pub(crate) worker: WorkerId,
    pub(crate) strategy: Strategy,
    /// How many workers its pool has.
    pub(crate) threads: u32,
    /// It tells of every task that it has run.
    pub(crate) watched: bool,
}

/// What a worker tells its page.
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
    Done { task: TaskId, ran: Option<Duration>, outcome: Result<Packet, Error> },
    /// The task was not begun here and shall not be.
    Migrated { task: TaskId, options: TaskOptions, call: Packet },
    /// So many unfinished tasks of its own are kept here, and something can be run, or cannot.
    Reported { local: u32, resting: bool },
    /// The handle of a task that was handed over says this.
    Signal { task: TaskId, signal: HandleSignal },
    /// A task has run, for those who watch.
    Ran { task: TaskId, site: Site, began: Duration, ended: Duration },
    /// The task panicked; the worker is lost and says nothing more. No task: the panic was in `on_start`, or between tasks.
    /// `begun`: the posted tasks that have begun, and were not answered before.
    Panicked { task: Option<TaskId>, begun: Vec<TaskId>, message: String, location: Option<String> },
}

/// The kinds of messages. What is a whole value in a body is encoded by postcard.
mod kind {
    // To a worker.
    pub(super) const START: usize = 0;
    pub(super) const START_WITH: usize = 1; // body: the call of `on_start`
    pub(super) const RUN: usize = 2; // body: the call
    pub(super) const STOP: usize = 3;
    pub(super) const ASK: usize = 4;
    pub(super) const SETTLED: usize = 5; // body: the result
    pub(super) const SETTLED_BADLY: usize = 6; // body: an `Error`
    // From a worker.
    pub(super) const READY: usize = 16;
    pub(super) const REFUSED: usize = 17; // body: an `Error`
    pub(super) const BEGAN: usize = 18;
    pub(super) const WAITS: usize = 19;
    pub(super) const DONE: usize = 20; // body: the result
    pub(super) const FAILED: usize = 21; // body: an `Error`
    pub(super) const RETURNED: usize = 22; // body: the call
    pub(super) const REPORTED: usize = 23;
    pub(super) const SAID: usize = 24;
    pub(super) const RAN: usize = 25;
    pub(super) const PANICKED: usize = 26; // body: message and location
}

impl ToWorker {
    /// Appends the message to a packet.
    pub(crate) fn write(self, packet: &mut Packet) {
        let words = &mut packet.entries;
        match self {
            Self::Start { config, on_start: None } => {
                words.push(kind::START);
                words::put_duty(words, config);
            }
            Self::Start { config, on_start: Some(call) } => {
                words.push(kind::START_WITH);
                words::put_duty(words, config);
                append(packet, call);
            }
            Self::Run { task, options, call } => {
                Self::write_run(task, options, packet);
                append(packet, call);
            }
            Self::Stop { task, completion } => {
                words.push(kind::STOP);
                words::put_task(words, task);
                words::put_verdict(words, completion);
            }
            Self::StealRequest { idle } => words.extend([kind::ASK, idle as usize]),
            Self::Completed { task, outcome: Ok(result) } => {
                words.push(kind::SETTLED);
                words::put_task(words, task);
                append(packet, result);
            }
            Self::Completed { task, outcome: Err(error) } => {
                words.push(kind::SETTLED_BADLY);
                words::put_task(words, task);
                append(packet, encode(&error));
            }
        }
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

    /// Appends a `Run` whose call stays where it is. The call MUST have no attachments.
    pub(crate) fn write_run_of(task: TaskId, options: TaskOptions, call: &Packet, packet: &mut Packet) {
        Self::write_run(task, options, packet);
        debug_assert!(call.attachments.is_empty(), "an attachment is moved, not copied");
        packet.entries.extend([call.bytes.len(), call.entries.len(), 0]);
        packet.entries.extend_from_slice(&call.entries);
        packet.bytes.extend_from_slice(&call.bytes);
    }

    fn write_run(task: TaskId, options: TaskOptions, packet: &mut Packet) {
        packet.entries.push(kind::RUN);
        words::put_task(&mut packet.entries, task);
        words::put_terms(&mut packet.entries, options);
    }

    /// The messages of a packet, in order.
    pub(crate) fn read_all(packet: Packet) -> Result<Vec<Self>, Error> {
        Reader::new(packet).all(Self::read)
    }

    fn read(kind: usize, reader: &mut Reader) -> Option<Self> {
        let words = &mut reader.entries;
        Some(match kind {
            kind::START => Self::Start { config: words.config()?, on_start: None },
            kind::START_WITH => Self::Start { config: words.config()?, on_start: Some(reader.body()?) },
            kind::RUN => Self::Run { task: words.task()?, options: words.options()?, call: reader.body()? },
            kind::STOP => Self::Stop { task: words.task()?, completion: words.completion()? },
            kind::ASK => Self::StealRequest { idle: words.number()? },
            kind::SETTLED => Self::Completed { task: words.task()?, outcome: Ok(reader.body()?) },
            kind::SETTLED_BADLY => Self::Completed { task: words.task()?, outcome: Err(reader.value()?) },
            _ => return None,
        })
    }
}

impl FromWorker {
    /// Appends the message to a packet.
    pub(crate) fn write(self, packet: &mut Packet) {
        let words = &mut packet.entries;
        match self {
            Self::Ready => words.push(kind::READY),
            Self::Refused { error } => {
                words.push(kind::REFUSED);
                append(packet, encode(&error));
            }
            Self::Began { task, options } => {
                words.push(kind::BEGAN);
                words::put_task(words, task);
                words::put_terms(words, options);
            }
            Self::Suspended { task, ran } => {
                words.push(kind::WAITS);
                words::put_task(words, task);
                words::put_time(words, ran);
            }
            Self::Done { task, ran, outcome } => {
                words.push(if outcome.is_ok() { kind::DONE } else { kind::FAILED });
                words::put_task(words, task);
                words::put_maybe_time(words, ran);
                append(packet, outcome.unwrap_or_else(|error| encode(&error)));
            }
            Self::Migrated { task, options, call } => {
                words.push(kind::RETURNED);
                words::put_task(words, task);
                words::put_terms(words, options);
                append(packet, call);
            }
            Self::Reported { local, resting } => {
                words.extend([kind::REPORTED, local as usize, usize::from(resting)]);
            }
            Self::Signal { task, signal } => {
                words.push(kind::SAID);
                words::put_task(words, task);
                words::put_signal(words, signal);
            }
            Self::Ran { task, site, began, ended } => {
                words.push(kind::RAN);
                words::put_task(words, task);
                words.push(site.0 as usize);
                words::put_time(words, began);
                words::put_time(words, ended);
            }
            Self::Panicked { task, begun, message, location } => {
                words.push(kind::PANICKED);
                words::put_task(words, task.unwrap_or(words::NO_TASK));
                words.push(begun.len());
                begun.into_iter().for_each(|task| words::put_task(words, task));
                append(packet, encode(&(message, location)));
            }
        }
    }

    /// The messages of a packet, in order.
    pub(crate) fn read_all(packet: Packet) -> Result<Vec<Self>, Error> {
        Reader::new(packet).all(Self::read)
    }

    fn read(kind: usize, reader: &mut Reader) -> Option<Self> {
        let words = &mut reader.entries;
        Some(match kind {
            kind::READY => Self::Ready,
            kind::REFUSED => Self::Refused { error: reader.value()? },
            kind::BEGAN => Self::Began { task: words.task()?, options: words.options()? },
            kind::WAITS => Self::Suspended { task: words.task()?, ran: words.time()? },
            kind::DONE => {
                let (task, ran) = (words.task()?, words.maybe_time()?);
                Self::Done { task, ran, outcome: Ok(reader.body()?) }
            }
            kind::FAILED => {
                let (task, ran) = (words.task()?, words.maybe_time()?);
                Self::Done { task, ran, outcome: Err(reader.value()?) }
            }
            kind::RETURNED => {
                Self::Migrated { task: words.task()?, options: words.options()?, call: reader.body()? }
            }
            kind::REPORTED => Self::Reported { local: words.number()?, resting: words.number()? != 0 },
            kind::SAID => Self::Signal { task: words.task()?, signal: words.signal()? },
            kind::RAN => Self::Ran {
                task: words.task()?,
                site: Site(words.next()? as u64),
                began: words.time()?,
                ended: words.time()?,
            },
            kind::PANICKED => {
                let task = Some(words.task()?).filter(|task| *task != words::NO_TASK);
                let count = words.next()?;
                let begun = (0..count).map(|_| words.task()).collect::<Option<_>>()?;
                let (message, location) = reader.value()?;
                Self::Panicked { task, begun, message, location }
            }
            _ => return None,
        })
    }
}

/// Appends the body of a message, behind its head.
pub(crate) fn append(packet: &mut Packet, body: Packet) {
    let Packet { bytes, entries, attachments } = body;
    packet.entries.extend([bytes.len(), entries.len(), attachments.len()]);
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

/// Plain data as a body.
pub(crate) fn encode(value: &impl Serialize) -> Packet {
    let Ok(bytes) = postcard::to_stdvec(value) else { unreachable!("plain data can be encoded") };
    Packet { bytes, ..Packet::default() }
}

/// Takes a packet apart from its front.
pub(crate) struct Reader {
    bytes: Vec<u8>,
    at: usize,
    entries: Words,
    attachments: std::vec::IntoIter<Attachment>,
}

impl Reader {
    pub(crate) fn new(packet: Packet) -> Self {
        let Packet { bytes, entries, attachments } = packet;
        Self { bytes, at: 0, entries: Words::new(entries), attachments: attachments.into_iter() }
    }

    fn all<M>(mut self, read: impl Fn(usize, &mut Self) -> Option<M>) -> Result<Vec<M>, Error> {
        let mut messages = Vec::new();
        while let Some(kind) = self.entries.next() {
            messages.push(read(kind, &mut self).ok_or_else(garbled)?);
        }
        Ok(messages)
    }

    /// The next number of a head.
    pub(crate) fn word(&mut self) -> Option<usize> {
        self.entries.next()
    }

    /// The body of the message whose head was read.
    pub(crate) fn body(&mut self) -> Option<Packet> {
        let (bytes, entries, attachments) =
            (self.entries.next()?, self.entries.next()?, self.entries.next()?);
        let end = self.at.checked_add(bytes).filter(|end| *end <= self.bytes.len())?;
        if attachments > self.attachments.len() {
            return None;
        }
        let bytes = if self.at == 0 && end == self.bytes.len() {
            mem::take(&mut self.bytes)
        } else {
            let bytes = self.bytes[self.at..end].to_vec();
            self.at = end;
            bytes
        };
        Some(Packet {
            bytes,
            entries: self.entries.take(entries)?,
            attachments: self.attachments.by_ref().take(attachments).collect(),
        })
    }

    /// The value that is the body of the message whose head was read.
    pub(crate) fn value<T: DeserializeOwned>(&mut self) -> Option<T> {
        postcard::from_bytes(&self.body()?.bytes).ok()
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
    use crate::schedule::TaskKind;

    fn body(bytes: &[u8], entries: &[usize]) -> Packet {
        Packet { bytes: bytes.to_vec(), entries: entries.to_vec(), attachments: Vec::new() }
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

    fn to_worker() -> Vec<ToWorker> {
        let config =
            WorkerConfig { worker: WorkerId(3), strategy: Strategy::WorkStealing, threads: 4, watched: true };
        vec![
            ToWorker::Start { config, on_start: None },
            ToWorker::Start { config, on_start: Some(body(b"start", &[7])) },
            ToWorker::Run { task: task(1), options: options(), call: body(b"one", &[1, 2]) },
            ToWorker::Stop { task: task(9), completion: Completion::TimedOut },
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

    fn from_worker() -> Vec<FromWorker> {
        let ms = Duration::from_millis;
        vec![
            FromWorker::Ready,
            FromWorker::Refused { error: Error::startup("no") },
            FromWorker::Began { task: task(1), options: options() },
            FromWorker::Suspended { task: task(2), ran: ms(3) },
            FromWorker::Done { task: task(3), ran: Some(ms(0)), outcome: Ok(body(b"result", &[])) },
            FromWorker::Done { task: task(4), ran: None, outcome: Err(Error::closed()) },
            FromWorker::Migrated { task: task(5), options: options(), call: body(b"call", &[1]) },
            FromWorker::Reported { local: 6, resting: true },
            FromWorker::Signal { task: task(7), signal: HandleSignal::Detach },
            FromWorker::Ran { task: task(8), site: Site(9), began: ms(10), ended: ms(11) },
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
        to_worker().into_iter().for_each(|message| message.write(&mut packet));
        let read = ToWorker::read_all(packet).expect("whole");
        assert_eq!(format!("{read:?}"), format!("{:?}", to_worker()));

        let mut packet = Packet::default();
        from_worker().into_iter().for_each(|message| message.write(&mut packet));
        let read = FromWorker::read_all(packet).expect("whole");
        assert_eq!(format!("{read:?}"), format!("{:?}", from_worker()));
    }

    #[test]
    fn a_call_that_stays_is_written_like_one_that_goes() {
        let call = body(b"call", &[1, 2]);
        let (mut stays, mut goes) = (Packet::default(), Packet::default());
        ToWorker::write_run_of(task(1), options(), &call, &mut stays);
        ToWorker::Run { task: task(1), options: options(), call }.write(&mut goes);
        assert_eq!(format!("{stays:?}"), format!("{goes:?}"));
    }

    #[test]
    fn every_shortened_packet_is_garbled_or_a_shorter_list() {
        let mut packet = Packet::default();
        from_worker().into_iter().for_each(|message| message.write(&mut packet));
        let check = |bytes: usize, entries: usize| {
            let packet = body(&packet.bytes[..bytes], &packet.entries[..entries]);
            match FromWorker::read_all(packet) {
                Ok(messages) => assert!(messages.len() < from_worker().len()),
                Err(error) => assert!(error.is_codec()),
            }
        };
        (0..packet.bytes.len()).for_each(|bytes| check(bytes, packet.entries.len()));
        (0..packet.entries.len()).for_each(|entries| check(packet.bytes.len(), entries));
    }
}
