//! Everything that a pool knows, and the one place where the schedule's actions are done.

mod loss;
mod messages;
mod objects;
mod posting;

use std::collections::VecDeque;
use std::mem;
use std::time::Duration;

use futures::channel::oneshot;
use futures::task::FutureObj;

use super::config::PoolConfig;
use super::effects::{PoolEffects, Wake};
use super::slot::{Carried, QueuedPacket, WorkerSlot};
use super::stats::Stats;
use crate::error::Error;
use crate::platform::{
    self, Attachment, EventHandler, HAS_TICKS, KeepAlive, Packet, Place, Residents, WorkerSpec,
};
use crate::schedule::{
    Completion, Config, Id, IdMap, PageAction, PageEvent, Schedule, Strategy, TaskId, TaskNumbers,
    TaskOptions, Urgency, WorkerId,
};
use crate::task::{Job, Outcome, ReplySender};
use crate::wire::{ToWorker, WorkerConfig};
use crate::worker;

/// A task that is not settled.
struct PendingTask {
    options: TaskOptions,
    /// Stays until the task is settled, so that it can be posted again. `None`: it bears what is moved, and was posted.
    call: Option<Packet>,
    /// What its call refers to: owned until the task is settled.
    residents: Residents,
    reply: ReplyTo,
}

/// Who waits for a task.
enum ReplyTo {
    /// A handle on the page.
    Page(ReplySender),
    /// A handle on the worker whose task made it.
    Worker(WorkerId),
}

pub(super) struct PoolState {
    schedule: Schedule,
    config: Config,
    strategy: Strategy,
    spec: WorkerSpec,
    on_start: Option<Result<Packet, Error>>,
    /// Workers report every task that has run.
    watched: bool,
    /// Makes the listener of a worker.
    listen: Box<dyn Fn(WorkerId) -> EventHandler + Send>,
    opened: Duration,
    /// The clock, as read last: to read it takes longer than most of what is done here.
    now: Duration,
    /// What the schedule has said and is not done yet.
    actions: Vec<PageAction>,

    tasks: IdMap<PendingTask>,
    /// Tasks of the page among them.
    pending: usize,
    numbers: TaskNumbers,
    slots: IdMap<WorkerSlot>,
    /// The worker in each place, or the last one.
    worker_at: Vec<Option<WorkerId>>,
    /// Workers with something to post.
    dirty: Vec<WorkerId>,
    /// What is to be posted now, in order, and whether a caller is posting it.
    outgoing: VecDeque<QueuedPacket>,
    posting: bool,
    /// Whose turn it is to get a future.
    turn: usize,

    /// Why the worker is being removed, and the error of its culprit.
    cause: Error,
    blame: Error,
    /// Why there is no worker, when there is none.
    absence: Error,
    /// Why no more tasks are taken.
    ended: Option<Error>,

    events: VecDeque<PageEvent>,
    /// What a worker answered, while the schedule is told.
    answer: Option<Outcome>,
    /// Why tasks could not be posted, until the schedule is told.
    failures: Vec<(TaskId, Error)>,
    ready: Vec<oneshot::Sender<Result<(), Error>>>,
    closing: Vec<oneshot::Sender<()>>,
    wake_planned: Option<Wake>,
    tick_planned: bool,
    stats: Stats,
    /// While a caller awaits a task or the workers.
    keep_alive: Option<KeepAlive>,
    /// Packets to workers that are gone.
    posted: u64,
    effects: PoolEffects,
}

impl PoolState {
    pub(super) fn new(options: PoolConfig, listen: Box<dyn Fn(WorkerId) -> EventHandler + Send>) -> Self {
        let threads = options.threads();
        let PoolConfig { spec, strategy, replace, max_queue, start_timeout, grace, on_start, on_run, .. } =
            options;
        let config = Config {
            threads,
            replace,
            max_queue,
            start_timeout,
            grace,
            tick: platform::clock_tick(),
            ..Config::default()
        };
        let now = platform::now();
        let mut actions = Vec::new();
        Self {
            schedule: Schedule::open(strategy, config, now, &mut actions),
            config,
            strategy,
            spec,
            on_start,
            watched: on_run.is_some(),
            listen,
            opened: now,
            now,
            actions,
            tasks: IdMap::default(),
            pending: 0,
            numbers: TaskNumbers::new(WorkerId::PAGE),
            slots: IdMap::default(),
            worker_at: vec![None; threads],
            dirty: Vec::new(),
            outgoing: VecDeque::new(),
            posting: false,
            turn: 0,
            cause: Error::closed(),
            blame: Error::closed(),
            absence: Error::closed(),
            ended: None,
            events: VecDeque::new(),
            answer: None,
            failures: Vec::new(),
            ready: Vec::new(),
            closing: Vec::new(),
            wake_planned: None,
            tick_planned: false,
            stats: Stats::default(),
            keep_alive: None,
            posted: 0,
            effects: PoolEffects::default(),
        }
    }

    /// Starts the workers.
    pub(super) fn open(&mut self) {
        let mut actions = mem::take(&mut self.actions);
        self.act(&mut actions);
        self.handle_events();
    }

    pub(super) fn ended(&self) -> Option<Error> {
        self.ended.clone()
    }

    pub(super) fn is_full(&self) -> bool {
        self.schedule.is_full()
    }

    pub(super) fn is_lost(&self) -> bool {
        self.ended.is_some() || self.slots.is_empty() && !self.schedule.restarts()
    }

    pub(super) fn threads(&self) -> usize {
        self.config.threads
    }

    pub(super) fn pending(&self) -> usize {
        self.pending
    }

    pub(super) fn stats(&self) -> Stats {
        let up = self.slots.iter().filter(|slot| !slot.is_starting()).count();
        let posted = self.posted + self.slots.iter().map(|slot| slot.posted).sum::<u64>();
        let messages = self.stats.messages + posted;
        let resident_bytes = self.slots.iter().map(WorkerSlot::resident_bytes).sum();
        let (pending, queued) = (self.pending, self.schedule.queued());
        Stats { messages, workers: up, pending, queued, resident_bytes, ..self.stats }
    }

    /// Where a worker is.
    pub(super) fn place_of(&self, worker: WorkerId) -> Option<Place> {
        self.slots.get(worker).map(|slot| slot.port.place())
    }

    pub(super) fn workers(&self) -> Vec<WorkerId> {
        self.worker_at.iter().flatten().copied().filter(|worker| self.slots.get(*worker).is_some()).collect()
    }

    /// What [`ready`](super::Supervisor::ready) resolves to, if that is known.
    pub(super) fn readiness(&self) -> Option<Result<(), Error>> {
        if let Some(error) = &self.ended {
            return Some(Err(error.clone()));
        }
        if self.slots.is_empty() {
            return Some(Err(self.absence.clone()));
        }
        (!self.slots.iter().any(WorkerSlot::is_starting)).then_some(Ok(()))
    }

    pub(super) fn awaits_ready(&mut self, sender: oneshot::Sender<Result<(), Error>>) {
        self.ready.push(sender);
    }

    pub(super) fn awaits_close(&mut self, sender: oneshot::Sender<()>) {
        self.closing.push(sender);
    }

    /// Gives the future back if there is no worker for it.
    pub(super) fn spawn(&mut self, future: FutureObj<'static, ()>) -> Result<(), FutureObj<'static, ()>> {
        let workers = self.workers();
        self.turn += 1;
        let worker = workers.get(self.turn % workers.len().max(1)).filter(|_| self.ended.is_none());
        match worker.and_then(|worker| self.slots.get(*worker)) {
            Some(slot) => slot.port.spawn(future),
            None => Err(future),
        }
    }

    /// A name for a task of the page.
    pub(super) fn new_task(&mut self) -> TaskId {
        let (tasks, schedule) = (&self.tasks, &self.schedule);
        // One that is settled may still be on its worker.
        self.numbers.next(|task| tasks.get(task).is_some() || schedule.knows(task))
    }

    /// Enters a task of the page, for one worker alone if that is named.
    pub(super) fn submit(&mut self, task: TaskId, job: Job, worker: Option<WorkerId>) {
        let Job { call, options, reply, .. } = job;
        // The worker is told, too: it gives no such task away.
        let options = TaskOptions { pinned: worker.is_some(), ..options };
        self.enter(task, options, call, ReplyTo::Page(reply));
        self.pending += 1;
        self.handle(match worker {
            None => PageEvent::Submitted { task, options },
            Some(worker) => PageEvent::Pinned { worker, task, options },
        });
    }

    fn enter(&mut self, task: TaskId, options: TaskOptions, call: Packet, reply: ReplyTo) {
        let residents = call.residents.clone();
        self.tasks.insert(task, PendingTask { options, call: Some(call), residents, reply });
    }

    /// Reads the clock: before what may set a deadline, or meet one.
    pub(super) fn read_clock(&mut self) {
        self.now = platform::now();
    }

    /// Tells the schedule, and does what it says.
    pub(super) fn handle(&mut self, event: PageEvent) {
        self.events.push_back(event);
        self.handle_events();
    }

    fn handle_events(&mut self) {
        while let Some(event) = self.events.pop_front() {
            let mut actions = mem::take(&mut self.actions);
            self.schedule.handle(self.now, event, &mut actions);
            self.act(&mut actions);
            self.actions = actions;
        }
    }

    fn act(&mut self, actions: &mut Vec<PageAction>) {
        for action in actions.drain(..) {
            match action {
                PageAction::Start { worker } => self.start(worker),
                PageAction::Post { worker, task, urgency } => self.post(worker, task, urgency),
                PageAction::Stop { worker, task } => self.stop(worker, task),
                PageAction::ReportRequest { worker } => self.send(worker, ToWorker::ReportRequest),
                PageAction::StealRequest { worker, idle } => {
                    self.send(worker, ToWorker::StealRequest { idle });
                }
                PageAction::Settle { task, completion } => self.settle(task, completion),
                PageAction::Terminate { worker, overdue } => self.terminate(worker, overdue),
                PageAction::Closed => self.end(&Error::closed()),
            }
        }
    }

    fn start(&mut self, worker: WorkerId) {
        let vacant = |slots: &IdMap<WorkerSlot>, place: &Option<WorkerId>| {
            place.is_none_or(|worker| slots.get(worker).is_none())
        };
        let place = self.worker_at.iter().position(|place| vacant(&self.slots, place)).unwrap_or(0);
        self.worker_at[place] = Some(worker);
        let config = WorkerConfig {
            worker,
            strategy: self.strategy,
            threads: u32::try_from(self.config.threads).unwrap_or(u32::MAX),
            watched: self.watched,
            replaced: self.config.replace,
        };
        let on_start = match &self.on_start {
            None => Ok(None),
            Some(Ok(call)) => call.try_clone().map(Some),
            Some(Err(error)) => Err(error.clone()),
        };
        let started = on_start.map_err(on_start_failed).and_then(|on_start| {
            let mut first = Packet::default();
            ToWorker::Start { config, on_start }.write(&mut first);
            platform::start(self.spec.clone(), &worker::MAIN, first, (self.listen)(worker))
        });
        match started {
            Ok(port) => self.slots.insert(worker, WorkerSlot::new(port, place)),
            Err(error) => {
                self.stats.failed_starts += 1;
                self.cause = error.clone();
                self.absence = error;
                self.events.push_back(PageEvent::Lost { worker, culprit: None, begun: None });
            }
        }
    }

    fn post(&mut self, worker: WorkerId, task: TaskId, urgency: Urgency) {
        let (Some(slot), Some(held)) = (self.slots.get_mut(worker), self.tasks.get_mut(task)) else { return };
        if slot.keep(task) {
            return;
        }
        let options = held.options;
        slot.send_residents(&held.residents, &mut self.outgoing);
        // Not before: what travels alone takes along what was gathered, and its urgency.
        slot.was_given(urgency);
        let call = match &held.call {
            Some(call) if !call.travels_alone() => {
                slot.send_run(task, options, call);
                return self.mark(worker);
            }
            Some(call) if options.retries > 0 || !call.attachments.iter().any(Attachment::moves) => {
                call.try_clone()
            }
            // What it bears went with the worker that it was posted to before.
            _ => held.call.take().ok_or_else(|| self.cause.clone()),
        };
        match call {
            Ok(call) => {
                let bears = Some(Carried::Task(worker, task));
                slot.send(ToWorker::Run { task, options, call }, bears, &mut self.outgoing);
            }
            Err(error) => self.fail(worker, task, error),
        }
    }

    fn stop(&mut self, worker: WorkerId, task: TaskId) {
        let Some(slot) = self.slots.get_mut(worker) else { return };
        if slot.take_back(task) {
            self.events.push_back(PageEvent::Finished { worker, task, ran: None });
        } else {
            slot.port.stop(task.number());
            self.send(worker, ToWorker::Stop { task });
        }
    }

    /// Tells a worker what can be posted in any case.
    fn send(&mut self, worker: WorkerId, message: ToWorker) {
        if let Some(slot) = self.slots.get_mut(worker) {
            slot.send(message, None, &mut self.outgoing);
            self.mark(worker);
        }
    }

    /// Something is gathered for the worker.
    fn mark(&mut self, worker: WorkerId) {
        if self.slots.get_mut(worker).is_some_and(|slot| slot.mark(true)) {
            self.dirty.push(worker);
        }
    }

    fn settle(&mut self, task: TaskId, completion: Completion) {
        let Some(PendingTask { options, call, residents, reply }) = self.tasks.remove(task) else {
            return;
        };
        self.effects.dropped.extend(call);
        self.effects.residents.append(residents);
        let failure = self.failures.iter().position(|(failed, _)| *failed == task);
        let failure = failure.map(|place| self.failures.swap_remove(place));
        let outcome = match completion {
            Completion::Answered => {
                let outcome = match failure {
                    Some((_, error)) => Err(error),
                    None => self.answer.take().expect("it is kept before the schedule has the event"),
                };
                self.stats.finished += u64::from(!outcome.as_ref().is_err_and(Error::is_timeout));
                outcome
            }
            Completion::Cancelled => Err(Error::cancelled()),
            Completion::TimedOut => Err(timed_out(options)),
            Completion::Blamed => Err(self.blame.clone()),
            Completion::WorkerLost => Err(self.cause.clone()),
            Completion::NoWorkers => Err(self.absence.clone()),
            Completion::Closed => Err(Error::closed()),
        };
        match reply {
            ReplyTo::Page(reply) => {
                self.pending -= 1;
                self.effects.answers.push((reply, outcome));
            }
            ReplyTo::Worker(maker) => self.pass_on(maker, task, outcome),
        }
    }

    /// Tells the worker whose task made this one how it ended.
    fn pass_on(&mut self, maker: WorkerId, task: TaskId, outcome: Outcome) {
        let Some(slot) = self.slots.get_mut(maker) else { return self.effects.dropped.extend(outcome) };
        let bears = Some(Carried::Outcome(maker, task));
        slot.send(ToWorker::Completed { task, outcome }, bears, &mut self.outgoing);
        self.mark(maker);
    }

    /// The time has come that the schedule named. What was planned before something sooner was is ignored.
    pub(super) fn woken(&mut self, wake: Wake) {
        if self.wake_planned != Some(wake) {
            return;
        }
        self.wake_planned = None;
        if self.ended.is_none() {
            self.read_clock();
            // A clock that stands still, or was set back, stops no deadline: the timer was there.
            self.now = self.now.max(wake.at);
            self.handle(PageEvent::Woken);
        }
    }

    /// Gives what is left to happen. `all`: as for [`take_outgoing`](Self::take_outgoing).
    pub(super) fn take_effects(&mut self, all: bool) -> PoolEffects {
        if all {
            self.tick_planned = false;
        } else if HAS_TICKS && !self.dirty.is_empty() && !mem::replace(&mut self.tick_planned, true) {
            self.effects.tick = true;
        }
        if !self.ready.is_empty() {
            self.effects.readiness = self.readiness();
            if self.effects.readiness.is_some() {
                self.effects.ready = mem::take(&mut self.ready);
            }
        }
        let is_awaited = self.pending > 0 || !self.ready.is_empty() || !self.closing.is_empty();
        if is_awaited != self.keep_alive.is_some() {
            self.keep_alive = is_awaited.then(KeepAlive::new);
        }
        let next = self.schedule.wake_at().filter(|_| self.ended.is_none());
        if let Some(at) = next {
            let wake = Wake { at, is_due: at <= self.now };
            if self.wake_planned.is_none_or(|planned| at < planned.at || wake.is_due && !planned.is_due) {
                self.wake_planned = Some(wake);
                self.effects.wake = Some((wake, at.saturating_sub(platform::now())));
            }
        }
        mem::take(&mut self.effects)
    }
}

/// The task has reached its limit, as its page has found.
fn timed_out(options: TaskOptions) -> Error {
    let limit = options.timeout.unwrap_or_default();
    if options.is_uninterruptible() && !platform::can_interrupt() {
        Error::timeout_running_on(limit)
    } else {
        Error::timeout(limit)
    }
}

fn on_start_failed(error: Error) -> Error {
    Error::startup(format!("its `on_start` failed: {error}"))
}
