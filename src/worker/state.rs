//! What a worker knows: its half of the schedule, the tasks that it has, and what it has to say.

use std::collections::VecDeque;
use std::mem;
use std::time::Duration;

use futures::future::AbortHandle;

use crate::error::Error;
use crate::platform::{self, Address, Packet};
use crate::schedule::{
    Config, Id, IdMap, Local, LocalAction, LocalEvent, Next, OuterPoll, TaskId, TaskNumbers, TaskOptions,
};
use crate::task::{self, Outcome, ReplySender, TimeLimit};
use crate::wire::{FromWorker, WorkerConfig};

/// What the worker knows. Nothing in here runs a task's code: what may do so is left to [`WorkerEffects`].
pub(super) struct WorkerState {
    local: Local<WorkerTask>,
    /// The clock, as read last: to read it takes as long as a small task.
    now: Duration,
    /// The replies of tasks that were made here and have migrated.
    migrated: IdMap<ReplySender>,
    numbers: TaskNumbers,
    /// The posted tasks that have begun and whose answers have not left, as [`platform::show_begun`] shows them.
    begun: Vec<u64>,
    /// What is to be sent with the next packet, and the tasks that are answered in it.
    packet: Packet,
    answered: Vec<u64>,
    /// What is to be posted now, in order.
    outgoing: VecDeque<Outgoing>,
    /// How many calls for the page are among it.
    told: usize,
    /// Reports every task that has run.
    watched: bool,
    /// Another takes its place when it ends.
    replaced: bool,
    /// Scratch space.
    actions: Vec<LocalAction<WorkerTask>>,
}

/// What happens to the worker's half of the schedule.
pub(super) type TaskEvent = LocalEvent<WorkerTask>;

/// What is kept of a task that is here.
pub(super) struct WorkerTask {
    state: RunState,
    /// Where the handle waits, if the task was made here.
    reply: Option<ReplySender>,
    /// The place that made it.
    location: Option<Address>,
    timeout: Option<Duration>,
    began: Duration,
}

enum RunState {
    /// -> `Begun`, by the schedule.
    Unbegun(Packet),
    /// -> `Running` if it is asynchronous, else -> `Ended`.
    Begun,
    /// -> `Ended`.
    Running(AbortHandle),
    /// Its outcome, for the page.
    Ended(Outcome),
}

/// A packet to be posted.
pub(super) struct Outgoing {
    pub(super) packet: Packet,
    /// The only task that it speaks of, if perhaps it cannot be posted.
    pub(super) bears: Option<InTransit>,
    /// What is done if it cannot be posted, where it bears no task.
    pub(super) on_failure: Option<OnFailure>,
}

pub(crate) type OnFailure = Box<dyn FnOnce(Error)>;

/// A task whose result or call is on its way.
#[derive(Clone, Copy)]
pub(super) struct InTransit {
    pub(super) task: TaskId,
    /// How long it ran.
    pub(super) ran: Option<Duration>,
    /// It migrates, and its reply is here. Otherwise the page must be told.
    pub(super) replied_here: bool,
}

/// What is to happen when the state is no longer borrowed.
#[derive(Default)]
pub(super) struct WorkerEffects {
    aborts: Vec<AbortHandle>,
    answers: Vec<(ReplySender, Outcome)>,
    dropped: Vec<WorkerTask>,
    /// Results that came too late.
    late: Vec<Outcome>,
}

/// A result that is to be answered here, and one that came too late.
type Ended = (Option<(ReplySender, Outcome)>, Option<Outcome>);

impl WorkerEffects {
    pub(super) fn happen(self) {
        self.aborts.iter().for_each(AbortHandle::abort);
        drop(self.dropped);
        drop(self.late);
        for (reply, outcome) in self.answers {
            reply.send(outcome);
        }
    }

    fn with(mut self, (answer, late): Ended) -> Self {
        self.answers.extend(answer);
        self.late.extend(late);
        self
    }

    /// A task is stopped, for this reason.
    fn forget(&mut self, mut task: WorkerTask, error: Error) {
        if let RunState::Running(abort) = mem::replace(&mut task.state, RunState::Begun) {
            self.aborts.push(abort);
        }
        self.answers.extend(task.reply.take().map(|reply| (reply, Err(error))));
        self.dropped.push(task);
    }
}

impl WorkerTask {
    fn new(options: TaskOptions, call: Packet, reply: Option<ReplySender>) -> Self {
        let location = task::location(&call);
        let state = RunState::Unbegun(call);
        Self { state, reply, location, timeout: options.timeout, began: Duration::ZERO }
    }
}

impl WorkerState {
    pub(super) fn new(config: WorkerConfig) -> Self {
        let WorkerConfig { worker, strategy, threads, watched, replaced } = config;
        let config = Config { threads: threads as usize, tick: platform::clock_tick(), ..Config::default() };
        Self {
            local: Local::new(strategy, config),
            now: platform::now(),
            migrated: IdMap::default(),
            numbers: TaskNumbers::new(worker),
            begun: Vec::new(),
            packet: Packet::default(),
            answered: Vec::new(),
            outgoing: VecDeque::new(),
            told: 0,
            watched,
            replaced,
            actions: Vec::new(),
        }
    }

    /// A name for a task that is made here.
    pub(super) fn new_task(&mut self) -> TaskId {
        let (local, migrated) = (&self.local, &self.migrated);
        self.numbers.next(|task| local.knows(task) || migrated.get(task).is_some())
    }

    /// Enters a task that was posted.
    pub(super) fn enter_posted(&mut self, task: TaskId, options: TaskOptions, call: Packet) -> WorkerEffects {
        let payload = WorkerTask::new(options, call, None);
        self.handle(LocalEvent::Posted { task, options, payload })
    }

    /// Enters a task that was made here.
    pub(super) fn enter_own(
        &mut self,
        task: TaskId,
        options: TaskOptions,
        call: Packet,
        reply: ReplySender,
    ) -> WorkerEffects {
        let payload = WorkerTask::new(options, call, Some(reply));
        self.handle(LocalEvent::Spawned { task, options, payload })
    }

    /// The reply of a task that was made here and has migrated.
    pub(super) fn take_migrated(&mut self, id: TaskId) -> Option<ReplySender> {
        self.migrated.remove(id)
    }

    /// The call of a task that begins.
    pub(super) fn begin(&mut self, id: TaskId) -> Option<Packet> {
        let (task, posted) = self.local.get_mut(id)?;
        let RunState::Unbegun(call) = mem::replace(&mut task.state, RunState::Begun) else {
            unreachable!("a task begins once, and then it is no longer in the deque");
        };
        task.began = self.now;
        if posted {
            self.begun.push(id.number());
            platform::show_begun(&self.begun);
        }
        Some(call)
    }

    /// The call of a task that is begun within the code that runs, if it may be.
    pub(super) fn join(&mut self, id: TaskId) -> Option<(Packet, OuterPoll, WorkerEffects)> {
        self.read_clock();
        let mut actions = mem::take(&mut self.actions);
        let outer = self.local.join(self.now, id, &mut actions);
        let effects = self.act(actions);
        outer.and_then(|outer| Some((self.begin(id)?, outer, effects)))
    }

    /// That task has given its result, and the code that it ran within goes on.
    pub(super) fn joined(&mut self, id: TaskId, outcome: Outcome, outer: OuterPoll) -> WorkerEffects {
        let ended = self.take_result(id, outcome);
        self.read_clock();
        let mut actions = mem::take(&mut self.actions);
        self.local.joined(self.now, id, outer, &mut actions);
        self.act(actions).with(ended)
    }

    /// The limit of a task that has begun.
    pub(super) fn limit(&mut self, task: TaskId) -> TimeLimit {
        self.local.get_mut(task).map_or(TimeLimit::NONE, |(task, _)| TimeLimit::new(task.timeout, task.began))
    }

    /// The task that has begun is an asynchronous one.
    pub(super) fn runs(&mut self, id: TaskId, abort: AbortHandle) -> WorkerEffects {
        if let Some((task, _)) = self.local.get_mut(id) {
            task.state = RunState::Running(abort);
        }
        self.handle(LocalEvent::Polled { task: id, ended: false })
    }

    /// The code of a task has given its result.
    pub(super) fn end(&mut self, id: TaskId, outcome: Outcome) -> WorkerEffects {
        let ended = self.take_result(id, outcome);
        self.handle(LocalEvent::Polled { task: id, ended: true }).with(ended)
    }

    fn take_result(&mut self, id: TaskId, mut outcome: Outcome) -> Ended {
        let mut answer = None;
        let mut late = None;
        if let Some((task, posted)) = self.local.get_mut(id) {
            // The page may be late itself, and take it for a result in time.
            if let Some(limit) =
                task.timeout.filter(|limit| platform::now().saturating_sub(task.began) > *limit)
            {
                late = Some(mem::replace(&mut outcome, Err(Error::timeout(limit))));
            }
            if self.watched {
                let location = Packet { addresses: task.location.into_iter().collect(), ..Packet::default() };
                let ended = platform::now();
                gather(&mut self.packet, FromWorker::Ran { task: id, location, began: task.began, ended });
            }
            if posted {
                task.state = RunState::Ended(outcome);
            } else {
                answer = task.reply.take().map(|reply| (reply, outcome));
            }
        }
        (answer, late)
    }

    /// True if the task is to be dropped when the code of it that runs has returned.
    pub(super) fn is_stopping(&self, task: TaskId) -> bool {
        self.local.is_stopping(task)
    }

    /// When [`next`](Self::next) is to be asked, if nothing else happens before.
    pub(super) fn wake_at(&self) -> Option<Duration> {
        self.local.wake_at()
    }

    /// Unfinished tasks that were made here and are still here.
    pub(super) fn pending(&self) -> usize {
        self.local.kept()
    }

    /// True if it has no task, nor a handle of one, nor the object of an actor, and another worker takes its place.
    pub(super) fn may_retire(&self) -> bool {
        self.replaced && self.local.is_empty() && self.migrated.is_empty() && !task::actor::holds_objects()
    }

    /// Reads the clock: whenever this thread was elsewhere.
    pub(super) fn read_clock(&mut self) {
        self.now = platform::now();
    }

    pub(super) fn handle(&mut self, event: TaskEvent) -> WorkerEffects {
        if matches!(event, LocalEvent::Woken | LocalEvent::Polled { .. } | LocalEvent::Stopped { .. }) {
            self.read_clock();
        }
        let mut actions = mem::take(&mut self.actions);
        self.local.handle(self.now, event, &mut actions);
        self.act(actions)
    }

    pub(super) fn next(&mut self) -> (Next, WorkerEffects) {
        let mut actions = mem::take(&mut self.actions);
        let next = self.local.next(self.now, &mut actions);
        let effects = self.act(actions);
        // The task that begins may take long.
        if self.told > 0 || (self.watched && !matches!(next, Next::Begin(_))) {
            self.flush();
        }
        (next, effects)
    }

    /// Has the page run a call: now, or with what else is gathered.
    pub(super) fn tell(&mut self, call: Packet, on_failure: Option<OnFailure>, at_once: bool) {
        /// So many leave without waiting for more.
        const MOST: usize = 64;

        if call.travels_alone() {
            self.flush();
            return self.push_alone(FromWorker::Call { call }, None, on_failure);
        }
        self.gather(FromWorker::Call { call });
        self.told += 1;
        if at_once || self.told >= MOST {
            self.flush();
        }
    }

    /// Does what the schedule says.
    fn act(&mut self, mut actions: Vec<LocalAction<WorkerTask>>) -> WorkerEffects {
        let mut effects = WorkerEffects::default();
        for action in actions.drain(..) {
            match action {
                LocalAction::Answer { task, ran, payload, timed_out } => {
                    self.answer(task, ran, payload, timed_out);
                }
                LocalAction::Migrate { task, options, payload } => self.migrate(task, options, payload),
                LocalAction::Announce { task, options } => self.gather(FromWorker::Began { task, options }),
                LocalAction::Suspend { task, ran } => self.gather(FromWorker::Suspended { task, ran }),
                LocalAction::Report { local, resting } => {
                    self.gather(FromWorker::Reported { local, resting });
                }
                LocalAction::Forward { task, signal } => self.gather(FromWorker::Signal { task, signal }),
                LocalAction::Forget { payload, timed_out, .. } => effects.forget(payload, stopped(timed_out)),
                LocalAction::Flush => self.flush(),
            }
        }
        self.actions = actions;
        effects
    }

    fn gather(&mut self, message: FromWorker) {
        gather(&mut self.packet, message);
    }

    fn answer(
        &mut self,
        task: TaskId,
        ran: Option<Duration>,
        payload: Option<WorkerTask>,
        timed_out: Option<Duration>,
    ) {
        let outcome = match payload {
            Some(WorkerTask { state: RunState::Ended(outcome), .. }) => outcome,
            // It was stopped, or was made here: the page awaits no result.
            _ => Err(stopped(timed_out)),
        };
        let bears = outcome.as_ref().is_ok_and(Packet::travels_alone);
        self.answered.push(task.number());
        let message = FromWorker::Finished { task, ran, outcome };
        self.send(message, bears.then_some(InTransit { task, ran, replied_here: false }));
    }

    fn migrate(&mut self, task: TaskId, options: TaskOptions, payload: WorkerTask) {
        let WorkerTask { state: RunState::Unbegun(call), reply, .. } = payload else {
            unreachable!("a task that migrates has not begun");
        };
        let own = reply.is_some();
        if let Some(reply) = reply {
            self.migrated.insert(task, reply);
        }
        // The page may know them, or not.
        let call = if own { task::carried(call) } else { call };
        let bears = call.travels_alone();
        let message = FromWorker::Migrated { task, options, call };
        self.send(message, bears.then_some(InTransit { task, ran: None, replied_here: own }));
    }

    /// What may be impossible to post goes alone, so that it harms no other.
    fn send(&mut self, message: FromWorker, bears: Option<InTransit>) {
        if bears.is_none() {
            return self.gather(message);
        }
        self.flush();
        self.push_alone(message, bears, None);
        self.forget_answered();
    }

    /// Makes a message ready to be posted alone, behind what has to be there although it cannot be posted.
    fn push_alone(&mut self, message: FromWorker, bears: Option<InTransit>, on_failure: Option<OnFailure>) {
        let (mut ahead, mut packet) = Default::default();
        message.write_behind(&mut ahead, &mut packet);
        if !ahead.heads.is_empty() {
            self.outgoing.push_back(Outgoing { packet: ahead, bears: None, on_failure: None });
        }
        self.outgoing.push_back(Outgoing { packet, bears, on_failure });
    }

    /// Makes what was gathered ready to be posted.
    fn flush(&mut self) {
        self.told = 0;
        if !self.packet.heads.is_empty() {
            platform::show_gathered(&Packet::default());
            let packet = mem::take(&mut self.packet);
            self.outgoing.push_back(Outgoing { packet, bears: None, on_failure: None });
        }
        self.forget_answered();
    }

    /// Tasks whose answers leave are no longer unanswered.
    fn forget_answered(&mut self) {
        if self.answered.is_empty() {
            return;
        }
        // Mostly in the order in which they began, so the next is looked for where the last was found.
        let mut next = 0;
        self.begun.retain(|task| {
            let rest = self.answered[next..].iter().chain(&self.answered[..next]);
            let found = rest.zip(next..).find(|(answered, _)| *answered == task);
            next = found.map_or(next, |(_, place)| (place + 1) % self.answered.len());
            found.is_none()
        });
        self.answered.clear();
        platform::show_begun(&self.begun);
    }

    /// The next packet to be posted.
    pub(super) fn take_outgoing(&mut self) -> Option<Outgoing> {
        self.outgoing.pop_front()
    }

    /// Makes ready what was not said yet, for a worker that will not go on. Gives the posted tasks that have begun and are
    /// not answered.
    pub(super) fn close(&mut self) -> Vec<TaskId> {
        self.flush();
        self.begun.iter().map(|task| TaskId::from_number(*task)).collect()
    }
}

/// Why a task has no result that was stopped, at this limit or by its handle.
fn stopped(timed_out: Option<Duration>) -> Error {
    timed_out.map_or_else(Error::cancelled, Error::timeout)
}

/// Adds a message to the packet that is posted next, if need be by the platform.
fn gather(packet: &mut Packet, message: FromWorker) {
    // Not while it changes.
    platform::show_gathered(&Packet::default());
    message.write(packet);
    platform::show_gathered(packet);
}
