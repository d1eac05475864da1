//! What `cargo xtask bench --peers` has gloo-worker do: functions that the page calls, each with the name of its workload.

use futures::future::join_all;
use gloo_worker::oneshot::{OneshotBridge, oneshot};
use gloo_worker::{Registrable as _, Spawnable as _};
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

#[allow(dead_code, reason = "it has what other workloads need")]
#[path = "../../../src/work.rs"]
mod work;

/// A worker has one kind of task.
#[derive(Serialize, Deserialize)]
pub enum Task {
    Add(u32),
    Echo(Vec<u8>),
    Compute(u32),
}

#[derive(Serialize, Deserialize)]
pub enum Answer {
    Number(u32),
    Data(Vec<u8>),
}

#[oneshot]
async fn Worker(task: Task) -> Answer {
    match task {
        Task::Add(x) => Answer::Number(x + 1),
        Task::Echo(data) => Answer::Data(data),
        Task::Compute(steps) => Answer::Number(work::compute(steps)),
    }
}

fn main() {
    if web_sys::window().is_none() {
        Worker::registrar().register();
    }
}

/// A bridge to a worker, for one task at a time.
fn bridge(nth: u32) -> OneshotBridge<Worker> {
    thread_local! {
        static WORKERS: [OneshotBridge<Worker>; 2] =
            [(); 2].map(|()| Worker::spawner().spawn("gloo-worker-bench.js"));
    }
    WORKERS.with(|workers| workers[nth as usize % 2].fork())
}

async fn number(nth: u32, task: Task) -> u32 {
    match bridge(nth).run(task).await {
        Answer::Number(number) => number,
        Answer::Data(_) => unreachable!("these tasks give numbers"),
    }
}

#[wasm_bindgen]
pub async fn round_trip(count: u32) {
    let mut worker = bridge(0);
    let mut x = 0;
    for _ in 0..count {
        let Answer::Number(next) = worker.run(Task::Add(x)).await else { unreachable!("it gives a number") };
        x = next;
    }
    assert_eq!(x, count, "every task adds one");
}

#[wasm_bindgen]
pub async fn tiny_tasks(count: u32) {
    let sums = join_all((0..count).map(|x| number(x, Task::Add(x)))).await;
    let sum: u64 = sums.into_iter().map(u64::from).sum();
    assert_eq!(sum, u64::from(count) * (u64::from(count) + 1) / 2, "every task adds one");
}

#[wasm_bindgen]
pub async fn transfer(count: u32, size: usize) {
    let mut worker = bridge(0);
    let mut data = vec![1_u8; size];
    for _ in 0..count {
        let Answer::Data(answer) = worker.run(Task::Echo(data)).await else { unreachable!("it gives data") };
        data = answer;
    }
    assert_eq!(data.len(), size, "all of it comes back");
}

#[wasm_bindgen]
pub async fn cpu_tasks(steps: Vec<u32>) {
    let tasks = steps.into_iter().zip(0..);
    join_all(tasks.map(|(steps, nth)| number(nth, Task::Compute(steps)))).await;
}
