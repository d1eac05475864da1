//! Computes a Fibonacci number on a tree of workers: each task starts two threads for the two numbers before its own.

use futures::future::try_join;
use wasm_mt::{Error, Thread, println, remote};

fn main() {
    wasm_mt::run(app());
}

async fn app() -> Result<(), Error> {
    let n = 32;
    let value = fib(n, 2).await?;
    println!("fib({n}) = {value}");
    Ok(())
}

/// The `n`th Fibonacci number, by `levels` levels of threads below this one.
async fn fib(n: u32, levels: u32) -> Result<u64, Error> {
    if levels == 0 {
        return Ok(fib_here(n));
    }
    let (left, right) = (Thread::new(), Thread::new());
    let (a, b) = try_join(
        left.spawn_remote(remote!(async move { fib(n - 1, levels - 1).await })),
        right.spawn_remote(remote!(async move { fib(n - 2, levels - 1).await })),
    )
    .await?;
    let value = a? + b?;
    println!("fib({n}) = {value}, level {levels}");
    Ok(value)
}

/// Slow on purpose.
fn fib_here(n: u32) -> u64 {
    if n < 2 { u64::from(n) } else { fib_here(n - 1) + fib_here(n - 2) }
}
