//! What a task costs that does next to nothing: alone, and among many.

use futures::future::try_join_all;
use wasm_mt::{Error, Pool, Strategy, Thread, remote};
use wasm_mt_benches::{Aim, Turns};

use crate::room::{self, Floor};
use crate::turns::Comparison;

/// One task at a time goes to a worker and its result comes back.
pub(crate) async fn round_trip(turns: &Turns, floor: &mut Floor) -> Result<(), Error> {
    let thread = Thread::new();
    thread.ready().await?;
    let ours = async |count| {
        let start = room::now();
        let mut x = 0_u64;
        for _ in 0..count {
            x = thread.spawn_remote(remote!(move || x + 1)).await?;
        }
        let time = room::now() - start;
        assert_eq!(x, u64::from(count), "every task adds one");
        Ok(time)
    };
    let comparison = Comparison { name: "round trip", beside: room::ECHO, aim: Some(Aim::AtMost(1.25)) };
    comparison.of_blocks(turns.rounds(31), ours, async |count| floor.round_trips(count).await).await
}

/// Many tasks are given to two workers at once and all are awaited.
pub(crate) async fn tiny_tasks(turns: &Turns, floor: &mut Floor) -> Result<(), Error> {
    let pool = Pool::builder().strategy(Strategy::WorkStealing).threads(2).build();
    pool.ready().await?;
    for (name, count, rounds) in
        [("10,000 tiny tasks, each", 10_000, 15), ("100,000 tiny tasks, each", 100_000, 7)]
    {
        let ours = async |count| {
            let start = room::now();
            let tasks = (0..count).map(|x| pool.spawn_remote(remote!(move || x + 1)));
            let results = try_join_all(tasks).await?;
            let time = room::now() - start;
            let sum: u64 = results.into_iter().map(u64::from).sum();
            assert_eq!(sum, u64::from(count) * (u64::from(count) + 1) / 2, "every task adds one");
            Ok(time)
        };
        ours(count).await?;
        floor.tiny_tasks(count).await;
        let comparison = Comparison { name, beside: room::TINY, aim: room::TINY_AIM };
        comparison.of(count, turns.rounds(rounds), ours, async |count| floor.tiny_tasks(count).await).await?;
    }
    Ok(())
}
