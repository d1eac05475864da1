//! A simulated worker: drives [`Local`] as the worker's loop does.

use std::collections::{HashMap, HashSet, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use super::{Occasion, Scene, Step, ToWorker, is_sync};
use crate::schedule::{
    HandleSignal, Local, LocalAction, LocalEvent, Next, PageEvent, TaskId, TaskOptions, WorkerId,
};

/// A task that has begun.
#[derive(Debug, Default)]
struct Running {
    script: usize,
    step: usize,
    /// The handles that it holds.
    held: Vec<TaskId>,
    /// It awaits all of them.
    joins: bool,
}

/// What the worker's half keeps of a task.
#[derive(Debug)]
struct Payload {
    task: TaskId,
    _alive: Rc<()>,
}

#[derive(Debug)]
pub(super) struct WorkerSide {
    id: WorkerId,
    local: Local<Payload>,
    /// Stands for the payloads: each holds a copy.
    payloads: Rc<()>,
    ready: bool,
    inbox: VecDeque<Vec<ToWorker>>,
    /// A turn or a step is planned.
    planned: bool,
    free: Duration,
    running: HashMap<TaskId, Running>,
    /// Who holds the handle of a task that was made here.
    parents: HashMap<TaskId, TaskId>,
    woken: VecDeque<TaskId>,
    packet: Vec<PageEvent>,
    last: u32,
    /// Tasks that were posted to it and are not answered; all that have begun.
    posted: HashSet<TaskId>,
    begun: HashSet<TaskId>,
}

impl WorkerSide {
    pub(super) fn new(id: WorkerId, scene: &Scene) -> Self {
        Self {
            id,
            local: Local::new(scene.strategy, scene.config),
            payloads: Rc::new(()),
            ready: false,
            inbox: VecDeque::new(),
            planned: false,
            free: Duration::ZERO,
            running: HashMap::new(),
            parents: HashMap::new(),
            woken: VecDeque::new(),
            packet: Vec::new(),
            last: 0,
            posted: HashSet::new(),
            begun: HashSet::new(),
        }
    }

    /// What the block in its memory would tell: the tasks that have begun.
    pub(super) fn begun(&self) -> Vec<TaskId> {
        self.begun.iter().copied().collect()
    }

    pub(super) fn greet(&mut self, now: Duration, scene: &mut Scene) {
        self.ready = true;
        self.packet.push(PageEvent::Ready { worker: self.id });
        self.free = now;
        self.post(scene);
        self.plan(now, scene);
    }

    pub(super) fn get(&mut self, now: Duration, messages: Vec<ToWorker>, scene: &mut Scene) {
        self.inbox.push_back(messages);
        self.plan(now, scene);
    }

    /// A task's timer has run down.
    pub(super) fn resume(&mut self, now: Duration, task: TaskId, scene: &mut Scene) {
        if self.running.contains_key(&task) {
            self.woken.push_back(task);
            self.plan(now, scene);
        }
    }

    /// A task may have reached its limit.
    pub(super) fn plan(&mut self, now: Duration, scene: &mut Scene) {
        if self.ready && !self.planned {
            self.planned = true;
            scene.agenda.plan(now.max(self.free), Occasion::WorkerTurn { worker: self.id });
        }
    }

    /// The event loop: all packets that have arrived.
    pub(super) fn turn(&mut self, now: Duration, scene: &mut Scene) {
        self.free = now;
        self.handle(LocalEvent::Woken, scene);
        while let Some(messages) = self.inbox.pop_front() {
            let items = u32::try_from(messages.len()).unwrap_or(0);
            self.free += scene.network.packet + scene.network.item * items;
            for message in messages {
                self.read(message, scene);
            }
        }
        self.count_payloads();
        scene.agenda.plan(self.free, Occasion::WorkerStep { worker: self.id });
    }

    fn read(&mut self, message: ToWorker, scene: &mut Scene) {
        match message {
            ToWorker::Run { task, options } => {
                self.posted.insert(task);
                let payload = self.payload(task);
                self.handle(LocalEvent::Posted { task, options, payload }, scene);
            }
            ToWorker::Stop { task } => {
                scene.records.of(task).stopped = Some((self.id, self.free));
                self.resolve(task, scene);
                self.handle(LocalEvent::Stopped { task }, scene);
            }
            ToWorker::ReportRequest => self.handle(LocalEvent::ReportRequested, scene),
            ToWorker::StealRequest { idle } => self.handle(LocalEvent::StealRequested { idle }, scene),
            ToWorker::Completed { task } => self.resolve(task, scene),
        }
    }

    /// The handle of a task that was made here has its answer.
    fn resolve(&mut self, task: TaskId, scene: &mut Scene) {
        if task.maker != self.id {
            return;
        }
        scene.records.of(task).resolved = true;
        let Some(parent) = self.parents.remove(&task) else { return };
        if let Some(running) = self.running.get_mut(&parent) {
            running.held.retain(|held| *held != task);
            if running.joins && running.held.is_empty() {
                running.joins = false;
                self.woken.push_back(parent);
            }
        }
    }

    /// One poll, or one decision.
    pub(super) fn step(&mut self, now: Duration, scene: &mut Scene) {
        self.free = now;
        let mut actions = Vec::new();
        let next = match self.woken.pop_front() {
            Some(task) if self.running.contains_key(&task) => {
                self.handle(LocalEvent::Resumed { task }, scene);
                self.poll(task, scene);
                None
            }
            Some(_) => None,
            None => Some(self.local.next(self.clock(scene), &mut actions)),
        };
        self.act(actions, scene);
        self.count_payloads();
        let worker = self.id;
        match next {
            None | Some(Next::Poll) => scene.agenda.plan(self.free, Occasion::WorkerStep { worker }),
            Some(Next::Begin(task)) => {
                self.begin(task, scene);
                self.poll(task, scene);
                scene.agenda.plan(self.free, Occasion::WorkerStep { worker: self.id });
            }
            Some(Next::Yield) => {
                self.free += scene.network.turn;
                scene.agenda.plan(self.free, Occasion::WorkerTurn { worker: self.id });
            }
            Some(Next::Rest) => {
                self.planned = false;
                if !self.inbox.is_empty() {
                    self.plan(self.free, scene);
                } else if let Some(at) = self.local.wake_at() {
                    scene
                        .agenda
                        .plan(at.max(self.free + scene.network.tick), Occasion::WorkerRings { worker });
                }
            }
        }
    }

    /// Runs a task until it awaits something or ends.
    fn poll(&mut self, task: TaskId, scene: &mut Scene) {
        let ended = self.run_steps(task, scene);
        if ended {
            self.finish(task, scene);
        }
        self.handle(LocalEvent::Polled { task, ended }, scene);
    }

    /// Runs the task that another has made last within that one, if it may be.
    fn run_child(&mut self, parent: TaskId, scene: &mut Scene) {
        let Some(child) = self.running.get(&parent).and_then(|running| running.held.last().copied()) else {
            return;
        };
        let is_sync = |task| is_sync(&scene.records.tasks[&task].options);
        let must = is_sync(parent) && is_sync(child);
        let mut actions = Vec::new();
        let outer = self.local.join(self.clock(scene), child, &mut actions);
        self.act(actions, scene);
        let Some(outer) = outer else {
            assert!(!must, "{child:?} has left the synchronous code that has its handle");
            return;
        };
        self.begin(child, scene);
        assert!(self.run_steps(child, scene), "it is synchronous");
        self.finish(child, scene);
        let mut actions = Vec::new();
        self.local.joined(self.clock(scene), child, outer, &mut actions);
        self.act(actions, scene);
    }

    fn begin(&mut self, task: TaskId, scene: &mut Scene) {
        let record = scene.records.of(task);
        record.begun.push((self.id, self.free));
        let script = record.script;
        self.begun.insert(task);
        self.running.insert(task, Running { script, ..Running::default() });
    }

    /// Runs a task until it awaits something. True if it has ended.
    fn run_steps(&mut self, task: TaskId, scene: &mut Scene) -> bool {
        let script = self.running[&task].script;
        let ended = loop {
            let Some(running) = self.running.get_mut(&task) else { break true };
            let Some(step) = scene.library.scripts[script].steps.get(running.step).copied() else {
                break true;
            };
            running.step += 1;
            match step {
                Step::Run(time) => self.free += time,
                Step::Spawn { script: child, detached } => self.spawn(task, child, detached, scene),
                Step::Drop => {
                    if !running.held.is_empty() {
                        let child = running.held.remove(0);
                        self.drop_handle(child, scene);
                    }
                }
                Step::Join => {
                    running.joins = !running.held.is_empty();
                    if running.joins {
                        break false;
                    }
                }
                Step::RunChild => self.run_child(task, scene),
                Step::Wait(time) => {
                    let worker = self.id;
                    scene.agenda.plan(self.free + time, Occasion::Resume { worker, task });
                    break false;
                }
            }
        };
        assert!(
            ended || !is_sync(&scene.library.scripts[script].options),
            "a synchronous task awaits nothing"
        );
        ended
    }

    fn spawn(&mut self, parent: TaskId, script: usize, detached: bool, scene: &mut Scene) {
        self.last += 1;
        let task = TaskId { maker: self.id, number: self.last };
        let options = TaskOptions { detached, ..scene.library.scripts[script].options };
        scene.records.make(task, options, script, Some(parent));
        if detached {
            scene.records.of(task).resolved = true;
        } else {
            self.parents.insert(task, parent);
            self.running.get_mut(&parent).expect("it runs").held.push(task);
        }
        let payload = self.payload(task);
        self.handle(LocalEvent::Spawned { task, options, payload }, scene);
    }

    fn payload(&self, task: TaskId) -> Payload {
        Payload { task, _alive: self.payloads.clone() }
    }

    fn drop_handle(&mut self, child: TaskId, scene: &mut Scene) {
        self.parents.remove(&child);
        scene.records.of(child).resolved = true;
        self.handle(LocalEvent::Dropped { task: child }, scene);
    }

    /// A task is over: its future is dropped, with the handles that it holds, and the task that awaits it here goes on.
    fn finish(&mut self, task: TaskId, scene: &mut Scene) {
        let Some(running) = self.running.remove(&task) else { return };
        scene.records.of(task).ended.push((self.id, self.free));
        for child in running.held {
            self.drop_handle(child, scene);
        }
        if !self.posted.contains(&task) {
            self.resolve(task, scene);
        }
    }

    /// What its clock shows.
    fn clock(&self, scene: &Scene) -> Duration {
        let tick = scene.network.tick.as_nanos().max(1);
        let shown = self.free.as_nanos() / tick * tick;
        Duration::from_nanos(u64::try_from(shown).unwrap_or(u64::MAX))
    }

    fn handle(&mut self, event: LocalEvent<Payload>, scene: &mut Scene) {
        let mut actions = Vec::new();
        self.local.handle(self.clock(scene), event, &mut actions);
        self.act(actions, scene);
    }

    fn act(&mut self, actions: Vec<LocalAction<Payload>>, scene: &mut Scene) {
        let worker = self.id;
        for action in actions {
            let event = match action {
                LocalAction::Answer { task, ran, payload, .. } => {
                    assert!(
                        payload.is_none_or(|payload| payload.task == task),
                        "{task:?} has another's payload"
                    );
                    self.posted.remove(&task);
                    PageEvent::Finished { worker, task, ran }
                }
                LocalAction::Announce { task, options } => PageEvent::Began { worker, task, options },
                LocalAction::Suspend { task, ran } => PageEvent::Suspended { worker, task, ran },
                LocalAction::Migrate { task, options, payload } => {
                    assert_eq!(payload.task, task);
                    self.posted.remove(&task);
                    PageEvent::Migrated { worker, task, options }
                }
                LocalAction::Report { local, resting } => PageEvent::Reported { worker, local, resting },
                LocalAction::Forward { task, signal: HandleSignal::Cancel } => PageEvent::Cancelled { task },
                LocalAction::Forward { task, signal: HandleSignal::Abort } => PageEvent::Aborted { task },
                LocalAction::Forward { task, signal: HandleSignal::Detach } => PageEvent::Detached { task },
                LocalAction::Forget { task, payload, .. } => {
                    assert_eq!(payload.task, task);
                    self.forget(task, scene);
                    continue;
                }
                LocalAction::Flush => {
                    self.post(scene);
                    continue;
                }
            };
            self.packet.push(event);
        }
    }

    /// Between two events each task that is here has its payload, and there is no other.
    fn count_payloads(&self) {
        let here = self.posted.len() + self.local.kept();
        assert_eq!(Rc::strong_count(&self.payloads) - 1, here, "a payload is lost, or outlives its task");
    }

    /// Drops a task: the task that awaits it here goes on.
    fn forget(&mut self, task: TaskId, scene: &mut Scene) {
        let local = !self.posted.contains(&task);
        if self.running.contains_key(&task) {
            self.finish(task, scene);
        } else if local {
            self.resolve(task, scene);
        }
    }

    fn post(&mut self, scene: &mut Scene) {
        let events = std::mem::take(&mut self.packet);
        let items = u32::try_from(events.len()).unwrap_or(0);
        self.free += scene.network.packet + scene.network.item * items;
        let (worker, sent) = (self.id, self.free);
        let at = scene.arrival(worker, true, sent);
        scene.agenda.plan(at, Occasion::PageGets { worker, sent, events });
    }
}
