//! Measures the tasks of a fleet beside what the broker itself takes for a request and its reply, and beside a pool of this process.
//!
//! Broker, client and nodes are on this machine, the nodes in processes of this very program with a worker each. All sides take
//! turns, round by round. Each comparison is printed as a line of JSON. Times are told and never judged.

use std::time::Instant;

use bare::Bare;
use nodes::Fleet;
use wasm_mt::Error;
use wasm_mt_benches::{Aim, Measured, Turns};

mod bare;
mod nodes;
mod tasks;
mod work;

/// Options: `url`, that of the broker, `rounds`, a number, and `part`, the only comparison to make.
fn main() {
    let url = option("url").expect("`cargo xtask bench --only cluster` says where the broker is");
    if let Some(name) = option("serve") {
        return wasm_mt::run(nodes::serve(url, name));
    }
    if option("echo").is_some() {
        return bare::echo(&url);
    }
    wasm_mt::run(app(url));
}

async fn app(url: String) -> Result<(), Error> {
    let turns = Turns::new(option("rounds").and_then(|rounds| rounds.parse().ok()));
    let part = option("part");
    let is_wanted = |name: &str| part.as_ref().is_none_or(|part| part == name);
    let one = Fleet::start(&url, 1).await?;
    let two = Fleet::start(&url, 2).await?;
    {
        let four = Fleet::start(&url, 4).await?;
        let bare = Bare::start(&url)?;
        if is_wanted("latency") {
            tasks::latency(&turns, &one, &bare).await?;
        }
        if is_wanted("tiny") {
            tasks::tiny(&turns, [&one, &two, &four], &bare).await?;
        }
    }
    if is_wanted("short") {
        tasks::short(&turns, [&one, &two]).await?;
    }
    if is_wanted("julia") {
        work::julia(&turns, [&one, &two]).await?;
    }
    if is_wanted("queens") {
        work::queens(&turns, [&one, &two]).await?;
    }
    Ok(())
}

/// What follows `name=` on the command line.
fn option(name: &str) -> Option<String> {
    std::env::args().find_map(|option| Some(option.strip_prefix(name)?.strip_prefix('=')?.to_owned()))
}

/// Gives each side so many turns; no one comes always behind the same. What each took in each round, in milliseconds.
async fn take_turns<const N: usize>(
    rounds: usize,
    mut take: impl AsyncFnMut(usize) -> Result<f64, Error>,
) -> Result<Vec<[f64; N]>, Error> {
    let mut times = Vec::new();
    // The first round warms up.
    for round in 0..=rounds {
        let mut taken = [0.0; N];
        for place in 0..N {
            let side = (place + round) % N;
            taken[side] = take(side).await?;
        }
        if round > 0 {
            times.push(taken);
        }
    }
    Ok(times)
}

/// Prints a comparison of two sides: what each took for an operation, in each round.
fn tell(
    name: &str,
    beside: &str,
    aim: Option<Aim>,
    operations: u32,
    times: impl Iterator<Item = (f64, f64)>,
) {
    let times: Vec<_> = times.collect();
    let measured = Measured { aim, ..Measured::of(name, beside, operations, &times) };
    println!("{}", serde_json::to_string(&measured).expect("plain data becomes JSON"));
}

/// Milliseconds.
fn since(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1000.0
}
