//! The page's end of a worker, and the thread at the other end.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::thread;

use futures::StreamExt;
use futures::channel::mpsc::{self, TrySendError, UnboundedSender};
use futures::future::{AbortHandle, Abortable};
use futures::task::FutureObj;

use super::local::{run_local, spawn_local};
use super::outbox::{Outbox, Stops};
use super::place;
use super::time::yield_now;
use crate::error::Error;
use crate::platform::endpoint::gone;
use crate::platform::{EventHandler, Loss, Main, Packet, Place, Post, Tagged, WorkerEvent, WorkerSpec};

/// The page's end of a worker: dropping it ends the worker at its next yield.
pub(crate) struct Port {
    inbox: UnboundedSender<ToThread>,
    /// Ends the loop that reads the inbox, whatever is still in there.
    end: AbortHandle,
    place: Place,
    stops: Stops,
}

impl Drop for Port {
    fn drop(&mut self) {
        self.end.abort();
        gone(self.place);
    }
}

/// Never called: memory is shared.
pub(crate) fn post_to(_place: Place, _packet: Packet) -> Result<(), Error> {
    Ok(())
}

/// What a worker's channel carries.
enum ToThread {
    Packet(Packet),
    Future(FutureObj<'static, ()>),
}

impl Post for Port {
    fn try_post(&self, packet: Packet) {
        // A worker that is gone needs it no longer.
        self.post(packet).unwrap_or(());
    }
}

impl Port {
    /// Where its worker is.
    pub(crate) fn place(&self) -> Place {
        self.place
    }

    pub(crate) fn post(&self, packet: Packet) -> Result<(), Error> {
        packet.attachments.iter().for_each(|attachment| attachment.moved(self.place));
        // A worker that is gone has been reported, or is about to be: its packets cannot be answered.
        let sent = self.inbox.unbounded_send(ToThread::Packet(packet));
        sent.map_err(|_| Error::worker_lost("its thread has ended"))
    }

    /// Lets the worker begin nothing any more, from now on.
    pub(crate) fn end(&self) {
        self.end.abort();
    }

    /// Lets the code of this task see that it is to be stopped, ahead of the message that says so.
    pub(crate) fn stop(&self, task: u64) {
        self.stops.lock().push(task);
    }

    /// Runs a future on the worker's thread: natively it shares our memory. Gives it back if the worker is gone.
    pub(crate) fn spawn(&self, future: FutureObj<'static, ()>) -> Result<(), FutureObj<'static, ()>> {
        match self.inbox.unbounded_send(ToThread::Future(future)).map_err(TrySendError::into_inner) {
            Ok(()) => Ok(()),
            Err(ToThread::Future(future)) => Err(future),
            Err(ToThread::Packet(_)) => unreachable!("what comes back is what was sent"),
        }
    }
}

/// Sends the worker's last event when its thread is left, by its end or by a panic.
struct LossReporter(Arc<EventHandler>);

impl Drop for LossReporter {
    fn drop(&mut self) {
        (self.0)(WorkerEvent::Lost(Loss { cause: "its thread has ended".into(), ..Loss::default() }));
    }
}

pub(crate) fn start(
    spec: WorkerSpec,
    main: &'static Tagged<Main>,
    first: Packet,
    events: EventHandler,
) -> Result<Port, Error> {
    let (sender, mut inbox) = mpsc::unbounded();
    let (end, registration) = AbortHandle::new_pair();
    let (ended, end_of_thread, stops) = (end.clone(), end.clone(), Stops::default());
    let seen = stops.clone();
    let place = place::next();
    first.attachments.iter().for_each(|attachment| attachment.moved(place));
    sender.unbounded_send(ToThread::Packet(first)).expect("the receiver is alive: it is in this function");
    let run = move || {
        place::enter(place, end_of_thread);
        let events = Arc::new(events);
        let reporter = LossReporter(events.clone());
        let outbox = Outbox::new(events, ended, seen);
        let worker = async move {
            let mut receive = (main.0)(outbox);
            while let Some(next) = inbox.next().await {
                match next {
                    ToThread::Packet(packet) => receive(packet),
                    ToThread::Future(future) => spawn_local(future),
                }
                // What the packet woke or began has its turn before the next one, as in a browser.
                yield_now().await;
            }
        };
        // The panics of tasks are caught where they run. What comes out here is the panic of a value's drop; the
        // hook has shown it and the reporter reports the loss.
        let _shown =
            panic::catch_unwind(AssertUnwindSafe(|| run_local(Abortable::new(worker, registration))));
        drop(reporter);
    };
    let name = spec.name.unwrap_or_else(|| "wasm-mt".to_owned());
    let mut thread = thread::Builder::new().name(name);
    if let Some(bytes) = spec.stack_size {
        // std panics if no multiple of a page is as large.
        thread = thread.stack_size(bytes.min(isize::MAX as usize));
    }
    match thread.spawn(run) {
        Ok(_detached) => Ok(Port { inbox: sender, end, place, stops }),
        Err(error) => Err(Error::startup(format!(
            "the system gave no thread: {error}; start fewer of them, or give each less stack"
        ))),
    }
}
