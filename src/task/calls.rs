//! Many calls of one function as one task: a *chunk*.
//!
//! A [`RemoteFn`](super::RemoteFn) is a *stem*, from which the function is made, and each call is that with an open argument, the
//! *item*. A chunk carries the stem once and the items behind it; the far side makes the function once and calls it
//! for one item after the other. What comes back are the [`Results`], the items that were not begun, and the time that it took.

use std::mem;
use std::panic::Location;
use std::rc::Rc;

use serde::Serialize;

use super::batch::Batch;
use super::chunk::Chunk;
use super::codec::{self, foreign};
use super::encoded::Encoded;
use super::entry::{Call, Callee, Outcome};
use super::handle::RemoteHandle;
use super::job::Job;
use super::progress;
use super::residents;
use super::results::Results;
use crate::error::Error;
use crate::platform::Packet;
use crate::schedule::{TaskKind, TaskOptions};
use crate::wire::{PacketReader, Put, Take};

/// Makes the calls of one function.
pub(crate) struct Calls {
    function: Encoded,
    /// Another one, which the results of each chunk are reduced by.
    reduce: Option<Encoded>,
}

impl Calls {
    pub(super) fn new(function: Encoded) -> Self {
        Self { function, reduce: None }
    }

    /// Has the results of each chunk reduced by the function of these other calls, which is for two of them.
    pub(crate) fn reduced_by(self, reduce: Self) -> Self {
        Self { reduce: Some(reduce.function), ..self }
    }

    /// The place of the call that made the function.
    pub(crate) fn location(&self) -> &'static Location<'static> {
        self.function.made_at
    }

    /// True if several calls may be one task. Not if they may overlap, or if a single one may be stopped or run again.
    pub(crate) fn share_tasks(&self) -> bool {
        let TaskOptions { kind, timeout, retries, .. } = self.function.options;
        kind == TaskKind::Sync && timeout.is_none() && retries == 0
    }

    /// Encodes one more item. If it cannot [share](Self::share_tasks) a task, it is the only one.
    pub(crate) fn encode<X: Serialize + 'static>(&self, x: &X, items: &mut Batch) -> Result<(), Error> {
        if let Err(error) = &self.function.call {
            return Err(error.clone());
        }
        if self.share_tasks() {
            return items.push(x);
        }
        let mut packet = Packet::default();
        codec::encode(x, &mut packet)?;
        *items = Batch::one(packet);
        Ok(())
    }

    /// The task that makes the calls for these items: a chunk, or the call itself if it [shares](Self::share_tasks) no task.
    /// If there is none, the handle holds the error.
    pub(crate) fn job(&self, items: Batch) -> (Option<Job>, RemoteHandle<Box<Results>>) {
        let decode = match &self.reduce {
            _ if !self.share_tasks() => |packet| Ok(Results::one(packet)),
            Some(_) => Results::read_reduced,
            None => Results::read,
        };
        let (reply, handle) = RemoteHandle::new(self.function.made_at, decode);
        let call = self.call(items);
        (Job::new(Encoded { call, ..self.function }, reply), handle)
    }

    fn call(&self, items: Batch) -> Result<Packet, Error> {
        if !self.share_tasks() {
            let mut call = self.function.open_call()?;
            call.append(items.into_one());
            return Ok(call);
        }
        let stem = self.function.try_clone_call()?;
        let reduce = self.reduce.as_ref().map(Encoded::try_clone_call).transpose()?;
        let mut chunk = Callee::raw(call_chunk).packet(self.function.made_at);
        stem.put(&mut chunk);
        reduce.put(&mut chunk);
        items.put(&mut chunk);
        Ok(chunk)
    }
}

/// The calls of a chunk: the stem, that of what reduces the results, and the items.
pub(crate) fn read(chunk: Packet) -> Option<(Packet, Option<Packet>, Batch)> {
    let mut reader = PacketReader::new(chunk);
    let calls = (Packet::take(&mut reader)?, Take::take(&mut reader)?, Take::take(&mut reader)?);
    reader.finish()?;
    Some(calls)
}

/// The function of a chunk's task.
fn call_chunk(chunk: Packet) -> Call {
    Call::Ended(run(chunk))
}

/// Runs a chunk.
fn run(mut chunk: Packet) -> Outcome {
    let known = mem::take(&mut chunk.residents);
    let Some((stem, reduce, items)) = read(chunk) else { return Err(foreign()) };
    let function = |stem| residents::function_of(stem, &known);
    let (function, reduce) = (function(stem)?, reduce.map(function).transpose()?);
    let chunk = Rc::new(Chunk::new(items));
    progress::begin(chunk.clone());
    let ran = function.run(&chunk);
    progress::end();
    ran?;
    let mut results = chunk.finish();
    if let Some(reduce) = reduce {
        results.reduce(|values| reduce.reduce(values))?;
    }
    Ok(results.write())
}
