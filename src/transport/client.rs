//! An executor whose tasks run at the other end of a connection.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use futures::channel::oneshot;
use futures::future::{self, BoxFuture};
use futures::task::{FutureObj, Spawn, SpawnError};

use super::message::{Greeting, Side, read_answer, write_call, write_signal};
use super::reply::{Reply, Signal};
use super::seal::{Seal, refused};
use super::send_queue::SendQueue;
use crate::error::Error;
use crate::executor::spawn_remote;
use crate::executor::traits::Executor;
use crate::schedule::{HandleSignal, TaskId};
use crate::task::{Job, Outcome, TaskOwner};

/// An executor whose tasks run at the other end of any connection that delivers messages whole and in order, where a
/// [`Server`](super::Server) is.
///
/// The program connects it: what the client gives to `send` is to be given to [`Server::receive`](super::Server::receive), and what the server gives to its
/// own to [`Incoming::receive`]. It can be used at once: tasks wait until both sides have greeted each other.
///
/// Cloning gives another handle of the same client. **When the last one is dropped**, `send` is, and what was not answered resolves
/// with an error that [`is_closed`](Error::is_closed). Futures cannot leave this process: [`Spawn`] is refused.
#[derive(Clone)]
pub struct Client {
    owner: Arc<ClientOwner>,
}

/// Takes the messages that come for a [`Client`].
///
/// **Dropping it is the end of the connection**: what was sent and not answered resolves with an error that
/// [`is_worker_lost`](Error::is_worker_lost), and so does each later task.
pub struct Incoming {
    inner: Arc<ClientInner>,
}

/// Dropped with the last handle of the client.
struct ClientOwner(Arc<ClientInner>);

struct ClientInner {
    concurrency: usize,
    outgoing: SendQueue,
    state: Mutex<ClientState>,
}

struct ClientState {
    phase: ClientPhase,
    /// How many tasks were taken and are about to be sent.
    leaving: usize,
    /// Who waits for the end of what was taken.
    closers: Vec<oneshot::Sender<()>>,
    /// No task is taken any more.
    is_closed: bool,
}

enum ClientPhase {
    /// -> `Open`, by the server's greeting; -> `Ended`, by another one.
    Greeting {
        seal: Seal,
        greeting: Greeting,
        waiting: Vec<WaitingJob>,
    },
    /// -> `Ended`, by the end of the connection.
    Open {
        seal: Seal,
        replies: HashMap<u64, Reply>,
        last: u64,
    },
    Ended(Error),
}

/// A job that cannot be sent yet, and what its handle has signalled since.
struct WaitingJob {
    job: Job,
    early: Arc<EarlySignals>,
}

#[derive(Default)]
struct EarlySignals(Mutex<Vec<HandleSignal>>);

impl EarlySignals {
    fn lock(&self) -> MutexGuard<'_, Vec<HandleSignal>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TaskOwner for EarlySignals {
    fn on_signal(&self, _task: TaskId, signal: HandleSignal) {
        self.lock().push(signal);
    }
}

impl Client {
    spawn_remote!(pub);

    /// An executor that says it can run so many tasks at a time. `send` sends one message to the server. It must not block. If it
    /// panics, that is the end of the connection; if it fails otherwise, the program [ends it](Incoming::disconnect).
    #[must_use]
    pub fn new(
        seal: &Seal,
        concurrency: usize,
        send: impl Fn(Vec<u8>) + Send + Sync + 'static,
    ) -> (Self, Incoming) {
        let (greeting, outgoing) = (Greeting::new(), SendQueue::new(send));
        outgoing.put(greeting.message(Side::Client, seal));
        let phase = ClientPhase::Greeting { seal: seal.clone(), greeting, waiting: Vec::new() };
        let state = Mutex::new(ClientState { phase, leaving: 0, closers: Vec::new(), is_closed: false });
        let inner = Arc::new(ClientInner { concurrency, outgoing, state });
        inner.flush();
        (Self { owner: Arc::new(ClientOwner(inner.clone())) }, Incoming { inner })
    }
}

impl Incoming {
    /// Takes a message of the server.
    ///
    /// # Errors
    ///
    /// [`is_codec`](Error::is_codec) if it does not come from a server of this build with this secret, or is not the answer to the
    /// task that it names, which goes on waiting. After a wrong greeting all tasks have that error.
    pub fn receive(&self, message: &[u8]) -> Result<(), Error> {
        let mut state = self.inner.lock();
        match &mut state.phase {
            ClientPhase::Greeting { seal, greeting, waiting } => {
                match greeting.answered(Side::Client, seal, message) {
                    Ok(seal) => {
                        let waiting = std::mem::take(waiting);
                        state.leaving += waiting.len();
                        state.phase =
                            ClientPhase::Open { seal: seal.clone(), replies: HashMap::new(), last: 0 };
                        drop(state);
                        for WaitingJob { job, early } in waiting {
                            self.inner.seal(&seal, job, Some(early));
                        }
                        Ok(())
                    }
                    Err(error) => {
                        drop(state);
                        self.inner.end(error.clone());
                        Err(error)
                    }
                }
            }
            ClientPhase::Open { replies, .. } => {
                let (number, answer) = read_answer(message)?;
                // Else it has crossed the message that cancels it.
                let Some(check) = replies.get(&number).map(Reply::check) else { return Ok(()) };
                drop(state);
                let outcome = check.open(answer).ok_or_else(refused)?;
                self.inner.answer(number, outcome);
                Ok(())
            }
            ClientPhase::Ended(error) => Err(error.clone()),
        }
    }

    /// Ends the connection as dropping does, with the cause, without a full stop.
    pub fn disconnect(self, cause: impl Into<String>) {
        self.inner.end(Error::worker_lost(cause));
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        self.inner.end(Error::worker_lost("the connection to it has ended"));
    }
}

impl Drop for ClientOwner {
    fn drop(&mut self) {
        if self.0.end_tasks(&Error::closed()) {
            // Forgotten tasks may be among what another thread is about to send.
            self.0.outgoing.finish();
        }
    }
}

impl ClientInner {
    fn lock(&self) -> MutexGuard<'_, ClientState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn submit(self: &Arc<Self>, job: Job) {
        let mut state = self.lock();
        let is_closed = state.is_closed;
        match &mut state.phase {
            _ if is_closed => {
                drop(state);
                job.fail(Error::closed());
            }
            ClientPhase::Greeting { waiting, .. } => {
                let early = Arc::new(EarlySignals::default());
                let owner: Arc<dyn TaskOwner> = early.clone();
                if job.signal_to(&owner) {
                    waiting.push(WaitingJob { job, early });
                }
            }
            ClientPhase::Open { seal, .. } => {
                let seal = seal.clone();
                state.leaving += 1;
                drop(state);
                self.seal(&seal, job, None);
            }
            ClientPhase::Ended(error) => {
                let error = error.clone();
                drop(state);
                job.fail(error);
            }
        }
    }

    /// Sends a task that is [leaving](ClientState::leaving).
    fn seal(self: &Arc<Self>, seal: &Seal, job: Job, early: Option<Arc<EarlySignals>>) {
        let sealed = seal.seal(job);
        let mut state = self.lock();
        state.leaving -= 1;
        let sent = match sealed {
            Some((call, reply)) => self.send(state, &call, reply),
            None => {
                drop(state);
                None
            }
        };
        // By now it signals elsewhere.
        let early = early.map(|early| std::mem::take(&mut *early.lock())).unwrap_or_default();
        if let Some(number) = sent {
            early.into_iter().for_each(|signal| self.signal(number, signal.into()));
        }
        self.finish();
    }

    /// Gives the number of the task, if it was sent.
    fn send(
        self: &Arc<Self>,
        mut state: MutexGuard<'_, ClientState>,
        call: &[u8],
        mut reply: Reply,
    ) -> Option<u64> {
        match &mut state.phase {
            ClientPhase::Open { replies, last, .. } => {
                *last += 1;
                let (number, inner) = (*last, Arc::downgrade(self));
                let is_wanted = reply.on_signal(move |signal| {
                    inner.upgrade().iter().for_each(|inner| inner.signal(number, signal));
                });
                if is_wanted {
                    replies.insert(number, reply);
                    self.outgoing.put(write_call(number, call));
                }
                drop(state);
                self.flush();
                is_wanted.then_some(number)
            }
            ClientPhase::Ended(error) => {
                let error = error.clone();
                drop(state);
                reply.fail(error);
                None
            }
            ClientPhase::Greeting { .. } => unreachable!("its seal is that of an open connection"),
        }
    }

    /// The connection has ended.
    fn end(&self, error: Error) {
        if self.end_tasks(&error) {
            self.outgoing.close();
        }
    }

    /// Each task ends in this error. False if they have ended before.
    fn end_tasks(&self, error: &Error) -> bool {
        let mut state = self.lock();
        if matches!(state.phase, ClientPhase::Ended(_)) {
            return false;
        }
        let before = std::mem::replace(&mut state.phase, ClientPhase::Ended(error.clone()));
        drop(state);
        match before {
            ClientPhase::Greeting { waiting, .. } => {
                waiting.into_iter().for_each(|waiting| waiting.job.fail(error.clone()));
            }
            ClientPhase::Open { replies, .. } => {
                replies.into_values().for_each(|reply| reply.fail(error.clone()));
            }
            ClientPhase::Ended(_) => {}
        }
        self.finish();
        true
    }

    /// The outcome of a task has come.
    fn answer(&self, number: u64, outcome: Outcome) {
        let mut state = self.lock();
        let reply = match &mut state.phase {
            ClientPhase::Open { replies, .. } => replies.remove(&number),
            ClientPhase::Greeting { .. } | ClientPhase::Ended(_) => None,
        };
        drop(state);
        if let Some(reply) = reply {
            reply.resolve(outcome);
            self.finish();
        }
    }

    /// Tells those who wait for the end of all tasks.
    fn finish(&self) {
        let mut state = self.lock();
        if state.pending() == 0 {
            let closers = std::mem::take(&mut state.closers);
            drop(state);
            for closer in closers {
                // Who does not wait any more is gone.
                closer.send(()).unwrap_or(());
            }
        }
    }

    /// The handle of a task that was sent signals something.
    fn signal(&self, number: u64, signal: Signal) {
        let mut state = self.lock();
        let ClientPhase::Open { seal, replies, .. } = &mut state.phase else { return };
        let message = write_signal(seal, number, signal);
        // What is aborted or forgotten is answered. The reply is dropped when the lock is free.
        let _reply = if signal == Signal::Cancel { replies.remove(&number) } else { None };
        self.outgoing.put(message);
        drop(state);
        self.flush();
        self.finish();
    }

    /// What sends and panics has ended the connection.
    fn flush(&self) {
        if let Err(error) = self.outgoing.flush() {
            self.end(error);
        }
    }
}

impl ClientState {
    fn pending(&self) -> usize {
        let taken = match &self.phase {
            ClientPhase::Greeting { waiting, .. } => waiting.len(),
            ClientPhase::Open { replies, .. } => replies.len(),
            ClientPhase::Ended(_) => 0,
        };
        self.leaving + taken
    }
}

impl Executor for Client {
    fn submit(&self, job: Job) {
        self.owner.0.submit(job);
    }

    fn concurrency(&self) -> usize {
        self.owner.0.concurrency
    }

    fn pending(&self) -> usize {
        self.owner.0.lock().pending()
    }

    fn close(&self) -> BoxFuture<'static, ()> {
        let mut state = self.owner.0.lock();
        state.is_closed = true;
        if state.pending() == 0 {
            return future::ready(()).boxed();
        }
        let (closer, closed) = oneshot::channel();
        state.closers.push(closer);
        closed.map(drop).boxed()
    }
}

/// Refused: a future cannot leave this process.
impl Spawn for Client {
    fn spawn_obj(&self, _future: FutureObj<'static, ()>) -> Result<(), SpawnError> {
        Err(SpawnError::shutdown())
    }
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Incoming")
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}
