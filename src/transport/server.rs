//! The other end of a client's connection: runs its tasks.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};

use futures::task::{ArcWake, waker_ref};

use super::answer::Answer;
use super::message::{ClientRequest, Greeting, Side, read_request, write_answer};
use super::reply::Signal;
use super::seal::Seal;
use super::send_queue::SendQueue;
use crate::error::Error;
use crate::executor::traits::Executor;

/// Runs the tasks of one [`Client`](super::Client) on an executor of this process.
///
/// The program connects it: what the server gives to `send` is to be given to [`Incoming::receive`](super::Incoming::receive), what the client gives to its own
/// to [`receive`](Self::receive).
///
/// **Dropping it cancels the tasks** that run for the client: do so when the connection ends. Those whose handles were forgotten
/// run on, for as long as their executor is there: keep a clone of it if they are to come to their end.
pub struct Server {
    /// Dropped first: tasks that its executor gives up on then are nothing to answer any more.
    inner: Arc<ServerInner>,
    executor: Box<dyn Executor>,
}

struct ServerInner {
    outgoing: SendQueue,
    state: Mutex<ServerState>,
}

struct ServerState {
    phase: ServerPhase,
    /// The tasks that run, by the client's numbers.
    running: HashMap<u64, Arc<RunningTask>>,
}

enum ServerPhase {
    /// -> `Open`, by the client's greeting; -> `Ended`, as below.
    Greeting {
        seal: Seal,
        greeting: Greeting,
    },
    /// -> `Ended`, when what sends panics.
    Open {
        seal: Seal,
        /// The number of the newest call.
        last: u64,
    },
    Ended(Error),
}

/// A task that runs. Who wakes it, or signals something, sends its answer if that is there: no thread waits for it.
struct RunningTask {
    number: u64,
    server: Weak<ServerInner>,
    progress: Mutex<TaskProgress>,
}

struct TaskProgress {
    /// `None`: somebody looks at it, or it has ended.
    answer: Option<Answer>,
    /// It was woken since somebody looked.
    is_woken: bool,
    /// What the client has signalled since.
    signals: Vec<Signal>,
    /// It is to run to its end, also if the connection ends before.
    is_forgotten: bool,
}

impl Server {
    /// Runs tasks on this executor. `send` sends one message to the client, on whatever thread a task ends. It must not block; if it
    /// panics, that is the end of the connection.
    ///
    /// Natively the executor is not to be an [`InlineExecutor`](crate::InlineExecutor), except for tasks that do not wait: a task would run on
    /// whatever thread wakes it, which it may not change, and [`receive`](Self::receive) would not return while it wakes itself.
    #[must_use]
    pub fn new(
        seal: &Seal,
        executor: impl Executor + 'static,
        send: impl Fn(Vec<u8>) + Send + Sync + 'static,
    ) -> Self {
        let (greeting, outgoing) = (Greeting::new(), SendQueue::new(send));
        outgoing.put(greeting.message(Side::Server, seal));
        let phase = ServerPhase::Greeting { seal: seal.clone(), greeting };
        let state = Mutex::new(ServerState { phase, running: HashMap::new() });
        let server = Self { executor: Box::new(executor), inner: Arc::new(ServerInner { outgoing, state }) };
        server.inner.flush();
        server
    }

    /// Takes a message of the client.
    ///
    /// # Errors
    ///
    /// [`is_codec`](Error::is_codec) if it does not come from a client of this build with this secret, or asks for nothing that is known: then
    /// nothing was done, and the connection is best ended. [`is_worker_lost`](Error::is_worker_lost) if it has ended, since `send` panicked.
    pub fn receive(&self, message: &[u8]) -> Result<(), Error> {
        let mut state = self.inner.lock();
        let seal = match &state.phase {
            ServerPhase::Greeting { seal, greeting } => {
                let seal = greeting.answered(Side::Server, seal, message)?;
                state.phase = ServerPhase::Open { seal, last: 0 };
                return Ok(());
            }
            ServerPhase::Open { seal, .. } => seal.clone(),
            ServerPhase::Ended(error) => return Err(error.clone()),
        };
        drop(state);
        match read_request(&seal, message)? {
            ClientRequest::Call { number, call } => self.run(&seal, number, call),
            ClientRequest::Signal { number, signal } => {
                self.inner.signal(number, signal);
                Ok(())
            }
        }
    }

    fn run(&self, seal: &Seal, number: u64, call: &[u8]) -> Result<(), Error> {
        let (job, answer) = seal.open(call)?;
        let progress =
            TaskProgress { answer: Some(answer), is_woken: false, signals: Vec::new(), is_forgotten: false };
        let server = Arc::downgrade(&self.inner);
        let running = Arc::new(RunningTask { number, server, progress: Mutex::new(progress) });
        if !self.inner.enter(&running) {
            return Err(repeated());
        }
        // Whatever becomes of the job, it wakes the task.
        running.advance(None);
        self.executor.submit(job);
        Ok(())
    }
}

impl ServerInner {
    fn lock(&self) -> MutexGuard<'_, ServerState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// False if it has come before: clients count their calls.
    fn enter(&self, running: &Arc<RunningTask>) -> bool {
        let mut state = self.lock();
        let ServerPhase::Open { last, .. } = &mut state.phase else { return false };
        if running.number <= *last {
            return false;
        }
        *last = running.number;
        state.running.insert(running.number, running.clone());
        true
    }

    fn signal(&self, number: u64, signal: Signal) {
        let running = self.lock().running.get(&number).cloned();
        // It may have been answered meanwhile.
        running.iter().for_each(|running| running.advance(Some(signal)));
    }

    /// What sends and panics has ended the connection.
    fn flush(&self) {
        if let Err(error) = self.outgoing.flush() {
            self.lock().phase = ServerPhase::Ended(error);
            self.cancel();
        }
    }

    fn cancel(&self) {
        let running = mem::take(&mut self.lock().running);
        running.into_values().for_each(|running| running.advance(Some(Signal::Cancel)));
    }
}

#[cold]
fn repeated() -> Error {
    Error::codec("a call came twice on one connection; it was refused: deliver each message once, in order")
}

/// The connection has ended.
impl Drop for ServerInner {
    fn drop(&mut self) {
        self.cancel();
    }
}

impl RunningTask {
    fn lock(&self) -> MutexGuard<'_, TaskProgress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does what there is to do. If somebody is about that, it is done there.
    fn advance(self: &Arc<Self>, signal: Option<Signal>) {
        let mut progress = self.lock();
        progress.is_woken = true;
        progress.signals.extend(signal);
        let Some(mut answer) = progress.answer.take() else { return };
        while mem::take(&mut progress.is_woken) {
            let signals = mem::take(&mut progress.signals);
            progress.is_forgotten |= signals.contains(&Signal::Detach);
            let is_forgotten = progress.is_forgotten;
            drop(progress);
            for signal in signals {
                match signal {
                    Signal::Abort => answer.abort(),
                    Signal::Cancel => {
                        if is_forgotten {
                            answer.forget();
                        }
                        return self.end();
                    }
                    Signal::Detach => {}
                }
            }
            let poll = Pin::new(&mut answer).poll(&mut Context::from_waker(&waker_ref(self)));
            if let Poll::Ready(answer) = poll {
                if let Some(server) = self.server.upgrade() {
                    server.outgoing.put(write_answer(self.number, &answer));
                    server.flush();
                }
                return self.end();
            }
            progress = self.lock();
        }
        progress.answer = Some(answer);
    }

    /// Nothing more comes of it.
    fn end(&self) {
        let ended = self.server.upgrade().and_then(|server| server.lock().running.remove(&self.number));
        drop(ended);
    }
}

impl ArcWake for RunningTask {
    fn wake_by_ref(running: &Arc<Self>) {
        running.advance(None);
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Server")
    }
}
