//! The worker's half of a schedule: what runs next, what migrates, when to post and when to yield.
//!
//! ```text
//!   posted, or made here            chosen                ended
//!        -------------->  UNBEGUN ---------> BEGUN ------------------> (answered, forgotten)
//!                            |
//!                            +--> (migrated, or dropped: forgotten)
//! ```
//!
//! One worker at most knows an unbegun task: what migrates is forgotten in the same step, and what was forgotten cannot begin.
//! So no task runs twice.

use std::collections::VecDeque;
use std::time::Duration;

mod deque;
mod event;
mod join;

use self::deque::Deque;
pub(crate) use self::event::{LocalAction, LocalEvent, Next};
pub(crate) use self::join::OuterPoll;
use super::collections::{IdMap, SortedQueue};
use super::cost::Costs;
use super::deadline::nanos;
use super::event::HandleSignal;
use super::task::{TaskId, TaskKind, TaskOptions};
use super::{Config, Strategy};

/// A packet of so many items costs little more per item than a larger one.
const PACKET_ITEMS: u32 = 256;

#[derive(Debug)]
struct LocalTask<T> {
    payload: T,
    options: TaskOptions,
    /// The page awaits an answer.
    posted: bool,
    /// How many tasks had come before it.
    place: u64,
    begun: Option<Duration>,
    /// The time that its polls took.
    ran: Duration,
    /// The page was told that it awaits something.
    suspended: bool,
    /// It is to be dropped when the poll that runs is over.
    stop_after_poll: bool,
}

impl<T> LocalTask<T> {
    /// When a task that can be stopped at an await reaches its limit, if it has begun.
    fn due(&self) -> Option<u64> {
        let limit = self.options.timeout.filter(|_| self.options.kind == TaskKind::Async)?;
        Some(nanos(self.begun?.saturating_add(limit)))
    }
}

/// The code that runs.
#[derive(Debug)]
struct CurrentPoll {
    task: TaskId,
    since: Duration,
    /// If it is synchronous: how many tasks had come before, and before what else it may be within.
    holds_from: u64,
    /// Tasks that it has made.
    spawned: u32,
    /// Some of them, or older ones, have migrated to idle workers meanwhile.
    migrated: bool,
    /// It is within others, whose time the page watches until then at the latest.
    watched: u64,
}

impl CurrentPoll {
    fn new(task: TaskId, since: Duration, holds_from: u64) -> Self {
        Self { task, since, holds_from, spawned: 0, migrated: false, watched: u64::MAX }
    }
}

/// Decides what a worker does. See the README beside this folder.
#[derive(Debug)]
pub(crate) struct Local<T = ()> {
    strategy: Strategy,
    config: Config,
    tasks: IdMap<LocalTask<T>>,
    deque: Deque,
    /// Tasks for this worker alone, which begin first and never migrate.
    pinned: VecDeque<TaskId>,
    /// How many tasks have come.
    entered: u64,
    /// How many tasks have not begun, and how many of them were made here.
    unbegun: usize,
    spare: usize,
    costs: Costs,
    /// How many workers had nothing to do when the page asked last; zero once the request was answered: by tasks that
    /// migrated, though fewer than were asked for. During a poll it is not answered yet.
    idle: u32,
    poll: Option<CurrentPoll>,
    /// Unfinished tasks that were made here and kept.
    kept: u32,
    /// Posted tasks that have begun, and of which the page was not told that they are suspended.
    unreported: SortedQueue,
    /// When tasks that have begun reach their limits: this clock judges, whatever keeps the page.
    deadlines: SortedQueue,
    /// Since when something is to be posted: an item of the packet, or a report. `None`: nothing is.
    gathered: Option<Duration>,
    /// How many items it has.
    items: u32,
    /// What the page was told last.
    reported: (u32, bool),
    /// When messages were read last.
    listened: Duration,
    /// Some task's code has run since.
    worked: bool,
}

/// The clocks of a page and its worker agree to within this. It is small beside any limit that a program sets.
const SKEW: Duration = Duration::from_millis(2);

impl<T> Local<T> {
    pub(crate) fn new(strategy: Strategy, config: Config) -> Self {
        Self {
            strategy,
            tasks: IdMap::default(),
            deque: Deque::new(strategy),
            pinned: VecDeque::new(),
            entered: 0,
            unbegun: 0,
            spare: 0,
            costs: Costs::new(config.tick),
            // Until the page says more, all others have nothing to do: the first task may make hundreds before its worker
            // reads a message.
            idle: u32::try_from(config.threads.saturating_sub(1)).unwrap_or(u32::MAX),
            poll: None,
            kept: 0,
            unreported: SortedQueue::default(),
            deadlines: SortedQueue::default(),
            gathered: None,
            items: 0,
            reported: (0, true),
            listened: Duration::ZERO,
            worked: false,
            config,
        }
    }

    /// What the driver keeps of a task, and whether it was posted.
    pub(crate) fn get_mut(&mut self, task: TaskId) -> Option<(&mut T, bool)> {
        self.tasks.get_mut(task).map(|task| (&mut task.payload, task.posted))
    }

    /// True if the task is here.
    pub(crate) fn knows(&self, task: TaskId) -> bool {
        self.tasks.get(task).is_some()
    }

    /// True if the task is stopped when the poll that runs is over.
    pub(crate) fn is_stopping(&self, task: TaskId) -> bool {
        self.tasks.get(task).is_some_and(|task| task.stop_after_poll)
    }

    /// True if there is no task.
    pub(crate) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Unfinished tasks that were made here and are still here.
    pub(crate) fn kept(&self) -> usize {
        self.kept as usize
    }

    /// When to ask [`next`](Self::next), if nothing else happens before.
    pub(crate) fn wake_at(&self) -> Option<Duration> {
        self.deadlines.first().map(|(at, _)| Duration::from_nanos(at))
    }

    /// Takes one event; adds what is to be done to `actions`.
    pub(crate) fn handle(&mut self, now: Duration, event: LocalEvent<T>, actions: &mut Vec<LocalAction<T>>) {
        match event {
            LocalEvent::Woken => {
                self.listened = now;
                self.worked = false;
            }
            LocalEvent::Posted { task, options, payload } => {
                self.enter(task, options, true, payload);
                // Under `Serial` most wait for their turn like any other, and nothing migrates.
                if options.pinned && (options.aside || self.strategy != Strategy::Serial) {
                    self.pinned.push_back(task);
                } else {
                    self.deque.push_posted(task);
                }
            }
            LocalEvent::StealRequested { idle } => {
                self.idle = idle;
                self.migrate_surplus(now, actions);
            }
            LocalEvent::ReportRequested => {
                // Whatever it says is new.
                self.reported.0 = u32::MAX;
                self.gathered.get_or_insert(now);
            }
            LocalEvent::Spawned { task, options, payload } => {
                self.enter(task, options, false, payload);
                self.spawn(now, task, actions);
            }
            LocalEvent::Stopped { task } => {
                self.stop(now, task, actions);
            }
            LocalEvent::Dropped { task } => self.own(now, task, HandleSignal::Cancel, actions),
            LocalEvent::Aborted { task } => self.own(now, task, HandleSignal::Abort, actions),
            LocalEvent::Detached { task } => match self.tasks.get_mut(task) {
                Some(entry) if !entry.posted => entry.options.detached = true,
                _ => self.gather(now, LocalAction::Forward { task, signal: HandleSignal::Detach }, actions),
            },
            LocalEvent::Resumed { task } => {
                let short = self.tasks.get(task).is_some_and(|entry| self.is_short(&entry.options));
                self.flush_before(short, now, actions);
                self.poll = Some(CurrentPoll::new(task, now, u64::MAX));
                self.worked = true;
            }
            LocalEvent::Polled { task, ended } => self.polled(now, task, ended, actions),
        }
    }

    /// Decides what the worker does next. To be asked between two tasks, after all tasks that can go on were polled.
    pub(crate) fn next(&mut self, now: Duration, actions: &mut Vec<LocalAction<T>>) -> Next {
        let mut is_late = false;
        while let Some((_, task)) = self.deadlines.first().filter(|(at, _)| *at <= nanos(now)) {
            self.end(now, TaskId::from_number(task), true, actions);
            is_late = true;
        }
        if is_late {
            return Next::Poll;
        }
        if self.unbegun > 0 && self.worked && now.saturating_sub(self.listened) >= self.config.listen {
            self.flush(false, actions);
            return Next::Yield;
        }
        let tasks = &self.tasks;
        let alive = |task| tasks.get(task).is_some_and(|entry| entry.begun.is_none());
        let pinned = std::iter::from_fn(|| self.pinned.pop_front()).find(|task| alive(*task));
        let Some(id) = pinned.or_else(|| self.deque.pop(alive)) else {
            return self.rest(now, actions);
        };
        let entry = self.tasks.get_mut(id).expect("the deque gives known tasks only");
        entry.begun = Some(now);
        if let Some(due) = entry.due() {
            self.deadlines.insert(due, id);
        }
        let (posted, options) = (entry.posted, entry.options);
        self.leaves_the_deque(posted);
        let short = self.is_short(&options);
        // Under `Serial` what is on its way here would overtake what migrates.
        if options.is_uninterruptible() && self.strategy != Strategy::Serial {
            self.migrate_posted(now, actions);
        }
        // Its page needs the name of a posted task to know what was lost, and of any that has a timeout, before that begins.
        if options.timeout.is_some() || posted && !short {
            self.gather(now, LocalAction::Announce { task: id, options }, actions);
        }
        // The page takes this worker for one that rests, and would not ask it for tasks: a packet with a report corrects that.
        if !posted && self.reported.1 {
            self.gathered.get_or_insert(now);
        }
        self.flush_before(short, now, actions);
        if posted {
            self.unreported.insert(0, id);
        }
        let holds_from = if options.kind == TaskKind::Sync { self.entered } else { u64::MAX };
        self.poll = Some(CurrentPoll::new(id, now, holds_from));
        self.worked = true;
        Next::Begin(id)
    }

    /// True if the task takes less than its message. The page counts a timeout from the announcement, which nothing may delay.
    fn is_short(&self, options: &TaskOptions) -> bool {
        self.costs.of(options.site).is_short() && options.timeout.is_none()
    }

    /// Posts what was gathered before code runs, unless that is short and no answer has waited for long.
    fn flush_before(&mut self, short: bool, now: Duration, actions: &mut Vec<LocalAction<T>>) {
        // By number too, since a coarse clock shows a round trip when it has been ten; one step of it may come at any moment.
        let waited = self.gathered.map_or(Duration::ZERO, |since| now.saturating_sub(since));
        if !short || self.items >= PACKET_ITEMS || waited >= self.config.round_trip + self.config.tick {
            self.flush(false, actions);
        }
    }

    fn enter(&mut self, id: TaskId, options: TaskOptions, posted: bool, payload: T) {
        let entry = LocalTask {
            payload,
            options,
            posted,
            place: self.entered,
            begun: None,
            ran: Duration::ZERO,
            suspended: false,
            stop_after_poll: false,
        };
        self.tasks.insert(id, entry);
        self.entered += 1;
        self.unbegun += 1;
        self.spare += usize::from(!posted);
        self.kept += u32::from(!posted);
    }

    fn leaves_the_deque(&mut self, posted: bool) {
        self.unbegun -= 1;
        self.spare -= usize::from(!posted);
    }

    fn spawn(&mut self, now: Duration, task: TaskId, actions: &mut Vec<LocalAction<T>>) {
        self.deque.push_child(task, self.poll.as_ref().map(|poll| poll.task));
        // The code that runs may go on for long, and no message is read meanwhile. Tasks migrate each time that it has made
        // as many again, so that a hundred leave in seven packets, and most have left whenever it stops making them.
        let due = self.poll.as_mut().is_none_or(|poll| {
            poll.spawned += 1;
            poll.spawned.is_power_of_two()
        });
        if due {
            self.migrate_surplus(now, actions);
        }
    }

    /// Migrates what others should run, if there is something.
    fn migrate_surplus(&mut self, now: Duration, actions: &mut Vec<LocalAction<T>>) {
        let surplus = match self.strategy {
            Strategy::Serial => 0,
            // Every task goes to the least loaded worker, and the page knows which that is.
            Strategy::Parallel if self.config.threads == 1 => 0,
            Strategy::Parallel => self.spare,
            // Its own share stays, and be it one: it would run that next.
            Strategy::WorkStealing => {
                let idle = self.idle as usize;
                let share = self.unbegun - self.unbegun.div_ceil(idle + 1);
                share.min(idle.saturating_mul(self.config.batch))
            }
        };
        let tasks = &self.tasks;
        // Synchronous code can only join the tasks whose handles it has, which it cannot if they leave.
        let holds_from = self.poll.as_ref().map_or(u64::MAX, |poll| poll.holds_from);
        let (mut leaving, mut held) = (Vec::new(), Vec::new());
        while leaving.len() < surplus {
            let stolen = self.deque.steal(|task| tasks.get(task).is_some_and(|entry| entry.begun.is_none()));
            let Some(task) = stolen else { break };
            let stays =
                tasks.get(task).is_some_and(|task| task.place >= holds_from && !task.options.detached);
            if stays { &mut held } else { &mut leaving }.push(task);
        }
        while let Some(task) = held.pop() {
            self.deque.put_back(task);
        }
        // The one that was made first leaves first.
        if self.strategy == Strategy::Parallel {
            leaving.reverse();
        }
        for task in &leaving {
            self.migrate(now, *task, actions);
        }
        if !leaving.is_empty() {
            self.flush(false, actions);
            match &mut self.poll {
                // The request counts as answered when the poll is over: until then more may be made to migrate.
                Some(poll) => poll.migrated = true,
                None => self.idle = 0,
            }
        }
    }

    fn migrate(&mut self, now: Duration, task: TaskId, actions: &mut Vec<LocalAction<T>>) {
        if let Some(entry) = self.tasks.remove(task) {
            self.leaves_the_deque(entry.posted);
            self.kept -= u32::from(!entry.posted);
            self.gather(
                now,
                LocalAction::Migrate { task, options: entry.options, payload: entry.payload },
                actions,
            );
        }
    }

    /// Migrates what was posted and has not begun, before a task begins that may cost the worker its life.
    fn migrate_posted(&mut self, now: Duration, actions: &mut Vec<LocalAction<T>>) {
        let tasks = &self.tasks;
        let posted = self.deque.take_posted(|task| tasks.get(task).is_some_and(|entry| entry.posted));
        for task in posted {
            if self.tasks.get(task).is_some_and(|entry| entry.begun.is_none()) {
                self.migrate(now, task, actions);
            }
        }
    }

    fn polled(&mut self, now: Duration, task: TaskId, ended: bool, actions: &mut Vec<LocalAction<T>>) {
        let Some(poll) = self.poll.take() else { return };
        let Some(entry) = self.tasks.get_mut(task) else { return };
        entry.ran += now.saturating_sub(poll.since);
        if ended || entry.stop_after_poll {
            self.end(now, task, !ended, actions);
        }
        if poll.migrated && self.strategy == Strategy::WorkStealing {
            self.idle = 0;
        } else if poll.spawned > 0 {
            self.migrate_surplus(now, actions);
        }
    }

    /// A task that has begun is over, by its end or because it was stopped.
    fn end(&mut self, now: Duration, task: TaskId, stopped: bool, actions: &mut Vec<LocalAction<T>>) {
        let Some(entry) = self.tasks.remove(task) else { return };
        if let Some(due) = entry.due() {
            self.deadlines.remove(due, task);
        }
        let LocalTask { payload, options, posted, begun, ran, .. } = entry;
        // Its page may have been first to find that, by a clock of its own.
        let reached =
            |limit: &Duration| begun.is_some_and(|begun| now + SKEW >= begun.saturating_add(*limit));
        let timed_out = options.timeout.filter(|limit| stopped && reached(limit));
        // Under `Serial` what stands behind a task waits for all of it.
        let ran = match (self.strategy, begun) {
            (Strategy::Serial, Some(begun)) => now.saturating_sub(begun),
            _ => ran,
        };
        self.costs.learn(options.site, ran);
        self.deque.ended(task);
        self.unreported.remove(0, task);
        self.kept -= u32::from(!posted);
        let mut payload = Some(payload);
        if stopped {
            actions.extend(payload.take().map(|payload| LocalAction::Forget { task, payload, timed_out }));
        }
        // What was announced is answered too.
        if posted || options.timeout.is_some() {
            let payload = payload.filter(|_| posted);
            self.gather(now, LocalAction::Answer { task, ran: Some(ran), payload, timed_out }, actions);
        }
    }

    /// Stops a task that is here. False if it is not.
    fn stop(&mut self, now: Duration, task: TaskId, actions: &mut Vec<LocalAction<T>>) -> bool {
        let Some(entry) = self.tasks.get_mut(task) else { return false };
        if self.poll.as_ref().is_some_and(|poll| poll.task == task) {
            entry.stop_after_poll = true;
        } else if entry.begun.is_some() {
            self.end(now, task, true, actions);
        } else if let Some(LocalTask { payload, posted, .. }) = self.tasks.remove(task) {
            self.leaves_the_deque(posted);
            self.kept -= u32::from(!posted);
            actions.push(LocalAction::Forget { task, payload, timed_out: None });
            if posted {
                let answer = LocalAction::Answer { task, ran: None, payload: None, timed_out: None };
                self.gather(now, answer, actions);
            }
        }
        true
    }

    /// The handle of a task that was made here signals something: the task is here, or the page knows where.
    fn own(&mut self, now: Duration, task: TaskId, signal: HandleSignal, actions: &mut Vec<LocalAction<T>>) {
        if !self.stop(now, task, actions) {
            self.gather(now, LocalAction::Forward { task, signal }, actions);
        }
    }

    /// Nothing can be begun: reports what is suspended, so that the page may post more.
    fn rest(&mut self, now: Duration, actions: &mut Vec<LocalAction<T>>) -> Next {
        // Under `Serial` nothing may be begun while a task waits, so there is no hurry to post it.
        if self.strategy != Strategy::Serial {
            while let Some((_, task)) = self.unreported.pop() {
                let task = TaskId::from_number(task);
                if let Some(entry) = self.tasks.get_mut(task).filter(|entry| !entry.suspended) {
                    entry.suspended = true;
                    let ran = entry.ran;
                    self.gather(now, LocalAction::Suspend { task, ran }, actions);
                }
            }
        }
        if self.reported != (self.kept, true) {
            self.gathered.get_or_insert(now);
        }
        self.flush(true, actions);
        Next::Rest
    }

    fn gather(&mut self, now: Duration, action: LocalAction<T>, actions: &mut Vec<LocalAction<T>>) {
        self.gathered.get_or_insert(now);
        self.items += 1;
        actions.push(action);
    }

    /// Posts the packet, if there is something in it.
    fn flush(&mut self, resting: bool, actions: &mut Vec<LocalAction<T>>) {
        self.items = 0;
        if self.gathered.take().is_some() {
            let report = (self.kept, resting);
            if self.reported != report {
                self.reported = report;
                actions.push(LocalAction::Report { local: self.kept, resting });
            }
            actions.push(LocalAction::Flush);
        }
    }
}
