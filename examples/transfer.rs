//! Sends 64 MiB to a worker and back, measures the way, and checks what arrives.

use std::error::Error;

use wasm_mt::{Thread, Transfer, println, remote};
use web_time::Instant;

/// 64 MiB of numbers.
const LENGTH: usize = 64 * 1024 * 1024 / size_of::<u64>();

fn main() {
    wasm_mt::run(app());
}

async fn app() -> Result<(), Box<dyn Error>> {
    let thread = Thread::new();
    thread.ready().await?;

    // The way alone: the worker does nothing with the data.
    let data = Transfer(numbers(1));
    let start = Instant::now();
    let Transfer(data) = thread.spawn_remote(remote!(move || data)).await?;
    println!("64 MiB there and back: {:.0?}", start.elapsed());
    check("what came back", checksum(&data), checksum(&numbers(1)))?;

    // The worker reads what it gets and writes what it gives.
    let data = Transfer(data);
    let task = remote!(move || (checksum(&data.0), Transfer(numbers(2))));
    let (seen, Transfer(data)) = thread.spawn_remote(task).await?;
    check("what the worker read", seen, checksum(&numbers(1)))?;
    check("what the worker wrote", checksum(&data), checksum(&numbers(2)))
}

/// Other numbers for each seed.
fn numbers(seed: u64) -> Vec<u64> {
    let next =
        |n: &u64| Some(n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407));
    std::iter::successors(Some(seed), next).take(LENGTH).collect()
}

/// Every number counts, and its place.
fn checksum(data: &[u64]) -> u64 {
    data.iter().fold(0, |sum: u64, n| sum.rotate_left(5).wrapping_add(*n))
}

fn check(what: &str, found: u64, expected: u64) -> Result<(), Box<dyn Error>> {
    if found != expected {
        return Err(format!("{what} has the checksum {found:016x} instead of {expected:016x}").into());
    }
    println!("{what}: checksum {found:016x}, as it should be");
    Ok(())
}
