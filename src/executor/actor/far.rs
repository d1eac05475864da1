//! Actors in other memories than the one that made them.
//!
//! Such an actor is a sender: it asks for calls through a channel, and each request bears the sender of another one, for its answer.
//! So the page's end of the first channel keeps the object for as long as there are actors elsewhere, a loss on either side ends
//! what waits for it, and memories between pass on what is for others.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};

use futures::channel::oneshot;
use futures::future::{Either, select};

use super::home::{Home, lock};
use crate::channel::{Sender, unbounded};
use crate::error::Error;
use crate::platform;
use crate::task::actor::{
    ActorRequest, FarCall, Requested, read_answer, read_request, write_answer, write_detach,
};
use crate::task::foreign;

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
        let number = sender.number();
        let (request, answer) = call.into_request(sender.into_attachment());
        // Its receiver is there as long as the memory that made the actor.
        if self.requests.send_packet(request).is_err() {
            return answer.fail(Error::object_lost());
        }
        // If the handle is dropped, so are the answers, which ends the call.
        let wait = async move {
            match poll_fn(|context| answers.poll_packet(context)).await {
                Some(Ok(answer)) => read_answer(answer).unwrap_or_else(|| Err(foreign())),
                Some(Err(error)) if error.is_worker_lost() => Err(Error::object_lost()),
                Some(Err(error)) => Err(error),
                // The request that bore the sender was not read.
                None => Err(Error::codec(
                    "the call could not be sent to the memory that made the actor; send what structured clone carries, \
                     and transfer a value once only",
                )),
            }
        };
        let requests = self.requests.clone();
        let detach = move || requests.send_packet(write_detach(number)).unwrap_or(());
        platform::spawn_local(answer.answer(wait, detach));
    }

    fn requests(&self) -> Sender<()> {
        self.requests.clone()
    }
}

/// Calls that are under way, by the numbers of the channels for their answers, and how they are detached.
type UnderWay = Arc<Mutex<BTreeMap<u64, oneshot::Sender<()>>>>;

/// Takes requests for an object that is at home here, until no actor is left elsewhere.
pub(super) fn serve<T: 'static>(home: Arc<Home<T>>) -> Sender<()> {
    let (sender, mut requests) = unbounded::<()>();
    platform::spawn_service(async move {
        let under_way = UnderWay::default();
        while let Some(request) = poll_fn(|context| requests.poll_packet(context)).await {
            // One that was lost, or could not be posted, has lost the sender for its answer.
            match request.ok().and_then(|request| read_request(request, &home.object)) {
                Some(ActorRequest::Call(call)) => run(&home, *call, &under_way),
                Some(ActorRequest::Detach(number)) => {
                    let detach = lock(&under_way).remove(&number);
                    // It may have been answered meanwhile.
                    detach.into_iter().for_each(|detach| detach.send(()).unwrap_or(()));
                }
                None => {}
            }
        }
    });
    sender
}

fn run<T: 'static>(home: &Home<T>, call: Requested, under_way: &UnderWay) {
    let Some(answers) = Sender::<()>::from_attachment(call.answers) else { return };
    if let Some(job) = call.job {
        home.submit(job);
    }
    if call.closes {
        home.close();
    }
    let number = answers.number();
    let (detach, detached) = oneshot::channel();
    lock(under_way).insert(number, detach);
    let (handle, under_way) = (call.handle, under_way.clone());
    platform::spawn_service(async move {
        let (closed, detached) = (std::pin::pin!(answers.closed()), std::pin::pin!(detached));
        match select(handle, select(detached, closed)).await {
            // It may be closed meanwhile.
            Either::Left((outcome, _)) => answers.send_packet(write_answer(outcome)).unwrap_or(()),
            Either::Right((Either::Left(_), handle)) => handle.forget(),
            Either::Right((Either::Right(_), handle)) => drop(handle),
        }
        drop(lock(&under_way).remove(&number));
    });
}
