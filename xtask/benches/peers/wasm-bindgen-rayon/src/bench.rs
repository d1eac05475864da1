//! What `cargo xtask bench --peers` has wasm-bindgen-rayon do: functions that the page calls, each with the name of its workload.
//!
//! The threads share the memory of the page. A page must not wait for one, so each task is spawned and its result awaited.

use futures::channel::oneshot;
use futures::future::join_all;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_rayon::init_thread_pool;

#[allow(dead_code, reason = "it has what other workloads need")]
#[path = "../../../src/work.rs"]
mod work;

fn main() {}

/// Two threads, as every library has.
#[wasm_bindgen]
pub async fn start() {
    JsFuture::from(init_thread_pool(2)).await.expect("the page is isolated");
}

/// The result of a task.
async fn ran<R: Send + 'static>(task: impl FnOnce() -> R + Send + 'static) -> R {
    let (sender, receiver) = oneshot::channel();
    rayon::spawn(move || drop(sender.send(task())));
    receiver.await.expect("a task gives its result")
}

#[wasm_bindgen]
pub async fn round_trip(count: u32) {
    let mut x = 0;
    for _ in 0..count {
        x = ran(move || x + 1).await;
    }
    assert_eq!(x, count, "every task adds one");
}

#[wasm_bindgen]
pub async fn tiny_tasks(count: u32) {
    let sums = join_all((0..count).map(|x| ran(move || x + 1))).await;
    let sum: u64 = sums.into_iter().map(u64::from).sum();
    assert_eq!(sum, u64::from(count) * (u64::from(count) + 1) / 2, "every task adds one");
}

/// A block is moved to a thread, which reads and writes all of it, and back.
#[wasm_bindgen]
pub async fn transfer(count: u32, size: usize) {
    let mut data = vec![1_u8; size];
    for _ in 0..count {
        data = ran(move || data).await;
    }
    assert_eq!(data.len(), size, "all of it comes back");
}

#[wasm_bindgen]
pub async fn cpu_tasks(steps: Vec<u32>) {
    join_all(steps.into_iter().map(|steps| ran(move || work::compute(steps)))).await;
}
