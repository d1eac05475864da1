//! The workers of a schedule, by what they can take.
//!
//! Each worker is in as many of three sets as it fits: *open* (may be given a task), *idle* (has nothing to do), *unasked*
//! (may have tasks to spare, and was not asked for them yet). A change of one worker moves it between them.

use std::time::Duration;

use super::Strategy;
use super::collections::{IdMap, SortedQueue};
use super::cost::Cost;
use super::phase::WorkerPhase;
use super::task::WorkerId;

/// What the posted tasks of a worker cost it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Load {
    /// Tasks that are not answered and do not wait.
    pub(crate) count: u32,
    /// Those of them that are not known to be short.
    heavy: u32,
    /// The expected cost of the short ones, in nanoseconds.
    time: u64,
    /// Those of them that only the worker's end ends in time, its own ones that it named among them; and those that were
    /// asked to stop.
    pub(crate) uninterruptible: u32,
    /// Synchronous tasks of any origin that the worker named and that have not ended. One, while messages are in order.
    pub(crate) running: u32,
}

/// What one task adds to the load of its worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Share {
    /// False for a worker's own task, which its page knows of only because it was named.
    pub(crate) posted: bool,
    pub(crate) cost: Cost,
    pub(crate) uninterruptible: bool,
}

impl Load {
    pub(crate) fn add(&mut self, share: Share) {
        self.uninterruptible += u32::from(share.uninterruptible);
        if share.posted {
            self.count += 1;
            match share.cost {
                Cost::Short(time) => self.time += time,
                Cost::Unknown | Cost::Long => self.heavy += 1,
            }
        }
    }

    pub(crate) fn remove(&mut self, share: Share) {
        self.uninterruptible -= u32::from(share.uninterruptible);
        if share.posted {
            self.count -= 1;
            match share.cost {
                Cost::Short(time) => self.time -= time,
                Cost::Unknown | Cost::Long => self.heavy -= 1,
            }
        }
    }

    /// True if the worker may get another task for it to find when it is done with those it has.
    ///
    /// One that `is_open` gets them until it has three times the window, and then none until it has less than one. If each answer
    /// made room for one task, tasks would leave one by one. Twice is too little: while the page writes a packet for one worker,
    /// another runs out of tasks (see the simulator).
    fn has_credit(&self, window: u64, is_open: bool) -> bool {
        let limit = if is_open { 3 * window } else { window };
        // Two at least, or a worker with one task of 400 us stands still for a round trip after it.
        self.uninterruptible == 0
            && (self.count == 0 || self.heavy == 0 && (self.count < 2 || self.time < limit))
    }
}

/// A worker, as its page knows it.
#[derive(Debug)]
pub(crate) struct WorkerRecord {
    pub(crate) phase: WorkerPhase,
    pub(crate) load: Load,
    /// Tasks that it has to answer, and its own that it named.
    pub(crate) posted: SortedQueue,
    /// Tasks that it made and that migrated, and wait or run elsewhere.
    pub(crate) owned: SortedQueue,
    /// Unfinished tasks that it made and kept.
    pub(crate) local: u32,
    /// It said that it has nothing to run, but for what was posted since.
    pub(crate) resting: bool,
    /// It was asked for tasks, and has given none since.
    pub(crate) asked: bool,
    /// It is to replace a lost one, and others were before, so many in a row, and were lost before they ran a task.
    pub(crate) attempt: Option<u32>,
    /// A task has run on it, or runs.
    pub(crate) worked: bool,
    /// Goes up with each message that comes from it.
    pub(crate) messages: u64,
    /// By when a further one is wanted, and what `messages` was when that was set.
    pub(crate) expected: Option<(Duration, u64)>,
    /// It was asked for one.
    pub(crate) asked_to_report: bool,
    /// Its place among the open ones.
    rank: Option<u64>,
    /// It is among the idle, or the unasked.
    idle: bool,
    unasked: bool,
}

/// All workers that are not gone.
#[derive(Debug)]
pub(crate) struct Workers {
    strategy: Strategy,
    window: u64,
    workers: IdMap<WorkerRecord>,
    /// The fewer tasks, the earlier.
    open: SortedQueue,
    idle: usize,
    unasked: SortedQueue,
    /// The one worker of a serial schedule.
    chosen: Option<WorkerId>,
    /// Workers with unfinished tasks of their own.
    keepers: usize,
    last: u32,
}

impl Workers {
    pub(crate) fn new(strategy: Strategy, window: u64) -> Self {
        Self {
            strategy,
            window,
            workers: IdMap::default(),
            open: SortedQueue::default(),
            idle: 0,
            unasked: SortedQueue::default(),
            chosen: None,
            keepers: 0,
            last: 0,
        }
    }

    /// Enters a worker under a new name. `attempt`: see [`WorkerRecord`].
    pub(crate) fn start(&mut self, attempt: Option<u32>) -> WorkerId {
        self.last += 1;
        let id = WorkerId(self.last);
        let worker = WorkerRecord {
            phase: WorkerPhase::Starting,
            load: Load::default(),
            posted: SortedQueue::default(),
            owned: SortedQueue::default(),
            local: 0,
            resting: true,
            // A worker begins as if it had been.
            asked: true,
            attempt,
            worked: false,
            messages: 0,
            expected: None,
            asked_to_report: false,
            rank: None,
            idle: false,
            unasked: false,
        };
        self.workers.insert(id, worker);
        self.sort(id);
        id
    }

    pub(crate) fn get(&self, id: WorkerId) -> Option<&WorkerRecord> {
        self.workers.get(id)
    }

    /// Changes a worker, if it is not gone.
    pub(crate) fn change(&mut self, id: WorkerId, change: impl FnOnce(&mut WorkerRecord)) {
        if let Some(worker) = self.workers.get_mut(id) {
            let kept = worker.local > 0;
            change(worker);
            match (kept, worker.local > 0) {
                (false, true) => self.keepers += 1,
                (true, false) => self.keepers -= 1,
                _ => {}
            }
            self.sort(id);
        }
    }

    /// Forgets a worker.
    pub(crate) fn remove(&mut self, id: WorkerId) -> Option<WorkerRecord> {
        let worker = self.workers.remove(id)?;
        self.keepers -= usize::from(worker.local > 0);
        if let Some(rank) = worker.rank {
            self.open.remove(rank, id);
        }
        self.idle -= usize::from(worker.idle);
        self.unasked.remove(0, id);
        if self.chosen == Some(id) {
            self.chosen = None;
            // The one that has been there for longest.
            let all = (id.0 + 1..=self.last).chain(1..id.0).map(WorkerId);
            for next in all {
                self.sort(next);
            }
        }
        Some(worker)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.workers.is_empty()
    }

    /// The worker that the next task goes to.
    pub(crate) fn best(&self) -> Option<WorkerId> {
        self.open.first().map(|(_, id)| WorkerId::from_number(id))
    }

    /// How many workers have nothing to do.
    pub(crate) fn idle(&self) -> usize {
        self.idle
    }

    /// Takes a worker that may have tasks to spare; it counts as asked.
    pub(crate) fn take_unasked(&mut self) -> Option<WorkerId> {
        let id = WorkerId::from_number(self.unasked.pop()?.1);
        let worker = self.workers.get_mut(id).expect("the sets hold workers that are not gone");
        worker.asked = true;
        worker.unasked = false;
        Some(id)
    }

    /// True if a worker holds unfinished tasks that its page does not know.
    pub(crate) fn keeps_tasks(&self) -> bool {
        self.keepers > 0
    }

    /// Puts a worker into the sets that it fits.
    fn sort(&mut self, id: WorkerId) {
        let Some(worker) = self.workers.get_mut(id) else { return };
        let ready = worker.phase == WorkerPhase::Ready;
        if ready && self.strategy == Strategy::Serial {
            self.chosen.get_or_insert(id);
        }
        let has_credit = worker.load.has_credit(self.window, worker.rank.is_some());
        let rank = match self.strategy {
            Strategy::Serial => (self.chosen == Some(id) && has_credit).then_some(0),
            Strategy::Parallel => (worker.load.uninterruptible == 0).then_some(worker.posted.len() as u64),
            Strategy::WorkStealing => {
                (ready && has_credit).then(|| u64::from(!worker.resting) + 2 * u64::from(worker.load.count))
            }
        };
        if rank != worker.rank {
            if let Some(rank) = worker.rank {
                self.open.remove(rank, id);
            }
            if let Some(rank) = rank {
                self.open.insert(rank, id);
            }
            worker.rank = rank;
        }
        let idle = ready && worker.load.count == 0 && worker.load.uninterruptible == 0 && worker.resting;
        let unasked = ready && !idle && !worker.asked;
        self.idle -= usize::from(std::mem::replace(&mut worker.idle, idle));
        self.idle += usize::from(idle);
        if std::mem::replace(&mut worker.unasked, unasked) != unasked {
            if unasked {
                self.unasked.insert(0, id);
            } else {
                self.unasked.remove(0, id);
            }
        }
    }
}
