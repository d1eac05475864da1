//! Random tasks with random faults on random executors: every handle must end once, as it should, and nothing may be left.
//!
//! A round makes executors, spawns tasks on them and ends them, as its plan says; the plan follows from the seed and the round's
//! number alone, so a seed repeats it, if not the machine's timing. What is spawned ([`kinds`]) is watched to its end
//! ([`record`]). The program says what it is for and why it failed; whether something leaks its caller judges.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use futures::future::{Either, select};
use futures::stream::{FuturesUnordered, StreamExt};
use wasm_mt_soak::Round;

use kinds::Kind;
use record::Record;
use subject::{End, Subject};

mod bodies;
mod kinds;
mod record;
mod spawn;
mod subject;

#[cfg(target_family = "wasm")]
mod web;
#[cfg(target_family = "wasm")]
use web as room;

#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(not(target_family = "wasm"))]
use native as room;

/// Steps of a round. A step makes or ends an executor, or spawns some tasks.
const STEPS: u32 = 60;
/// How many executors there are at once.
const MOST_SUBJECTS: usize = 3;
/// Rounds of a program, so that two can be compared after the warm-up of its caller.
const LEAST_ROUNDS: u64 = 3;
/// How long threads and workers are given to end before those that are left are counted.
const END: Duration = Duration::from_secs(60);

fn main() {
    wasm_mt::run(app());
}

/// Options: `seed`; `first`, the number of the first round; `seconds`, after which no round begins, and `workers`, a number
/// of workers after which none does, the first three aside; `only`, the kinds to draw from, with commas between them.
async fn app() {
    let number = |name: &str| room::option(name).and_then(|number| number.parse::<u64>().ok());
    let seed = number("seed").unwrap_or(0);
    let first = number("first").unwrap_or(0);
    let until = room::now() + 1000.0 * number("seconds").unwrap_or(10) as f64;
    let workers = number("workers").unwrap_or(u64::MAX);
    let only = room::option("only").unwrap_or_default();
    let kinds = kinds::drawn(&only);
    room::start();
    let record = Rc::new(Record::default());
    for number in first.. {
        if !play(seed, number, &kinds, &record).await {
            // What hangs would be counted as a leak from now on.
            room::report(&gauge(number, &record)).await;
            break;
        }
        let left = await_rest().await;
        if left > 0 {
            record.fault(format!("{left} workers are left {} s after round {number}", END.as_secs()));
        }
        record.close_round(number, &room::begun());
        room::report(&gauge(number, &record)).await;
        let is_enough = room::now() > until || record.workers() > workers;
        if is_enough && number + 1 >= first + LEAST_ROUNDS {
            break;
        }
    }
}

fn gauge(number: u64, record: &Record) -> Round {
    let gauges: BTreeMap<_, _> =
        room::gauges().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Round { number, balance: record.balance(), gauges }
}

/// Plays one round to its end; false if a task did not end.
async fn play(seed: u64, number: u64, kinds: &[(Kind, u32)], record: &Rc<Record>) -> bool {
    let mut dice = fastrand::Rng::with_seed(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(number));
    record.begin_round(number);
    let sum: u32 = kinds.iter().map(|(_, weight)| weight).sum();
    let mut running = FuturesUnordered::new();
    let mut subjects: Vec<Subject> = Vec::new();
    for step in 0..STEPS {
        record.begin_step(step);
        let wants_one = subjects.len() < MOST_SUBJECTS && dice.u32(..6) == 0;
        if subjects.is_empty() || wants_one {
            subjects.push(Subject::new(&mut dice, record));
        }
        let place = dice.usize(..subjects.len());
        if dice.u32(..12) == 0 {
            let end = [End::Dropped, End::Terminated, End::Closed][dice.usize(..3)];
            running.extend(subjects[place].end(end, record));
            // What comes too late is tried on the others for a while.
            if end == End::Dropped || dice.bool() {
                subjects.swap_remove(place);
            }
        } else if subjects[place].state.takes_no_more.get() && dice.bool() {
            subjects.swap_remove(place);
        } else {
            let mut drawn = dice.u32(..sum);
            let kind = kinds.iter().find(|(_, weight)| {
                let found = drawn < *weight;
                drawn = drawn.wrapping_sub(*weight);
                found
            });
            let (kind, _) = kind.expect("what was drawn is below the sum of the weights");
            let most = if kind.is_cheap() { 40 } else { 2 };
            for _ in 0..=dice.u32(..most) {
                running.push(spawn::spawn(*kind, &mut dice, &subjects[place], record));
            }
        }
        if dice.bool() {
            let pause = wasm_mt::sleep(Duration::from_millis(dice.u64(..30)));
            select(std::pin::pin!(pause), std::pin::pin!(drain(&mut running))).await;
        }
    }
    // Some are dropped with what they have not done yet.
    subjects.retain(|_| dice.bool());
    running.extend(subjects.iter().flat_map(|subject| subject.end(End::Closed, record)));
    drop(subjects);
    let all_ended = loop {
        let second = std::pin::pin!(wasm_mt::sleep(Duration::from_secs(1)));
        match select(std::pin::pin!(drain(&mut running)), second).await {
            Either::Left(_) => break true,
            Either::Right(_) if record.note_overdue() => break false,
            Either::Right(_) => {}
        }
    };
    room::release(number);
    all_ended
}

async fn drain(running: &mut FuturesUnordered<spawn::Watched>) {
    while running.next().await.is_some() {}
}

/// Threads and workers take a moment to end, and what was posted before comes; how many are left.
async fn await_rest() -> u64 {
    let begun = room::now();
    let left = loop {
        let left = room::workers().await;
        if left == 0 || room::now() - begun > END.as_secs_f64() * 1000.0 {
            break left;
        }
        wasm_mt::sleep(Duration::from_millis(20)).await;
    };
    wasm_mt::sleep(Duration::from_millis(100)).await;
    left
}
