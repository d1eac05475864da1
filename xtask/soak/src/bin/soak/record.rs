//! What was spawned, and what has become of it.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use wasm_mt::Error;
use wasm_mt_soak::Balance;

use crate::kinds::Kind;
use crate::room;

/// Milliseconds that a task may take. Nothing here lasts half a second on a quiet machine; on a busy one, WebKit's threads
/// that spin for ever leave the others of a round so little that some took 50 seconds.
const MOST: f64 = 120_000.0;
/// Faults of one program that are told; the others are alike.
const MOST_FAULTS: usize = 20;

/// The record of the whole program.
#[derive(Default)]
pub(crate) struct Record {
    balance: RefCell<Balance>,
    /// What has not ended.
    open: RefCell<BTreeMap<u64, Open>>,
    next: Cell<u64>,
    round: Cell<u64>,
    step: Cell<u32>,
    /// Tasks that say when they begin, and must have begun, since they ended well or were lost with their worker.
    expected: RefCell<BTreeMap<u64, String>>,
    /// Those of which each may begin again.
    retried: RefCell<BTreeSet<u64>>,
}

struct Open {
    what: String,
    since: f64,
}

impl Record {
    pub(crate) fn begin_round(&self, round: u64) {
        self.round.set(round);
    }

    pub(crate) fn round(&self) -> u64 {
        self.round.get()
    }

    pub(crate) fn begin_step(&self, step: u32) {
        self.step.set(step);
    }

    /// Enters a task; its number.
    pub(crate) fn open(&self, kind: Kind, executor: &str) -> u64 {
        let number = self.next.replace(self.next.get() + 1);
        let (round, step) = (self.round.get(), self.step.get());
        let what = format!("{kind:?} on {executor}, round {round}, step {step}");
        self.open.borrow_mut().insert(number, Open { what, since: room::now() });
        let mut balance = self.balance.borrow_mut();
        balance.spawned += 1;
        *balance.kinds.entry(format!("{kind:?}")).or_default() += 1;
        number
    }

    pub(crate) fn may_run_again(&self, number: u64) {
        self.retried.borrow_mut().insert(number);
    }

    /// Notes that a task came to an end.
    pub(crate) fn end(&self, number: u64, end: &str) {
        *self.balance.borrow_mut().ends.entry(end.to_owned()).or_default() += 1;
        if self.open.borrow_mut().remove(&number).is_none() {
            self.fault(format!("task {number} ended twice"));
        }
    }

    /// Notes that a task, which says when it begins, came to an end to which it must have begun.
    pub(crate) fn expect_begun(&self, number: u64) {
        self.expected.borrow_mut().insert(number, self.name(number));
    }

    /// Notes that a task came to an end that it must not come to.
    pub(crate) fn wrong(&self, number: u64, what: &str) {
        self.fault(format!("{}: {what}", self.name(number)));
    }

    fn name(&self, number: u64) -> String {
        self.open.borrow().get(&number).map(|open| open.what.clone()).unwrap_or_default()
    }

    pub(crate) fn fault(&self, what: String) {
        if self.balance.borrow().faults.len() < MOST_FAULTS {
            self.tell(what);
        }
    }

    /// Many tasks of one site end alike: that is told once.
    fn tell(&self, what: String) {
        let mut balance = self.balance.borrow_mut();
        if !balance.faults.contains(&what) {
            balance.faults.push(what);
        }
    }

    /// Notes what should have ended by now, whatever else was told; true if there is something.
    pub(crate) fn note_overdue(&self) -> bool {
        let now = room::now();
        let open = self.open.borrow();
        let overdue: Vec<&Open> = open.values().filter(|open| now - open.since > MOST).collect();
        for open in &overdue {
            self.tell(format!("{}: has not ended after {} s", open.what, MOST / 1000.0));
        }
        !overdue.is_empty()
    }

    /// Compares what has begun, and how often, with what has ended.
    pub(crate) fn close_round(&self, round: u64, begun: &BTreeMap<u64, u32>) {
        let retried = self.retried.take();
        for (number, times) in begun.iter().filter(|(number, times)| **times > 1 && !retried.contains(number))
        {
            self.fault(format!("task {number} of round {round} has begun {times} times"));
        }
        let expected = self.expected.take();
        // On the web what was said before the end of a worker need not arrive.
        for (_, task) in
            expected.into_iter().filter(|(number, _)| room::HEARS_ALL && !begun.contains_key(number))
        {
            self.fault(format!("{task}: has finished, or was lost, and had not begun"));
        }
    }

    pub(crate) fn count_workers(&self, count: u64) {
        self.balance.borrow_mut().workers += count;
    }

    pub(crate) fn workers(&self) -> u64 {
        self.balance.borrow().workers
    }

    pub(crate) fn balance(&self) -> Balance {
        self.balance.borrow().clone()
    }
}

/// How an error counts.
pub(crate) fn name_of(error: &Error) -> &'static str {
    match error {
        error if error.is_panic() => "panic",
        error if error.is_worker_lost() => "worker lost",
        error if error.is_cancelled() => "cancelled",
        error if error.is_timeout() => "timeout",
        error if error.is_closed() => "closed",
        error if error.is_startup() => "startup",
        error if error.is_codec() => "codec",
        error if error.is_queue_full() => "queue full",
        error if error.is_js() => "JavaScript",
        _ => "another error",
    }
}
