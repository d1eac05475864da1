//! The simulated page: drives [`Schedule`] as the pool does.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::worker::WorkerSide;
use super::{Deed, Occasion, Scene, ToWorker};
use crate::schedule::{PageAction, PageEvent, Schedule, TaskId, WorkerId};

/// What makes a turn of the page's event loop.
#[derive(Debug)]
pub(super) enum Input {
    Deed(Deed),
    Packet(Vec<PageEvent>),
    Wake,
}

#[derive(Debug)]
pub(super) struct PageSide {
    schedule: Option<Schedule>,
    inbox: VecDeque<Input>,
    /// When it is done with what it does.
    free: Duration,
    turn_planned: bool,
    wake_planned: Option<Duration>,
    submitted: Vec<TaskId>,
    pub(super) terminated: BTreeSet<WorkerId>,
    pub(super) last_answer: Duration,
    pub(super) packets: usize,
    pub(super) returned: usize,
    pub(super) closed: bool,
    pub(super) most_queued: usize,
}

impl PageSide {
    pub(super) fn new() -> Self {
        Self {
            schedule: None,
            inbox: VecDeque::new(),
            free: Duration::ZERO,
            turn_planned: false,
            wake_planned: None,
            submitted: Vec::new(),
            terminated: BTreeSet::new(),
            last_answer: Duration::ZERO,
            packets: 0,
            returned: 0,
            closed: false,
            most_queued: 0,
        }
    }

    pub(super) fn open(&mut self, scene: &mut Scene, workers: &mut BTreeMap<WorkerId, WorkerSide>) {
        let mut actions = Vec::new();
        self.schedule = Some(Schedule::open(scene.strategy, scene.config, Duration::ZERO, &mut actions));
        self.act(Duration::ZERO, actions, scene, workers);
    }

    /// Puts an input behind those that wait.
    pub(super) fn plan(&mut self, now: Duration, scene: &mut Scene, input: Input) {
        self.inbox.push_back(input);
        self.plan_turn(now, scene);
    }

    fn plan_turn(&mut self, now: Duration, scene: &mut Scene) {
        if !self.turn_planned && !self.inbox.is_empty() {
            self.turn_planned = true;
            scene.agenda.plan(now.max(self.free), Occasion::PageTurn);
        }
    }

    /// One turn: a packet, a wake-up, or all deeds that are due.
    pub(super) fn turn(
        &mut self,
        now: Duration,
        scene: &mut Scene,
        workers: &mut BTreeMap<WorkerId, WorkerSide>,
    ) {
        self.turn_planned = false;
        let mut actions = Vec::new();
        let mut cost = Duration::ZERO;
        match self.inbox.pop_front() {
            Some(Input::Packet(events)) => {
                self.packets += 1;
                cost += scene.network.packet + scene.network.item * u32::try_from(events.len()).unwrap_or(0);
                for event in events {
                    self.handle(now, event, &mut actions);
                }
            }
            Some(Input::Wake) => {
                self.wake_planned = None;
                self.handle(now, PageEvent::Woken, &mut actions);
            }
            Some(Input::Deed(deed)) => {
                let mut next = Some(deed);
                while let Some(deed) = next {
                    cost += scene.network.item;
                    self.perform(now, deed, scene, &mut actions);
                    next = match self.inbox.front() {
                        Some(Input::Deed(deed)) => Some(*deed),
                        _ => None,
                    };
                    if next.is_some() {
                        self.inbox.pop_front();
                    }
                }
            }
            None => {}
        }
        self.free = now + cost;
        self.act(now + cost, actions, scene, workers);
        self.plan_turn(now, scene);
    }

    fn perform(&mut self, now: Duration, deed: Deed, scene: &mut Scene, actions: &mut Vec<PageAction>) {
        match deed {
            Deed::Submit { script, bounded } => {
                let number = u32::try_from(self.submitted.len() + 1).expect("there are not so many");
                let task = TaskId { maker: WorkerId::PAGE, number };
                self.submitted.push(task);
                let options = scene.library.scripts[script].options;
                scene.records.make(task, options, script, None);
                if bounded && self.schedule.as_ref().is_some_and(Schedule::is_full) {
                    let record = scene.records.of(task);
                    record.refused = true;
                    record.resolved = true;
                } else {
                    self.handle(now, PageEvent::Submitted { task, options }, actions);
                }
            }
            Deed::Cancel { nth, abort } => {
                if let Some(task) = self.submitted.get(nth % self.submitted.len().max(1)).copied() {
                    let event =
                        if abort { PageEvent::Aborted { task } } else { PageEvent::Cancelled { task } };
                    self.handle(now, event, actions);
                }
            }
            Deed::Close => self.handle(now, PageEvent::Closing, actions),
            Deed::Kill { .. } => unreachable!("the world does that"),
        }
    }

    fn handle(&mut self, now: Duration, event: PageEvent, actions: &mut Vec<PageAction>) {
        self.returned += usize::from(matches!(event, PageEvent::Migrated { .. }));
        let schedule = self.schedule.as_mut().expect("the schedule is open");
        schedule.handle(now, event, actions);
        self.most_queued = self.most_queued.max(schedule.queued());
    }

    /// Does what the schedule says; what goes to one worker leaves in one packet.
    fn act(
        &mut self,
        mut now: Duration,
        actions: Vec<PageAction>,
        scene: &mut Scene,
        workers: &mut BTreeMap<WorkerId, WorkerSide>,
    ) {
        let mut packets: BTreeMap<WorkerId, Vec<ToWorker>> = BTreeMap::new();
        let mut order = Vec::new();
        for action in actions {
            let (worker, message) = match action {
                PageAction::Start { worker } => {
                    let (least, most) = scene.network.boot;
                    let at = now + scene.dice.between(least, most);
                    workers.insert(worker, WorkerSide::new(worker, scene));
                    scene.agenda.plan(at, Occasion::WorkerReady { worker });
                    continue;
                }
                PageAction::Terminate { worker, .. } => {
                    // A worker that is killed has been gone for a while, and is not in the list.
                    workers.remove(&worker);
                    self.terminated.insert(worker);
                    scene.records.end_worker(worker, now);
                    continue;
                }
                PageAction::Settle { task, completion } => {
                    let record = scene.records.of(task);
                    record.settled.push((completion, now));
                    if task.maker == WorkerId::PAGE {
                        record.resolved = true;
                        self.last_answer = now;
                        continue;
                    }
                    (task.maker, ToWorker::Completed { task })
                }
                PageAction::Closed => {
                    assert!(!self.closed, "it is closed once");
                    self.closed = true;
                    continue;
                }
                PageAction::Post { worker, task, .. } => {
                    (worker, ToWorker::Run { task, options: scene.records.of(task).options })
                }
                PageAction::Stop { worker, task, .. } => (worker, ToWorker::Stop { task }),
                PageAction::ReportRequest { worker } => (worker, ToWorker::ReportRequest),
                PageAction::StealRequest { worker, idle } => (worker, ToWorker::StealRequest { idle }),
            };
            let packet = packets.entry(worker).or_default();
            if packet.is_empty() {
                order.push(worker);
            }
            packet.push(message);
        }
        for worker in order {
            let messages = packets.remove(&worker).unwrap_or_default();
            now += scene.network.packet + scene.network.item * u32::try_from(messages.len()).unwrap_or(0);
            self.packets += 1;
            let at = scene.arrival(worker, false, now);
            scene.agenda.plan(at, Occasion::WorkerGets { worker, messages });
        }
        self.free = self.free.max(now);
        let wake = self.schedule.as_ref().and_then(Schedule::wake_at);
        if let Some(at) = wake {
            if self.wake_planned.is_none_or(|planned| at < planned) {
                self.wake_planned = Some(at);
                scene.agenda.plan(at.max(now), Occasion::PageWakes);
            }
        }
    }
}
