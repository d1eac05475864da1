//! Many calls of one function as one task: a *chunk*.
//!
//! A [`RemoteFn`](super::RemoteFn)'s call is a *stem*, which is the same for all of its calls, and behind it the encoded open
//! argument, the *item*. A chunk carries the stem once and the items, each in a body of its own; on the
//! far side each call is begun from a copy of the stem with its item behind. What comes back are the outcomes, the items that
//! were not begun, and the time that it took.
//!
//! Outcomes lie in a slot of the thread until the chunk has ended, so that a panic does not take them with it: whoever sees
//! it, after the unwinding or within the hook where panics abort, [`rescue`]s them.

use std::cell::RefCell;
use std::mem;
use std::panic::Location;
use std::time::Duration;
use std::vec;

use serde::Serialize;

use super::codec;
use super::entry::{self, Call, Entry, Outcome, begin, foreign};
use super::handle::RemoteHandle;
use super::job::Job;
use super::remote::Options;
use crate::error::Error;
use crate::platform::{self, Packet};
use crate::schedule::TaskKind;
use crate::wire::{PacketReader, Put, Take};

/// A chunk that has run for so long begins no further item: others may have nothing to do.
const CHUNK_LIMIT: Duration = Duration::from_millis(8);

/// Makes the calls of one function.
pub(crate) struct Calls {
    stem: Result<Packet, Error>,
    options: Options,
    made_at: &'static Location<'static>,
}

impl Calls {
    pub(super) fn new(
        stem: Result<Packet, Error>,
        options: Options,
        made_at: &'static Location<'static>,
    ) -> Self {
        Self { stem, options, made_at }
    }

    /// The place of the call that made the function.
    pub(crate) fn location(&self) -> &'static Location<'static> {
        self.made_at
    }

    /// True if several calls may be one task. Not if they may overlap, or if a single one may be stopped or run again.
    pub(crate) fn share_tasks(&self) -> bool {
        let Options { kind, timeout, retries } = self.options;
        kind == TaskKind::Sync && timeout.is_none() && retries == 0
    }

    /// Encodes an item.
    pub(crate) fn encode(&mut self, x: &impl Serialize) -> Outcome {
        let stem = self.stem.as_mut().map_err(|error| error.clone())?;
        let (bytes, addresses, attachments) =
            (stem.bytes.len(), stem.addresses.len(), stem.attachments.len());
        // Behind the stem, so that it counts attachments from there.
        codec::encode(x, stem)?;
        Ok(Packet {
            heads: Vec::new(),
            bytes: stem.bytes.split_off(bytes),
            addresses: stem.addresses.split_off(addresses),
            attachments: stem.attachments.split_off(attachments),
        })
    }

    /// The task that makes the calls for these items: a chunk, or the call itself if it [shares](Self::share_tasks) no task.
    pub(crate) fn job(&self, items: Vec<Packet>) -> (Result<Job, Error>, RemoteHandle<Results>) {
        let decode = if self.share_tasks() { Results::read } else { Results::of_one };
        let (reply, handle) = RemoteHandle::new(self.made_at, decode);
        let call = match &self.stem {
            Ok(stem) => stem.try_clone(),
            Err(error) => Err(error.clone()),
        };
        let call = call.map(|stem| self.call(stem, items));
        (call.map(|call| Job::new(call, self.options, self.made_at, reply)), handle)
    }

    fn call(&self, mut stem: Packet, items: Vec<Packet>) -> Packet {
        if self.share_tasks() {
            let run = (run as fn(Packet) -> Outcome) as *const ();
            let mut chunk = entry::packet(Entry::raw(), run, self.made_at);
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
    fn write(self) -> Packet {
        let mut packet = Packet::default();
        self.ran.put(&mut packet);
        self.outcomes.put(&mut packet);
        self.rest.put(&mut packet);
        packet
    }

    fn read(packet: Packet) -> Result<Self, Error> {
        let mut reader = PacketReader::new(packet);
        let mut read = || {
            let ran = Take::take(&mut reader)?;
            let outcomes = Take::take(&mut reader)?;
            Some(Self { outcomes, rest: Take::take(&mut reader)?, ran })
        };
        read().ok_or_else(foreign)
    }

    #[expect(clippy::unnecessary_wraps, reason = "it stands where a packet is decoded, which may fail")]
    fn of_one(packet: Packet) -> Result<Self, Error> {
        Ok(Self { outcomes: vec![Ok(packet)], ..Self::default() })
    }
}

/// The calls of a chunk: the stem, and the items.
fn read(chunk: Packet) -> Option<(Packet, Vec<Packet>)> {
    let mut reader = PacketReader::new(chunk);
    Some((Packet::take(&mut reader)?, Take::take(&mut reader)?))
}

/// Runs a chunk: the function of its task.
fn run(chunk: Packet) -> Outcome {
    let Some((stem, items)) = read(chunk) else { return Err(foreign()) };
    let began = platform::now();
    let mut stem = Some(stem);
    Progress::begin(items);
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
        Progress::add(outcome);
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

/// How far a chunk has come.
struct Progress {
    outcomes: Vec<Outcome>,
    /// What has not begun.
    items: vec::IntoIter<Packet>,
    /// [`with_panic`](Self::with_panic): by this address, only programs with chunks have its code.
    rescue: fn(Self, Error) -> Packet,
}

/// Where the chunk that runs on this thread keeps its [`Progress`].
struct ChunkSlot {
    /// How many tasks run here within one another: a task of the worker may run others itself, by [`Job::run`].
    depth: u32,
    progress: Option<Progress>,
}

thread_local! {
    static CHUNK: RefCell<ChunkSlot> = const { RefCell::new(ChunkSlot { depth: 0, progress: None }) };
}

impl Progress {
    fn begin(items: Vec<Packet>) {
        let outcomes = Vec::with_capacity(items.len());
        let progress = Self { outcomes, items: items.into_iter(), rescue: Self::with_panic };
        CHUNK.with_borrow_mut(|slot| slot.progress = Some(progress));
    }

    /// The next item, and whether it is the last.
    fn next() -> Option<(Packet, bool)> {
        CHUNK.with_borrow_mut(|slot| {
            let items = &mut slot.progress.as_mut()?.items;
            Some((items.next()?, items.len() == 0))
        })
    }

    fn add(outcome: Outcome) {
        CHUNK.with_borrow_mut(|slot| {
            if let Some(progress) = &mut slot.progress {
                progress.outcomes.push(outcome);
            }
        });
    }

    fn take() -> Option<Self> {
        CHUNK.with_borrow_mut(|slot| slot.progress.take())
    }

    /// What there is to tell though the item that runs has panicked.
    fn with_panic(self, panic: Error) -> Packet {
        let Self { mut outcomes, items, .. } = self;
        outcomes.push(Err(panic));
        Results { outcomes, rest: items.collect(), ran: None }.write()
    }
}

/// What the task of this worker that has panicked gives all the same, if it is a chunk.
pub(crate) fn rescue(panic: Error) -> Option<Packet> {
    let progress = CHUNK.with_borrow_mut(|slot| slot.progress.take_if(|_| slot.depth == 0))?;
    Some((progress.rescue)(progress, panic))
}

/// Begins a task within the code of another, whose progress it leaves alone, until this is dropped.
pub(super) struct NestedScope(ChunkSlot);

impl NestedScope {
    pub(super) fn enter() -> Self {
        Self(CHUNK.with_borrow_mut(|slot| {
            let depth = slot.depth + 1;
            mem::replace(slot, ChunkSlot { depth, progress: None })
        }))
    }

    /// As [`rescue`], for the task that was begun in here.
    pub(super) fn rescue(&self, panic: Error) -> Outcome {
        match Progress::take() {
            Some(progress) => Ok((progress.rescue)(progress, panic)),
            None => Err(panic),
        }
    }
}

impl Drop for NestedScope {
    fn drop(&mut self) {
        let outer = mem::replace(&mut self.0, ChunkSlot { depth: 0, progress: None });
        let inner = CHUNK.replace(outer);
        drop(inner);
    }
}
