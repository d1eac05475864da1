//! Measures the library beside its peers: others of its kind, which do the same work with two workers each.
//!
//! All take turns, round by round, so that they share whatever else the machine does. The first does without any library:
//! the others are told as ratios to it. Each cell of the table is printed as a line of JSON. A library that does not end its
//! turn in time, or fails, is left behind, and the others go on.

use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};
use wasm_mt::Error;
use wasm_mt_benches::work::skewed;
use wasm_mt_benches::{BLOCK, Benchmark, Cell, Outcome, Spread, Turns};

use ours::Ours;

mod ours;

#[cfg(target_family = "wasm")]
mod web;
#[cfg(target_family = "wasm")]
use web as room;

#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(not(target_family = "wasm"))]
use native as room;

const OURS: &str = "wasm-mt";

/// How long a turn may last.
const LIMIT: Duration = Duration::from_secs(20);

/// Steps of the shortest of the skewed tasks: about 0.2 ms. Measured times would make tasks of another length in each run.
const SHORTEST: f64 = 80_000.0;

/// How many bytes go there and back.
const SIZE: usize = 1 << 20;

/// Fork-join is for this number of fib, as a tree of about 470 leaves.
const N: u32 = 35;
/// What that gives.
const FIB: u64 = 9_227_465;
/// From here on down no more tasks are made.
const CUT_OFF: u32 = 23;

/// The steps of each of the skewed tasks.
fn steps() -> Vec<u32> {
    skewed(SHORTEST).into_iter().map(|steps| steps as u32).collect()
}

/// A library, and what it took in the rounds so far.
struct Side {
    library: &'static str,
    times: Vec<f64>,
    /// Why it has no more turns.
    end: Option<Outcome>,
}

fn main() {
    wasm_mt::run(app());
}

/// Options as those of the other benchmarks.
async fn app() -> Result<(), Error> {
    let turns = Turns::new(room::option("rounds").and_then(|rounds| rounds.parse().ok()));
    let only = room::option("only").unwrap_or_default();
    let ours = Ours::start().await?;
    let mut libraries = room::libraries().await;
    for benchmark in room::BENCHMARKS {
        if !only.is_empty() && !only.split(',').any(|name| name == benchmark.name()) {
            continue;
        }
        let mut sides: Vec<Side> =
            libraries.iter().map(|library| Side { library, times: Vec::new(), end: None }).collect();
        let operations = measure(&mut sides, benchmark, &turns, &ours).await;
        tell(&sides, benchmark, operations);
        sides.retain(|side| side.end.is_none());
        libraries = sides.iter().map(|side| side.library).collect();
    }
    Ok(())
}

/// How many rounds it usually has, and how many operations a turn; none if as many as make it long enough for the clock.
fn describe(benchmark: Benchmark) -> (usize, Option<u32>) {
    match benchmark {
        Benchmark::RoundTrip => (15, None),
        Benchmark::TinyTasks => (15, Some(10_000)),
        Benchmark::Transfer => (9, None),
        _ => (9, Some(1)),
    }
}

/// Gives everyone as many turns as there are rounds, and tells how many operations each had.
async fn measure(sides: &mut [Side], benchmark: Benchmark, turns: &Turns, ours: &Ours) -> u32 {
    let (usual, operations) = describe(benchmark);
    // Whoever has no workers yet starts them.
    for side in &mut *sides {
        side.turn(benchmark, 1, ours).await;
    }
    let mut count = operations.unwrap_or(1);
    while let (None, Some(first)) = (operations, sides.first_mut()) {
        first.turn(benchmark, count, ours).await;
        if first.end.is_some() || first.times.last().is_some_and(|time| *time >= BLOCK) {
            break;
        }
        count *= 2;
    }
    // Warms everyone up.
    for side in &mut *sides {
        side.turn(benchmark, count, ours).await;
        side.times.clear();
    }
    let all = sides.len();
    for round in 0..turns.rounds(usual) {
        // Nobody comes always behind the same one.
        for place in 0..all {
            sides[(place + round) % all].turn(benchmark, count, ours).await;
        }
    }
    count
}

/// Prints what everyone took for so many operations.
fn tell(sides: &[Side], benchmark: Benchmark, operations: u32) {
    let first = sides.iter().find(|side| side.end.is_none()).map_or(&[][..], |side| &side.times);
    for side in sides {
        let took = || Outcome::Took {
            time: Spread::of(side.times.iter().map(|time| time / f64::from(operations))),
            ratio: Spread::of(side.times.iter().zip(first).map(|(time, first)| time / first)),
        };
        let cell = Cell {
            workload: benchmark.workload().to_owned(),
            library: side.library.to_owned(),
            outcome: side.end.clone().unwrap_or_else(took),
        };
        wasm_mt::println!("{}", serde_json::to_string(&cell).expect("plain data becomes JSON"));
    }
}

impl Side {
    /// One turn, if it still has any.
    async fn turn(&mut self, benchmark: Benchmark, count: u32, ours: &Ours) {
        if self.end.is_some() {
            return;
        }
        let start = room::now();
        let work = async {
            if self.library == OURS {
                ours.work(benchmark, count).await.map_err(|error| error.to_string())
            } else {
                room::work(self.library, benchmark, count).await
            }
        };
        match select(pin!(work), pin!(wasm_mt::sleep(LIMIT))).await {
            Either::Left((Ok(()), _)) => self.times.push(room::now() - start),
            Either::Left((Err(reason), _)) => self.end = Some(Outcome::Failed(reason)),
            Either::Right(_) => self.end = Some(Outcome::Hung),
        }
        if self.end.is_some() {
            room::end(self.library);
        }
    }
}
