//! Measures the library beside its floor: what the platform itself takes for the same work, in the same run.
//!
//! Both sides take turns, round by round, so that they share whatever else the machine does; a round of one side is one
//! block of operations, long enough for a coarse clock. Each benchmark is printed as a line of JSON. Times are told and
//! never judged: a program that measures has no opinion on the machine.

use wasm_mt::{Error, Thread, remote};
use wasm_mt_benches::{Measured, Spread};

#[cfg(target_family = "wasm")]
mod web;
#[cfg(target_family = "wasm")]
use web as room;

#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(not(target_family = "wasm"))]
use native as room;

/// How long a block takes at least, in milliseconds: twenty steps of the coarsest clock.
const BLOCK: f64 = 20.0;
/// Rounds, unless told otherwise. Odd, so that there is one in the middle.
const ROUNDS: usize = 31;

fn main() {
    wasm_mt::run(app());
}

async fn app() -> Result<(), Error> {
    let mut floor = room::Floor::new();

    let thread = Thread::new();
    thread.ready().await?;
    let ours = async |count| round_trips(&thread, count).await;
    compare("round trip", ours, room::ECHO, async |count| floor.round_trips(count).await).await?;
    drop(thread);

    compare("start of a worker", starts, room::START, async |count| floor.starts(count).await).await
}

/// One task at a time goes to a worker and its result comes back.
async fn round_trips(thread: &Thread, count: u32) -> Result<f64, Error> {
    let start = room::now();
    let mut x = 0_u64;
    for _ in 0..count {
        x = thread.spawn_remote(remote!(move || x + 1)).await?;
    }
    let time = room::now() - start;
    assert_eq!(x, u64::from(count), "every task adds one");
    Ok(time)
}

/// One worker after the other is started until it takes tasks.
async fn starts(count: u32) -> Result<f64, Error> {
    let start = room::now();
    for _ in 0..count {
        Thread::new().ready().await?;
    }
    Ok(room::now() - start)
}

/// Measures two sides, of which each does an operation as often as told and gives the milliseconds that took.
async fn compare(
    name: &str,
    mut ours: impl AsyncFnMut(u32) -> Result<f64, Error>,
    beside: &str,
    mut floor: impl AsyncFnMut(u32) -> f64,
) -> Result<(), Error> {
    // Finds the length of a block, and warms both sides up.
    let mut operations = 1;
    while ours(operations).await?.min(floor(operations).await) < BLOCK {
        operations *= 2;
    }
    let mut rounds = Vec::new();
    for _ in 0..room::rounds().unwrap_or(ROUNDS) {
        let times = (ours(operations).await?, floor(operations).await);
        rounds.push((times.0 / f64::from(operations), times.1 / f64::from(operations)));
    }
    let measured = Measured {
        name: name.to_owned(),
        ours: Spread::of(rounds.iter().map(|(ours, _)| *ours)),
        beside: beside.to_owned(),
        floor: Spread::of(rounds.iter().map(|(_, floor)| *floor)),
        ratio: Spread::of(rounds.iter().map(|(ours, floor)| ours / floor)),
        rounds: rounds.len(),
        operations,
    };
    wasm_mt::println!("{}", serde_json::to_string(&measured).expect("plain data becomes JSON"));
    Ok(())
}
