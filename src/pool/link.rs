//! One worker and the tasks it has not answered.
//!
//! The life of a link, with its arrows:
//!
//! ```text
//! Starting -> Ready    the worker answered `Start`: what was queued is posted
//! Starting -> Ended    it refused, was lost, or was not ready by its deadline
//! Ready    -> Ended    it panicked, was lost, was terminated, has ended the last task of a link that was closed, or
//!                      nobody holds the link any more
//! ```
//!
//! Whoever is to be answered is in `tasks`, from `submit` to its answer: the step to `Ended` answers all of them, so
//! none is forgotten. Nothing is woken, answered or dropped under the lock.

use std::future::Future;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures::channel::oneshot;
use futures::task::{FutureObj, SpawnError};

use crate::error::Error;
use crate::platform::{self, Event, Loss, Packet, Port, Spec};
use crate::table::Table;
use crate::task::{Job, Reply};
use crate::wire::{FromWorker, TaskId, ToWorker};
use crate::worker;

/// How to start a worker.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) spec: Spec,
    pub(crate) start_timeout: Duration,
    /// Runs first in the worker.
    pub(crate) on_start: Option<Result<Packet, Error>>,
}

/// A worker under supervision. Dropping it ends the worker.
pub(crate) struct Link {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
}

struct State {
    life: Life,
    /// The unanswered ones. `None`: nobody waits for it any more, but the worker has not ended it.
    tasks: Table<Option<Reply>>,
    last_id: TaskId,
    /// Who waits for the end of `Starting`.
    waiting: Vec<oneshot::Sender<Result<(), Error>>>,
    /// Who waits for the end, once no more tasks are taken.
    closing: Option<Vec<oneshot::Sender<()>>>,
}

enum Life {
    Starting {
        port: Port,
        queue: Vec<(TaskId, Packet)>,
    },
    Ready {
        port: Port,
    },
    /// Why later tasks are refused.
    Ended(Error),
}

impl Link {
    /// Starts a worker. A start that fails is told by what is submitted, and by [`ready`](Self::ready).
    pub(crate) fn start(options: Options) -> Self {
        // Until the platform has given the port, which it does under the lock: the worker's first event waits for it.
        let life = Life::Ended(Error::closed());
        let state = State { life, tasks: Table::new(), last_id: 0, waiting: Vec::new(), closing: None };
        let shared = Arc::new(Shared { state: Mutex::new(state) });
        let events = Arc::downgrade(&shared);
        let take = move |event| {
            if let Some(shared) = events.upgrade() {
                shared.take(event);
            }
        };
        let mut state = shared.lock();
        let on_start = options.on_start.transpose().map_err(on_start_failed);
        let started = on_start.and_then(|on_start| {
            let mut first = Packet::default();
            ToWorker::Start { on_start }.write(&mut first);
            platform::start(options.spec, &worker::MAIN, first, Box::new(take))
        });
        match started {
            Ok(port) => {
                state.life = Life::Starting { port, queue: Vec::new() };
                platform::spawn_service(start_deadline(Arc::downgrade(&shared), options.start_timeout));
            }
            Err(error) => state.life = Life::Ended(error),
        }
        drop(state);
        Self { shared }
    }

    /// Gives the worker a task, now or when it is ready.
    pub(crate) fn submit(&self, job: Job) {
        let Job { call, reply, .. } = job;
        let mut state = self.shared.lock();
        let refusal = match &state.life {
            Life::Ended(error) => Some(error.clone()),
            _ => state.closing.is_some().then(Error::closed),
        };
        if let Some(error) = refusal {
            drop(state);
            return reply.send(Err(error));
        }
        let id = state.next_id();
        let shared = Arc::downgrade(&self.shared);
        // The hook takes the lock: it is called by a handle's drop, which happens under no lock of ours.
        let wanted = reply.on_cancel(move || {
            if let Some(shared) = shared.upgrade() {
                shared.cancel(id);
            }
        });
        if !wanted {
            return;
        }
        state.tasks.insert(id, Some(reply));
        let refused = match &mut state.life {
            Life::Starting { queue, .. } => {
                queue.push((id, call));
                None
            }
            Life::Ready { port } => post_run(port, id, call).err(),
            Life::Ended(_) => unreachable!("seen above, under the same lock"),
        };
        if let Some(error) = refused {
            let reply = state.tasks.remove(id);
            drop(state);
            answer(reply, error);
        }
    }

    /// Resolves when the worker takes tasks, or will never.
    pub(crate) fn ready(&self) -> impl Future<Output = Result<(), Error>> + Send + use<> {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.shared.lock();
        let known = match &state.life {
            Life::Starting { .. } => {
                state.waiting.push(sender);
                None
            }
            Life::Ready { .. } => Some(Ok(())),
            Life::Ended(error) => Some(Err(error.clone())),
        };
        drop(state);
        async move {
            match known {
                Some(known) => known,
                // The link was dropped meanwhile.
                None => receiver.await.unwrap_or_else(|_| Err(Error::closed())),
            }
        }
    }

    /// Why the worker takes no tasks any more, if so.
    pub(crate) fn ended(&self) -> Option<Error> {
        match &self.shared.lock().life {
            Life::Ended(error) => Some(error.clone()),
            _ => None,
        }
    }

    /// Tasks that were submitted and are not answered.
    pub(crate) fn pending(&self) -> usize {
        self.shared.lock().tasks.len()
    }

    /// Runs a future in the worker's memory where it shares ours, or else here.
    pub(crate) fn spawn(&self, future: FutureObj<'static, ()>) -> Result<(), SpawnError> {
        let state = self.shared.lock();
        match &state.life {
            Life::Starting { port, .. } | Life::Ready { port } if state.closing.is_none() => {
                port.spawn(future)
            }
            _ => Err(SpawnError::shutdown()),
        }
    }

    /// Refuses tasks from now on. Resolves when those that were taken have ended; then the worker ends too.
    pub(crate) fn close(&self) -> impl Future<Output = ()> + Send + use<> {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.shared.lock();
        if !matches!(state.life, Life::Ended(_)) {
            state.closing.get_or_insert_default().push(sender);
        }
        drop(state);
        self.shared.end_if_closed();
        async move {
            // A sender that is gone says the same: the worker has ended.
            receiver.await.unwrap_or(());
        }
    }

    /// Ends the worker, and answers all it has not answered.
    pub(crate) fn terminate(&self) {
        self.shared.end(Error::closed(), None);
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.terminate();
    }
}

impl State {
    fn next_id(&mut self) -> TaskId {
        loop {
            self.last_id = self.last_id.wrapping_add(1);
            if self.last_id != 0 && self.tasks.get(self.last_id).is_none() {
                return self.last_id;
            }
        }
    }
}

impl Shared {
    /// No task's code runs under this lock, so a poisoned one is as good as any. (In a browser, posting may call a getter
    /// of a JavaScript object that is cloned; a getter that uses the same thread would find the lock taken.)
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, event: Event) {
        match event {
            Event::Packet(packet) => match FromWorker::read_all(packet) {
                Ok(messages) => messages.into_iter().for_each(|message| self.hear(message)),
                Err(error) => self.lost(error.to_string(), None),
            },
            Event::NotStarted(cause) => self.end(Error::startup(cause), None),
            Event::Lost(Loss { cause, task, trapped }) if trapped => {
                let culprit = Error::panic(format!("the worker trapped: {cause}"), None);
                self.lost(format!("another task made it trap: {cause}"), Some((task, culprit)));
            }
            Event::Lost(loss) => self.lost(loss.cause, None),
        }
    }

    fn hear(&self, message: FromWorker) {
        match message {
            FromWorker::Ready => self.make_ready(),
            FromWorker::Done { id, outcome } => {
                let reply = self.lock().tasks.remove(id);
                match reply {
                    Some(Some(reply)) => reply.send(outcome),
                    // Cancelled meanwhile: nobody waits.
                    _ => drop(outcome),
                }
                self.end_if_closed();
            }
            FromWorker::Refused { error } => self.end(on_start_failed(error), None),
            FromWorker::Panicked { id, message, location } => {
                let place = location.as_ref().map(|place| format!(" at {place}")).unwrap_or_default();
                let who =
                    if id.is_some() { "another task" } else { "its `on_start`, or what that left running," };
                let cause = format!("{who} panicked on it{place}: {message}");
                self.lost(cause, id.map(|id| (id, Error::panic(message, location))));
            }
        }
    }

    /// The worker takes tasks: posts what was queued.
    fn make_ready(&self) {
        let mut refused = Vec::new();
        let mut state = self.lock();
        let state_now = &mut *state;
        state_now.life = match mem::replace(&mut state_now.life, Life::Ended(Error::closed())) {
            Life::Starting { port, queue } => {
                for (id, call) in queue {
                    if let Err(error) = post_run(&port, id, call) {
                        refused.push((state_now.tasks.remove(id), error));
                    }
                }
                Life::Ready { port }
            }
            other => other,
        };
        let waiting = mem::take(&mut state_now.waiting);
        drop(state);
        for (reply, error) in refused {
            answer(reply, error);
        }
        for sender in waiting {
            // Whoever waited may have gone.
            sender.send(Ok(())).unwrap_or(());
        }
        // Those that were refused may have been the last.
        self.end_if_closed();
    }

    /// Nobody waits for this task any more.
    fn cancel(&self, id: TaskId) {
        let mut state = self.lock();
        let state_now = &mut *state;
        let dropped = match &mut state_now.life {
            Life::Starting { queue, .. } => {
                let call = queue.iter().position(|(queued, _)| *queued == id).map(|at| queue.remove(at));
                (state_now.tasks.remove(id).flatten(), call)
            }
            Life::Ready { port } => {
                let reply = state_now.tasks.get_mut(id).and_then(Option::take);
                if reply.is_some() {
                    let mut packet = Packet::default();
                    ToWorker::Cancel { id }.write(&mut packet);
                    // A worker that is gone has nothing to cancel.
                    port.post(packet).unwrap_or(());
                }
                (reply, None)
            }
            Life::Ended(_) => (None, None),
        };
        drop(state);
        drop(dropped);
        self.end_if_closed();
    }

    /// The last task of a closed link has ended.
    fn end_if_closed(&self) {
        let state = self.lock();
        let done = state.closing.is_some() && state.tasks.len() == 0;
        drop(state);
        if done {
            self.end(Error::closed(), None);
        }
    }

    /// The worker is lost, by the fault of one task if it is known.
    fn lost(&self, cause: String, culprit: Option<(TaskId, Error)>) {
        let error = |life: &Life| match life {
            Life::Starting { .. } => Some(Error::startup(cause)),
            _ => Some(Error::worker_lost(cause)),
        };
        self.end_if(error, culprit);
    }

    fn end(&self, error: Error, culprit: Option<(TaskId, Error)>) {
        self.end_if(|_| Some(error), culprit);
    }

    /// The step to `Ended`, if `verdict` has an error for the life as it is: every unanswered task ends in that, but for the
    /// culprit, which has its own.
    fn end_if(&self, verdict: impl FnOnce(&Life) -> Option<Error>, culprit: Option<(TaskId, Error)>) {
        let state = self.lock();
        if matches!(state.life, Life::Ended(_)) {
            return;
        }
        if let Some(error) = verdict(&state.life) {
            Self::ended(state, error, culprit);
        }
    }

    /// The step itself: apart, so that a program has it once and not once per verdict.
    fn ended(mut state: MutexGuard<'_, State>, error: Error, culprit: Option<(TaskId, Error)>) {
        let life = mem::replace(&mut state.life, Life::Ended(error.clone()));
        let mut tasks = mem::take(&mut state.tasks);
        let waiting = mem::take(&mut state.waiting);
        let closing = state.closing.take();
        drop(state);
        // The worker goes before anybody who is woken may start another.
        drop(life);
        if let Some((id, error)) = culprit {
            answer(tasks.remove(id), error);
        }
        for reply in tasks.into_values() {
            answer(Some(reply), error.clone());
        }
        for sender in waiting {
            sender.send(Err(error.clone())).unwrap_or(());
        }
        for sender in closing.into_iter().flatten() {
            sender.send(()).unwrap_or(());
        }
    }
}

fn post_run(port: &Port, id: TaskId, call: Packet) -> Result<(), Error> {
    let mut packet = Packet::default();
    ToWorker::Run { id, call }.write(&mut packet);
    port.post(packet)
}

/// Answers a task that was taken out of the list, if it was there and somebody waits for it.
fn answer(task: Option<Option<Reply>>, error: Error) {
    if let Some(Some(reply)) = task {
        reply.send(Err(error));
    }
}

/// Ends a link that does not get ready. A timer that fires late tells of a busy page, a frozen tab or a debugger, not of
/// the worker: then the worker gets its time anew. And what it has posted meanwhile is heard before the verdict.
async fn start_deadline(shared: Weak<Shared>, limit: Duration) {
    let tolerance = limit / 4 + Duration::from_millis(50);
    loop {
        let begun = platform::now();
        platform::sleep(limit).await;
        if platform::now().saturating_sub(begun) <= limit + tolerance {
            break;
        }
    }
    platform::sleep(Duration::ZERO).await;
    let Some(shared) = shared.upgrade() else { return };
    let late = || {
        Error::startup(format!(
            "it was not ready within {} ms; if its module is large or `on_start` takes long, \
             give the builder a longer `start_timeout`",
            limit.as_millis() as u64
        ))
    };
    shared.end_if(|life| matches!(life, Life::Starting { .. }).then(late), None);
}

fn on_start_failed(error: Error) -> Error {
    Error::startup(format!("its `on_start` failed: {error}"))
}
