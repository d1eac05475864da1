//! The makespans of fleets, beside what would be ideal.

use std::time::Duration;

use super::{Network, World};

/// Tasks that are submitted at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Workload {
    Tiny,
    Short,
    Long,
    /// From 0.1 to 10 ms, each cost as likely as its double.
    Skewed,
}

const WORKLOADS: [Workload; 4] = [Workload::Tiny, Workload::Short, Workload::Long, Workload::Skewed];
/// Nodes, and workers of each.
const FLEETS: [(usize, usize); 8] =
    [(1, 1), (10, 1), (2, 8), (100, 1), (13, 8), (125, 8), (1000, 1), (1250, 8)];
/// From a process to the broker and back.
const ROUND_TRIPS: [Duration; 3] =
    [Duration::from_micros(200), Duration::from_millis(1), Duration::from_millis(30)];

impl Workload {
    fn name(self) -> &'static str {
        match self {
            Self::Tiny => "1 us",
            Self::Short => "1 ms",
            Self::Long => "100 ms",
            Self::Skewed => "0.1 to 10 ms",
        }
    }

    fn tasks(self, workers: usize) -> Vec<Duration> {
        match self {
            Self::Tiny => vec![Duration::from_micros(1); 100_000],
            Self::Short => vec![Duration::from_millis(1); 20_000],
            Self::Long => vec![Duration::from_millis(100); 2000.max(4 * workers)],
            Self::Skewed => {
                let mut dice = 2026_u64;
                let mut unit = || {
                    dice = dice.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                    (dice >> 11) as f64 / (1_u64 << 53) as f64
                };
                let cost = |unit: f64| Duration::from_micros(100).mul_f64(100_f64.powf(unit));
                (0..20_000.max(4 * workers)).map(|_| cost(unit())).collect()
            }
        }
    }
}

/// The least time in which so many workers can do it, were messages free.
fn ideal(tasks: &[Duration], workers: usize) -> Duration {
    let longest = tasks.iter().max().copied().unwrap_or_default();
    longest.max(tasks.iter().sum::<Duration>() / workers as u32)
}

fn efficiency(workload: Workload, (nodes, workers): (usize, usize), round_trip: Duration) -> f64 {
    let tasks = workload.tasks(nodes * workers);
    let ideal = ideal(&tasks, nodes * workers);
    let outcome = World::new(Network::new(round_trip / 2), tasks, nodes, workers).run();
    ideal.as_secs_f64() / outcome.makespan.as_secs_f64()
}

#[test]
#[ignore = "prints the table of ARCHITECTURE; run it with --release"]
fn fleet_makespans() {
    println!("\n| tasks | nodes | workers | ideal | 0.2 ms | 1 ms | 30 ms |");
    println!("| --- | --: | --: | --: | --: | --: | --: |");
    for workload in WORKLOADS {
        for (nodes, workers) in FLEETS {
            let tasks = workload.tasks(nodes * workers);
            let ideal = ideal(&tasks, nodes * workers).as_secs_f64() * 1e3;
            let shown = ROUND_TRIPS.map(|round_trip| {
                let began = std::time::Instant::now();
                let outcome = World::new(Network::new(round_trip / 2), tasks.clone(), nodes, workers).run();
                let makespan = outcome.makespan.as_secs_f64() * 1e3;
                if began.elapsed().as_secs() > 2 {
                    eprintln!("slow: {:?} {}", began.elapsed(), outcome.messages);
                }
                format!("{makespan:.0} ms, {:.0}%", 100.0 * ideal / makespan)
            });
            let all = nodes * workers;
            println!(
                "| {} x {} | {nodes} | {all} | {ideal:.1} ms | {} |",
                tasks.len(),
                workload.name(),
                shown.join(" | ")
            );
        }
    }
}

#[test]
fn a_fleet_is_busy_if_its_tasks_are_long_enough_for_the_network() {
    let ms = Duration::from_millis;
    for (workload, fleet, round_trip, least) in [
        (Workload::Short, (1, 1), ROUND_TRIPS[0], 0.98),
        (Workload::Short, (13, 8), ROUND_TRIPS[0], 0.9),
        (Workload::Short, (10, 1), ms(30), 0.75),
        (Workload::Long, (2, 8), ms(30), 0.9),
        (Workload::Long, (100, 1), ROUND_TRIPS[1], 0.9),
        (Workload::Skewed, (2, 8), ROUND_TRIPS[1], 0.95),
        (Workload::Skewed, (100, 1), ROUND_TRIPS[0], 0.9),
    ] {
        let reached = efficiency(workload, fleet, round_trip);
        assert!(reached > least, "{workload:?}, {fleet:?}, {round_trip:?}: {reached}");
    }
}

/// The ledger does little for each task, however many nodes there are.
#[test]
fn what_a_client_does_does_not_grow_with_the_fleet() {
    let began = std::time::Instant::now();
    let tasks = vec![Duration::from_millis(1); 100_000];
    let outcome = World::new(Network::new(Duration::from_micros(100)), tasks, 10_000, 1).run();
    assert!(outcome.makespan < Duration::from_secs(3), "{outcome:?}");
    // Were it quadratic, it would take minutes.
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
}
