//! What holds in every run, whatever happens.

use std::collections::BTreeMap;
use std::panic;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestError, TestRunner};

use super::plan::{Allowed, ENDLESS, Plan, plans};
use crate::schedule::simulator::{Deed, Outcome, Record, Step};
use crate::schedule::{Completion, Strategy as Spread, TaskId, TaskKind, WorkerId};

/// Runs random plans, and shows the smallest that breaks the property.
fn hold(allowed: Allowed, property: impl Fn(&Plan, &Outcome)) {
    hold_for(allowed, |plan| plan, property);
}

fn hold_for(allowed: Allowed, adapt: impl Fn(Plan) -> Plan, property: impl Fn(&Plan, &Outcome)) {
    let usual = if cfg!(miri) { 1 } else { 300 };
    let cases = option_env!("SCHEDULE_CASES").map_or(usual, |cases| cases.parse().expect("a number"));
    let mut runner = TestRunner::new(Config { cases, ..Config::default() });
    let tried = runner.run(&plans(allowed).prop_map(adapt), |plan| {
        // Caught, so that the plan is made smaller and shown.
        let run = || property(&plan, &plan.run());
        panic::catch_unwind(panic::AssertUnwindSafe(run)).map_err(|payload| {
            let text = payload.downcast_ref::<String>().cloned();
            TestCaseError::fail(text.unwrap_or_else(|| "it panicked".to_owned()))
        })
    });
    if let Err(TestError::Fail(reason, plan)) = tried {
        panic!("{reason}: {plan:#?}");
    }
}

fn records(outcome: &Outcome) -> impl Iterator<Item = (TaskId, &Record)> {
    outcome.records.tasks.iter().map(|(id, record)| (*id, record))
}

fn is_gone(outcome: &Outcome, worker: WorkerId) -> bool {
    outcome.records.gone.contains_key(&worker)
}

fn is_refused(record: &Record) -> bool {
    record.refused || matches!(record.settled[..], [(Completion::Closed | Completion::NoWorkers, _)])
}

#[test]
fn no_task_is_lost_and_none_is_answered_twice() {
    hold(Allowed::ALL, |_, outcome| {
        for (id, record) in records(outcome) {
            assert!(record.settled.len() <= 1, "{id:?} was settled more than once: {record:?}");
            if id.maker == WorkerId::PAGE {
                assert_eq!(record.settled.is_empty(), record.refused, "{id:?} was never settled: {record:?}");
            }
            assert!(record.resolved || is_gone(outcome, id.maker), "nobody answers {id:?}: {record:?}");
        }
    });
}

#[test]
fn without_faults_every_task_runs_once() {
    let calm = Allowed { nesting: true, close: true, ..Allowed::default() };
    hold(calm, |_, outcome| {
        for (id, record) in records(outcome) {
            let runs = usize::from(!is_refused(record));
            assert_eq!(record.begun.len(), runs, "{id:?}: {record:?}");
            assert_eq!(record.ended.len(), runs, "{id:?}: {record:?}");
        }
    });
}

#[test]
fn no_task_runs_twice_but_after_a_loss_if_it_may() {
    hold(Allowed::ALL, |_, outcome| {
        for (id, record) in records(outcome) {
            assert!(record.begun.len() <= 1 + record.options.retries as usize, "{id:?}: {record:?}");
            for pair in record.begun.windows(2) {
                let gone = outcome.records.gone.get(&pair[0].0);
                assert!(gone.is_some_and(|gone| *gone <= pair[1].1), "{id:?} runs in two places: {record:?}");
            }
        }
    });
}

#[test]
fn a_task_that_is_known_to_be_unwanted_does_not_begin() {
    hold(Allowed::ALL, |_, outcome| {
        for (id, record) in records(outcome) {
            let Some((completion, settled)) = record.settled.first() else { continue };
            if *completion != Completion::Cancelled {
                continue;
            }
            for (worker, begun) in &record.begun {
                // Its page knows, and so does its worker if it was told; it may have come too late.
                let told = record.stopped.filter(|(told, _)| told == worker);
                let late = told.map_or_else(|| is_gone(outcome, *worker), |(_, told)| *begun <= told);
                assert!(begun < settled || late, "{id:?}: {record:?}");
            }
        }
    });
}

#[test]
fn children_are_never_refused() {
    hold(Allowed::ALL, |_, outcome| {
        for (id, record) in records(outcome) {
            if id.maker != WorkerId::PAGE {
                let closed = record.settled.iter().any(|(completion, _)| *completion == Completion::Closed);
                assert!(!closed, "{id:?}: {record:?}");
            }
        }
    });
}

#[test]
fn children_that_were_let_go_run_even_after_their_maker() {
    let allowed = Allowed { timeouts: false, ..Allowed::ALL };
    hold(allowed, |_, outcome| {
        for (id, record) in records(outcome) {
            // What its maker kept dies with it.
            let handed_over = !record.settled.is_empty() || !is_gone(outcome, id.maker);
            if id.maker != WorkerId::PAGE && record.options.detached && handed_over {
                let lost =
                    matches!(record.settled[..], [(Completion::WorkerLost | Completion::NoWorkers, _)]);
                assert!(!record.begun.is_empty() || lost, "{id:?}: {record:?}");
            }
        }
    });
}

#[test]
fn a_bound_of_one_and_nesting_do_not_deadlock() {
    let calm = Allowed { nesting: true, close: true, ..Allowed::default() };
    let one = |plan| Plan { max_queue: Some(1), threads: 1, ..plan };
    hold_for(calm, one, |_, outcome| {
        assert!(records(outcome).all(|(_, record)| record.resolved), "a task waits for ever");
        assert!(outcome.closed);
    });
}

#[test]
fn a_bound_is_kept() {
    let flat = Allowed { cancels: true, ..Allowed::default() };
    let bounded = |plan: Plan| {
        let deeds = plan.deeds.into_iter().map(|(at, deed)| match deed {
            Deed::Submit { script, .. } => (at, Deed::Submit { script, bounded: true }),
            other => (at, other),
        });
        Plan { max_queue: plan.max_queue.or(Some(2)), deeds: deeds.collect(), ..plan }
    };
    hold_for(flat, bounded, |plan, outcome| {
        assert!(Some(outcome.most_queued) <= plan.max_queue, "{} were queued", outcome.most_queued);
    });
}

#[test]
fn serial_tasks_run_one_after_another_in_order() {
    let calm = Allowed { nesting: true, cancels: true, ..Allowed::default() };
    let serial = |plan| Plan { strategy: Spread::Serial, ..plan };
    hold_for(calm, serial, |_, outcome| {
        // When a task of the page, and all that it made, ran.
        let mut turns: BTreeMap<u32, (Duration, Duration)> = BTreeMap::new();
        for (id, record) in records(outcome) {
            let mut root = (id, record);
            while let Some(parent) = root.1.parent {
                root = (parent, &outcome.records.tasks[&parent]);
            }
            for time in record.begun.iter().chain(&record.ended).map(|(_, time)| *time) {
                let turn = turns.entry(root.0.number).or_insert((time, time));
                *turn = (turn.0.min(time), turn.1.max(time));
            }
        }
        let turns = turns.into_values().collect::<Vec<_>>();
        for pair in turns.windows(2) {
            assert!(pair[0].1 <= pair[1].0, "turns overlap: {turns:?}");
        }
    });
}

#[test]
fn what_is_posted_to_one_worker_begins_in_order() {
    let calm = Allowed { nesting: false, ..Allowed::default() };
    let one = |plan| Plan { threads: 1, ..plan };
    hold_for(calm, one, |_, outcome| {
        let begun = records(outcome).filter_map(|(_, record)| record.begun.first().map(|(_, time)| *time));
        let begun = begun.collect::<Vec<_>>();
        assert!(begun.is_sorted(), "{begun:?}");
    });
}

#[test]
fn a_lost_worker_s_tasks_are_reported_or_run_again() {
    let allowed = Allowed { nesting: true, kills: true, ..Allowed::default() };
    hold(allowed, |_, outcome| {
        for (id, record) in records(outcome).filter(|(id, _)| id.maker == WorkerId::PAGE) {
            if record.refused {
                assert!(record.begun.is_empty(), "{id:?}: {record:?}");
                continue;
            }
            let [(completion, _)] = record.settled[..] else { panic!("{id:?}: {record:?}") };
            match completion {
                Completion::Answered => assert_eq!(record.begun.len(), 1, "{id:?}: {record:?}"),
                // The last resort, when workers are lost before they are up.
                Completion::WorkerLost | Completion::NoWorkers => {
                    assert!(!outcome.records.gone.is_empty(), "{id:?}: {record:?}");
                }
                other => panic!("{other:?} without a reason: {id:?}: {record:?}"),
            }
        }
    });
}

#[test]
fn a_loss_that_shows_what_had_not_begun_reports_only_what_had() {
    let allowed = Allowed { kills: true, ..Allowed::default() };
    let shown = |plan: Plan| {
        let deeds = plan.deeds.into_iter().map(|(at, deed)| match deed {
            Deed::Kill { nth, .. } => (at, Deed::Kill { nth, shown: true }),
            other => (at, other),
        });
        Plan { deeds: deeds.collect(), ..plan }
    };
    hold_for(allowed, shown, |_, outcome| {
        for (id, record) in records(outcome) {
            if matches!(record.settled[..], [(Completion::WorkerLost, _)]) {
                assert_eq!(record.begun.len(), 1, "{id:?}: {record:?}");
                assert!(is_gone(outcome, record.begun[0].0), "{id:?}: {record:?}");
            }
        }
    });
}

#[test]
fn a_schedule_that_closes_ends_what_it_has_and_takes_no_more() {
    hold(Allowed::ALL, |plan, outcome| {
        assert!(outcome.closed, "it never closes");
        let closing = plan.deeds.iter().find(|(_, deed)| matches!(deed, Deed::Close)).map(|(at, _)| *at);
        let submits = plan.deeds.iter().filter(|(_, deed)| matches!(deed, Deed::Submit { .. }));
        for (nth, (at, _)) in submits.enumerate() {
            let record = &outcome.records.tasks[&Plan::root(nth)];
            if record.settled.iter().any(|(completion, _)| *completion == Completion::Closed) {
                assert!(Some(*at) >= closing && record.begun.is_empty(), "{record:?}");
            }
        }
    });
}

#[test]
fn a_timeout_ends_a_task_that_never_ends_and_harms_no_other() {
    let allowed = Allowed { timeouts: true, ..Allowed::default() };
    let synchronous = |mut plan: Plan| {
        for script in &mut plan.library.scripts {
            script.options.kind = TaskKind::Sync;
            script.steps.retain(|step| !matches!(step, Step::Wait(_) | Step::Join));
        }
        plan
    };
    hold_for(allowed, synchronous, |plan, outcome| {
        for (id, record) in records(outcome).filter(|(_, record)| !is_refused(record)) {
            let script = &plan.library.scripts[record.script];
            let endless = script.steps.iter().any(|step| matches!(step, Step::Run(time) if *time > ENDLESS));
            let completion = record.settled[0].0;
            if endless {
                assert_eq!(completion, Completion::TimedOut, "{id:?}: {record:?}");
            } else if script.options.timeout.is_none() {
                assert_eq!(completion, Completion::Answered, "{id:?}: {record:?}");
            }
        }
    });
}
