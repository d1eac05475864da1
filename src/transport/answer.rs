//! The answer to a call that came from a peer.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::flat::{self, FlatOutcome, Flattened};
use super::seal::{Mac, Seal, SealedKind, TAG};
use crate::platform::Packet;
use crate::task::{Outcome, RemoteHandle};

/// The answer to an [opened](Seal::open) call, as a future of sealed bytes for [`Reply::answer`](super::Reply::answer) of the peer. It always
/// resolves: an error is an answer too.
///
/// It is what a [`RemoteHandle`] is elsewhere: **dropping it cancels the task**.
#[must_use = "dropping an answer cancels its task; call `.forget()` to let it run"]
pub struct Answer {
    handle: RemoteHandle<Packet>,
    seal: Seal,
    /// That of the call.
    call: Mac,
}

/// What a task has come to, before it is sealed: see [`Answer::poll_unsealed`].
pub struct Unsealed {
    outcome: Outcome,
    seal: Seal,
    /// That of the call.
    call: Mac,
}

impl Answer {
    pub(super) fn new(handle: RemoteHandle<Packet>, seal: Seal, call: Mac) -> Self {
        Self { handle, seal, call }
    }

    /// Stops the task, with its worker if need be: [`RemoteHandle::abort`]. The answer says so.
    pub fn abort(&self) {
        self.handle.abort();
    }

    /// Lets the task run to its end without an answer: [`RemoteHandle::forget`].
    pub fn forget(self) {
        self.handle.forget();
    }

    /// As polling, up to the seal: that of much data takes long, and who polls may have something else to do at the time.
    ///
    /// # Panics
    ///
    /// As polling.
    pub fn poll_unsealed(&mut self, context: &mut Context<'_>) -> Poll<Unsealed> {
        let outcome = ready!(Pin::new(&mut self.handle).poll(context));
        Poll::Ready(Unsealed { outcome, seal: self.seal.clone(), call: self.call })
    }
}

impl Unsealed {
    /// True if sealing it may take longer than some microseconds: it has [blocks of numbers](crate::Transfer), or at least a mebibyte.
    #[must_use]
    pub fn is_large(&self) -> bool {
        self.outcome.as_ref().is_ok_and(Packet::travels_alone)
    }

    /// What the [`Answer`] resolves with.
    #[must_use]
    pub fn seal(self) -> Vec<u8> {
        let room = || vec![0; TAG];
        let flattened = self.outcome.and_then(|result| Flattened::new(result, self.seal.reach()));
        let mut bytes = match flattened {
            Ok(result) => flat::write(&FlatOutcome::Ok(result.as_flat()), room()),
            Err(error) => flat::write(&FlatOutcome::Err(error), room()),
        };
        let tag = self.seal.tag(SealedKind::Answer, &[&self.call, &bytes[TAG..]]);
        bytes[..TAG].copy_from_slice(&tag);
        bytes
    }
}

impl Future for Answer {
    type Output = Vec<u8>;

    /// # Panics
    ///
    /// If it is polled again after it has given the answer.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Vec<u8>> {
        self.poll_unsealed(context).map(Unsealed::seal)
    }
}

impl fmt::Debug for Unsealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unsealed")
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answer({:?})", self.handle)
    }
}
