//! The page's half of a schedule: every task that the page knows, and what becomes of it.
//!
//! ```text
//!   submitted, or migrated by its maker
//!        |
//!        v       posted            finished, lost
//!     QUEUED -----------> POSTED ------------------> (settled, forgotten)
//!        ^                  |  |
//!        |  migrated, lost  |  |  cancelled, overdue
//!        +-----(*)----------+  +------------> POSTED, settled -----> (forgotten)
//! ```
//!
//! A task is *settled* once: only one place gives [`PageAction::Settle`], [`Schedule::settle`]. A settled task that its
//! worker still holds stays known until the worker has finished it or is gone, since it takes up credit there.
//!
//! (*) A task goes back to the injector in three cases only: it migrated unbegun; its worker is gone and it surely
//! had not begun; its worker is gone and it may run again. Otherwise a loss settles it.

mod loss;
mod migration;

use std::time::Duration;

use crate::schedule::collections::IdMap;
use crate::schedule::cost::{Cost, Costs};
use crate::schedule::deadline::{Deadline, Deadlines, nanos};
use crate::schedule::event::{Completion, PageAction, PageEvent, Urgency};
use crate::schedule::injector::{Injector, Position};
use crate::schedule::phase::WorkerPhase;
use crate::schedule::task::{TaskId, TaskKind, TaskOptions, WorkerId};
use crate::schedule::workers::{Share, Workers};
use crate::schedule::{Config, Strategy};

#[derive(Debug)]
struct TaskRecord {
    options: TaskOptions,
    /// `None` for a task that its worker made, keeps, and has named.
    place: Option<Position>,
    state: TaskState,
    /// Its completion is decided, and its handle has it.
    settled: bool,
}

#[derive(Debug)]
enum TaskState {
    Queued,
    Posted(Assignment),
}

#[derive(Clone, Copy, Debug)]
struct Assignment {
    worker: WorkerId,
    /// What it adds to the load of its worker, as it was added.
    share: Share,
    /// It was named.
    began: bool,
    /// It awaits something, and adds nothing to the load.
    waits: bool,
    /// It is a task of the page that was posted behind others and is not known to have begun: it still counts as queued.
    behind: bool,
    /// What `messages` of its worker was when it was last given time to stop.
    messages: u64,
}

impl Assignment {
    fn new(worker: WorkerId, share: Share) -> Self {
        Self { worker, share, began: false, waits: false, behind: false, messages: 0 }
    }
}

/// Decides which worker runs which task, and when. See the README of the folder `schedule`.
#[derive(Debug)]
pub(crate) struct Schedule {
    strategy: Strategy,
    config: Config,
    tasks: IdMap<TaskRecord>,
    injector: Injector,
    workers: Workers,
    costs: Costs,
    deadlines: Deadlines,
    /// Workers that failed to replace lost ones, and how many had failed before, until another is started.
    restarts: Vec<(WorkerId, u32)>,
    /// Posted tasks that count as queued.
    behind: usize,
    closing: bool,
    closed: bool,
}

impl Schedule {
    /// Starts all workers.
    pub(crate) fn open(
        strategy: Strategy,
        config: Config,
        now: Duration,
        actions: &mut Vec<PageAction>,
    ) -> Self {
        let mut schedule = Self {
            strategy,
            tasks: IdMap::default(),
            injector: Injector::default(),
            workers: Workers::new(strategy, 2 * nanos(config.round_trip)),
            costs: Costs::new(config.tick),
            deadlines: Deadlines::default(),
            restarts: Vec::new(),
            behind: 0,
            closing: false,
            closed: false,
            config,
        };
        for _ in 0..schedule.config.threads {
            schedule.start(now, None, actions);
        }
        schedule
    }

    /// When to hand over [`PageEvent::Woken`], if nothing else happens before. It may change with every event.
    pub(crate) fn wake_at(&self) -> Option<Duration> {
        self.deadlines.next()
    }

    /// Tasks of the page that are accepted and not known to have begun.
    pub(crate) fn queued(&self) -> usize {
        self.injector.roots() + self.behind
    }

    /// True if a worker is tried again later.
    pub(crate) fn restarts(&self) -> bool {
        !self.restarts.is_empty()
    }

    /// True if the task is known, also if it was settled and only its worker still has it.
    pub(crate) fn knows(&self, task: TaskId) -> bool {
        self.tasks.get(task).is_some()
    }

    /// Takes one event; adds what is to be done to `actions`.
    pub(crate) fn handle(&mut self, now: Duration, event: PageEvent, actions: &mut Vec<PageAction>) {
        match event {
            PageEvent::Submitted { task, options } => self.submit(task, options, actions),
            PageEvent::Pinned { worker, task, options } => self.pin(now, worker, task, options, actions),
            PageEvent::Cancelled { task } => self.cancel(task, actions),
            PageEvent::Aborted { task } => {
                self.cancel(task, actions);
                self.give_grace(now, task);
            }
            PageEvent::Detached { task } => {
                if let Some(task) = self.tasks.get_mut(task) {
                    task.options.detached = true;
                }
            }
            PageEvent::Closing => self.closing = true,
            PageEvent::Ready { worker } => {
                self.deadlines.clear(Deadline::Start(worker));
                self.workers.change(worker, |worker| {
                    worker.phase = WorkerPhase::Ready;
                    worker.messages += 1;
                });
            }
            PageEvent::Began { worker, task, options } => self.began(now, worker, task, options, actions),
            PageEvent::Suspended { worker, task, ran } => self.waits(worker, task, ran),
            PageEvent::Finished { worker, task, ran } => self.finished(worker, task, ran, actions),
            PageEvent::Migrated { worker, task, options } => {
                self.migrated(now, worker, task, options, actions);
            }
            PageEvent::Reported { worker, local, resting } => self.workers.change(worker, |worker| {
                worker.local = local;
                worker.resting = resting;
                worker.messages += 1;
            }),
            PageEvent::Lost { worker, culprit, begun } => {
                self.lose(now, worker, culprit, begun.as_deref(), actions);
            }
            PageEvent::Woken => {
                for deadline in self.deadlines.ring(now) {
                    self.overdue(now, deadline, actions);
                }
            }
        }
        self.dispatch(now, actions);
        self.ask(actions);
        if self.closing && !self.closed && self.tasks.is_empty() && !self.workers.keeps_tasks() {
            self.closed = true;
            actions.push(PageAction::Closed);
        }
    }

    fn start(&mut self, now: Duration, attempt: Option<u32>, actions: &mut Vec<PageAction>) {
        let worker = self.workers.start(attempt);
        self.deadlines.set(Deadline::Start(worker), now, self.config.start_timeout);
        actions.push(PageAction::Start { worker });
    }

    fn submit(&mut self, task: TaskId, options: TaskOptions, actions: &mut Vec<PageAction>) {
        if self.closing {
            actions.push(PageAction::Settle { task, completion: Completion::Closed });
        } else {
            self.enter(task, options);
        }
    }

    fn pin(
        &mut self,
        now: Duration,
        worker: WorkerId,
        task: TaskId,
        options: TaskOptions,
        actions: &mut Vec<PageAction>,
    ) {
        if self.closing {
            actions.push(PageAction::Settle { task, completion: Completion::Closed });
        } else if self.workers.get(worker).is_none() {
            actions.push(PageAction::Settle { task, completion: Completion::NoWorkers });
        } else {
            self.enter(task, TaskOptions { pinned: true, ..options });
            self.post(now, task, worker, actions);
        }
    }

    /// How many tasks a worker has that are not answered.
    pub(crate) fn load(&self, worker: WorkerId) -> u32 {
        self.workers.get(worker).map_or(0, |worker| worker.load.count)
    }

    /// True if as many tasks are queued as may be: the driver submits no further one that is bounded.
    pub(crate) fn is_full(&self) -> bool {
        // A task that can be posted at once to a worker that has none is not queued.
        self.config.max_queue.is_some_and(|max| self.queued() >= max) && !self.has_idle()
    }

    fn has_idle(&self) -> bool {
        let best = self.workers.best().and_then(|worker| self.workers.get(worker));
        self.injector.len() == 0 && best.is_some_and(|worker| worker.posted.is_empty())
    }

    /// Enters a new task.
    fn enter(&mut self, id: TaskId, options: TaskOptions) {
        let place = self.injector.place(id);
        self.injector.insert(place, id);
        self.tasks
            .insert(id, TaskRecord { options, place: Some(place), state: TaskState::Queued, settled: false });
        self.workers.change(id.maker, |maker| {
            maker.owned.insert(0, id);
        });
    }

    /// Gives waiting tasks to workers, as long as there are both.
    fn dispatch(&mut self, now: Duration, actions: &mut Vec<PageAction>) {
        if self.workers.is_empty() && self.restarts.is_empty() {
            self.give_up(actions);
        }
        while let Some((id, worker)) = self.injector.first().zip(self.workers.best()) {
            self.post(now, id, worker, actions);
        }
    }

    /// Nobody runs what waits.
    fn give_up(&mut self, actions: &mut Vec<PageAction>) {
        while let Some(id) = self.injector.first() {
            self.settle(id, Completion::NoWorkers, actions);
            self.forget(id);
        }
    }

    /// Posts a waiting task to a worker.
    fn post(&mut self, now: Duration, id: TaskId, worker: WorkerId, actions: &mut Vec<PageAction>) {
        let task = self.tasks.get_mut(id).expect("the injector holds known tasks only");
        let place = task.place.expect("a waiting task has a position");
        let share = Share {
            posted: true,
            cost: self.costs.of(task.options.site),
            uninterruptible: task.options.is_uninterruptible(),
        };
        let busy = self.workers.get(worker).is_some_and(|worker| worker.load.count > 0);
        let behind = busy && place.is_root();
        task.state = TaskState::Posted(Assignment { behind, ..Assignment::new(worker, share) });
        self.behind += usize::from(behind);
        self.injector.remove(place, id);
        self.workers.change(worker, |worker| {
            worker.load.add(share);
            worker.posted.insert(0, id);
        });
        let timeout = task.options.timeout;
        // Under `Serial` what it is behind may wait for it.
        let overtakes = task.options.aside && self.strategy == Strategy::Serial;
        let urgency = match share.cost {
            _ if !busy || overtakes => Urgency::Now,
            Cost::Short(time) if 8 * time <= nanos(self.config.round_trip) => Urgency::Late,
            _ => Urgency::Soon,
        };
        if let Some(timeout) = timeout {
            self.expect_message(now, worker, timeout);
        }
        actions.push(PageAction::Post { worker, task: id, urgency });
    }

    /// Asks workers that may have tasks to spare, if others have nothing to do.
    fn ask(&mut self, actions: &mut Vec<PageAction>) {
        if self.strategy != Strategy::WorkStealing {
            return;
        }
        let idle = self.workers.idle().saturating_sub(self.injector.len());
        if idle > 0 {
            while let Some(worker) = self.workers.take_unasked() {
                actions
                    .push(PageAction::StealRequest { worker, idle: u32::try_from(idle).unwrap_or(u32::MAX) });
            }
        }
    }

    fn cancel(&mut self, id: TaskId, actions: &mut Vec<PageAction>) {
        let Some(task) = self.tasks.get(id) else { return };
        match task.state {
            TaskState::Queued => {
                self.settle(id, Completion::Cancelled, actions);
                self.forget(id);
            }
            TaskState::Posted(Assignment { worker, .. }) => {
                self.stop(worker, id, Completion::Cancelled, actions);
            }
        }
    }

    /// Settles a posted task, and stops it on its worker.
    fn stop(
        &mut self,
        worker: WorkerId,
        task: TaskId,
        completion: Completion,
        actions: &mut Vec<PageAction>,
    ) {
        if self.settle(task, completion, actions) && self.workers.get(worker).is_some() {
            actions.push(PageAction::Stop { worker, task });
        }
    }

    /// Settles a task, if it was not settled.
    fn settle(&mut self, id: TaskId, completion: Completion, actions: &mut Vec<PageAction>) -> bool {
        let Some(task) = self.tasks.get_mut(id) else { return false };
        let first = !task.settled;
        task.settled = true;
        // The handle of a task that a worker made and kept is there: its page has no handle to answer.
        if first && task.place.is_some() {
            actions.push(PageAction::Settle { task: id, completion });
        }
        first
    }

    /// Forgets a task, wherever it is.
    fn forget(&mut self, id: TaskId) {
        let Some(task) = self.tasks.remove(id) else { return };
        match task.state {
            TaskState::Queued => {
                if let Some(place) = task.place {
                    self.injector.remove(place, id);
                }
            }
            TaskState::Posted(posted) => self.take_back(id, task.options.kind, posted),
        }
        self.workers.change(id.maker, |maker| {
            maker.owned.remove(0, id);
        });
        self.deadlines.clear(Deadline::Timeout(id));
        self.deadlines.clear(Deadline::Grace(id));
    }

    /// Removes a posted task from the load of its worker.
    fn take_back(&mut self, id: TaskId, kind: TaskKind, posted: Assignment) {
        self.behind -= usize::from(posted.behind);
        self.workers.change(posted.worker, |worker| {
            worker.posted.remove(0, id);
            worker.messages += 1;
            worker.load.running -= u32::from(posted.began && kind == TaskKind::Sync);
            if !posted.waits {
                worker.load.remove(posted.share);
            }
        });
    }

    /// What is known of a task that this worker holds.
    fn posted(&mut self, worker: WorkerId, task: TaskId) -> Option<(&TaskOptions, &mut Assignment)> {
        let task = self.tasks.get_mut(task)?;
        match &mut task.state {
            TaskState::Posted(posted) if posted.worker == worker => Some((&task.options, posted)),
            _ => None,
        }
    }

    fn began(
        &mut self,
        now: Duration,
        worker: WorkerId,
        id: TaskId,
        options: TaskOptions,
        actions: &mut Vec<PageAction>,
    ) {
        if self.workers.get(worker).is_none() {
            return;
        }
        if self.takes_name(now, worker, id, actions) {
            let share =
                Share { posted: false, cost: Cost::Unknown, uninterruptible: options.is_uninterruptible() };
            let posted = Assignment::new(worker, share);
            self.tasks.insert(
                id,
                TaskRecord { options, place: None, state: TaskState::Posted(posted), settled: false },
            );
            self.workers.change(worker, |worker| {
                worker.load.add(share);
                worker.posted.insert(0, id);
            });
        }
        let Some((options, posted)) = self.posted(worker, id) else { return };
        let timeout = options.timeout;
        let first = !posted.began && options.kind == TaskKind::Sync;
        let behind = std::mem::take(&mut posted.behind);
        posted.began = true;
        self.behind -= usize::from(behind);
        self.workers.change(worker, |worker| {
            worker.messages += 1;
            worker.worked = true;
            worker.load.running += u32::from(first);
        });
        if let Some(timeout) = timeout {
            self.deadlines.set(Deadline::Timeout(id), now, timeout);
        }
    }

    fn waits(&mut self, worker: WorkerId, id: TaskId, ran: Duration) {
        let Some((options, posted)) = self.posted(worker, id) else { return };
        if posted.waits {
            return;
        }
        let site = options.site;
        let before = *posted;
        posted.waits = true;
        posted.behind = false;
        self.behind -= usize::from(before.behind);
        self.workers.change(worker, |worker| {
            worker.messages += 1;
            worker.worked = true;
            worker.load.remove(before.share);
        });
        if self.costs.of(site) == Cost::Unknown {
            self.costs.learn(site, ran);
        }
    }

    fn finished(
        &mut self,
        worker: WorkerId,
        id: TaskId,
        ran: Option<Duration>,
        actions: &mut Vec<PageAction>,
    ) {
        let Some((options, _)) = self.posted(worker, id) else { return };
        let site = options.site;
        if let Some(ran) = ran {
            self.costs.learn(site, ran);
            self.workers.change(worker, |worker| worker.worked = true);
        }
        self.settle(id, Completion::Answered, actions);
        self.forget(id);
    }
}
