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

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

mod gather;
mod nodes;
#[cfg(test)]
mod properties;

use self::nodes::NodeState;
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
    /// No node has it, or the one that had it was lost.
    Published(BatchNumber),
    Claimed(BatchNumber, NodeId),
    /// Its answer is with the broker. What becomes of its node says nothing of it any more.
    Answered,
}

#[derive(Debug)]
struct BatchState {
    tasks: Vec<TaskNumber>,
    /// How many of them have not ended.
    left: usize,
    node: Option<NodeId>,
    /// No node has ever had it, and none was lost since it was published.
    is_new: bool,
    retried: bool,
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
    /// How many batches are new: nodes ask for them.
    unclaimed: usize,
    nodes: BTreeMap<NodeId, NodeState>,
    /// By which request each node has said last that nothing of the client is there.
    emptied: BTreeMap<NodeId, u64>,
    /// The workers of those that are not leaving.
    workers: usize,
    last_batch: BatchNumber,
    has_more: bool,
    /// Since when no node is there.
    alone_since: Option<Duration>,
    now: Duration,
    actions: Vec<Action>,
}

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
            emptied: BTreeMap::new(),
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
            (Place::Queued | Place::Published(_) | Place::Answered, _) => {
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
        self.unclaimed -= usize::from(std::mem::take(&mut state.is_new));
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

    /// The answer of a task is with the broker, and is to be got from there. False if it has ended, or another is being got.
    pub(crate) fn arrived(&mut self, number: TaskNumber) -> bool {
        if self.tasks.get(&number).is_none_or(|task| task.place == Place::Answered) {
            return false;
        }
        self.leave_batch(number);
        if let Some(task) = self.tasks.get_mut(&number) {
            task.place = Place::Answered;
        }
        true
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

    /// True if no other attempt has begun after this one.
    pub(crate) fn is_last(&self, number: TaskNumber, (batch, node): Attempt) -> bool {
        let place = self.tasks.get(&number).map(|task| task.place);
        place.is_some_and(|place| match place {
            Place::Queued => false,
            // The node was taken for lost, and no other has it yet.
            Place::Published(there) => there == batch,
            Place::Claimed(there, holder) => (there, holder) == (batch, node),
            Place::Answered => true,
        })
    }

    /// Takes a task back from a node that has lost its worker. An answer may come twice, and from a node that was taken for lost: it says
    /// nothing of the attempt that came after it.
    pub(crate) fn try_again(&mut self, number: TaskNumber, from: Attempt) -> Again {
        if !self.is_last(number, from) {
            return Again::Stale;
        }
        let Some(task) = self.tasks.get(&number) else { return Again::Stale };
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

    /// True if no node has the batch, and its message is to be with the broker.
    pub(crate) fn is_unclaimed(&self, batch: BatchNumber) -> bool {
        self.batches.get(&batch).is_some_and(|state| state.node.is_none())
    }

    pub(crate) fn has(&self, batch: BatchNumber) -> bool {
        self.batches.contains_key(&batch)
    }

    /// Those that have not ended.
    pub(crate) fn tasks_of(&self, batch: BatchNumber) -> Vec<TaskNumber> {
        let is_there = |task: &TaskState| match task.place {
            Place::Queued | Place::Answered => false,
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
        self.unclaimed -= usize::from(state.is_new);
        if let Some(node) = state.node.and_then(|node| self.nodes.get_mut(&node)) {
            node.batches.remove(&batch);
        }
        self.batches.remove(&batch);
    }

    fn is_queued(&self, number: TaskNumber) -> bool {
        self.tasks.get(&number).is_some_and(|task| task.place == Place::Queued)
    }
}
