//! What a node has in hand.

use std::collections::{HashMap, HashSet};
use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Poll;
use std::time::{Duration, Instant};

use futures::task::AtomicWaker;
use wasm_mt::transport::Answer;

use crate::cluster::aside;
use crate::demand::InHand;
use crate::ledger::{BatchNumber, TaskNumber, TaskSignal};
use crate::message::ClientId;
use crate::node::Server;
use crate::outbox::Outbox;

/// How long a signal is kept for a task that is not known yet.
const EARLY: Duration = Duration::from_secs(60);

/// A client that was silent for so many times the limit does not come back.
const ABANDONED: u32 = 10;
/// After so many it is forgotten.
const FORGOTTEN: u32 = 20;

pub(crate) struct Tasks {
    /// After so much silence a client is gone.
    silence: Duration,
    counts: Arc<Counts>,
    state: Mutex<TasksState>,
}

#[derive(Default)]
struct TasksState {
    clients: HashMap<ClientId, ClientState>,
    running: HashMap<(ClientId, TaskNumber), Arc<Control>>,
    /// Those that were asked for, run, or have answers that did not arrive.
    batches: HashSet<(ClientId, BatchNumber)>,
    /// Signals that came before their tasks.
    early: HashMap<(ClientId, TaskNumber), (Vec<TaskSignal>, Instant)>,
}

struct ClientState {
    heard: Instant,
    /// It has said that it is gone, or was silent for too long.
    gone: bool,
    /// It has said that it is gone.
    left: bool,
    outbox: Option<Arc<Outbox>>,
}

#[derive(Default)]
struct Counts {
    asked: AtomicU64,
    unread: AtomicU64,
    asked_tasks: AtomicU64,
    batches: AtomicU64,
    tasks: AtomicU64,
    sync_tasks: AtomicU64,
    work: AtomicU64,
    unknown: AtomicU64,
    parents: AtomicU64,
}

/// Counts something for as long as it is there.
pub(crate) struct Counted {
    counts: Arc<Counts>,
    which: fn(&Counts) -> &AtomicU64,
    amount: u64,
}

impl Counted {
    fn new(counts: &Arc<Counts>, amount: u64, which: fn(&Counts) -> &AtomicU64) -> Self {
        which(counts).fetch_add(amount, Ordering::AcqRel);
        Self { counts: counts.clone(), which, amount }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        (self.which)(&self.counts).fetch_sub(self.amount, Ordering::AcqRel);
    }
}

/// Counts a batch whose client is asked for it.
pub(crate) struct Asked {
    batch: Counted,
    unread: Option<Counted>,
    /// What it would bring.
    expected: Option<[Counted; 2]>,
}

impl Asked {
    /// What is in the batch, as far as that is known.
    pub(crate) fn expect(&mut self, tasks: usize, each: u64) {
        let counts = &self.batch.counts;
        let tasks = tasks as u64;
        let cost = match each {
            0 => Counted::new(counts, tasks, |counts| &counts.unknown),
            each => Counted::new(counts, each * tasks, |counts| &counts.work),
        };
        self.expected = Some([Counted::new(counts, tasks, |counts| &counts.asked_tasks), cost]);
        self.unread = None;
    }
}

pub(crate) struct BatchInHand {
    counts: Arc<Counts>,
    _batch: Counted,
    /// See [`demand::each`](crate::demand::each).
    each: u64,
}

impl BatchInHand {
    pub(crate) fn task(&self, is_async: bool) -> TaskInHand {
        let counts = &self.counts;
        TaskInHand {
            _task: Counted::new(counts, 1, |counts| &counts.tasks),
            _sync: (!is_async).then(|| Counted::new(counts, 1, |counts| &counts.sync_tasks)),
            _cost: match self.each {
                0 => Counted::new(counts, 1, |counts| &counts.unknown),
                each => Counted::new(counts, each, |counts| &counts.work),
            },
        }
    }
}

pub(crate) struct TaskInHand {
    _task: Counted,
    _sync: Option<Counted>,
    _cost: Counted,
}

/// A batch that is here. It is forgotten with this.
pub(crate) struct OwnBatch {
    server: Weak<Server>,
    name: (ClientId, BatchNumber),
}

impl Drop for OwnBatch {
    fn drop(&mut self) {
        if let Some(server) = self.server.upgrade() {
            lock(&server.tasks.state).batches.remove(&self.name);
        }
    }
}

/// What a task's client signals.
#[derive(Default)]
struct Control {
    signals: Mutex<Vec<TaskSignal>>,
    waker: AtomicWaker,
}

impl Control {
    fn signal(&self, signal: TaskSignal) {
        lock(&self.signals).push(signal);
        self.waker.wake();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A task that was granted. It is forgotten with this.
pub(crate) struct RunningTask {
    server: Weak<Server>,
    name: (ClientId, TaskNumber),
    control: Arc<Control>,
}

impl RunningTask {
    /// The answer; `None` if nobody waits for it.
    pub(crate) async fn answer(self, answer: Answer) -> Option<Vec<u8>> {
        let mut answer = Some(answer);
        let mut is_detached = false;
        poll_fn(|context| {
            self.control.waker.register(context.waker());
            for signal in std::mem::take(&mut *lock(&self.control.signals)) {
                match signal {
                    TaskSignal::Abort => answer.iter().for_each(Answer::abort),
                    // Its client waits for it, for as long as it is there.
                    TaskSignal::Detach => is_detached = true,
                    TaskSignal::Cancel => {
                        let forgotten = answer.take().filter(|_| is_detached);
                        forgotten.into_iter().for_each(Answer::forget);
                        return Poll::Ready(None);
                    }
                }
            }
            let Some(running) = answer.as_mut() else { return Poll::Ready(None) };
            running.poll_unsealed(context).map(|answer| Some(aside(answer.is_large(), || answer.seal())))
        })
        .await
    }
}

impl Drop for RunningTask {
    fn drop(&mut self) {
        if let Some(server) = self.server.upgrade() {
            let mut state = lock(&server.tasks.state);
            // A later attempt may have its name.
            if state.running.get(&self.name).is_some_and(|control| Arc::ptr_eq(control, &self.control)) {
                state.running.remove(&self.name);
            }
        }
    }
}

impl Tasks {
    pub(crate) fn new(silence: Duration) -> Self {
        Self { silence, counts: Arc::default(), state: Mutex::default() }
    }

    pub(crate) fn in_hand(&self) -> InHand {
        let get = |count: &AtomicU64| count.load(Ordering::Acquire);
        let Counts { unread, asked_tasks, tasks, sync_tasks, work, unknown, .. } = &*self.counts;
        InHand {
            unread: get(unread) as usize,
            asked_tasks: get(asked_tasks) as usize,
            tasks: get(tasks) as usize,
            sync_tasks: get(sync_tasks) as usize,
            work: get(work),
            unknown: get(unknown) as usize,
        }
    }

    /// True if nothing runs, and all is answered.
    pub(crate) fn is_empty(&self) -> bool {
        let none = |count: &AtomicU64| count.load(Ordering::Acquire) == 0;
        let clients = &lock(&self.state).clients;
        let is_silent = |client: &ClientState| client.outbox.as_ref().is_none_or(|outbox| outbox.is_empty());
        none(&self.counts.asked) && none(&self.counts.batches) && clients.values().all(is_silent)
    }

    /// Counts a batch whose client is asked for it.
    pub(crate) fn ask(&self) -> Asked {
        Asked {
            batch: Counted::new(&self.counts, 1, |counts| &counts.asked),
            unread: Some(Counted::new(&self.counts, 1, |counts| &counts.unread)),
            expected: None,
        }
    }

    /// Counts a batch of a program, whose tasks may await tasks of their own.
    pub(crate) fn parents(&self) -> Counted {
        Counted::new(&self.counts, 1, |counts| &counts.parents)
    }

    pub(crate) fn has_parents(&self) -> bool {
        self.counts.parents.load(Ordering::Acquire) > 0
    }

    /// A batch is here from now on. `None`: it is already.
    pub(crate) fn begin(
        &self,
        server: &Arc<Server>,
        client: ClientId,
        batch: BatchNumber,
    ) -> Option<OwnBatch> {
        let name = (client, batch);
        lock(&self.state).batches.insert(name).then(|| OwnBatch { server: Arc::downgrade(server), name })
    }

    /// A batch that is to run. `each`: see [`demand::each`](crate::demand::each).
    pub(crate) fn batch(&self, each: u64) -> BatchInHand {
        BatchInHand {
            counts: self.counts.clone(),
            _batch: Counted::new(&self.counts, 1, |counts| &counts.batches),
            each,
        }
    }

    /// What goes to a client, unless that is gone.
    pub(crate) fn outbox(&self, server: &Arc<Server>, client: ClientId) -> Option<Arc<Outbox>> {
        let mut state = lock(&self.state);
        let state = state.clients.entry(client).or_insert_with(ClientState::new);
        if state.gone {
            return None;
        }
        Some(state.outbox.get_or_insert_with(|| Outbox::new(server, client)).clone())
    }

    /// A task of a client is to run here, from now on.
    pub(crate) fn register(
        &self,
        server: &Arc<Server>,
        client: ClientId,
        task: TaskNumber,
        is_detached: bool,
    ) -> RunningTask {
        let control = Arc::new(Control::default());
        let mut state = lock(&self.state);
        let early = state.early.remove(&(client, task)).map(|(signals, _)| signals);
        let mut signals = lock(&control.signals);
        signals.extend(is_detached.then_some(TaskSignal::Detach));
        signals.extend(early.into_iter().flatten());
        drop(signals);
        state.running.insert((client, task), control.clone());
        RunningTask { server: Arc::downgrade(server), name: (client, task), control }
    }

    pub(crate) fn signal(&self, client: ClientId, task: TaskNumber, signal: TaskSignal) {
        let mut state = lock(&self.state);
        match state.running.get(&(client, task)).cloned() {
            Some(control) => {
                drop(state);
                control.signal(signal);
            }
            None => {
                let early = state.early.entry((client, task));
                early.or_insert_with(|| (Vec::new(), Instant::now())).0.push(signal);
            }
        }
    }

    pub(crate) fn is_gone(&self, client: ClientId) -> bool {
        lock(&self.state).clients.get(&client).is_none_or(|client| client.gone)
    }

    /// True if nobody waits for the client's tasks, wherever they are. One that is only silent may be heard by other nodes.
    pub(crate) fn has_left(&self, client: ClientId) -> bool {
        let is_silent =
            |client: &ClientState| client.heard.elapsed() > self.silence.saturating_mul(ABANDONED);
        let state = lock(&self.state);
        state.clients.get(&client).is_some_and(|client| client.left || is_silent(client))
    }

    /// A client has said something. True if it is a new one.
    pub(crate) fn hear(&self, server: &Arc<Server>, client: ClientId, is_gone: bool) -> bool {
        let mut state = lock(&self.state);
        let Some(known) = state.clients.get_mut(&client) else {
            drop(state);
            if !is_gone {
                // It may be one that was forgotten, and believes that its tasks are here: the outbox tells it.
                drop(self.outbox(server, client));
            }
            return !is_gone;
        };
        known.heard = Instant::now();
        if is_gone {
            known.left = true;
            drop(state);
            self.drop_client(client);
        } else if known.gone {
            // It is back, and believes that its tasks are here.
            if let Some(outbox) = &known.outbox {
                outbox.say_lost();
            }
            known.gone = false;
        }
        false
    }

    /// Nothing could be heard for a while, and that was our fault: no client is gone for it.
    pub(crate) fn forgive(&self) {
        let mut state = lock(&self.state);
        state.clients.values_mut().for_each(|client| client.heard = Instant::now());
    }

    /// Nobody waits for the answers of clients that were silent for too long.
    pub(crate) fn drop_silent(&self) {
        let limit = self.silence;
        let mut state = lock(&self.state);
        state.early.retain(|_, (_, since)| since.elapsed() < EARLY);
        state
            .clients
            .retain(|_, client| !client.gone || client.heard.elapsed() < limit.saturating_mul(FORGOTTEN));
        let is_silent = |client: &ClientState| !client.gone && client.heard.elapsed() > limit;
        let silent: Vec<_> =
            state.clients.iter().filter(|(_, client)| is_silent(client)).map(|(id, _)| *id).collect();
        drop(state);
        silent.into_iter().for_each(|client| self.drop_client(client));
    }

    fn drop_client(&self, client: ClientId) {
        let mut state = lock(&self.state);
        if let Some(known) = state.clients.get_mut(&client) {
            known.gone = true;
            known.outbox.iter().for_each(|outbox| outbox.drop_all());
        }
        let controls: Vec<_> = state
            .running
            .iter()
            .filter(|((owner, _), _)| *owner == client)
            .map(|(_, control)| control.clone())
            .collect();
        drop(state);
        controls.iter().for_each(|control| control.signal(TaskSignal::Cancel));
    }
}

impl Drop for ClientState {
    fn drop(&mut self) {
        self.outbox.iter().for_each(|outbox| outbox.end());
    }
}

impl ClientState {
    fn new() -> Self {
        Self { heard: Instant::now(), gone: false, left: false, outbox: None }
    }
}
