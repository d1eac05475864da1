//! An encoded call, whatever its types: what [`Remote`](super::Remote) and [`RemoteFn`](super::RemoteFn) are made of.

use std::panic::Location;
use std::time::Duration;

use serde::Serialize;

use super::codec;
use super::entry::{Callee, site};
use crate::error::Error;
use crate::platform::Packet;
use crate::schedule::{TaskKind, TaskOptions};

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

    /// The call with one more argument.
    pub(super) fn with(&self, x: &impl Serialize) -> Self {
        let call = self.try_clone_call();
        let call = call.and_then(|mut call| codec::encode(x, &mut call).map(|()| call));
        Self { call, ..*self }
    }

    /// The call alone, for tasks that are sent more than once.
    pub(super) fn into_call(self) -> Result<Packet, Error> {
        self.call.map_err(|error| error.of_task(self.made_at))
    }
}

/// What cannot be copied leaves its error in the call's place.
impl Clone for Encoded {
    fn clone(&self) -> Self {
        Self { call: self.try_clone_call(), ..*self }
    }
}
