//! Actors in other memories than the one that made them.
//!
//! Such an actor is a sender: it asks for calls through a channel, and each request bears the sender of another one, for its answer.
//! So the page's end of the first channel keeps the object for as long as there are actors elsewhere, a loss on either side ends
//! what waits for it, and memories between pass on what is for others.

use std::future::poll_fn;
use std::sync::Arc;

use futures::future::{Either, select};

use super::home::Home;
use crate::channel::{Sender, unbounded};
use crate::error::Error;
use crate::platform;
use crate::task::actor::{FarCall, read_answer, read_request, write_answer};

/// An actor that is asked for by its name. By this trait, only programs whose actors cross have the code for that.
pub(super) trait Elsewhere: Send + Sync {
    fn name(&self) -> u64;

    /// Asks for a call.
    fn ask(&self, call: FarCall);

    /// A second sender of requests.
    fn requests(&self) -> Sender<()>;
}

pub(super) struct Far {
    pub(super) name: u64,
    pub(super) requests: Sender<()>,
}

impl Elsewhere for Far {
    fn name(&self) -> u64 {
        self.name
    }

    fn ask(&self, call: FarCall) {
        let (sender, mut answers) = unbounded::<()>();
        let (request, answer) = call.into_request(sender.into_attachment());
        if let Err(closed) = self.requests.send_packet(request) {
            return answer.fail(closed);
        }
        // If the handle is dropped, so are the answers, which ends the call.
        let wait = async move {
            match poll_fn(|context| answers.poll_packet(context)).await {
                Some(answer) => read_answer(answer?).unwrap_or_else(|| Err(Error::closed())),
                None => Err(Error::closed()),
            }
        };
        platform::spawn_local(answer.answer(wait));
    }

    fn requests(&self) -> Sender<()> {
        self.requests.clone()
    }
}

/// Takes requests for an object that is at home here, until no actor is left elsewhere.
pub(super) fn serve<T: 'static>(home: Arc<Home<T>>) -> Sender<()> {
    let (sender, mut requests) = unbounded::<()>();
    platform::spawn_service(async move {
        while let Some(request) = poll_fn(|context| requests.poll_packet(context)).await {
            // One that was lost, or could not be posted, has lost the sender for its answer.
            let Some(requested) = request.ok().and_then(|request| read_request(request, &home.object)) else {
                continue;
            };
            let Some(answers) = Sender::<()>::from_attachment(requested.answers) else { continue };
            if let Some(job) = requested.job {
                home.submit(job);
            }
            let handle = requested.handle;
            platform::spawn_service(async move {
                let closed = std::pin::pin!(answers.closed());
                if let Either::Left((outcome, _)) = select(handle, closed).await {
                    // It may be closed meanwhile.
                    let _sent = answers.send_packet(write_answer(outcome));
                }
            });
        }
    });
    sender
}
