//! The makespans of all strategies, beside their lower bound.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::workload::Workload;
use crate::schedule::{
    Config, PageAction, PageEvent, Schedule, Site, Strategy, TaskId, TaskKind, TaskOptions, WorkerId,
};

const STRATEGIES: [Strategy; 3] = [Strategy::Serial, Strategy::Parallel, Strategy::WorkStealing];
const WORKERS: [usize; 8] = [1, 2, 4, 8, 16, 64, 256, 1024];

/// The shuffle of the skewed tasks that the table shows.
const SEED: u64 = 2026;

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// How many times the lower bound.
fn ratio(workload: &Workload, strategy: Strategy, workers: usize) -> f64 {
    ratio_by(Duration::from_micros(5), workload, strategy, workers)
}

fn ratio_by(tick: Duration, workload: &Workload, strategy: Strategy, workers: usize) -> f64 {
    let outcome = workload.run_by(tick, strategy, workers);
    assert!(outcome.records.tasks.values().all(|record| record.resolved), "every task is answered");
    outcome.makespan.as_secs_f64() / workload.bound(workers).as_secs_f64()
}

#[test]
#[ignore = "prints the table of ARCHITECTURE; run it with --release"]
fn makespans() {
    let workloads = [
        Workload::equal(),
        Workload::skewed(SEED),
        Workload::tiny("10,000 tasks of 1 to 5 us", 10_000),
        Workload::tiny("100,000 tasks of 1 to 5 us", 100_000),
        Workload::fork_join(),
        Workload::burst(),
        Workload::waiting(),
    ];
    println!("\n| tasks | workers | bound | serial | parallel | work-stealing | packets | migrated |");
    println!("| --- | --: | --: | --: | --: | --: | --: | --: |");
    for workload in workloads {
        for workers in WORKERS {
            let bound = workload.bound(workers);
            let outcomes = STRATEGIES.map(|strategy| workload.run(strategy, workers));
            let shown = outcomes.each_ref().map(|outcome| {
                let ratio = outcome.makespan.as_secs_f64() / bound.as_secs_f64();
                format!("{:.1} ms ({ratio:.2})", ms(outcome.makespan))
            });
            let stealing = &outcomes[2];
            println!(
                "| {} | {workers} | {:.1} ms | {} | {} | {} |",
                workload.name,
                ms(bound),
                shown.join(" | "),
                stealing.packets,
                stealing.returned
            );
        }
    }
}

#[test]
fn skewed_tasks_are_near_the_ideal_with_stealing_and_not_when_split_at_once() {
    let median = |strategy| {
        let mut ratios =
            (0..31).map(|seed| ratio(&Workload::skewed(SEED + seed), strategy, 2)).collect::<Vec<_>>();
        ratios.sort_by(f64::total_cmp);
        ratios[ratios.len() / 2]
    };
    let (stealing, split) = (median(Strategy::WorkStealing), median(Strategy::Parallel));
    assert!(stealing < 1.08, "{stealing}");
    assert!(split - 1.0 > 2.0 * (stealing - 1.0), "{split} against {stealing}");
}

#[test]
fn a_fork_join_tree_runs_on_all_workers() {
    let tree = Workload::fork_join();
    let one = tree.run(Strategy::WorkStealing, 1).makespan;
    for (workers, least) in [(2, 1.7), (4, 3.2), (8, 5.5)] {
        let many = tree.run(Strategy::WorkStealing, workers).makespan;
        let gain = one.as_secs_f64() / many.as_secs_f64();
        assert!(gain > least, "{gain} on {workers} workers");
    }
}

#[test]
fn children_of_a_parent_that_does_not_await_yet_run_elsewhere() {
    let burst = Workload::burst();
    let outcome = burst.run(Strategy::WorkStealing, 2);
    assert!(outcome.returned >= 32, "{}", outcome.returned);
    assert!(ratio(&burst, Strategy::WorkStealing, 2) < 1.15);
}

#[test]
fn tiny_tasks_are_limited_by_messages() {
    let tiny = Workload::tiny("tiny", 10_000);
    let outcome = tiny.run(Strategy::WorkStealing, 2);
    // A message per task and reply would be 20,000.
    assert!(outcome.packets < 1_500, "{} packets", outcome.packets);
    // The ideal counts no messages; 0.6 us per task are for writing and reading it and its result.
    assert!(ratio(&tiny, Strategy::WorkStealing, 2) < 1.6);
}

#[test]
fn coarse_clocks_do_little_harm() {
    let workloads = [
        (Workload::tiny("tiny", 10_000), 1.7),
        (Workload::fork_join(), 1.15),
        (Workload::skewed(SEED), 1.08),
        (Workload::burst(), 1.1),
    ];
    // Browsers step by 100 us, Firefox by 1 ms.
    for tick in [100, 1_000].map(Duration::from_micros) {
        for (workload, most) in &workloads {
            let ratio = ratio_by(tick, workload, Strategy::WorkStealing, 2);
            assert!(ratio < *most, "{}, {tick:?}: {ratio}", workload.name);
        }
    }
}

#[test]
fn tasks_that_wait_overlap() {
    let waiting = Workload::waiting();
    // One after another they would take 5 s.
    for strategy in [Strategy::Parallel, Strategy::WorkStealing] {
        let makespan = waiting.run(strategy, 2).makespan;
        assert!(makespan < Duration::from_millis(40), "{strategy:?}: {makespan:?}");
    }
}

/// The page's half alone: it must cost far less than the 0.3 us that an item of a message costs in each direction.
#[test]
#[ignore = "measures; run it with --release"]
fn cost_of_the_page() {
    println!("\n| workers | tasks | us per task, median of thousands |");
    println!("| --: | --: | --: |");
    for (workers, tasks) in [(2, 10_000), (2, 100_000), (64, 100_000), (1024, 100_000)] {
        let config = Config { threads: workers, ..Config::default() };
        let mut actions = Vec::new();
        let mut schedule = Schedule::open(Strategy::WorkStealing, config, Duration::ZERO, &mut actions);
        for action in std::mem::take(&mut actions) {
            if let PageAction::Start { worker } = action {
                schedule.handle(Duration::ZERO, PageEvent::Ready { worker }, &mut actions);
            }
        }
        let options = TaskOptions::new(Site(1), TaskKind::Sync);
        let mut chunks = Vec::new();
        let mut posted = VecDeque::new();
        let mut submitted = 0;
        while submitted < tasks || !posted.is_empty() {
            let begun = Instant::now();
            for _ in 0..1_000 {
                let event = if submitted < tasks {
                    submitted += 1;
                    let task = TaskId { maker: WorkerId::PAGE, number: submitted };
                    PageEvent::Submitted { task, options }
                } else if let Some((worker, task)) = posted.pop_front() {
                    PageEvent::Finished { worker, task, ran: Some(Duration::from_micros(3)) }
                } else {
                    break;
                };
                schedule.handle(Duration::ZERO, event, &mut actions);
                posted.extend(actions.drain(..).filter_map(|action| match action {
                    PageAction::Post { worker, task, .. } => Some((worker, task)),
                    _ => None,
                }));
            }
            chunks.push(begun.elapsed().as_secs_f64() * 1e3);
        }
        // The first half submits, the second answers.
        let median = |chunks: &mut [f64]| {
            chunks.sort_by(f64::total_cmp);
            chunks[chunks.len() / 2]
        };
        let (submits, answers) = chunks.split_at_mut(tasks as usize / 1_000);
        println!("| {workers} | {tasks} | {:.2} + {:.2} |", median(submits), median(answers));
    }
}
