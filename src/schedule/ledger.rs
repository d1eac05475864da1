//! The page's half of a schedule: the ledger of all tasks that the page knows.
//!
//! ```text
//!   submitted, or returned by its maker
//!        |
//!        v       posted            finished, lost
//!     WAITING ----------> POSTED ------------------> (settled, forgotten)
//!        ^                  |  |
//!        |  returned, lost  |  |  cancelled, overdue
//!        +-----(*)----------+  +------------> POSTED, settled -----> (forgotten)
//! ```
//!
//! A task is *settled* once: the one place that says [`Action::Settle`] is [`Schedule::settle`]. A settled task that its
//! worker still holds stays in the ledger until the worker has answered or is gone, since it takes up room there.
//!
//! (*) A task goes back to the line in three cases only: its worker returned it unbegun; its worker is gone and it surely
//! had not begun; its worker is gone and it may run again. Otherwise a loss settles it.

use std::time::Duration;

use super::alarm::{Alarm, Alarms, nanos};
use super::cost::{Cost, Costs};
use super::event::{Action, Event, Haste, Verdict};
use super::life::Life;
use super::line::{Line, Place};
use super::roster::{Roster, Share};
use super::store::Store;
use super::task::{Kind, TaskId, Terms, WorkerId};
use super::{Config, Strategy};

#[derive(Debug)]
struct Task {
    terms: Terms,
    /// `None` for a task that its worker made, keeps, and has named.
    place: Option<Place>,
    state: State,
    /// It was answered.
    settled: bool,
}

#[derive(Debug)]
enum State {
    Waiting,
    Posted(Posted),
}

#[derive(Clone, Copy, Debug)]
struct Posted {
    worker: WorkerId,
    /// What it adds to the load of its worker, as it was added.
    share: Share,
    /// It was named.
    began: bool,
    /// It awaits something, and adds nothing to the load.
    waits: bool,
    /// It is a task of the page that was posted behind others and is not known to have begun: it still counts as queued.
    behind: bool,
}

/// Decides which worker runs which task, and when. See the README beside this file.
#[derive(Debug)]
pub(crate) struct Schedule {
    strategy: Strategy,
    config: Config,
    tasks: Store<Task>,
    line: Line,
    roster: Roster,
    costs: Costs,
    alarms: Alarms,
    /// Posted tasks that count as queued.
    behind: usize,
    closing: bool,
    closed: bool,
}

impl Schedule {
    /// Starts all workers.
    pub(crate) fn open(strategy: Strategy, config: Config, now: Duration, actions: &mut Vec<Action>) -> Self {
        let mut schedule = Self {
            strategy,
            tasks: Store::default(),
            line: Line::default(),
            roster: Roster::new(strategy, 2 * nanos(config.round_trip)),
            costs: Costs::new(config.tick),
            alarms: Alarms::default(),
            behind: 0,
            closing: false,
            closed: false,
            config,
        };
        for _ in 0..schedule.config.threads {
            schedule.start(now, actions);
        }
        schedule
    }

    /// When to hand over [`Event::Woken`], if nothing else happens before. It may change with every event.
    pub(crate) fn wake_at(&self) -> Option<Duration> {
        self.alarms.next()
    }

    /// Tasks of the page that are accepted and not known to have begun.
    pub(crate) fn queued(&self) -> usize {
        self.line.roots() + self.behind
    }

    /// True if the task is in the ledger, also if it was settled and only its worker still has it.
    pub(crate) fn knows(&self, task: TaskId) -> bool {
        self.tasks.get(task).is_some()
    }

    /// Takes one event; says what is to be done.
    pub(crate) fn handle(&mut self, now: Duration, event: Event, actions: &mut Vec<Action>) {
        match event {
            Event::Submitted { task, terms, bounded } => self.submit(task, terms, bounded, actions),
            Event::Pinned { worker, task, terms } => self.pin(worker, task, terms, actions),
            Event::Cancelled { task } => self.cancel(task, actions),
            Event::Aborted { task } => {
                self.cancel(task, actions);
                self.give_grace(now, task);
            }
            Event::Detached { task } => {
                if let Some(task) = self.tasks.get_mut(task) {
                    task.terms.detached = true;
                }
            }
            Event::Closing => self.closing = true,
            Event::Ready { worker } => {
                self.alarms.clear(Alarm::Start(worker));
                self.roster.change(worker, |worker| worker.life = Life::Ready);
            }
            Event::Began { worker, task, terms } => self.began(now, worker, task, terms),
            Event::Waits { worker, task, ran } => self.waits(worker, task, ran),
            Event::Finished { worker, task, ran } => self.finished(worker, task, ran, actions),
            Event::Returned { worker, task, terms } => self.returned(worker, task, terms),
            Event::Reported { worker, local, resting } => self.roster.change(worker, |worker| {
                worker.local = local;
                worker.resting = resting;
            }),
            Event::Lost { worker, culprit, begun } => {
                self.lose(now, worker, culprit, begun.as_deref(), actions);
            }
            Event::Woken => {
                for alarm in self.alarms.ring(now) {
                    self.overdue(now, alarm, actions);
                }
            }
        }
        self.dispatch(actions);
        self.ask(actions);
        if self.closing && !self.closed && self.tasks.is_empty() && !self.roster.keeps_tasks() {
            self.closed = true;
            actions.push(Action::Closed);
        }
    }

    fn start(&mut self, now: Duration, actions: &mut Vec<Action>) {
        let worker = self.roster.start();
        self.alarms.set(Alarm::Start(worker), now, self.config.start_timeout);
        actions.push(Action::Start { worker });
    }

    fn submit(&mut self, task: TaskId, terms: Terms, bounded: bool, actions: &mut Vec<Action>) {
        let refused = if self.closing {
            Some(Verdict::Closed)
        } else {
            (bounded && self.is_full()).then_some(Verdict::QueueFull)
        };
        if let Some(verdict) = refused {
            actions.push(Action::Settle { task, verdict });
        } else {
            self.enter(task, terms);
        }
    }

    fn pin(&mut self, worker: WorkerId, task: TaskId, terms: Terms, actions: &mut Vec<Action>) {
        if self.closing {
            actions.push(Action::Settle { task, verdict: Verdict::Closed });
        } else if self.roster.get(worker).is_none() {
            actions.push(Action::Settle { task, verdict: Verdict::NoWorkers });
        } else {
            self.enter(task, Terms { pinned: true, ..terms });
            self.post(task, worker, actions);
        }
    }

    /// True if a bounded task would be refused.
    pub(crate) fn is_full(&self) -> bool {
        // A task that can be posted at once to a worker that has none is not queued.
        self.config.max_queue.is_some_and(|max| self.queued() >= max) && !self.has_idle()
    }

    fn has_idle(&self) -> bool {
        let best = self.roster.best().and_then(|worker| self.roster.get(worker));
        self.line.len() == 0 && best.is_some_and(|worker| worker.posted.is_empty())
    }

    /// Writes a new task into the ledger.
    fn enter(&mut self, id: TaskId, terms: Terms) {
        let place = self.line.place(id);
        self.line.insert(place, id);
        self.tasks.insert(id, Task { terms, place: Some(place), state: State::Waiting, settled: false });
        self.roster.change(id.owner, |owner| {
            owner.owned.insert(0, id);
        });
    }

    /// Gives waiting tasks to workers, as long as there are both.
    fn dispatch(&mut self, actions: &mut Vec<Action>) {
        while let Some(id) = self.line.first() {
            if self.roster.is_empty() {
                self.settle(id, Verdict::NoWorkers, actions);
                self.forget(id);
                continue;
            }
            let Some(worker) = self.roster.best() else { break };
            self.post(id, worker, actions);
        }
    }

    /// Gives a task of the line to a worker.
    fn post(&mut self, id: TaskId, worker: WorkerId, actions: &mut Vec<Action>) {
        let task = self.tasks.get_mut(id).expect("the line holds tasks of the ledger");
        let place = task.place.expect("a task in the line has a place");
        let share =
            Share { posted: true, cost: self.costs.of(task.terms.site), killable: task.terms.is_killable() };
        let busy = self.roster.get(worker).is_some_and(|worker| worker.load.count > 0);
        let behind = busy && place.is_root();
        task.state = State::Posted(Posted { worker, share, began: false, waits: false, behind });
        self.behind += usize::from(behind);
        self.line.remove(place, id);
        self.roster.change(worker, |worker| {
            worker.load.add(share);
            worker.posted.insert(0, id);
        });
        let haste = match share.cost {
            _ if !busy => Haste::Now,
            Cost::Short(time) if 8 * time <= nanos(self.config.round_trip) => Haste::Late,
            _ => Haste::Soon,
        };
        actions.push(Action::Post { worker, task: id, haste });
    }

    /// Asks workers that may have tasks to spare, if others have nothing to do.
    fn ask(&mut self, actions: &mut Vec<Action>) {
        if self.strategy != Strategy::WorkStealing {
            return;
        }
        let hungry = self.roster.hungry().saturating_sub(self.line.len());
        if hungry > 0 {
            while let Some(worker) = self.roster.take_unasked() {
                actions.push(Action::Ask { worker, hungry: u32::try_from(hungry).unwrap_or(u32::MAX) });
            }
        }
    }

    fn cancel(&mut self, id: TaskId, actions: &mut Vec<Action>) {
        let Some(task) = self.tasks.get(id) else { return };
        match task.state {
            State::Waiting => {
                self.settle(id, Verdict::Cancelled, actions);
                self.forget(id);
            }
            State::Posted(Posted { worker, .. }) => self.stop(worker, id, Verdict::Cancelled, actions),
        }
    }

    /// Settles a posted task, and tells its worker.
    fn stop(&mut self, worker: WorkerId, task: TaskId, verdict: Verdict, actions: &mut Vec<Action>) {
        if self.settle(task, verdict, actions) && self.roster.get(worker).is_some() {
            actions.push(Action::Stop { worker, task, verdict });
        }
    }

    /// Answers a task, if it was not answered.
    fn settle(&mut self, id: TaskId, verdict: Verdict, actions: &mut Vec<Action>) -> bool {
        let Some(task) = self.tasks.get_mut(id) else { return false };
        let first = !task.settled;
        task.settled = true;
        // The handle of a task that a worker made and kept is there: its page has nobody to answer.
        if first && task.place.is_some() {
            actions.push(Action::Settle { task: id, verdict });
        }
        first
    }

    /// Takes a task out of the ledger, wherever it is.
    fn forget(&mut self, id: TaskId) {
        let Some(task) = self.tasks.remove(id) else { return };
        match task.state {
            State::Waiting => {
                if let Some(place) = task.place {
                    self.line.remove(place, id);
                }
            }
            State::Posted(posted) => self.take_back(id, task.terms.kind, posted),
        }
        self.roster.change(id.owner, |owner| {
            owner.owned.remove(0, id);
        });
        self.alarms.clear(Alarm::Timeout(id));
        self.alarms.clear(Alarm::Grace(id));
    }

    /// Takes a posted task off its worker's books.
    fn take_back(&mut self, id: TaskId, kind: Kind, posted: Posted) {
        self.behind -= usize::from(posted.behind);
        self.roster.change(posted.worker, |worker| {
            worker.posted.remove(0, id);
            worker.load.running -= u32::from(posted.began && kind == Kind::Sync);
            if !posted.waits {
                worker.load.remove(posted.share);
            }
        });
    }

    /// What is known of a task that this worker holds.
    fn posted(&mut self, worker: WorkerId, task: TaskId) -> Option<(&Terms, &mut Posted)> {
        let task = self.tasks.get_mut(task)?;
        match &mut task.state {
            State::Posted(posted) if posted.worker == worker => Some((&task.terms, posted)),
            _ => None,
        }
    }

    fn began(&mut self, now: Duration, worker: WorkerId, id: TaskId, terms: Terms) {
        if self.roster.get(worker).is_none() {
            return;
        }
        if id.owner == worker && self.tasks.get(id).is_none() {
            let share = Share { posted: false, cost: Cost::Unknown, killable: terms.is_killable() };
            let posted = Posted { worker, share, began: false, waits: false, behind: false };
            self.tasks.insert(id, Task { terms, place: None, state: State::Posted(posted), settled: false });
            self.roster.change(worker, |worker| {
                worker.load.add(share);
                worker.posted.insert(0, id);
            });
        }
        let Some((terms, posted)) = self.posted(worker, id) else { return };
        let timeout = terms.timeout;
        let first = !posted.began && terms.kind == Kind::Sync;
        let behind = std::mem::take(&mut posted.behind);
        posted.began = true;
        self.behind -= usize::from(behind);
        self.roster.change(worker, |worker| worker.load.running += u32::from(first));
        if let Some(timeout) = timeout {
            self.alarms.set(Alarm::Timeout(id), now, timeout);
        }
    }

    fn waits(&mut self, worker: WorkerId, id: TaskId, ran: Duration) {
        let Some((terms, posted)) = self.posted(worker, id) else { return };
        if posted.waits {
            return;
        }
        let site = terms.site;
        let before = *posted;
        posted.waits = true;
        posted.behind = false;
        self.behind -= usize::from(before.behind);
        self.roster.change(worker, |worker| {
            worker.load.remove(before.share);
        });
        if self.costs.of(site) == Cost::Unknown {
            self.costs.learn(site, ran);
        }
    }

    fn finished(&mut self, worker: WorkerId, id: TaskId, ran: Option<Duration>, actions: &mut Vec<Action>) {
        let Some((terms, _)) = self.posted(worker, id) else { return };
        let site = terms.site;
        if let Some(ran) = ran {
            self.costs.learn(site, ran);
        }
        self.settle(id, Verdict::Answered, actions);
        self.forget(id);
    }

    fn returned(&mut self, worker: WorkerId, id: TaskId, terms: Terms) {
        if self.roster.get(worker).is_none() {
            return;
        }
        self.roster.change(worker, |worker| worker.asked = false);
        if id.owner == worker && self.tasks.get(id).is_none() {
            self.enter(id, terms);
        } else if self.posted(worker, id).is_some() {
            self.put_back(id);
        }
    }

    /// Puts a posted task where it stood in the line; one that is settled is forgotten.
    fn put_back(&mut self, id: TaskId) {
        let Some(task) = self.tasks.get_mut(id) else { return };
        let (Some(place), false) = (task.place, task.settled) else { return self.forget(id) };
        if let State::Posted(posted) = std::mem::replace(&mut task.state, State::Waiting) {
            let kind = task.terms.kind;
            self.alarms.clear(Alarm::Timeout(id));
            self.take_back(id, kind, posted);
            self.line.insert(place, id);
        }
    }

    fn lose(
        &mut self,
        now: Duration,
        id: WorkerId,
        culprit: Option<TaskId>,
        begun: Option<&[TaskId]>,
        actions: &mut Vec<Action>,
    ) {
        let Some(mut worker) = self.roster.remove(id) else { return };
        self.alarms.clear(Alarm::Start(id));
        // Nobody waits for what it made, but for what runs for its own sake.
        while let Some((_, child)) = worker.owned.pop() {
            let child = TaskId::from_number(child);
            if self.tasks.get(child).is_some_and(|task| !task.terms.detached) {
                self.cancel(child, actions);
            }
        }
        while let Some((_, task)) = worker.posted.pop() {
            let task = TaskId::from_number(task);
            let Some(entry) = self.tasks.get_mut(task) else { continue };
            let unbegun = !worker.life.may_have_begun() || begun.is_some_and(|begun| !begun.contains(&task));
            // One that was for this worker alone has nowhere else to go.
            let surely_unbegun = unbegun && !entry.terms.pinned;
            if culprit == Some(task) {
                self.settle(task, Verdict::Blamed, actions);
            } else if !surely_unbegun && entry.terms.retries > 0 && !entry.terms.pinned {
                entry.terms.retries -= 1;
            } else if !surely_unbegun {
                self.settle(task, Verdict::WorkerLost, actions);
            }
            self.put_back(task);
        }
        let idle = self.tasks.is_empty() && !self.roster.keeps_tasks();
        if self.config.replace && worker.life.is_replaced() && !(self.closing && idle) {
            self.start(now, actions);
        }
    }

    fn overdue(&mut self, now: Duration, alarm: Alarm, actions: &mut Vec<Action>) {
        let doomed = match alarm {
            Alarm::Start(worker) => Some(worker),
            Alarm::Timeout(id) => {
                let Some(&Task { state: State::Posted(posted), terms, .. }) = self.tasks.get(id) else {
                    return;
                };
                if terms.is_killable() {
                    self.settle(id, Verdict::TimedOut, actions);
                    Some(posted.worker)
                } else {
                    self.stop(posted.worker, id, Verdict::TimedOut, actions);
                    self.give_grace(now, id);
                    None
                }
            }
            Alarm::Grace(id) => {
                let Some(&Task { state: State::Posted(posted), terms, .. }) = self.tasks.get(id) else {
                    return;
                };
                let running = self.roster.get(posted.worker).map_or(0, |worker| worker.load.running);
                // A synchronous task that has begun and not ended has the thread: another is not to blame.
                let to_blame = running == 0 || posted.began && terms.kind == Kind::Sync;
                if !to_blame {
                    self.give_grace(now, id);
                }
                to_blame.then_some(posted.worker)
            }
        };
        if let Some(worker) = doomed.filter(|worker| self.roster.get(*worker).is_some()) {
            actions.push(Action::Terminate { worker, overdue: alarm });
            self.lose(now, worker, None, None, actions);
        }
    }

    /// Lets a worker answer for a task that was stopped. Until it does, nothing is posted to it: it may have to end.
    fn give_grace(&mut self, now: Duration, id: TaskId) {
        let Some(task) = self.tasks.get_mut(id) else { return };
        if let State::Posted(Posted { worker, share, waits: false, .. }) = &mut task.state {
            let first = !std::mem::replace(&mut share.killable, true);
            let worker = *worker;
            self.roster.change(worker, |worker| worker.load.killable += u32::from(first));
        }
        self.alarms.set(Alarm::Grace(id), now, self.config.grace);
    }
}
