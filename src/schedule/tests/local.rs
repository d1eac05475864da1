//! The worker's half, scenario by scenario.

use std::time::Duration;

use crate::schedule::{
    Config, HandleSignal, Local, LocalAction, LocalEvent, Next, Site, Strategy, TaskId, TaskKind,
    TaskOptions, WorkerId,
};

pub(super) const SHORT: Duration = Duration::from_micros(10);

pub(super) fn posted(number: u32) -> TaskId {
    TaskId { maker: WorkerId::PAGE, number }
}

pub(super) fn own(number: u32) -> TaskId {
    TaskId { maker: WorkerId(1), number }
}

pub(super) fn options() -> TaskOptions {
    TaskOptions::new(Site(1), TaskKind::Async)
}

fn uninterruptible() -> TaskOptions {
    TaskOptions { kind: TaskKind::Sync, timeout: Some(Duration::from_secs(1)), ..options() }
}

/// The worker's half, and its clock. What it keeps of a task is the task's name, so that payloads cannot be mistaken.
pub(super) struct TestWorker {
    pub(super) local: Local<TaskId>,
    pub(super) now: Duration,
}

impl TestWorker {
    /// Nobody is idle, and tasks of `options()` are known to be short.
    pub(super) fn new(strategy: Strategy) -> Self {
        let config = Config { threads: 2, tick: Duration::ZERO, ..Config::default() };
        let mut worker = Self { local: Local::new(strategy, config), now: Duration::ZERO };
        worker.handle(LocalEvent::StealRequested { idle: 0 });
        worker.arrive(1_000);
        assert_eq!(worker.next().1, Next::Begin(posted(1_000)));
        worker.end(posted(1_000));
        worker.next();
        worker
    }

    pub(super) fn handle(&mut self, event: LocalEvent<TaskId>) -> Vec<LocalAction<TaskId>> {
        let mut actions = Vec::new();
        self.local.handle(self.now, event, &mut actions);
        actions
    }

    pub(super) fn next(&mut self) -> (Vec<LocalAction<TaskId>>, Next) {
        let mut actions = Vec::new();
        let next = self.local.next(self.now, &mut actions);
        (actions, next)
    }

    pub(super) fn arrive(&mut self, number: u32) {
        assert_eq!(
            self.handle(LocalEvent::Posted {
                task: posted(number),
                options: options(),
                payload: posted(number)
            }),
            []
        );
    }

    pub(super) fn spawn(&mut self, number: u32) -> Vec<LocalAction<TaskId>> {
        self.handle(LocalEvent::Spawned { task: own(number), options: options(), payload: own(number) })
    }

    pub(super) fn end(&mut self, task: TaskId) -> Vec<LocalAction<TaskId>> {
        self.now += SHORT;
        self.handle(LocalEvent::Polled { task, ended: true })
    }

    /// Runs everything, and tells in which order.
    pub(super) fn order(&mut self) -> Vec<TaskId> {
        let mut order = Vec::new();
        while let (_, Next::Begin(task)) = self.next() {
            order.push(task);
            self.end(task);
        }
        order
    }
}

pub(super) fn migrated(actions: &[LocalAction<TaskId>]) -> Vec<TaskId> {
    let tasks = actions.iter().filter_map(|action| match action {
        LocalAction::Migrate { task, .. } => Some(*task),
        _ => None,
    });
    tasks.collect()
}

#[test]
fn stealing_begins_its_own_newest_first_and_then_what_was_posted_oldest_first() {
    let mut worker = TestWorker::new(Strategy::WorkStealing);
    worker.arrive(1);
    worker.arrive(2);
    assert_eq!(worker.next().1, Next::Begin(posted(1)));
    worker.spawn(1);
    worker.spawn(2);
    worker.end(posted(1));
    assert_eq!(worker.order(), [own(2), own(1), posted(2)]);
}

#[test]
fn parallel_begins_in_the_order_of_arrival() {
    let mut worker = TestWorker::new(Strategy::Parallel);
    worker.arrive(1);
    worker.arrive(2);
    assert_eq!(worker.order(), [posted(1), posted(2)]);
}

#[test]
fn serial_runs_children_within_their_parent_s_turn() {
    let mut worker = TestWorker::new(Strategy::Serial);
    worker.arrive(1);
    worker.arrive(2);
    assert_eq!(worker.next().1, Next::Begin(posted(1)));
    worker.spawn(1);
    worker.spawn(2);
    worker.handle(LocalEvent::Polled { task: posted(1), ended: false });
    assert_eq!(worker.next().1, Next::Begin(own(1)));
    worker.spawn(3);
    worker.handle(LocalEvent::Polled { task: own(1), ended: false });
    assert_eq!(worker.next().1, Next::Begin(own(3)));
    worker.handle(LocalEvent::Polled { task: own(3), ended: false });
    // It awaits something else: no task goes ahead of it.
    assert_eq!(worker.next().1, Next::Rest);
    worker.handle(LocalEvent::Resumed { task: own(3) });
    worker.end(own(3));
    assert_eq!(worker.next().1, Next::Rest);
    worker.handle(LocalEvent::Resumed { task: own(1) });
    worker.end(own(1));
    worker.handle(LocalEvent::Resumed { task: posted(1) });
    worker.end(posted(1));
    // A child that was let go still belongs to the turn.
    assert_eq!(worker.order(), [own(2), posted(2)]);
}

#[test]
fn replies_are_gathered_and_leave_before_a_task_of_unknown_cost() {
    let mut worker = TestWorker::new(Strategy::WorkStealing);
    worker.arrive(1);
    let unknown = TaskOptions { site: Site(2), ..options() };
    worker.handle(LocalEvent::Posted { task: posted(2), options: unknown, payload: posted(2) });
    assert_eq!(worker.next(), (vec![], Next::Begin(posted(1))));
    let answer = |number| LocalAction::Answer {
        task: posted(number),
        ran: Some(SHORT),
        payload: Some(posted(number)),
        timed_out: None,
    };
    assert_eq!(worker.end(posted(1)), [answer(1)]);
    let (told, next) = worker.next();
    assert_eq!(next, Next::Begin(posted(2)));
    assert_eq!(told.first(), Some(&LocalAction::Announce { task: posted(2), options: unknown }));
    assert_eq!(told.last(), Some(&LocalAction::Flush));
}

#[test]
fn the_name_of_a_task_with_a_timeout_leaves_before_it_begins_however_short_its_like_are() {
    let mut worker = TestWorker::new(Strategy::WorkStealing);
    let limited = TaskOptions { timeout: Some(Duration::from_secs(1)), ..options() };
    worker.handle(LocalEvent::Posted { task: posted(1), options: limited, payload: posted(1) });
    let (told, next) = worker.next();
    assert_eq!(next, Next::Begin(posted(1)));
    assert_eq!(told.first(), Some(&LocalAction::Announce { task: posted(1), options: limited }));
    assert_eq!(told.last(), Some(&LocalAction::Flush));
}

#[test]
fn replies_leave_when_nothing_is_left_to_do_or_a_round_trip_has_passed() {
    let mut worker = TestWorker::new(Strategy::WorkStealing);
    for number in 1..=30 {
        worker.arrive(number);
    }
    let mut begun = 0;
    loop {
        let (told, next) = worker.next();
        let Next::Begin(task) = next else {
            assert_eq!((next, told.last()), (Next::Rest, Some(&LocalAction::Flush)));
            break;
        };
        assert_eq!(told.contains(&LocalAction::Flush), begun > 0 && begun % 11 == 0, "before the {begun}.");
        begun += 1;
        worker.end(task);
    }
    assert_eq!(begun, 30);
}

#[test]
fn a_worker_listens_every_millisecond() {
    let mut worker = TestWorker::new(Strategy::WorkStealing);
    worker.arrive(1);
    worker.arrive(2);
    worker.handle(LocalEvent::Woken);
    // It has just listened, whatever a coarse clock says: what was posted begins before what comes next is heard.
    worker.now = Duration::from_millis(3);
    assert_eq!(worker.next().1, Next::Begin(posted(1)));
    worker.handle(LocalEvent::Polled { task: posted(1), ended: true });
    assert_eq!(worker.next().1, Next::Yield, "a task has run for as long");
    worker.handle(LocalEvent::Woken);
    assert_eq!(worker.next().1, Next::Begin(posted(2)));
}

#[test]
fn what_waits_is_told_when_nothing_is_left_to_do() {
    let mut worker = TestWorker::new(Strategy::WorkStealing);
    worker.arrive(1);
    worker.arrive(2);
    worker.next();
    worker.handle(LocalEvent::Polled { task: posted(1), ended: false });
    assert_eq!(worker.next(), (vec![], Next::Begin(posted(2))));
    worker.handle(LocalEvent::Polled { task: posted(2), ended: false });
    let wait = |number| LocalAction::Suspend { task: posted(number), ran: Duration::ZERO };
    assert_eq!(worker.next(), (vec![wait(1), wait(2), LocalAction::Flush], Next::Rest));
    assert_eq!(worker.next(), (vec![], Next::Rest));
}

#[test]
fn a_task_that_makes_many_gives_half_of_them_before_it_awaits() {
    let mut worker = TestWorker::new(Strategy::WorkStealing);
    worker.handle(LocalEvent::StealRequested { idle: 1 });
    worker.arrive(1);
    worker.next();
    let mut left = Vec::new();
    let mut packets = 0;
    for number in 1..=64 {
        let told = worker.spawn(number);
        packets += usize::from(told.contains(&LocalAction::Flush));
        left.extend(migrated(&told));
    }
    assert!((32..48).contains(&left.len()), "{left:?}");
    assert!(packets <= 6, "{packets}");
    assert_eq!(left[0], own(1), "the oldest first");
    worker.handle(LocalEvent::Polled { task: posted(1), ended: false });
    // The page has not asked again.
    assert_eq!(worker.spawn(65), []);
}

#[test]
fn a_worker_that_is_asked_gives_its_oldest_and_keeps_its_share() {
    let mut worker = TestWorker::new(Strategy::WorkStealing);
    worker.arrive(1);
    worker.next();
    for number in 1..=5 {
        worker.spawn(number);
    }
    worker.handle(LocalEvent::Polled { task: posted(1), ended: false });
    assert_eq!(migrated(&worker.handle(LocalEvent::StealRequested { idle: 1 })), [own(1), own(2)]);
    assert_eq!(migrated(&worker.handle(LocalEvent::StealRequested { idle: 9 })), [own(3), own(4)]);
    // The last one it runs itself; who asked is remembered.
    assert_eq!(migrated(&worker.handle(LocalEvent::StealRequested { idle: 1 })), []);
    assert_eq!(migrated(&worker.spawn(6)), [own(5)]);
}

#[test]
fn under_parallel_every_child_leaves() {
    let mut worker = TestWorker::new(Strategy::Parallel);
    worker.arrive(1);
    worker.arrive(2);
    worker.next();
    let mut left = Vec::new();
    for number in 1..=3 {
        left.extend(migrated(&worker.spawn(number)));
    }
    left.extend(migrated(&worker.end(posted(1))));
    assert_eq!(left, [own(1), own(2), own(3)]);
    assert_eq!(worker.order(), [posted(2)]);
}

#[test]
fn what_was_posted_leaves_before_a_task_that_may_cost_the_worker_its_life() {
    let mut worker = TestWorker::new(Strategy::WorkStealing);
    worker.arrive(1);
    worker.next();
    worker.handle(LocalEvent::Spawned { task: own(1), options: uninterruptible(), payload: own(1) });
    worker.handle(LocalEvent::Polled { task: posted(1), ended: false });
    worker.arrive(2);
    worker.arrive(3);
    let (told, next) = worker.next();
    assert_eq!(next, Next::Begin(own(1)));
    assert_eq!(migrated(&told), [posted(3), posted(2)]);
    assert!(told.contains(&LocalAction::Announce { task: own(1), options: uninterruptible() }));
    assert_eq!(told.last(), Some(&LocalAction::Flush));
    // Its page watches the time, and learns that it is over.
    assert!(worker.end(own(1)).iter().any(|action| matches!(action, LocalAction::Answer { .. })));
}

#[test]
fn a_task_that_is_stopped_before_it_begins_never_does() {
    for strategy in [Strategy::Serial, Strategy::Parallel, Strategy::WorkStealing] {
        let mut worker = TestWorker::new(strategy);
        worker.arrive(1);
        worker.arrive(2);
        let told = worker.handle(LocalEvent::Stopped { task: posted(1) });
        let answer = LocalAction::Answer { task: posted(1), ran: None, payload: None, timed_out: None };
        assert_eq!(
            told,
            [LocalAction::Forget { task: posted(1), payload: posted(1), timed_out: None }, answer]
        );
        assert_eq!(worker.order(), [posted(2)], "{strategy:?}");
        assert_eq!(worker.handle(LocalEvent::Stopped { task: posted(1) }), []);
    }
}

#[test]
fn a_task_that_is_stopped_while_it_awaits_is_dropped_and_answered_once() {
    let mut worker = TestWorker::new(Strategy::WorkStealing);
    worker.arrive(1);
    worker.next();
    worker.handle(LocalEvent::Polled { task: posted(1), ended: false });
    let told = worker.handle(LocalEvent::Stopped { task: posted(1) });
    let answer =
        LocalAction::Answer { task: posted(1), ran: Some(Duration::ZERO), payload: None, timed_out: None };
    assert_eq!(told, [LocalAction::Forget { task: posted(1), payload: posted(1), timed_out: None }, answer]);
    assert_eq!(worker.handle(LocalEvent::Stopped { task: posted(1) }), []);
}

#[test]
fn a_task_that_stops_itself_is_dropped_after_its_poll() {
    let mut worker = TestWorker::new(Strategy::WorkStealing);
    worker.arrive(1);
    worker.next();
    assert_eq!(worker.handle(LocalEvent::Stopped { task: posted(1) }), []);
    let told = worker.handle(LocalEvent::Polled { task: posted(1), ended: false });
    assert_eq!(told[0], LocalAction::Forget { task: posted(1), payload: posted(1), timed_out: None });
}

#[test]
fn a_worker_that_is_asked_for_a_report_gives_one_though_nothing_is_new() {
    let mut worker = TestWorker::new(Strategy::Serial);
    worker.arrive(1);
    worker.next();
    worker.handle(LocalEvent::Polled { task: posted(1), ended: false });
    worker.next();
    assert_eq!(worker.next(), (vec![], Next::Rest));
    assert_eq!(worker.handle(LocalEvent::ReportRequested), []);
    let report = LocalAction::Report { local: 0, resting: true };
    assert_eq!(worker.next(), (vec![report, LocalAction::Flush], Next::Rest));
    assert_eq!(worker.next(), (vec![], Next::Rest));
}

#[test]
fn a_task_that_reaches_its_limit_while_it_awaits_is_ended_by_its_worker() {
    let mut worker = TestWorker::new(Strategy::WorkStealing);
    let limit = Duration::from_millis(10);
    let limited = TaskOptions { timeout: Some(limit), ..options() };
    worker.handle(LocalEvent::Posted { task: posted(1), options: limited, payload: posted(1) });
    worker.next();
    worker.handle(LocalEvent::Polled { task: posted(1), ended: false });
    worker.next();
    let due = worker.local.wake_at().expect("it has a limit");
    worker.now = due - SHORT;
    assert_eq!(worker.next(), (vec![], Next::Rest));
    worker.now = due;
    worker.arrive(2);
    let (mut told, next) = worker.next();
    assert_eq!(next, Next::Poll, "what it held is dropped before the next task begins");
    let timed_out = Some(limit);
    assert_eq!(told[0], LocalAction::Forget { task: posted(1), payload: posted(1), timed_out });
    let (more, next) = worker.next();
    told.extend(more);
    assert_eq!(next, Next::Yield);
    told.extend(worker.handle(LocalEvent::Woken));
    let (more, next) = worker.next();
    told.extend(more);
    assert_eq!(next, Next::Begin(posted(2)));
    worker.end(posted(2));
    told.extend(worker.next().0);
    let answered = |action: &LocalAction<TaskId>| {
        matches!(action, LocalAction::Answer { payload: None, timed_out: Some(_), .. })
    };
    assert!(told.iter().any(answered), "{told:?}");
    assert_eq!(worker.local.wake_at(), None);
}

#[test]
fn handles_of_tasks_that_left_speak_to_the_page() {
    let mut worker = TestWorker::new(Strategy::Parallel);
    worker.arrive(1);
    worker.next();
    worker.spawn(1);
    let pass = |signal| LocalAction::Forward { task: own(1), signal };
    assert_eq!(worker.handle(LocalEvent::Detached { task: own(1) }), [pass(HandleSignal::Detach)]);
    assert_eq!(worker.handle(LocalEvent::Dropped { task: own(1) }), [pass(HandleSignal::Cancel)]);
    assert_eq!(worker.handle(LocalEvent::Aborted { task: own(1) }), [pass(HandleSignal::Abort)]);
}

#[test]
fn a_pinned_task_begins_first_and_is_never_given_away() {
    let mut worker = TestWorker::new(Strategy::WorkStealing);
    for number in 1..=8 {
        worker.arrive(number);
    }
    let pinned = TaskOptions { pinned: true, ..options() };
    worker.handle(LocalEvent::Posted { task: posted(9), options: pinned, payload: posted(9) });
    let given = worker.handle(LocalEvent::StealRequested { idle: 100 });
    assert!(given.iter().any(|action| matches!(action, LocalAction::Migrate { .. })));
    assert!(
        !given.iter().any(|action| matches!(action, LocalAction::Migrate { task, .. } if *task == posted(9)))
    );
    assert_eq!(worker.next().1, Next::Begin(posted(9)));
}

#[test]
fn a_child_of_nobody_runs_in_the_turn_of_a_serial_task_that_may_await_it() {
    let mut worker = TestWorker::new(Strategy::Serial);
    worker.arrive(1);
    assert_eq!(worker.next().1, Next::Begin(posted(1)));
    worker.handle(LocalEvent::Polled { task: posted(1), ended: false });
    worker.arrive(2);
    worker.handle(LocalEvent::Spawned { task: own(1), options: options(), payload: own(1) });
    assert_eq!(worker.next().1, Next::Begin(own(1)));
}

#[test]
fn an_answer_does_not_wait_for_the_poll_of_a_long_task() {
    let mut worker = TestWorker::new(Strategy::WorkStealing);
    let long = TaskOptions { site: Site(2), ..options() };
    worker.handle(LocalEvent::Posted { task: posted(1), options: long, payload: posted(1) });
    assert_eq!(worker.next().1, Next::Begin(posted(1)));
    worker.handle(LocalEvent::Polled { task: posted(1), ended: false });
    worker.arrive(2);
    assert_eq!(worker.next().1, Next::Begin(posted(2)));
    let ended = worker.handle(LocalEvent::Polled { task: posted(2), ended: true });
    assert!(!ended.contains(&LocalAction::Flush), "{ended:?}");
    let resumed = worker.handle(LocalEvent::Resumed { task: posted(1) });
    assert!(resumed.contains(&LocalAction::Flush), "{resumed:?}");
}
