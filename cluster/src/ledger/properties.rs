//! What holds whatever comes, in whatever order, however often.

use std::collections::{BTreeMap, BTreeSet};
use std::panic;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};

use super::*;
use crate::message::PeerId;

const NODES: u64 = 4;
const LIMITS: Limits =
    Limits { in_flight: 24, message: 100, silence: Duration::from_secs(3), no_node: Duration::from_secs(30) };

/// What happens to a client. Tasks, batches and nodes are named by a place in the list of those that there were.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Submit {
        count: usize,
        site: u64,
        size: usize,
        retries: u32,
    },
    Signal {
        task: usize,
        signal: TaskSignal,
    },
    /// A node has received the message of a batch, for the first time or again.
    Claim {
        batch: usize,
        node: u64,
    },
    /// The task's answer comes, from a node that has it or has had it.
    Answer {
        task: usize,
        grant: usize,
        lost: bool,
    },
    Learn {
        site: u64,
        micros: u64,
    },
    Beat {
        node: u64,
        leaving: bool,
    },
    Heard {
        node: u64,
    },
    Leave {
        node: u64,
    },
    /// It had taken the client for gone.
    Empty {
        node: u64,
    },
    /// The answer of a task is with the broker.
    Arrive {
        task: usize,
    },
    Forgive,
    /// The broker has lost a message, and the client finds out.
    Lose {
        batch: usize,
    },
    Tick {
        millis: u64,
    },
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    use TaskSignal::{Abort, Cancel, Detach};
    let node = 0..NODES;
    let nth = 0..1000_usize;
    let submit = (1..8_usize, 0..3_u64, 0..60_usize, prop_oneof![3 => Just(0), 2 => 1..3_u32]);
    let signal = (nth.clone(), prop_oneof![Just(Cancel), Just(Abort), Just(Detach)]);
    let deed = prop_oneof![
        4 => submit.prop_map(|(count, site, size, retries)| Deed::Submit { count, site, size, retries }),
        2 => signal.prop_map(|(task, signal)| Deed::Signal { task, signal }),
        8 => (nth.clone(), node.clone()).prop_map(|(batch, node)| Deed::Claim { batch, node }),
        6 => (nth.clone(), nth.clone(), any::<bool>())
            .prop_map(|(task, grant, lost)| Deed::Answer { task, grant, lost }),
        1 => (0..3_u64, 0..5000_u64).prop_map(|(site, micros)| Deed::Learn { site, micros }),
        3 => (node.clone(), prop::bool::weighted(0.2)).prop_map(|(node, leaving)| Deed::Beat { node, leaving }),
        1 => node.clone().prop_map(|node| Deed::Heard { node }),
        1 => node.clone().prop_map(|node| Deed::Leave { node }),
        1 => node.prop_map(|node| Deed::Empty { node }),
        1 => nth.clone().prop_map(|task| Deed::Arrive { task }),
        1 => Just(Deed::Forgive),
        1 => nth.prop_map(|batch| Deed::Lose { batch }),
        2 => (0..4000_u64).prop_map(|millis| Deed::Tick { millis }),
    ];
    prop::collection::vec(deed, 1..120)
}

#[derive(Debug, Default)]
struct Told {
    retries: u32,
    /// By which node it was begun, in which of that node's lives, and in which batch.
    grants: Vec<(NodeId, u32, BatchNumber)>,
    /// The node has said that the last of them has lost its worker.
    is_over: bool,
    ends: u32,
    /// Its handle was dropped, or has aborted it.
    unwanted: bool,
}

/// A client, the broker and nodes, as far as the ledger knows them.
struct Scene {
    ledger: Ledger,
    now: Duration,
    tasks: BTreeMap<TaskNumber, Told>,
    batches: Vec<BatchNumber>,
    /// Messages that the broker has.
    stored: BTreeSet<BatchNumber>,
    /// How often each node was lost.
    lives: [u32; NODES as usize],
}

impl Scene {
    fn new() -> Self {
        Self {
            ledger: Ledger::new(PeerId(77), LIMITS, Duration::ZERO),
            now: Duration::ZERO,
            tasks: BTreeMap::new(),
            batches: Vec::new(),
            stored: BTreeSet::new(),
            lives: [0; NODES as usize],
        }
    }

    fn end(&mut self, task: TaskNumber) {
        let told = self.tasks.get_mut(&task).expect("it was submitted");
        told.ends += 1;
        assert_eq!(told.ends, 1, "{task} ends twice");
    }

    /// Does it, and all that comes of it. Looks then whether all is in order.
    fn perform(&mut self, deed: Deed) {
        let there = |ledger: &Ledger| std::array::from_fn(|node| ledger.is_there(PeerId(node as u64)));
        let before: [bool; NODES as usize] = there(&self.ledger);
        let nth = |list: &[u64], nth: usize| list.get(nth % list.len().max(1)).copied();
        match deed {
            Deed::Submit { count, site, size, retries } => {
                for _ in 0..count {
                    let number = self.tasks.len() as u64;
                    self.tasks.insert(number, Told { retries, ..Told::default() });
                    self.ledger.submit(number, Task { site, size, retries });
                }
            }
            Deed::Signal { task, signal } => {
                let number = task as u64 % self.tasks.len().max(1) as u64;
                let Some(told) = self.tasks.get_mut(&number) else { return };
                told.unwanted |= signal != TaskSignal::Detach;
                let is_open = told.ends == 0;
                let is_over = self.ledger.signal(number, signal);
                assert!(is_over || is_open, "{number} has ended");
                if is_over && is_open {
                    self.end(number);
                }
            }
            Deed::Claim { batch, node } => {
                if let Some(batch) = nth(&self.batches, batch) {
                    self.claim(batch, PeerId(node));
                }
            }
            Deed::Answer { task, grant, lost } => {
                let number = task as u64 % self.tasks.len().max(1) as u64;
                let grants = self.tasks.get(&number).map_or(&[][..], |told| &told.grants);
                if let Some((node, _, batch)) = grants.get(grant % grants.len().max(1)).copied() {
                    self.answer(number, (batch, node), lost);
                }
            }
            Deed::Learn { site, micros } => self.ledger.learn(site, Duration::from_micros(micros)),
            Deed::Beat { node, leaving } => self.ledger.beat(PeerId(node), 2, leaving, self.now),
            Deed::Heard { node } => self.ledger.heard(PeerId(node), self.now),
            Deed::Leave { node } => self.ledger.left(PeerId(node)),
            Deed::Empty { node } => {
                self.ledger.emptied(PeerId(node), 0);
                self.lives[node as usize] += 1;
            }
            Deed::Arrive { task } => {
                let number = task as u64 % self.tasks.len().max(1) as u64;
                let is_begun = self.tasks.get(&number).is_some_and(|told| !told.grants.is_empty());
                let is_open = self.tasks.get(&number).is_some_and(|told| told.ends == 0);
                if is_begun {
                    let is_first = self.ledger.arrived(number);
                    assert!(is_open || !is_first, "{number} has ended");
                }
            }
            Deed::Forgive => self.ledger.forgive(self.now),
            Deed::Lose { batch } => {
                if let Some(batch) = nth(&self.batches, batch) {
                    self.stored.remove(&batch);
                    self.ledger.send_again(batch);
                }
            }
            Deed::Tick { millis } => {
                self.now += Duration::from_millis(millis);
                self.ledger.tick(self.now);
            }
        }
        let after = there(&self.ledger);
        for node in 0..NODES as usize {
            self.lives[node] += u32::from(before[node] && !after[node]);
        }
        for action in self.ledger.take_actions() {
            match action {
                Action::Publish { batch, tasks, retried } => {
                    assert!(!tasks.is_empty() && tasks.len() <= LIMITS.in_flight);
                    assert!(tasks.iter().all(|task| (self.tasks[task].retries > 0) == retried));
                    self.batches.push(batch);
                    self.stored.insert(batch);
                }
                Action::Lose { task, .. } | Action::Refuse { task } => self.end(task),
                Action::Tell { node, task, .. } => {
                    let grants = &self.tasks[&task].grants;
                    assert!(grants.iter().any(|grant| grant.0 == node), "{node} has no {task}");
                }
            }
        }
        self.ledger.check();
        let open: Vec<_> =
            self.tasks.iter().filter(|(_, told)| told.ends == 0).map(|(task, _)| *task).collect();
        assert_eq!(open.len(), self.ledger.tasks.len());
        assert!(open.iter().all(|task| self.ledger.tasks.contains_key(task)), "one is forgotten");
    }

    fn claim(&mut self, batch: BatchNumber, node: NodeId) -> Claim {
        let claim = self.ledger.claim(batch, node, 2, self.now);
        match &claim {
            Claim::Held => {}
            Claim::Gone => drop(self.stored.remove(&batch)),
            Claim::Granted(tasks) => {
                for task in tasks {
                    let told = self.tasks.get_mut(task).expect("it was submitted");
                    let grant = (node, self.lives[node.0 as usize], batch);
                    // Its answer may have been lost on the way.
                    if told.grants.last() != Some(&grant) {
                        assert!(!told.unwanted, "{task} begins, and nobody wants it");
                        assert_eq!(told.ends, 0, "{task} begins, and has ended");
                        let is_over = |(node, life, _): &(PeerId, u32, _)| {
                            told.is_over || self.lives[node.0 as usize] > *life
                        };
                        assert!(told.grants.last().is_none_or(is_over), "{task} runs in two places");
                        told.grants.push(grant);
                        told.is_over = false;
                    }
                    assert!(told.grants.len() <= 1 + told.retries as usize, "{task} runs too often");
                    if told.retries == 0 {
                        // The node takes it out of the stream.
                        self.stored.remove(&batch);
                    }
                }
            }
        }
        claim
    }

    /// As the client does.
    fn answer(&mut self, task: TaskNumber, from: Attempt, lost: bool) {
        self.ledger.heard(from.1, self.now);
        let told = self.tasks.get_mut(&task).expect("it was submitted");
        told.is_over |= lost && told.grants.last().is_some_and(|(node, _, batch)| (*batch, *node) == from);
        if told.ends == 0 && told.retries > 0 && lost && self.ledger.try_again(task, from) != Again::Never {
            return;
        }
        if self.ledger.answered(task) {
            self.end(task);
        }
    }

    /// From here on nothing goes wrong: all that is open is to end.
    fn drain(&mut self) {
        for _ in 0..1000 {
            for node in 0..NODES {
                self.perform(Deed::Beat { node, leaving: false });
            }
            // Nodes that are there answer what they have.
            let claimed = self.ledger.tasks.iter().filter_map(|(task, state)| match state.place {
                Place::Claimed(batch, node) => Some((*task, (batch, node))),
                // It is got, whoever has given it.
                Place::Answered => Some((*task, (0, PeerId(0)))),
                _ => None,
            });
            let claimed: Vec<_> = claimed.collect();
            for (task, from) in claimed {
                self.answer(task, from, false);
            }
            for batch in self.batches.clone() {
                if self.stored.contains(&batch) {
                    let node = batch % NODES;
                    self.perform(Deed::Claim { batch: self.place_of(batch), node });
                } else if self.ledger.is_unclaimed(batch) {
                    // The client looks after what was not claimed for long.
                    self.perform(Deed::Lose { batch: self.place_of(batch) });
                }
            }
            if self.ledger.tasks.is_empty() {
                return;
            }
        }
        panic!("these never end: {:?}", self.ledger.tasks);
    }

    fn place_of(&self, batch: BatchNumber) -> usize {
        self.batches.iter().position(|other| *other == batch).expect("it was published")
    }
}

impl Ledger {
    /// What is counted is what there is, and nothing is left of what has ended.
    fn check(&self) {
        let sent =
            self.tasks.values().filter(|task| !matches!(task.place, Place::Queued | Place::Answered)).count();
        assert_eq!(self.in_flight, sent, "in flight");
        assert!(self.in_flight <= self.limits.in_flight);
        let unclaimed = self.batches.values().filter(|batch| batch.is_new).count();
        assert_eq!(self.unclaimed, unclaimed, "unclaimed");
        let workers: usize = self.nodes.values().filter(|node| !node.leaving).map(|node| node.workers).sum();
        assert_eq!(self.workers, workers, "workers");
        for (number, task) in &self.tasks {
            let (batch, node) = match task.place {
                Place::Queued => {
                    assert!(self.queue.contains(number), "{number} waits nowhere");
                    continue;
                }
                Place::Answered => continue,
                Place::Published(batch) => (batch, None),
                Place::Claimed(batch, node) => (batch, Some(node)),
            };
            assert_eq!(self.batches.get(&batch).map(|batch| batch.node), Some(node), "{number}");
        }
        for (number, batch) in &self.batches {
            assert!(batch.left > 0, "batch {number} is empty");
            assert_eq!(batch.left, self.tasks_of(*number).len(), "batch {number}");
            let holder = batch.node.map(|node| &self.nodes[&node]);
            assert!(holder.is_none_or(|node| node.batches.contains(number)), "batch {number}");
        }
        for (id, node) in &self.nodes {
            let is_here = |batch| self.batches.get(batch).is_some_and(|batch| batch.node == Some(*id));
            assert!(node.batches.iter().all(is_here), "{id} has what it has not");
        }
    }
}

#[test]
fn each_task_ends_once_and_begins_no_more_often_than_it_may() {
    let cases = option_env!("LEDGER_CASES").map_or(1000, |cases| cases.parse().expect("a number"));
    let mut runner = TestRunner::new(Config { cases, ..Config::default() });
    let tried = runner.run(&deeds(), |deeds| {
        // Caught, so that the deeds are made fewer and shown.
        let run = || {
            let mut scene = Scene::new();
            deeds.iter().for_each(|deed| scene.perform(*deed));
            scene.drain();
            assert!(scene.tasks.values().all(|told| told.ends == 1));
            assert!(scene.ledger.batches.is_empty());
            assert_eq!((scene.ledger.in_flight, scene.ledger.unclaimed), (0, 0));
        };
        panic::catch_unwind(panic::AssertUnwindSafe(run)).map_err(|payload| {
            let text = payload.downcast_ref::<String>().cloned();
            TestCaseError::fail(text.unwrap_or_else(|| "it panicked".to_owned()))
        })
    });
    if let Err(TestError::Fail(reason, deeds)) = tried {
        panic!("{reason}: {deeds:#?}");
    }
}

fn ledger() -> Ledger {
    Ledger::new(PeerId(77), LIMITS, Duration::ZERO)
}

fn submit(ledger: &mut Ledger, number: TaskNumber, retries: u32) {
    ledger.submit(number, Task { site: 1, size: 1, retries });
}

const A: PeerId = PeerId(1);
const B: PeerId = PeerId(2);

/// Submits a task that may run again, and lets A have it.
fn begun_at_a(retries: u32) -> Ledger {
    let mut ledger = ledger();
    ledger.beat(A, 1, false, Duration::ZERO);
    ledger.beat(B, 1, false, Duration::ZERO);
    submit(&mut ledger, 0, retries);
    assert_eq!(ledger.take_actions(), [Action::Publish { batch: 1, tasks: vec![0], retried: retries > 0 }]);
    assert_eq!(ledger.claim(1, A, 1, Duration::ZERO), Claim::Granted(vec![0]));
    ledger
}

#[test]
fn a_loss_that_is_told_twice_does_not_stop_the_next_attempt() {
    let mut ledger = begun_at_a(2);
    assert_eq!(ledger.try_again(0, (1, A)), Again::Queued);
    assert_eq!(ledger.try_again(0, (1, A)), Again::Stale);
    assert_eq!(ledger.take_actions(), [Action::Publish { batch: 2, tasks: vec![0], retried: true }]);
    // It may come to the same node again.
    assert_eq!(ledger.claim(2, A, 1, Duration::ZERO), Claim::Granted(vec![0]));
    assert_eq!(ledger.try_again(0, (1, A)), Again::Stale);
    ledger.left(A);
    assert_eq!(ledger.claim(2, B, 1, Duration::ZERO), Claim::Granted(vec![0]));
    assert_eq!(ledger.try_again(0, (2, A)), Again::Stale);
    assert_eq!(ledger.try_again(0, (2, B)), Again::Never);
}

#[test]
fn what_was_on_its_way_to_a_node_that_is_lost_does_not_hold_up_the_rest() {
    let mut ledger = begun_at_a(0);
    for number in 1..20 {
        submit(&mut ledger, number, 0);
    }
    let published = |ledger: &mut Ledger| {
        ledger.take_actions().iter().filter(|action| matches!(action, Action::Publish { .. })).count()
    };
    let first = published(&mut ledger);
    assert!(first > 0 && published(&mut ledger) == 0, "no more than the nodes ask for");
    ledger.left(A);
    assert!(published(&mut ledger) > 0);
}

#[test]
fn a_task_that_is_to_be_stopped_does_not_run_again() {
    let mut ledger = begun_at_a(5);
    assert!(!ledger.signal(0, TaskSignal::Abort));
    ledger.left(A);
    let actions = ledger.take_actions();
    assert!(actions.contains(&Action::Lose { task: 0, node: A }), "{actions:?}");
    assert_eq!(ledger.claim(1, B, 1, Duration::ZERO), Claim::Gone);
}

#[test]
fn a_task_waits_for_a_node_as_long_as_it_may() {
    let mut ledger = ledger();
    let second = Duration::from_secs(1);
    ledger.tick(29 * second);
    submit(&mut ledger, 0, 0);
    ledger.tick(31 * second);
    assert!(!ledger.take_actions().contains(&Action::Refuse { task: 0 }));
    ledger.tick(59 * second);
    assert!(ledger.take_actions().contains(&Action::Refuse { task: 0 }));
}

#[test]
fn what_a_node_asked_for_before_it_was_empty_is_late() {
    let mut ledger = begun_at_a(1);
    assert!(!ledger.is_late(A, 7));
    ledger.emptied(A, 7);
    assert!(ledger.is_there(A));
    assert!(ledger.is_late(A, 6) && ledger.is_late(A, 7), "that too, if it is said again");
    assert!(!ledger.is_late(A, 8) && !ledger.is_late(B, 6));
    // Another may have the task now.
    assert_eq!(ledger.claim(1, B, 1, Duration::ZERO), Claim::Granted(vec![0]));
}
