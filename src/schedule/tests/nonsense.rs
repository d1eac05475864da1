//! What no worker would say: a schedule takes it, and ends all the same.

use std::panic;
use std::time::Duration;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::RngAlgorithm;

use crate::schedule::{
    Completion, Config, PageAction, PageEvent, Schedule, Site, Strategy as Spread, TaskId, TaskKind,
    TaskOptions, WorkerId,
};

const THREADS: u32 = 2;
const TASKS: u32 = 4;

fn worker() -> impl Strategy<Value = WorkerId> {
    (0..THREADS + 3).prop_map(WorkerId)
}

/// Of the page, of a worker, or of none.
fn task() -> impl Strategy<Value = TaskId> {
    (worker(), 1..=TASKS + 1).prop_map(|(maker, number)| TaskId { maker, number })
}

fn time() -> impl Strategy<Value = Duration> {
    prop_oneof![0..9_u64, any::<u64>()].prop_map(Duration::from_nanos)
}

fn options() -> impl Strategy<Value = TaskOptions> {
    (0..3_u64, any::<[bool; 4]>(), option::of(time()), prop_oneof![0..2_u32, any::<u32>()]).prop_map(
        |(site, [is_async, detached, pinned, aside], timeout, retries)| TaskOptions {
            site: Site(site),
            kind: if is_async { TaskKind::Async } else { TaskKind::Sync },
            timeout,
            retries,
            detached,
            pinned,
            aside,
        },
    )
}

/// What the messages of a worker become, and the end of one.
fn said() -> impl Strategy<Value = PageEvent> {
    let lost = (worker(), option::of(task()), option::of(vec(task(), 0..3)));
    prop_oneof![
        2 => worker().prop_map(|worker| PageEvent::Ready { worker }),
        2 => (worker(), task(), options()).prop_map(|(worker, task, options)| PageEvent::Began { worker, task, options }),
        2 => (worker(), task(), time()).prop_map(|(worker, task, ran)| PageEvent::Suspended { worker, task, ran }),
        2 => (worker(), task(), option::of(time())).prop_map(|(worker, task, ran)| PageEvent::Finished { worker, task, ran }),
        2 => (worker(), task(), options()).prop_map(|(worker, task, options)| PageEvent::Migrated { worker, task, options }),
        1 => (worker(), any::<(u32, bool)>())
            .prop_map(|(worker, (local, resting))| PageEvent::Reported { worker, local, resting }),
        1 => task().prop_map(|task| PageEvent::Cancelled { task }),
        1 => task().prop_map(|task| PageEvent::Aborted { task }),
        1 => task().prop_map(|task| PageEvent::Detached { task }),
        1 => lost.prop_map(|(worker, culprit, begun)| PageEvent::Lost { worker, culprit, begun }),
        1 => Just(PageEvent::Woken),
    ]
}

/// Takes note of actions: no task of the page is settled twice.
fn note(actions: &mut Vec<PageAction>, settled: &mut Vec<TaskId>) {
    for action in actions.drain(..) {
        if let PageAction::Settle { task, completion } = action {
            let is_of_page = task.maker == WorkerId::PAGE;
            assert!(!is_of_page || !settled.contains(&task), "{task:?} is settled again: {completion:?}");
            assert_ne!(completion, Completion::Closed);
            settled.push(task);
        }
    }
}

/// How many tasks of the page are settled when all is said and all workers are gone.
fn settled(spread: Spread, of_page: Vec<TaskOptions>, events: Vec<PageEvent>) -> usize {
    let (mut actions, mut settled, mut now) = (Vec::new(), Vec::new(), Duration::ZERO);
    let config = Config { threads: THREADS as usize, replace: true, ..Config::default() };
    let mut schedule = Schedule::open(spread, config, now, &mut actions);
    let mut number = 0;
    let tasks = of_page.into_iter().map(|options| {
        number += 1;
        let task = TaskId { maker: WorkerId::PAGE, number };
        PageEvent::Submitted { task, options: TaskOptions { pinned: false, ..options } }
    });
    for event in tasks.collect::<Vec<_>>().into_iter().chain(events) {
        now += Duration::from_millis(7);
        schedule.handle(now, event, &mut actions);
        note(&mut actions, &mut settled);
    }
    // All that there may be.
    for worker in 1..100 {
        let lost = PageEvent::Lost { worker: WorkerId(worker), culprit: None, begun: None };
        schedule.handle(now, lost, &mut actions);
        // Others may be started after a pause.
        now = schedule.wake_at().map_or(now, |at| now.max(at));
        for _ in 0..2 {
            schedule.handle(now, PageEvent::Woken, &mut actions);
        }
        note(&mut actions, &mut settled);
    }
    settled.iter().filter(|task| task.maker == WorkerId::PAGE).count()
}

fn spreads() -> impl Strategy<Value = Spread> {
    prop_oneof![Just(Spread::Serial), Just(Spread::Parallel), Just(Spread::WorkStealing)]
}

const CASES: u32 = if cfg!(miri) { 2 } else { 1_000 };

proptest! {
    #![proptest_config(ProptestConfig { rng_algorithm: RngAlgorithm::XorShift, ..ProptestConfig::with_cases(CASES) })]

    #[test]
    fn every_task_of_a_page_is_settled_whatever_its_workers_say(
        spread in spreads(),
        of_page in vec(options(), TASKS as usize),
        events in vec(said(), 0..40),
    ) {
        let submitted = of_page.len();
        // Caught, so that what is said is made smaller and shown.
        let settled = panic::catch_unwind(|| settled(spread, of_page, events));
        prop_assert_eq!(settled.ok(), Some(submitted), "see the panic above, if there is one");
    }
}
