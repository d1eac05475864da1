//! What `cargo xtask bench --peers` has wasmworker do: functions that the page calls, each with the name of its workload.

use futures::future::join_all;
use wasm_bindgen::prelude::*;
use wasmworker::{WorkerPoolOptions, init_worker_pool, webworker, webworker_fn, worker_pool};

#[allow(dead_code, reason = "it has what other workloads need")]
#[path = "../../../src/work.rs"]
mod work;

#[webworker_fn]
pub fn add(x: u32) -> u32 {
    x + 1
}

#[webworker_fn]
pub fn echo(data: Box<[u8]>) -> Box<[u8]> {
    data
}

#[webworker_fn]
pub fn compute(steps: u32) -> u32 {
    work::compute(steps)
}

/// Workers run it too.
fn main() {}

#[wasm_bindgen]
pub async fn start() {
    let mut options = WorkerPoolOptions::new();
    options.num_workers = Some(2);
    init_worker_pool(options).await.expect("there is no pool yet");
}

#[wasm_bindgen]
pub async fn round_trip(count: u32) {
    let pool = worker_pool().await;
    let mut x = 0;
    for _ in 0..count {
        x = pool.run(webworker!(add), &x).await;
    }
    assert_eq!(x, count, "every task adds one");
}

#[wasm_bindgen]
pub async fn tiny_tasks(count: u32) {
    let pool = worker_pool().await;
    let sums = join_all((0..count).map(|x| async move { pool.run(webworker!(add), &x).await })).await;
    let sum: u64 = sums.into_iter().map(u64::from).sum();
    assert_eq!(sum, u64::from(count) * (u64::from(count) + 1) / 2, "every task adds one");
}

#[wasm_bindgen]
pub async fn transfer(count: u32, size: usize) {
    let pool = worker_pool().await;
    let mut data = vec![1_u8; size].into_boxed_slice();
    for _ in 0..count {
        data = pool.run_bytes(webworker!(echo), &data).await;
    }
    assert_eq!(data.len(), size, "all of it comes back");
}

#[wasm_bindgen]
pub async fn cpu_tasks(steps: Vec<u32>) {
    let pool = worker_pool().await;
    join_all(steps.iter().map(|steps| pool.run(webworker!(compute), steps))).await;
}
