//! A simulated node: asks for batches by the very rule of a node, and runs them as its pool does.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::time::Duration;

use super::{Message, Occasion, Scene, ToClient, ToNode};
use crate::cost::Shifts;
use crate::demand::{InHand, Supply, each, wanted};
use crate::ledger::{BatchNumber, TaskNumber};

#[derive(Debug)]
struct Batch {
    each: u64,
    tasks: Vec<TaskNumber>,
    left: usize,
    count: usize,
    claimed: Duration,
    granted: Duration,
    ran: Duration,
}

#[derive(Debug)]
pub(super) struct NodeSide {
    id: usize,
    pub(super) workers: usize,
    /// When each worker has run all that it has. Tasks begin in order, each on the worker that is free first.
    pool: BinaryHeap<Reverse<Duration>>,
    /// When the tasks begin that wait for a worker.
    waiting: BinaryHeap<Reverse<Duration>>,
    free: Duration,
    hand: InHand,
    supply: Supply,
    pulled: usize,
    batches: HashMap<BatchNumber, Batch>,
    shifts: Shifts,
    answers: Vec<TaskNumber>,
    ran: Vec<(BatchNumber, Duration)>,
    is_sending: bool,
}

impl NodeSide {
    pub(super) fn new(id: usize, workers: usize) -> Self {
        Self {
            id,
            workers,
            pool: (0..workers).map(|_| Reverse(Duration::ZERO)).collect(),
            waiting: BinaryHeap::new(),
            free: Duration::ZERO,
            hand: InHand::default(),
            supply: Supply::default(),
            pulled: 0,
            batches: HashMap::new(),
            shifts: Shifts::new(workers),
            answers: Vec::new(),
            ran: Vec::new(),
            is_sending: false,
        }
    }

    pub(super) fn ask(&mut self, now: Duration, scene: &mut Scene) {
        while self.waiting.peek().is_some_and(|Reverse(begin)| *begin <= now) {
            self.waiting.pop();
        }
        let wanted = wanted(&self.hand, &self.supply, self.workers, self.waiting.len());
        if wanted > self.pulled {
            let count = wanted - self.pulled;
            self.pulled = wanted;
            scene.tell_stream(now, Occasion::Pull { node: self.id, count });
        }
    }

    pub(super) fn get(&mut self, now: Duration, message: ToNode, scene: &mut Scene) {
        let network = scene.network;
        let id = self.id;
        self.free = self.free.max(now);
        match message {
            ToNode::Batch(Message { batch, nanos, tasks }) => {
                self.free += network.message;
                self.pulled -= 1;
                let each = each(nanos, tasks, self.workers);
                self.supply.received(tasks, each);
                self.hand.asked_tasks += tasks;
                self.count(each, tasks, true);
                let new = Batch {
                    each,
                    count: tasks,
                    tasks: Vec::new(),
                    left: 0,
                    claimed: self.free,
                    granted: Duration::ZERO,
                    ran: Duration::ZERO,
                };
                self.batches.insert(batch, new);
                scene.send(self.free, Occasion::ClientGets(ToClient::Claim { node: id, batch }));
            }
            ToNode::Gone { batch } => panic!("{batch} is given to two nodes"),
            ToNode::Granted { batch, tasks } => {
                self.free += network.message;
                let state = self.batches.get_mut(&batch).expect("it was asked for");
                state.granted = now;
                state.left = tasks.len();
                state.tasks = tasks;
                scene.tell_stream(self.free, Occasion::Ack { node: id, batch });
            }
            ToNode::Taken { batch } => {
                let state = self.batches.get_mut(&batch).expect("it was claimed");
                self.supply.began(state.granted - state.claimed, now - state.granted);
                self.hand.asked_tasks -= state.count;
                for task in std::mem::take(&mut state.tasks) {
                    self.free += network.node_task;
                    self.hand.tasks += 1;
                    self.hand.sync_tasks += 1;
                    let Reverse(worker) = self.pool.pop().expect("there are workers");
                    let begin = worker.max(self.free);
                    self.shifts.come(self.free);
                    let end = begin + scene.tasks[task as usize];
                    self.pool.push(Reverse(end));
                    if begin > self.free {
                        self.waiting.push(Reverse(begin));
                    }
                    scene.agenda.plan(end, Occasion::NodeGets(id, ToNode::Ended { batch, task }));
                }
            }
            ToNode::Ended { batch, task } => {
                self.hand.tasks -= 1;
                self.hand.sync_tasks -= 1;
                self.count(self.batches[&batch].each, 1, false);
                self.answers.push(task);
                let state = self.batches.get_mut(&batch).expect("a task of it ran");
                state.ran += self.shifts.end(now);
                state.left -= 1;
                if state.left == 0 {
                    self.end(batch);
                }
            }
            ToNode::Arrived => self.is_sending = false,
        }
        self.say(scene);
        self.ask(self.free, scene);
    }

    fn end(&mut self, batch: BatchNumber) {
        let state = self.batches.remove(&batch).expect("its last task ended");
        self.ran.push((batch, state.ran / state.count as u32));
    }

    /// Counts what these tasks are expected to cost.
    fn count(&mut self, each: u64, tasks: usize, comes: bool) {
        let InHand { work, unknown, .. } = &mut self.hand;
        match (each, comes) {
            (0, true) => *unknown += tasks,
            (0, false) => *unknown -= tasks,
            (_, true) => *work += each * tasks as u64,
            (_, false) => *work -= each * tasks as u64,
        }
    }

    /// What there is to say is gathered while the last message is on its way.
    fn say(&mut self, scene: &mut Scene) {
        if self.is_sending || (self.answers.is_empty() && self.ran.is_empty()) {
            return;
        }
        self.is_sending = true;
        self.free += scene.network.message;
        let (tasks, ran) = (std::mem::take(&mut self.answers), std::mem::take(&mut self.ran));
        scene.send(self.free, Occasion::ClientGets(ToClient::Answers { node: self.id, tasks, ran }));
    }
}
