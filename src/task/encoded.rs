//! An encoded call, whatever its types: what [`Remote`](super::Remote) and [`RemoteFn`](super::RemoteFn) are made of.

use std::panic::Location;
use std::time::Duration;

use serde::Serialize;

use super::codec;
use super::entry::{Callee, site};
use super::residents;
use crate::error::Error;
use crate::platform::{Packet, Resident};
use crate::schedule::{TaskKind, TaskOptions};

/// What takes so many bytes crosses to each worker once, if it is for more than one call.
const RESIDENT_FROM: usize = 1024;

/// A call, or the error that its arguments could not be encoded, with what is known of its tasks.
pub(super) struct Encoded {
    pub(super) call: Result<Packet, Error>,
    pub(super) options: TaskOptions,
    pub(super) made_at: &'static Location<'static>,
}

impl Encoded {
    /// Encodes a call.
    #[track_caller]
    pub(super) fn new(kind: TaskKind, callee: Callee, args: &impl Serialize) -> Self {
        let made_at = Location::caller();
        let mut call = callee.packet(made_at);
        let call = codec::encode(args, &mut call).map(|()| call);
        Self::of(kind, call, made_at)
    }

    pub(super) fn of(
        kind: TaskKind,
        call: Result<Packet, Error>,
        made_at: &'static Location<'static>,
    ) -> Self {
        Self { call, options: TaskOptions::new(site(made_at), kind), made_at }
    }

    pub(super) fn timeout(mut self, limit: Duration) -> Self {
        self.options.timeout = Some(limit);
        self
    }

    pub(super) fn retry(mut self, times: u32) -> Self {
        self.options.retries = times;
        self
    }

    /// A copy of the call. That of an attachment may fail.
    pub(super) fn try_clone_call(&self) -> Result<Packet, Error> {
        match &self.call {
            Ok(call) => call.try_clone(),
            Err(error) => Err(error.clone()),
        }
    }

    /// Makes ready for many calls: what is large, or has attachments, is to stay on workers.
    pub(super) fn reusable(self) -> Self {
        let call = self.call.map(|call| {
            if call.bytes.len() < RESIDENT_FROM && call.attachments.is_empty() {
                return call;
            }
            residents::referring(call)
        });
        Self { call, ..self }
    }

    /// The beginning of a call whose last argument is open.
    pub(super) fn open_call(&self) -> Result<Packet, Error> {
        let call = self.try_clone_call()?;
        if !residents::is_referring(&call) {
            return Ok(call);
        }
        Ok(Packet { residents: call.residents, ..Callee::raw(residents::call).packet(self.made_at) })
    }

    /// The call with one more argument.
    pub(super) fn with(&self, x: &impl Serialize) -> Self {
        let call = self.open_call().and_then(|mut call| codec::encode(x, &mut call).map(|()| call));
        Self { call, ..*self }
    }

    /// The call of what lives on a worker by this name.
    pub(super) fn referring_to(mut self, object: &Resident) -> Self {
        self.options.aside = true;
        if let Ok(call) = &mut self.call {
            call.residents.push(object.clone());
        }
        self
    }

    /// The call alone, with all that it needs, for tasks that are sent more than once.
    pub(super) fn into_call(self) -> Result<Packet, Error> {
        self.call.map(carried).map_err(|error| error.of_task(self.made_at))
    }
}

/// The call with the values that it refers to.
pub(crate) fn carried(call: Packet) -> Packet {
    let master = call.residents.masters().next().cloned();
    match master {
        Some(master) => master.carry(call),
        None => call,
    }
}

/// What cannot be copied leaves its error in the call's place.
impl Clone for Encoded {
    fn clone(&self) -> Self {
        Self { call: self.try_clone_call(), ..*self }
    }
}
