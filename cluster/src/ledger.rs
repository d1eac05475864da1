//! What a client knows of its tasks: a pure state machine. Events in, actions out; no clock and no connection of its own.
//!
//! ```text
//!   Queued --gathered--> Published --claimed by a node--> Claimed --answered--> (gone)
//!     ^                      |  ^                            |
//!     |     the broker has   |  |  the node is lost, and the |
//!     |     lost its message |  |  task may run again        |
//!     +----------------------+  +----------------------------+--the node is lost--> (gone, with an error)
//! ```
//!
//! Tasks share messages, *batches*. A node that has received one asks for it before anything of it begins, and gets it only if no other has.
//! So a task begins on one node at most, whatever the broker delivers twice. One that may run [again](wasm_mt::Remote::retry) is given away
//! again when its node is lost.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::time::Duration;

use crate::cost::Costs;
use crate::message::{ClientId, NodeId};
use crate::numbers::NumberMap;

/// Names a task of this client.
pub(crate) type TaskNumber = u64;
/// Names a message of tasks.
pub(crate) type BatchNumber = u64;
/// By which message a task has come to a node: of which of its attempts an answer is.
pub(crate) type Attempt = (BatchNumber, NodeId);

/// What is known of a task before it is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Task {
    /// Where it was made: tasks of one place are expected to cost about the same.
    pub(crate) site: u64,
    /// How many bytes its call has.
    pub(crate) size: usize,
    pub(crate) retries: u32,
}

/// How much is sent at a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// So many tasks may be sent and not answered.
    pub(crate) in_flight: usize,
    /// So many bytes may be in a message.
    pub(crate) message: usize,
    /// A node is lost when so long nothing was heard of it.
    pub(crate) silence: Duration,
    /// Tasks wait so long for a first node.
    pub(crate) no_node: Duration,
}

/// Something is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Publish these tasks in one message.
    Publish { batch: BatchNumber, tasks: Vec<TaskNumber>, retried: bool },
    /// The task ends: its node was lost.
    Lose { task: TaskNumber, node: NodeId },
    /// The task ends: no node is there.
    Refuse { task: TaskNumber },
    /// A node is to know.
    Tell { node: NodeId, task: TaskNumber, signal: TaskSignal },
}

/// As [`wasm_mt::transport::Signal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) enum TaskSignal {
    Cancel,
    Abort,
    Detach,
}

/// What a node gets that asks for a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// These tasks of it are to run.
    Granted(Vec<TaskNumber>),
    /// Another node has it, which may be lost: ask again later.
    Held,
    /// Nothing of it is to run.
    Gone,
}

/// What comes of a task whose worker was lost on its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// It waits to be sent once more.
    Queued,
    /// It has been claimed as often as it may be, or is to be stopped: this is how it ends.
    Never,
    /// That attempt is over. What comes of it is said by another, or later.
    Stale,
}

#[derive(Debug)]
struct TaskState {
    task: Task,
    /// How often it was claimed.
    claims: u32,
    place: Place,
    /// Nobody wants the answer, and it runs all the same.
    detached: bool,
    /// It is to be stopped where it runs, and begins nowhere else.
    aborted: bool,
}

impl TaskState {
    fn may_run_again(&self) -> bool {
        self.claims <= self.task.retries && !self.aborted
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Queued,
    Published(BatchNumber),
    Claimed(BatchNumber, NodeId),
}

#[derive(Debug)]
struct BatchState {
    tasks: Vec<TaskNumber>,
    /// How many of them have not ended.
    left: usize,
    node: Option<NodeId>,
    retried: bool,
}

#[derive(Debug)]
struct NodeState {
    workers: usize,
    heard: Duration,
    leaving: bool,
    batches: HashSet<BatchNumber>,
}

impl NodeState {
    /// How many workers it adds to those that take tasks.
    fn counted(&self) -> usize {
        if self.leaving { 0 } else { self.workers }
    }
}

#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) id: ClientId,
    limits: Limits,
    costs: Costs,
    /// From a message to the broker until its reply.
    round_trip: Option<Duration>,
    tasks: NumberMap<TaskState>,
    /// Those that are to be sent. Some may have ended meanwhile.
    queue: VecDeque<TaskNumber>,
    batches: BTreeMap<BatchNumber, BatchState>,
    /// How many tasks of batches are published or claimed.
    in_flight: usize,
    /// How many batches no node has.
    unclaimed: usize,
    nodes: BTreeMap<NodeId, NodeState>,
    /// The workers of those that are not leaving.
    workers: usize,
    last_batch: BatchNumber,
    has_more: bool,
    /// Since when no node is there.
    alone_since: Option<Duration>,
    now: Duration,
    actions: Vec<Action>,
}

/// A batch is to keep a node busy for so long, or for half a round trip: then what crosses for it is a small part.
const BATCH: Duration = Duration::from_millis(2);
/// A client takes so long for a batch, however few tasks it has.
const BATCH_COST: Duration = Duration::from_micros(20);
/// No more batches are published before what has come meanwhile is looked at: it may tell what tasks cost.
const AT_A_TIME: usize = 64;
/// No more tasks are in one.
const MOST: usize = 1024;

impl Ledger {
    pub(crate) fn new(id: ClientId, limits: Limits, now: Duration) -> Self {
        Self {
            id,
            limits,
            costs: Costs::default(),
            round_trip: None,
            tasks: NumberMap::default(),
            queue: VecDeque::new(),
            batches: BTreeMap::new(),
            in_flight: 0,
            unclaimed: 0,
            nodes: BTreeMap::new(),
            workers: 0,
            last_batch: 0,
            has_more: false,
            alone_since: Some(now),
            now,
            actions: Vec::new(),
        }
    }

    /// What is to be done since this was asked last.
    pub(crate) fn take_actions(&mut self) -> Vec<Action> {
        self.publish();
        std::mem::take(&mut self.actions)
    }

    /// How many tasks the nodes can run at the same time.
    pub(crate) fn concurrency(&self) -> usize {
        self.workers
    }

    pub(crate) fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// A task is to be sent.
    pub(crate) fn submit(&mut self, number: TaskNumber, task: Task) {
        // The wait for a node begins with the first that waits.
        if self.tasks.is_empty() {
            self.alone_since = self.alone_since.map(|_| self.now);
        }
        let state = TaskState { task, claims: 0, place: Place::Queued, detached: false, aborted: false };
        self.tasks.insert(number, state);
        self.queue.push_back(number);
    }

    /// The handle of a task signals something. True if its reply is not needed any more.
    pub(crate) fn signal(&mut self, number: TaskNumber, signal: TaskSignal) -> bool {
        let Some(task) = self.tasks.get_mut(&number) else { return true };
        match (task.place, signal) {
            (_, TaskSignal::Detach) => {
                task.detached = true;
                if let Place::Claimed(_, node) = task.place {
                    self.actions.push(Action::Tell { node, task: number, signal });
                }
                false
            }
            (Place::Queued | Place::Published(_), _) => {
                self.end(number);
                true
            }
            (Place::Claimed(_, node), _) => {
                task.aborted = true;
                self.actions.push(Action::Tell { node, task: number, signal });
                if signal == TaskSignal::Cancel {
                    self.end(number);
                }
                signal == TaskSignal::Cancel
            }
        }
    }

    /// A node that has received a batch asks whether it may begin.
    pub(crate) fn claim(&mut self, batch: BatchNumber, node: NodeId, workers: usize, now: Duration) -> Claim {
        self.now = now;
        // It may be heard of for the first time.
        self.hear(node, workers);
        let tasks = self.tasks_of(batch);
        let Some(state) = self.batches.get_mut(&batch) else { return Claim::Gone };
        match state.node {
            // Its answer was lost on the way.
            Some(holder) if holder == node => return Claim::Granted(tasks),
            Some(_) => return if state.retried { Claim::Held } else { Claim::Gone },
            None => {}
        }
        state.node = Some(node);
        self.unclaimed -= 1;
        for number in &tasks {
            if let Some(task) = self.tasks.get_mut(number) {
                task.place = Place::Claimed(batch, node);
                task.claims += 1;
            }
        }
        if let Some(node) = self.nodes.get_mut(&node) {
            node.batches.insert(batch);
        }
        Claim::Granted(tasks)
    }

    /// True if the task is to be told to go on without an answer.
    pub(crate) fn is_detached(&self, number: TaskNumber) -> bool {
        self.tasks.get(&number).is_some_and(|task| task.detached)
    }

    /// A task was answered. False if it has ended before.
    pub(crate) fn answered(&mut self, number: TaskNumber) -> bool {
        self.end(number)
    }

    /// What the tasks of a batch, all of one site, have cost on average.
    pub(crate) fn learn(&mut self, site: u64, ran: Duration) {
        self.costs.learn(site, ran);
    }

    /// The broker took so long for a reply. One that takes longer may only have waited here.
    pub(crate) fn replied(&mut self, after: Duration) {
        let known = self.round_trip.unwrap_or(after);
        self.round_trip = Some(after.min(known + after.saturating_sub(known) / 64));
    }

    /// True if more is to be published as soon as what has come meanwhile was looked at.
    pub(crate) fn has_more(&self) -> bool {
        self.has_more
    }

    /// What a task of the site costs, if that is known.
    pub(crate) fn cost(&self, site: u64) -> Option<Duration> {
        self.costs.of(site, self.workers)
    }

    /// A node's worker was lost under a task that may run again, or the message of a batch that no node has is gone: it is sent again.
    pub(crate) fn send_again(&mut self, batch: BatchNumber) {
        if self.is_unclaimed(batch) {
            self.tasks_of(batch).into_iter().for_each(|number| self.requeue(number));
        }
    }

    /// Takes a task back from a node that has lost its worker. An answer may come twice, and from a node that was taken for lost: it says
    /// nothing of the attempt that came after it.
    pub(crate) fn try_again(&mut self, number: TaskNumber, (batch, node): Attempt) -> Again {
        let Some(task) = self.tasks.get(&number) else { return Again::Stale };
        if task.place != Place::Claimed(batch, node) {
            return Again::Stale;
        }
        if !task.may_run_again() {
            return Again::Never;
        }
        self.requeue(number);
        Again::Queued
    }

    fn requeue(&mut self, number: TaskNumber) {
        self.leave_batch(number);
        if let Some(task) = self.tasks.get_mut(&number) {
            task.place = Place::Queued;
            self.queue.push_back(number);
        }
    }

    /// Something came of a node.
    pub(crate) fn beat(&mut self, node: NodeId, workers: usize, leaving: bool, now: Duration) {
        self.now = now;
        self.hear(node, workers);
        let Some(state) = self.nodes.get_mut(&node) else { return };
        self.workers -= state.counted();
        state.leaving = leaving;
        self.workers += state.counted();
    }

    /// Something else came of a node than a sign of life.
    pub(crate) fn heard(&mut self, node: NodeId, now: Duration) {
        self.now = now;
        if let Some(state) = self.nodes.get_mut(&node) {
            state.heard = now;
        }
    }

    pub(crate) fn is_there(&self, node: NodeId) -> bool {
        self.nodes.contains_key(&node)
    }

    /// True if no node has the batch, and its message is to be with the broker.
    pub(crate) fn is_unclaimed(&self, batch: BatchNumber) -> bool {
        self.batches.get(&batch).is_some_and(|state| state.node.is_none())
    }

    pub(crate) fn has(&self, batch: BatchNumber) -> bool {
        self.batches.contains_key(&batch)
    }

    fn hear(&mut self, node: NodeId, workers: usize) {
        let total = &mut self.workers;
        let new = || {
            *total += workers;
            NodeState { workers, heard: Duration::ZERO, leaving: false, batches: HashSet::new() }
        };
        self.nodes.entry(node).or_insert_with(new).heard = self.now;
        self.alone_since = None;
    }

    /// A node has said that it ends: nothing of it is left there.
    pub(crate) fn left(&mut self, node: NodeId) {
        self.lose(node);
    }

    /// Nothing could be heard for a while, and that was our fault: no node is lost for it.
    pub(crate) fn forgive(&mut self, now: Duration) {
        self.now = now;
        self.nodes.values_mut().for_each(|node| node.heard = now);
        self.alone_since = self.alone_since.map(|_| now);
    }

    /// Time passes: nodes that were not heard of are lost.
    pub(crate) fn tick(&mut self, now: Duration) {
        self.now = now;
        let silence = self.limits.silence;
        let is_silent = |node: &NodeState| now.saturating_sub(node.heard) >= silence;
        let silent: Vec<_> =
            self.nodes.iter().filter(|(_, node)| is_silent(node)).map(|(id, _)| *id).collect();
        silent.into_iter().for_each(|node| self.lose(node));
        let is_over = self.alone_since.is_some_and(|since| now.saturating_sub(since) >= self.limits.no_node);
        if is_over {
            let mut tasks: Vec<_> = self.tasks.keys().copied().collect();
            tasks.sort_unstable();
            for task in tasks {
                self.end(task);
                self.actions.push(Action::Refuse { task });
            }
            self.alone_since = Some(now);
        }
    }

    fn lose(&mut self, node: NodeId) {
        let Some(state) = self.nodes.remove(&node) else { return };
        self.workers -= state.counted();
        if self.nodes.is_empty() {
            self.alone_since = Some(self.now);
        }
        let mut batches: Vec<_> = state.batches.into_iter().collect();
        batches.sort_unstable();
        for batch in batches {
            let tasks = self.tasks_of(batch);
            let Some(state) = self.batches.get_mut(&batch) else { continue };
            if state.retried {
                // The broker delivers it to another one.
                state.node = None;
                self.unclaimed += 1;
            }
            for task in tasks {
                let Some(state) = self.tasks.get_mut(&task) else { continue };
                if state.may_run_again() {
                    state.place = Place::Published(batch);
                } else {
                    self.end(task);
                    self.actions.push(Action::Lose { task, node });
                }
            }
        }
    }

    /// Those that have not ended.
    pub(crate) fn tasks_of(&self, batch: BatchNumber) -> Vec<TaskNumber> {
        let is_there = |task: &TaskState| match task.place {
            Place::Queued => false,
            Place::Published(there) | Place::Claimed(there, _) => there == batch,
        };
        let all = self.batches.get(&batch).map_or(&[][..], |state| &state.tasks);
        all.iter().copied().filter(|number| self.tasks.get(number).is_some_and(is_there)).collect()
    }

    /// Forgets a task. False if it is not known.
    fn end(&mut self, number: TaskNumber) -> bool {
        self.leave_batch(number);
        self.tasks.remove(&number).is_some()
    }

    fn leave_batch(&mut self, number: TaskNumber) {
        let place = self.tasks.get(&number).map(|task| task.place);
        let Some(Place::Published(batch) | Place::Claimed(batch, _)) = place else { return };
        self.in_flight -= 1;
        let Some(state) = self.batches.get_mut(&batch) else { return };
        state.left -= 1;
        if state.left > 0 {
            return;
        }
        match state.node {
            Some(node) => {
                if let Some(node) = self.nodes.get_mut(&node) {
                    node.batches.remove(&batch);
                }
            }
            None => self.unclaimed -= 1,
        }
        self.batches.remove(&batch);
    }

    /// So many batches are to be there that no node has.
    fn wanted(&mut self) -> usize {
        let workers = self.concurrency().max(2);
        let Some(Task { site, .. }) = self.first() else { return 0 };
        if self.cost(site).is_none() {
            // One for each, until it is known what they cost.
            return workers;
        }
        // Some that nodes can ask for, and those that are on their way there, or whose claims are on their way here.
        let round_trip = self.round_trip.unwrap_or_default();
        let on_the_way = 2.0 * round_trip.as_secs_f64() / self.busy().as_secs_f64();
        (workers as f64 * (2.0 + on_the_way)) as usize
    }

    /// The task that waits first.
    fn first(&mut self) -> Option<Task> {
        while self.queue.front().is_some_and(|number| !self.is_queued(*number)) {
            self.queue.pop_front();
        }
        Some(self.tasks.get(self.queue.front()?)?.task)
    }

    /// Gathers what waits into batches, as many as nodes may want next.
    fn publish(&mut self) {
        self.has_more = false;
        let mut published = 0;
        while self.unclaimed < self.wanted() && self.in_flight < self.limits.in_flight {
            if published == AT_A_TIME {
                self.has_more = true;
                return;
            }
            published += 1;
            let Some(tasks) = self.gather() else { return };
            self.last_batch += 1;
            let batch = self.last_batch;
            let retried = self.tasks.get(&tasks[0]).is_some_and(|task| task.task.retries > 0);
            for number in &tasks {
                if let Some(task) = self.tasks.get_mut(number) {
                    task.place = Place::Published(batch);
                }
            }
            self.in_flight += tasks.len();
            self.unclaimed += 1;
            self.batches
                .insert(batch, BatchState { tasks: tasks.clone(), left: tasks.len(), node: None, retried });
            self.actions.push(Action::Publish { batch, tasks, retried });
        }
    }

    /// The next tasks that go together: a node is busy with them for some time, and others are left for other nodes.
    fn gather(&mut self) -> Option<Vec<TaskNumber>> {
        let Task { site, retries, .. } = self.first()?;
        let per_node = self.concurrency().max(1).div_ceil(self.nodes.len().max(1)) as u32;
        let (by_cost, least) = match self.cost(site) {
            None => (1, 1),
            Some(cost) => {
                let cost = cost.as_secs_f64();
                let by_cost = (self.busy() * per_node).as_secs_f64() / cost;
                // Longer ones end later, and shorter ones are sent later. The sum of both is least here.
                let all = (BATCH_COST * per_node).as_secs_f64() * self.queue.len() as f64;
                (by_cost as usize, (all / cost).sqrt() as usize)
            }
        };
        // The last ones are divided finer, so that all nodes end at about the same time.
        let by_share = self.queue.len().div_ceil(2 * self.concurrency().max(1));
        let room = self.limits.in_flight - self.in_flight;
        // What may run again has a message of its own, which the broker keeps until it is answered.
        let most = if retries > 0 { 1 } else { by_cost.min(by_share).max(least).clamp(1, MOST).min(room) };
        let mut tasks = Vec::new();
        let mut size = 0;
        while tasks.len() < most {
            let Some(&number) = self.queue.front() else { break };
            if self.is_queued(number) {
                let task = self.tasks[&number].task;
                size += task.size;
                let fits = tasks.is_empty() || size <= self.limits.message;
                if task.site != site || task.retries != retries || !fits {
                    break;
                }
                tasks.push(number);
            }
            self.queue.pop_front();
        }
        Some(tasks)
    }

    /// A batch is to keep a node busy for so long.
    fn busy(&self) -> Duration {
        BATCH.max(self.round_trip.unwrap_or_default() / 2)
    }

    fn is_queued(&self, number: TaskNumber) -> bool {
        self.tasks.get(&number).is_some_and(|task| task.place == Place::Queued)
    }
}

#[cfg(test)]
mod properties;
