//! What a worker knows: its half of the schedule, the tasks that it has, and what it has to say.

use std::collections::VecDeque;
use std::mem;
use std::time::Duration;

use futures::future::AbortHandle;

use crate::error::Error;
use crate::platform::{self, Address, Packet};
use crate::schedule::{
    Config, Id, IdMap, Local, LocalAction, LocalEvent, Next, TaskId, TaskOptions, WorkerId,
};
use crate::task::{self, Outcome, Reply};
use crate::wire::{FromWorker, WorkerConfig};

/// See the module's documentation. Nothing in here runs a task's code: what may do so is left to [`WorkerEffects`].
pub(super) struct WorkerState {
    id: WorkerId,
    local: Local,
    /// The clock, as read last: to read it takes as long as a small task.
    now: Duration,
    tasks: IdMap<WorkerTask>,
    /// Who waits here for tasks that were made here, wherever they are.
    replies: IdMap<Reply>,
    last: u32,
    /// The posted tasks that have begun and whose answers have not left, as [`platform::show_begun`] shows them.
    begun: Vec<u64>,
    /// What is to be said with the next packet, and the tasks that are answered in it.
    packet: Packet,
    answered: Vec<u64>,
    /// What is to be posted now, in order.
    outgoing: VecDeque<Outgoing>,
    /// Tells of every task that has run.
    watched: bool,
    /// Scratch space.
    actions: Vec<LocalAction>,
}

/// A task that is here.
struct WorkerTask {
    /// The place that made it.
    location: Option<Address>,
    state: RunState,
    /// The page wants its answer; otherwise it was made and kept here.
    posted: bool,
    timeout: Option<Duration>,
    began: Duration,
}

enum RunState {
    /// -> `Begun`, by the schedule's signal.
    Unbegun(Packet),
    /// -> `TaskFuture` if it is asynchronous, -> `Ended` or forgotten.
    Begun,
    /// -> `Ended` or forgotten.
    Running(AbortHandle),
    /// With what the page is to be told.
    Ended(Outcome),
}

/// A packet to be posted.
pub(super) struct Outgoing {
    pub(super) packet: Packet,
    /// The only task that it speaks of, if it holds attachments: perhaps they cannot be posted.
    pub(super) bears: Option<InTransit>,
}

/// A task whose result or call is on its way.
#[derive(Clone, Copy)]
pub(super) struct InTransit {
    pub(super) task: TaskId,
    /// How long it ran.
    pub(super) ran: Option<Duration>,
    /// The page knows it.
    pub(super) posted: bool,
}

/// What is to happen when the state are closed.
#[derive(Default)]
pub(super) struct WorkerEffects {
    aborts: Vec<AbortHandle>,
    answers: Vec<(Reply, Outcome)>,
    dropped: Vec<WorkerTask>,
}

impl WorkerEffects {
    pub(super) fn happen(self) {
        self.aborts.iter().for_each(AbortHandle::abort);
        drop(self.dropped);
        for (reply, outcome) in self.answers {
            reply.send(outcome);
        }
    }

    pub(super) fn answer(&mut self, answer: Option<(Reply, Outcome)>) {
        self.answers.extend(answer);
    }
}

impl WorkerState {
    pub(super) fn new(config: WorkerConfig) -> Self {
        let WorkerConfig { worker, strategy, threads, watched } = config;
        let config = Config { threads: threads as usize, tick: platform::clock_tick(), ..Config::default() };
        Self {
            id: worker,
            local: Local::new(strategy, config),
            now: platform::now(),
            tasks: IdMap::default(),
            replies: IdMap::default(),
            last: 0,
            begun: Vec::new(),
            packet: Packet::default(),
            answered: Vec::new(),
            outgoing: VecDeque::new(),
            watched,
            actions: Vec::new(),
        }
    }

    /// A name for a task that is made here.
    pub(super) fn new_task(&mut self) -> TaskId {
        self.last += 1;
        TaskId { owner: self.id, number: self.last }
    }

    /// Enters a task that was posted.
    pub(super) fn enter(&mut self, id: TaskId, options: TaskOptions, call: Packet) {
        self.insert(id, options, call, true);
    }

    /// Enters a task that was made here.
    pub(super) fn enter_own(&mut self, id: TaskId, options: TaskOptions, call: Packet, reply: Reply) {
        self.insert(id, options, call, false);
        self.replies.insert(id, reply);
    }

    fn insert(&mut self, id: TaskId, options: TaskOptions, call: Packet, posted: bool) {
        let (location, timeout) = (task::location(&call), options.timeout);
        let state = RunState::Unbegun(call);
        self.tasks.insert(id, WorkerTask { location, state, posted, timeout, began: Duration::ZERO });
    }

    pub(super) fn take_reply(&mut self, id: TaskId) -> Option<Reply> {
        self.replies.remove(id)
    }

    /// The reply of a task that was made and kept here and has run out of time, and its limit.
    pub(super) fn take_late(&mut self, id: TaskId) -> Option<(Reply, Duration)> {
        let task = self.tasks.get(id).filter(|task| !task.posted)?;
        let limit = task.timeout?;
        Some((self.replies.remove(id)?, limit))
    }

    /// The call of a task whose time has come.
    pub(super) fn begin(&mut self, id: TaskId) -> Option<Packet> {
        let task = self.tasks.get_mut(id)?;
        let RunState::Unbegun(call) = mem::replace(&mut task.state, RunState::Begun) else {
            unreachable!("a task begins once, and then it is no longer in the deque");
        };
        task.began = self.now;
        if task.posted {
            self.begun.push(id.number());
            platform::show_begun(&self.begun);
        }
        Some(call)
    }

    /// The task that has begun is an asynchronous one.
    pub(super) fn runs(&mut self, id: TaskId, abort: AbortHandle) {
        if let Some(task) = self.tasks.get_mut(id) {
            task.state = RunState::Running(abort);
        }
    }

    /// The code of a task has given its result. Gives it back with whom it is for, if that is here.
    pub(super) fn end(&mut self, id: TaskId, outcome: Outcome) -> Option<(Reply, Outcome)> {
        let task = self.tasks.remove(id)?;
        if self.watched {
            let WorkerTask { location, began, .. } = task;
            let location = Packet { addresses: location.into_iter().collect(), ..Packet::default() };
            FromWorker::Ran { task: id, location, began, ended: platform::now() }.write(&mut self.packet);
        }
        if task.posted {
            self.tasks.insert(id, WorkerTask { state: RunState::Ended(outcome), ..task });
            return None;
        }
        Some((self.replies.remove(id)?, outcome))
    }

    /// Unfinished tasks that were made here and are still here.
    pub(super) fn pending(&self) -> usize {
        self.tasks.iter().filter(|task| !task.posted).count()
    }

    /// Reads the clock: whenever this thread was elsewhere.
    pub(super) fn read_clock(&mut self) {
        self.now = platform::now();
    }

    pub(super) fn tell(&mut self, event: LocalEvent) -> WorkerEffects {
        if matches!(event, LocalEvent::Woken | LocalEvent::Polled { .. }) {
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
        if self.watched && !matches!(next, Next::Begin(_)) {
            self.flush();
        }
        (next, effects)
    }

    /// Does what the schedule says.
    fn act(&mut self, mut actions: Vec<LocalAction>) -> WorkerEffects {
        let mut effects = WorkerEffects::default();
        for action in actions.drain(..) {
            match action {
                LocalAction::Answer { task, ran } => self.answer(task, ran),
                LocalAction::Migrate { task, options } => self.migrate(task, options),
                LocalAction::Announce { task, options } => self.gather(FromWorker::Began { task, options }),
                LocalAction::Suspend { task, ran } => self.gather(FromWorker::Suspended { task, ran }),
                LocalAction::Report { local, resting } => {
                    self.gather(FromWorker::Reported { local, resting });
                }
                LocalAction::Forward { task, signal } => self.gather(FromWorker::Signal { task, signal }),
                LocalAction::Forget { task } => self.forget(task, &mut effects),
                LocalAction::Flush => self.flush(),
            }
        }
        self.actions = actions;
        effects
    }

    fn gather(&mut self, message: FromWorker) {
        message.write(&mut self.packet);
    }

    fn answer(&mut self, task: TaskId, ran: Option<Duration>) {
        let outcome = match self.tasks.remove(task) {
            Some(WorkerTask { state: RunState::Ended(outcome), .. }) => outcome,
            // It was stopped, or is one that was kept here: nobody waits on the page.
            _ => Err(Error::cancelled()),
        };
        let bears = outcome.as_ref().is_ok_and(|result| !result.attachments.is_empty());
        self.answered.push(task.number());
        let message = FromWorker::Done { task, ran, outcome };
        self.send(message, bears.then_some(InTransit { task, ran, posted: true }));
    }

    fn migrate(&mut self, id: TaskId, options: TaskOptions) {
        let Some(WorkerTask { state: RunState::Unbegun(call), posted, .. }) = self.tasks.remove(id) else {
            unreachable!("what is handed over has not begun");
        };
        let bears = !call.attachments.is_empty();
        let message = FromWorker::Migrated { task: id, options, call };
        self.send(message, bears.then_some(InTransit { task: id, ran: None, posted }));
    }

    /// What bears attachments goes alone, so that a value that cannot be posted harms no other.
    fn send(&mut self, message: FromWorker, bears: Option<InTransit>) {
        if bears.is_none() {
            return self.gather(message);
        }
        self.flush();
        let mut packet = Packet::default();
        message.write(&mut packet);
        self.outgoing.push_back(Outgoing { packet, bears });
        self.forget_answered();
    }

    fn forget(&mut self, id: TaskId, effects: &mut WorkerEffects) {
        let Some(mut task) = self.tasks.remove(id) else { return };
        if let RunState::Running(abort) = mem::replace(&mut task.state, RunState::Begun) {
            effects.aborts.push(abort);
        }
        if !task.posted {
            effects.answer(self.replies.remove(id).map(|reply| (reply, Err(Error::cancelled()))));
        }
        effects.dropped.push(task);
    }

    /// Makes what was gathered ready to be posted.
    fn flush(&mut self) {
        if !self.packet.heads.is_empty() {
            let packet = mem::take(&mut self.packet);
            self.outgoing.push_back(Outgoing { packet, bears: None });
        }
        self.forget_answered();
    }

    /// Tasks whose answers leave are no longer unanswered.
    fn forget_answered(&mut self) {
        if self.answered.is_empty() {
            return;
        }
        // Both are short: what has begun and awaits something is all that stays.
        let answered = mem::take(&mut self.answered);
        self.begun.retain(|task| !answered.contains(task));
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
