//! The workers of a schedule, by what they can take.
//!
//! Each worker is in as many of three sets as it fits: *open* (may be given a task), *hungry* (has nothing to do), *unasked*
//! (may have tasks to spare, and was not asked for them yet). A change of one worker moves it between sets in O(log n).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Strategy;
use super::cost::Cost;
use super::life::Life;
use super::task::{TaskId, WorkerId};

/// What the posted tasks of a worker cost it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Load {
    /// Tasks that are not answered and do not wait.
    pub(crate) count: u32,
    /// Those of them that are not known to be short.
    heavy: u32,
    /// The expected cost of the short ones.
    time: Duration,
    /// Those of them that only the worker's end ends in time, its own ones that it named among them.
    killable: u32,
    /// Synchronous tasks of any origin that the worker named and that have not ended. One, while messages are in order.
    pub(crate) running: u32,
}

/// What one task adds to the load of its worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Share {
    /// False for a worker's own task, which its page knows of only because it was named.
    pub(crate) posted: bool,
    pub(crate) cost: Cost,
    pub(crate) killable: bool,
}

impl Load {
    pub(crate) fn add(&mut self, share: Share) {
        self.killable += u32::from(share.killable);
        if share.posted {
            self.count += 1;
            match share.cost {
                Cost::Short(time) => self.time += time,
                Cost::Unknown | Cost::Long => self.heavy += 1,
            }
        }
    }

    pub(crate) fn remove(&mut self, share: Share) {
        self.killable -= u32::from(share.killable);
        if share.posted {
            self.count -= 1;
            match share.cost {
                Cost::Short(time) => self.time -= time,
                Cost::Unknown | Cost::Long => self.heavy -= 1,
            }
        }
    }

    /// True if the worker may get another task for it to find when it is done with those it has.
    fn has_credit(&self, window: Duration) -> bool {
        // Two at least, or a worker with one task of 400 us stands still for a round trip after it.
        self.killable == 0 && (self.count == 0 || self.heavy == 0 && (self.count < 2 || self.time < window))
    }
}

/// A worker, as its page knows it.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) life: Life,
    pub(crate) load: Load,
    /// Tasks that it has to answer, and its own that it named.
    pub(crate) posted: BTreeSet<TaskId>,
    /// Tasks that it made and handed over, and that wait or run elsewhere.
    pub(crate) owned: BTreeSet<TaskId>,
    /// Unfinished tasks that it made and kept.
    pub(crate) local: u32,
    /// It said that it has nothing to run, but for what was posted since.
    pub(crate) resting: bool,
    /// It was asked for tasks, and has given none since.
    pub(crate) asked: bool,
    /// Its place among the open ones.
    rank: Option<u64>,
    /// It is among the hungry, or the unasked.
    hungry: bool,
    unasked: bool,
}

/// All workers that are not gone.
#[derive(Debug)]
pub(crate) struct Roster {
    strategy: Strategy,
    window: Duration,
    workers: BTreeMap<WorkerId, Worker>,
    open: BTreeSet<(u64, WorkerId)>,
    hungry: BTreeSet<WorkerId>,
    unasked: BTreeSet<WorkerId>,
    /// The one worker of a serial schedule.
    chosen: Option<WorkerId>,
    /// Workers with unfinished tasks of their own.
    keepers: usize,
    last: u32,
}

impl Roster {
    pub(crate) fn new(strategy: Strategy, window: Duration) -> Self {
        Self {
            strategy,
            window,
            workers: BTreeMap::new(),
            open: BTreeSet::new(),
            hungry: BTreeSet::new(),
            unasked: BTreeSet::new(),
            chosen: None,
            keepers: 0,
            last: 0,
        }
    }

    /// Enters a worker under a new name.
    pub(crate) fn start(&mut self) -> WorkerId {
        self.last += 1;
        let id = WorkerId(self.last);
        let worker = Worker {
            life: Life::Starting,
            load: Load::default(),
            posted: BTreeSet::new(),
            owned: BTreeSet::new(),
            local: 0,
            resting: true,
            // A worker begins as if it had been.
            asked: true,
            rank: None,
            hungry: false,
            unasked: false,
        };
        self.workers.insert(id, worker);
        self.sort(id);
        id
    }

    pub(crate) fn get(&self, id: WorkerId) -> Option<&Worker> {
        self.workers.get(&id)
    }

    /// Changes a worker, if it is not gone.
    pub(crate) fn change(&mut self, id: WorkerId, change: impl FnOnce(&mut Worker)) {
        if let Some(worker) = self.workers.get_mut(&id) {
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
    pub(crate) fn remove(&mut self, id: WorkerId) -> Option<Worker> {
        let worker = self.workers.remove(&id)?;
        self.keepers -= usize::from(worker.local > 0);
        if let Some(rank) = worker.rank {
            self.open.remove(&(rank, id));
        }
        self.hungry.remove(&id);
        self.unasked.remove(&id);
        if self.chosen == Some(id) {
            self.chosen = None;
            let next = self.workers.iter().find(|(_, worker)| worker.life == Life::Ready);
            if let Some(next) = next.map(|(id, _)| *id) {
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
        self.open.first().map(|(_, id)| *id)
    }

    /// How many workers have nothing to do.
    pub(crate) fn hungry(&self) -> usize {
        self.hungry.len()
    }

    /// Takes a worker that may have tasks to spare; it counts as asked.
    pub(crate) fn take_unasked(&mut self) -> Option<WorkerId> {
        let id = self.unasked.pop_first()?;
        let worker = self.workers.get_mut(&id).expect("the sets hold workers that are not gone");
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
        let Some(worker) = self.workers.get_mut(&id) else { return };
        let ready = worker.life == Life::Ready;
        if ready && self.strategy == Strategy::Serial {
            self.chosen.get_or_insert(id);
        }
        let rank = match self.strategy {
            Strategy::Serial => (self.chosen == Some(id) && worker.load.has_credit(self.window)).then_some(0),
            Strategy::Parallel => (worker.load.killable == 0).then_some(worker.posted.len() as u64),
            Strategy::WorkStealing => (ready && worker.load.has_credit(self.window))
                .then(|| u64::from(!worker.resting) + 2 * u64::from(worker.load.count)),
        };
        if rank != worker.rank {
            if let Some(rank) = worker.rank {
                self.open.remove(&(rank, id));
            }
            if let Some(rank) = rank {
                self.open.insert((rank, id));
            }
            worker.rank = rank;
        }
        let hungry = ready && worker.load.count == 0 && worker.load.killable == 0 && worker.resting;
        let unasked = ready && !hungry && !worker.asked;
        let flags = [
            (&mut self.hungry, &mut worker.hungry, hungry),
            (&mut self.unasked, &mut worker.unasked, unasked),
        ];
        for (set, before, now) in flags {
            match (std::mem::replace(before, now), now) {
                (false, true) => _ = set.insert(id),
                (true, false) => _ = set.remove(&id),
                _ => {}
            }
        }
    }
}
