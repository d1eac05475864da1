//! Tasks that are begun within the code that runs, by the worker's half.

use std::time::Duration;

use super::local::{SHORT, TestWorker, migrated, options, own, posted};
use crate::schedule::{LocalAction, LocalEvent, Next, OuterPoll, Strategy, TaskId, TaskKind, TaskOptions};

fn sync() -> TaskOptions {
    TaskOptions { kind: TaskKind::Sync, ..options() }
}

impl TestWorker {
    fn spawn_sync(&mut self, number: u32) -> Vec<LocalAction<TaskId>> {
        self.handle(LocalEvent::Spawned { task: own(number), options: sync(), payload: own(number) })
    }

    /// Begins the task of this number, which was posted.
    fn begin_posted(&mut self, number: u32, options: TaskOptions) {
        self.handle(LocalEvent::Posted { task: posted(number), options, payload: posted(number) });
        assert_eq!(self.next().1, Next::Begin(posted(number)));
    }

    fn join(&mut self, number: u32) -> (Vec<LocalAction<TaskId>>, Option<OuterPoll>) {
        let mut actions = Vec::new();
        let outer = self.local.join(self.now, own(number), &mut actions);
        (actions, outer)
    }

    fn joined(&mut self, number: u32, outer: OuterPoll) -> Vec<LocalAction<TaskId>> {
        self.now += SHORT;
        let mut actions = Vec::new();
        self.local.joined(self.now, own(number), outer, &mut actions);
        actions
    }
}

#[test]
fn a_task_that_is_joined_is_not_begun_again_and_its_parent_goes_on() {
    for strategy in [Strategy::Serial, Strategy::Parallel, Strategy::WorkStealing] {
        let mut worker = TestWorker::new(strategy);
        worker.begin_posted(1, sync());
        worker.spawn_sync(1);
        worker.spawn_sync(2);
        let (actions, outer) = worker.join(1);
        assert_eq!(actions, []);
        // What it makes is a child of the code that goes on.
        worker.spawn_sync(3);
        let (_, inner) = worker.join(3);
        assert!(worker.join(3).1.is_none(), "it has begun");
        assert_eq!(worker.joined(3, inner.expect("it has not begun")), []);
        assert!(worker.join(3).1.is_none(), "it has ended");
        assert_eq!(worker.joined(1, outer.expect("it has not begun")), []);
        assert_eq!(worker.local.kept(), 1);
        worker.handle(LocalEvent::Detached { task: own(2) });
        worker.end(posted(1));
        if strategy != Strategy::Parallel {
            assert_eq!(worker.order(), [own(2)], "{strategy:?}");
        }
        assert!(worker.local.is_empty());
    }
}

#[test]
fn only_what_is_synchronous_and_was_made_here_is_joined() {
    let mut worker = TestWorker::new(Strategy::WorkStealing);
    worker.begin_posted(1, sync());
    worker.handle(LocalEvent::Posted { task: posted(2), options: sync(), payload: posted(2) });
    worker.spawn(1);
    assert!(worker.join(1).1.is_none(), "it is asynchronous");
    let (mut local, now) = (worker.local, worker.now);
    assert!(local.join(now, posted(2), &mut Vec::new()).is_none(), "it was posted");
    assert!(local.join(now, own(9), &mut Vec::new()).is_none(), "it is not here");
}

#[test]
fn what_synchronous_code_makes_migrates_when_it_is_let_go_or_when_that_code_is_over() {
    for strategy in [Strategy::Parallel, Strategy::WorkStealing] {
        let mut worker = TestWorker::new(strategy);
        worker.begin_posted(1, sync());
        worker.handle(LocalEvent::StealRequested { idle: 1 });
        for number in 1..=4 {
            assert_eq!(migrated(&worker.spawn_sync(number)), [], "{strategy:?}");
        }
        worker.handle(LocalEvent::Detached { task: own(1) });
        worker.handle(LocalEvent::Detached { task: own(3) });
        let detached = TaskOptions { detached: true, ..sync() };
        let mut left = Vec::new();
        for number in 5..=8 {
            let spawned = LocalEvent::Spawned { task: own(number), options: detached, payload: own(number) };
            left.extend(migrated(&worker.handle(spawned)));
        }
        left.sort();
        assert!(left.starts_with(&[own(1), own(3)]), "{strategy:?}: {left:?}");
        // Those that it has are here.
        for number in [2, 4] {
            let (_, outer) = worker.join(number);
            worker.joined(number, outer.expect("it has not left"));
        }
        assert!(worker.join(1).1.is_none(), "it has left");
    }

    let mut worker = TestWorker::new(Strategy::WorkStealing);
    worker.begin_posted(1, sync());
    worker.handle(LocalEvent::StealRequested { idle: 1 });
    for number in 1..=4 {
        worker.spawn_sync(number);
    }
    assert_eq!(migrated(&worker.end(posted(1))), [own(1), own(2)]);
}

#[test]
fn asynchronous_code_that_joins_keeps_its_older_children_free_to_migrate() {
    let mut worker = TestWorker::new(Strategy::WorkStealing);
    worker.begin_posted(1, options());
    worker.handle(LocalEvent::StealRequested { idle: 0 });
    for number in 1..=4 {
        worker.spawn_sync(number);
    }
    let (_, outer) = worker.join(4);
    worker.spawn_sync(5);
    assert_eq!(migrated(&worker.handle(LocalEvent::StealRequested { idle: 1 })), [own(1), own(2)]);
    assert_eq!(migrated(&worker.handle(LocalEvent::StealRequested { idle: 9 })), [own(3)]);
    assert_eq!(migrated(&worker.joined(4, outer.expect("it has not begun"))), []);
    assert_eq!(migrated(&worker.handle(LocalEvent::Polled { task: posted(1), ended: true })), []);
    assert_eq!(worker.order(), [own(5)]);
}

#[test]
fn a_task_that_is_joined_is_announced_only_if_its_time_is_over_before_that_of_its_parent() {
    let limited = |limit| TaskOptions { timeout: Some(Duration::from_millis(limit)), ..sync() };
    let announced = |actions: &[LocalAction<TaskId>]| {
        actions.iter().any(|action| matches!(action, LocalAction::Announce { .. }))
    };
    let mut worker = TestWorker::new(Strategy::WorkStealing);
    worker.begin_posted(1, limited(10));
    for (number, limit) in [(1, 10), (2, 9)] {
        let options = limited(limit);
        worker.handle(LocalEvent::Spawned { task: own(number), options, payload: own(number) });
    }
    let (actions, outer) = worker.join(1);
    assert!(!announced(&actions), "{actions:?}");
    let (actions, inner) = worker.join(2);
    assert!(announced(&actions) && actions.contains(&LocalAction::Flush), "{actions:?}");
    let answer = |actions: &[LocalAction<TaskId>], number| {
        actions
            .iter()
            .any(|action| matches!(action, LocalAction::Answer { task, .. } if *task == own(number)))
    };
    assert!(answer(&worker.joined(2, inner.expect("it has not begun")), 2));
    assert!(!answer(&worker.joined(1, outer.expect("it has not begun")), 1));
}
