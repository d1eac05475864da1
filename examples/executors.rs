//! Runs the same tasks one after another and all at once on four threads, and shows how long each way takes.

use futures::StreamExt;
use futures::future::try_join_all;
use futures::stream::FuturesUnordered;
use wasm_mt::{Error, RemoteFn, Thread, println, remote};
use web_time::Instant;

fn main() {
    wasm_mt::run(app());
}

async fn app() -> Result<(), Error> {
    let threads: Vec<Thread> = (0..4).map(|_| Thread::new()).collect();
    // Threads take tasks at once; here the start of their workers is not to count.
    try_join_all(threads.iter().map(Thread::ready)).await?;

    let task: RemoteFn<u32, (u32, usize)> = remote!(|end| (end, count_primes(end)));
    let ends = (1..=12).map(|n| n * 20_000);
    let tasks = || ends.clone().zip(threads.iter().cycle());

    let start = Instant::now();
    for (end, thread) in tasks() {
        thread.spawn_remote(task.call(end)).await?;
    }
    println!("one after another: {:.1?}", start.elapsed());

    let start = Instant::now();
    let all = try_join_all(tasks().map(|(end, thread)| thread.spawn_remote(task.call(end)))).await?;
    println!("all at once: {:.1?} for {} results", start.elapsed(), all.len());

    let start = Instant::now();
    let mut counts: FuturesUnordered<_> =
        tasks().map(|(end, thread)| thread.spawn_remote(task.call(end))).collect();
    println!("all at once, each result as it comes:");
    while let Some(count) = counts.next().await {
        let (end, primes) = count?;
        println!("{:>8.1?}: {primes} primes below {end}", start.elapsed());
    }
    Ok(())
}

/// Slow on purpose.
fn count_primes(end: u32) -> usize {
    (2..end).filter(|n| (2..).take_while(|d| d * d <= *n).all(|d| n % d != 0)).count()
}
