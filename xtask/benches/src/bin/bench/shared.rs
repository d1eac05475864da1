//! What a large value costs that many tasks use: shared, and captured by each.

use wasm_mt::{Error, Pool, Shared, remote};
use wasm_mt_benches::Turns;

use crate::room;
use crate::turns::Comparison;

/// 16 MiB of numbers.
const NUMBERS: usize = 2 << 20;
const TASKS: u32 = 1000;
/// So many tasks show what each costs that captures the value.
const CAPTURING: u32 = 10;

pub(crate) async fn measure(turns: &Turns) -> Result<(), Error> {
    let pool = Pool::builder().threads(2).build();
    pool.ready().await?;
    let value = vec![1_u64; NUMBERS];
    let shared = async |count: u32| {
        let start = room::now();
        let value = Shared::new(value.clone());
        let tasks = (0..count as usize).map(|n| {
            let value = value.clone();
            pool.spawn_remote(remote!(move || value[n]))
        });
        let results = futures::future::try_join_all(tasks).await?;
        let time = room::now() - start;
        assert_eq!(results.into_iter().sum::<u64>(), u64::from(count), "every task reads a one");
        Ok(time)
    };
    // One after the other, so that there is memory for it.
    let captured = async |count: u32| {
        let start = room::now();
        for n in 0..CAPTURING as usize {
            let value = value.clone();
            let one = pool.spawn_remote(remote!(move || value[n])).await.expect("it is a sound task");
            assert_eq!(one, 1, "every task reads a one");
        }
        (room::now() - start) / f64::from(CAPTURING) * f64::from(count)
    };
    let comparison = Comparison {
        name: "1,000 tasks with 16 MiB that they share, each",
        beside: "tasks that capture it, of which ten are measured",
        aim: None,
    };
    comparison.of(TASKS, turns.rounds(5), shared, captured).await
}
