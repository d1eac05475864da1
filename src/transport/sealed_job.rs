//! Jobs to bytes and back.

use super::answer::Answer;
use super::flat::{self, FlatCall, Flattened};
use super::reply::Reply;
use super::seal::{NONCE, Seal, SealedKind, TAG, new_nonce, refused};
use crate::error::Error;
use crate::schedule::TaskKind;
use crate::task::{Job, carried};

impl Seal {
    /// Takes a job apart: into its call, as sealed bytes for [`open`](Self::open) of a peer, and what its answer is given to.
    ///
    /// `None` if it cannot cross: its handle has got an error that [`is_codec`](Error::is_codec). What was captured, and the
    /// functions among it, are in the bytes. Blocks of numbers are too ([`Transfer`](crate::Transfer)); ends of channels, actors and JavaScript
    /// values cannot cross.
    ///
    /// The bytes may be sent and run more than once, which is for the sender to decide: see [`Job::retries`].
    #[must_use]
    pub fn seal(&self, job: Job) -> Option<(Vec<u8>, Reply)> {
        let (call, options, sender) = job.into_parts();
        let nonce = new_nonce();
        let sealed = Flattened::new(carried(call), self.reach()).map(|call| {
            let is_async = options.kind == TaskKind::Async;
            let body = FlatCall {
                is_async,
                timeout: options.timeout,
                retries: options.retries,
                call: call.as_flat(),
            };
            let mut bytes = flat::write(&body, [nonce.as_slice(), &[0; TAG]].concat());
            let tag = self.tag(SealedKind::Call, &[&nonce, &bytes[NONCE + TAG..]]);
            bytes[NONCE..][..TAG].copy_from_slice(&tag);
            (bytes, tag)
        });
        match sealed {
            Ok((bytes, tag)) => Some((bytes, Reply::new(sender, self.clone(), tag))),
            Err(error) => {
                sender.send(Err(error));
                None
            }
        }
    }

    /// Makes a job of a peer's call again, for an executor of this process, and what gives its answer.
    ///
    /// It has the timeout and the [retries](Job::retries) of the task that was sealed. A sender that sends a task again when its peer is lost
    /// counts them itself: see [`Job::with_retries`].
    ///
    /// # Errors
    ///
    /// [`is_codec`](Error::is_codec) if it was not sealed by a peer of this build with this secret, or if there is no memory for it.
    pub fn open(&self, call: &[u8]) -> Result<(Job, Answer), Error> {
        let (nonce, rest) = call.split_first_chunk::<NONCE>().ok_or_else(refused)?;
        let (tag, body) = rest.split_first_chunk::<TAG>().ok_or_else(refused)?;
        if !self.is_tag(tag, SealedKind::Call, &[nonce, body]) {
            return Err(refused());
        }
        let FlatCall { is_async, timeout, retries, call } = flat::read(body).ok_or_else(refused)?;
        let call = call.into_packet(self.reach()).ok_or_else(refused)??;
        let kind = if is_async { TaskKind::Async } else { TaskKind::Sync };
        let (job, handle) = Job::arrived(call, kind, timeout, retries).ok_or_else(refused)?;
        Ok((job, Answer::new(handle, self.clone(), *tag)))
    }
}
