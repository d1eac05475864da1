//! Many calls of one function as one task: a *chunk*.
//!
//! A [`RemoteFn`](super::RemoteFn)'s call is a *stem*, which is the same for all of its calls, and behind it the encoded open
//! argument, the *item*. A chunk carries the stem once and the items, each in a body of its own; on the
//! far side each call is begun from a copy of the stem with its item behind. What comes back are the outcomes, the items that
//! were not begun, and the time that it took.
//!
//! Outcomes lie in the thread's [`progress`](super::progress) until the chunk has ended, so that a panic does not take them
//! with it.

use std::panic::Location;
use std::time::Duration;

use serde::Serialize;

use super::codec;
use super::encoded::Encoded;
use super::entry::{Call, Callee, Outcome, begin, foreign};
use super::handle::RemoteHandle;
use super::job::Job;
use super::progress::Progress;
use crate::error::Error;
use crate::platform::{self, Attachment, Packet};
use crate::schedule::{TaskKind, TaskOptions};
use crate::wire::{PacketReader, Put, Take};

/// A chunk that has run for so long begins no further item: others may have nothing to do.
const CHUNK_LIMIT: Duration = Duration::from_millis(8);

/// Makes the calls of one function.
pub(crate) struct Calls(Encoded);

impl Calls {
    pub(super) fn new(function: Encoded) -> Self {
        Self(function)
    }

    /// The place of the call that made the function.
    pub(crate) fn location(&self) -> &'static Location<'static> {
        self.0.made_at
    }

    /// True if several calls may be one task. Not if they may overlap, or if a single one may be stopped or run again.
    pub(crate) fn share_tasks(&self) -> bool {
        let TaskOptions { kind, timeout, retries, .. } = self.0.options;
        kind == TaskKind::Sync && timeout.is_none() && retries == 0
    }

    /// Encodes an item.
    pub(crate) fn encode(&mut self, x: &impl Serialize) -> Outcome {
        let stem = self.0.call.as_mut().map_err(|error| error.clone())?;
        let (bytes, addresses, attachments) =
            (stem.bytes.len(), stem.addresses.len(), stem.attachments.len());
        // Behind the stem, so that it counts attachments from there.
        codec::encode(x, stem)?;
        Ok(Packet {
            heads: Vec::new(),
            bytes: stem.bytes.split_off(bytes),
            addresses: stem.addresses.split_off(addresses),
            attachments: stem.attachments.split_off(attachments),
            lost: 0,
        })
    }

    /// The task that makes the calls for these items: a chunk, or the call itself if it [shares](Self::share_tasks) no task.
    /// If there is none, the handle holds the error.
    pub(crate) fn job(&self, items: Vec<Packet>) -> (Option<Job>, RemoteHandle<Results>) {
        let decode = if self.share_tasks() { Results::read } else { Results::of_one };
        let (reply, handle) = RemoteHandle::new(self.0.made_at, decode);
        let call = self.0.try_clone_call().map(|stem| self.call(stem, items));
        (Job::new(Encoded { call, ..self.0 }, reply), handle)
    }

    fn call(&self, mut stem: Packet, items: Vec<Packet>) -> Packet {
        if self.share_tasks() {
            let mut chunk = Callee::raw(run).packet(self.0.made_at);
            stem.put(&mut chunk);
            items.put(&mut chunk);
            return chunk;
        }
        items.into_iter().for_each(|item| stem.append(item));
        stem
    }
}

/// What has become of the items of a task.
#[derive(Default)]
pub(crate) struct Results {
    /// In the order of the items.
    pub(crate) outcomes: Vec<Outcome>,
    /// Items that were not begun, the last of the task.
    pub(crate) rest: Vec<Packet>,
    /// How long it took, if it was measured.
    pub(crate) ran: Option<Duration>,
}

impl Results {
    pub(crate) fn write(self) -> Packet {
        let mut packet = Packet::default();
        self.ran.put(&mut packet);
        self.outcomes.put(&mut packet);
        self.rest.put(&mut packet);
        packet
    }

    pub(crate) fn read(packet: Packet) -> Result<Self, Error> {
        let mut reader = PacketReader::new(packet);
        let mut read = || {
            let ran = Take::take(&mut reader)?;
            let outcomes = Take::take(&mut reader)?;
            Some(Self { outcomes, rest: Take::take(&mut reader)?, ran })
        };
        read().and_then(|results| reader.finish().map(|()| results)).ok_or_else(foreign)
    }

    #[expect(clippy::unnecessary_wraps, reason = "it stands where a packet is decoded, which may fail")]
    fn of_one(packet: Packet) -> Result<Self, Error> {
        Ok(Self { outcomes: vec![Ok(packet)], ..Self::default() })
    }
}

/// The calls of a chunk: the stem, and the items.
pub(crate) fn read(chunk: Packet) -> Option<(Packet, Vec<Packet>)> {
    let mut reader = PacketReader::new(chunk);
    let calls = (Packet::take(&mut reader)?, Take::take(&mut reader)?);
    reader.finish()?;
    Some(calls)
}

/// Runs a chunk: the function of its task.
fn run(chunk: Packet) -> Outcome {
    let Some((stem, items)) = read(chunk) else { return Err(foreign()) };
    let began = platform::now();
    // A result that cannot be posted is to harm no other.
    let shares = items.len() > 1;
    let mut stem = Some(stem);
    Progress::begin(items, with_panic);
    while let Some((item, is_last)) = Progress::next() {
        let stem = if is_last { stem.take().map(Ok) } else { stem.as_ref().map(Packet::try_clone) };
        let stem = stem.expect("it is taken for the last item only");
        let outcome = stem.and_then(|mut call| {
            call.append(item);
            match begin(call) {
                Call::Ended(outcome) => outcome,
                Call::Running(_) => unreachable!("the calls of an asynchronous function share no task"),
            }
        });
        Progress::add(if shares { outcome.and_then(check) } else { outcome });
        if platform::now().saturating_sub(began) >= CHUNK_LIMIT {
            break;
        }
    }
    let Some(Progress { outcomes, items, .. }) = Progress::take() else {
        unreachable!("only a panic takes it before the chunk has ended");
    };
    let ran = Some(platform::now().saturating_sub(began));
    Ok(Results { outcomes, rest: items.collect(), ran }.write())
}

/// Gives a result that can be posted.
fn check(result: Packet) -> Outcome {
    result.attachments.iter().try_for_each(Attachment::check)?;
    Ok(result)
}

/// What a chunk has to report though one of its items has panicked.
fn with_panic(progress: Progress, panic: Error) -> Packet {
    let Progress { mut outcomes, items, .. } = progress;
    outcomes.push(Err(panic));
    Results { outcomes, rest: items.collect(), ran: None }.write()
}
