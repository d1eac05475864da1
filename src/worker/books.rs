//! What a worker knows: its half of the schedule, the tasks that it has, and what it has to say.

use std::collections::VecDeque;
use std::mem;
use std::time::Duration;

use futures::future::AbortHandle;

use crate::error::Error;
use crate::platform::{self, Packet};
use crate::schedule::{
    Config, Local, LocalAction, LocalEvent, Name, Next, Site, Store, TaskId, Terms, WorkerId,
};
use crate::task::{Outcome, Reply};
use crate::wire::{Duty, FromWorker};

/// See the module's documentation. Nothing in here runs a task's code: what may do so is left to [`Effects`].
pub(super) struct Books {
    id: WorkerId,
    local: Local,
    /// The clock, as read last: to read it takes as long as a small task.
    now: Duration,
    tasks: Store<Task>,
    /// Who waits here for tasks that were made here, wherever they are.
    replies: Store<Reply>,
    last: u32,
    /// The posted tasks that have begun and whose answers have not left, as [`platform::show_begun`] shows them.
    begun: Vec<u64>,
    /// What is to be said with the next packet, and the tasks that are answered in it.
    packet: Packet,
    answered: Vec<u64>,
    /// What is to be posted now, in order.
    parcels: VecDeque<Parcel>,
    /// Tells of every task that has run.
    watched: bool,
    /// Scratch space.
    actions: Vec<LocalAction>,
}

/// A task that is here.
struct Task {
    site: Site,
    state: State,
    /// The page wants its answer; otherwise it was made and kept here.
    posted: bool,
    timeout: Option<Duration>,
    began: Duration,
}

enum State {
    /// -> `Begun`, by the schedule's word.
    Unbegun(Packet),
    /// -> `Running` if it is asynchronous, -> `Ended` or forgotten.
    Begun,
    /// -> `Ended` or forgotten.
    Running(AbortHandle),
    /// With what the page is to be told.
    Ended(Outcome),
}

/// A packet to be posted.
pub(super) struct Parcel {
    pub(super) packet: Packet,
    /// The only task that it speaks of, if it holds attachments: perhaps they cannot be posted.
    pub(super) bears: Option<Bears>,
}

/// A task whose result or call is on its way.
#[derive(Clone, Copy)]
pub(super) struct Bears {
    pub(super) task: TaskId,
    /// How long it ran.
    pub(super) ran: Option<Duration>,
    /// The page knows it.
    pub(super) posted: bool,
}

/// What is to happen when the books are closed.
#[derive(Default)]
pub(super) struct Effects {
    aborts: Vec<AbortHandle>,
    answers: Vec<(Reply, Outcome)>,
    dropped: Vec<Task>,
}

impl Effects {
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

impl Books {
    pub(super) fn new(duty: Duty) -> Self {
        let Duty { worker, strategy, threads, watched } = duty;
        let config = Config { threads: threads as usize, tick: platform::clock_tick(), ..Config::default() };
        Self {
            id: worker,
            local: Local::new(strategy, config),
            now: platform::now(),
            tasks: Store::default(),
            replies: Store::default(),
            last: 0,
            begun: Vec::new(),
            packet: Packet::default(),
            answered: Vec::new(),
            parcels: VecDeque::new(),
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
    pub(super) fn enter(&mut self, id: TaskId, terms: Terms, call: Packet) {
        self.insert(id, terms, call, true);
    }

    /// Enters a task that was made here.
    pub(super) fn enter_own(&mut self, id: TaskId, terms: Terms, call: Packet, reply: Reply) {
        self.insert(id, terms, call, false);
        self.replies.insert(id, reply);
    }

    fn insert(&mut self, id: TaskId, terms: Terms, call: Packet, posted: bool) {
        let Terms { site, timeout, .. } = terms;
        let state = State::Unbegun(call);
        self.tasks.insert(id, Task { site, state, posted, timeout, began: Duration::ZERO });
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
        let State::Unbegun(call) = mem::replace(&mut task.state, State::Begun) else {
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
            task.state = State::Running(abort);
        }
    }

    /// The code of a task has given its result. Gives it back with whom it is for, if that is here.
    pub(super) fn end(&mut self, id: TaskId, outcome: Outcome) -> Option<(Reply, Outcome)> {
        let task = self.tasks.remove(id)?;
        if self.watched {
            let Task { site, began, .. } = task;
            FromWorker::Ran { task: id, site, began, ended: platform::now() }.write(&mut self.packet);
        }
        if task.posted {
            self.tasks.insert(id, Task { state: State::Ended(outcome), ..task });
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

    pub(super) fn tell(&mut self, event: LocalEvent) -> Effects {
        if matches!(event, LocalEvent::Woken | LocalEvent::Polled { .. }) {
            self.read_clock();
        }
        let mut actions = mem::take(&mut self.actions);
        self.local.handle(self.now, event, &mut actions);
        self.act(actions)
    }

    pub(super) fn next(&mut self) -> (Next, Effects) {
        let mut actions = mem::take(&mut self.actions);
        let next = self.local.next(self.now, &mut actions);
        let effects = self.act(actions);
        if self.watched && !matches!(next, Next::Begin(_)) {
            self.flush();
        }
        (next, effects)
    }

    /// Does what the schedule says.
    fn act(&mut self, mut actions: Vec<LocalAction>) -> Effects {
        let mut effects = Effects::default();
        for action in actions.drain(..) {
            match action {
                LocalAction::Answer { task, ran } => self.answer(task, ran),
                LocalAction::Return { task, terms } => self.give_back(task, terms),
                LocalAction::Name { task, terms } => self.gather(FromWorker::Began { task, terms }),
                LocalAction::Wait { task, ran } => self.gather(FromWorker::Waits { task, ran }),
                LocalAction::Report { local, resting } => {
                    self.gather(FromWorker::Reported { local, resting });
                }
                LocalAction::Pass { task, word } => self.gather(FromWorker::Said { task, word }),
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
            Some(Task { state: State::Ended(outcome), .. }) => outcome,
            // It was stopped, or is one that was kept here: nobody waits on the page.
            _ => Err(Error::cancelled()),
        };
        let bears = outcome.as_ref().is_ok_and(|result| !result.attachments.is_empty());
        self.answered.push(task.number());
        let message = FromWorker::Done { task, ran, outcome };
        self.send(message, bears.then_some(Bears { task, ran, posted: true }));
    }

    fn give_back(&mut self, id: TaskId, terms: Terms) {
        let Some(Task { state: State::Unbegun(call), posted, .. }) = self.tasks.remove(id) else {
            unreachable!("what is handed over has not begun");
        };
        let bears = !call.attachments.is_empty();
        let message = FromWorker::Returned { task: id, terms, call };
        self.send(message, bears.then_some(Bears { task: id, ran: None, posted }));
    }

    /// What bears attachments goes alone, so that a value that cannot be posted harms no other.
    fn send(&mut self, message: FromWorker, bears: Option<Bears>) {
        if bears.is_none() {
            return self.gather(message);
        }
        self.flush();
        let mut packet = Packet::default();
        message.write(&mut packet);
        self.parcels.push_back(Parcel { packet, bears });
        self.forget_answered();
    }

    fn forget(&mut self, id: TaskId, effects: &mut Effects) {
        let Some(mut task) = self.tasks.remove(id) else { return };
        if let State::Running(abort) = mem::replace(&mut task.state, State::Begun) {
            effects.aborts.push(abort);
        }
        if !task.posted {
            effects.answer(self.replies.remove(id).map(|reply| (reply, Err(Error::cancelled()))));
        }
        effects.dropped.push(task);
    }

    /// Makes what was gathered ready to be posted.
    fn flush(&mut self) {
        if !self.packet.entries.is_empty() {
            let packet = mem::take(&mut self.packet);
            self.parcels.push_back(Parcel { packet, bears: None });
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
    pub(super) fn take_parcel(&mut self) -> Option<Parcel> {
        self.parcels.pop_front()
    }

    /// Makes ready what was not said yet, for a worker that will not go on. Gives the posted tasks that have begun and are
    /// not answered.
    pub(super) fn close(&mut self) -> Vec<TaskId> {
        self.flush();
        self.begun.iter().map(|task| TaskId::from_number(*task)).collect()
    }
}
