//! Measures the library beside its floor: what the platform itself takes for the same work, in the same run.
//!
//! All sides take turns, round by round, so that they share whatever else the machine does; a round of one side is long
//! enough for a coarse clock. Each comparison is printed as a line of JSON. Times are told and never judged: a program that
//! measures has no opinion on the machine.

use wasm_mt::Error;
use wasm_mt_benches::{Benchmark, Turns};

use room::Floor;

mod actor;
mod bulk;
mod channels;
mod cpu;
mod fork_join;
mod julia;
mod messages;
mod par_map;
mod shared;
mod starts;
mod turns;

#[cfg(target_family = "wasm")]
mod web;
#[cfg(target_family = "wasm")]
use web as room;

#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(not(target_family = "wasm"))]
use native as room;

fn main() {
    wasm_mt::run(app());
}

/// Options: `rounds`, a number, and `only`, names of benchmarks with commas between them.
async fn app() -> Result<(), Error> {
    let turns = Turns::new(room::option("rounds").and_then(|rounds| rounds.parse().ok()));
    let only = room::option("only").unwrap_or_default();
    let is_wanted =
        |benchmark: &Benchmark| only.is_empty() || only.split(',').any(|name| name == benchmark.name());
    let mut floor = Floor::new();
    for benchmark in Benchmark::ALL.into_iter().filter(is_wanted) {
        match benchmark {
            Benchmark::RoundTrip => messages::round_trip(&turns, &mut floor).await?,
            Benchmark::WorkerStart => starts::worker(&turns, &mut floor).await?,
            Benchmark::PoolStart => starts::pool(&turns, &mut floor).await?,
            Benchmark::TinyTasks => messages::tiny_tasks(&turns, &mut floor).await?,
            Benchmark::ParMap => par_map::measure(&turns, &mut floor).await?,
            Benchmark::CpuTasks => cpu::measure(&turns).await?,
            Benchmark::ForkJoin => fork_join::measure(&turns).await?,
            Benchmark::Transfer => bulk::measure(&turns, &mut floor).await?,
            Benchmark::Channel => channels::measure(&turns, &mut floor).await?,
            Benchmark::Shared => shared::measure(&turns).await?,
            Benchmark::Actor => actor::measure(&turns).await?,
            Benchmark::Julia => julia::measure(&turns).await?,
        }
    }
    Ok(())
}
