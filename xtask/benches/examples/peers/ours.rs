//! What this library does.

use futures::future::{try_join, try_join_all};
use wasm_mt::{Error, Pool, Remote, Transfer, remote};
use wasm_mt_benches::Benchmark;
use wasm_mt_benches::work::{compute, fib};

use crate::{CUT_OFF, FIB, N, SIZE, steps};

pub(crate) struct Ours {
    pool: Pool,
}

impl Ours {
    pub(crate) async fn start() -> Result<Self, Error> {
        let pool = Pool::builder().threads(2).build();
        pool.ready().await?;
        Ok(Self { pool })
    }

    pub(crate) async fn work(&self, benchmark: Benchmark, count: u32) -> Result<(), Error> {
        let pool = &self.pool;
        match benchmark {
            Benchmark::RoundTrip => {
                let mut x = 0;
                for _ in 0..count {
                    x = pool.spawn_remote(remote!(move || x + 1)).await?;
                }
                assert_eq!(x, count, "every task adds one");
            }
            Benchmark::TinyTasks => {
                let tasks = (0..count).map(|x| pool.spawn_remote(remote!(move || x + 1)));
                let sum: u64 = try_join_all(tasks).await?.into_iter().map(u64::from).sum();
                assert_eq!(sum, u64::from(count) * (u64::from(count) + 1) / 2, "every task adds one");
            }
            Benchmark::Transfer => {
                let mut data = Transfer(vec![1_u8; SIZE]);
                for _ in 0..count {
                    data = pool.spawn_remote(remote!(move || data)).await?;
                }
                assert_eq!(data.0.len(), SIZE, "all of it comes back");
            }
            Benchmark::CpuTasks => {
                let tasks =
                    steps().into_iter().map(|steps| pool.spawn_remote(remote!(move || compute(steps))));
                try_join_all(tasks).await?;
            }
            Benchmark::ForkJoin => {
                assert_eq!(pool.spawn_remote(tree(N)).await??, FIB, "every way gives the same");
            }
            other => unreachable!("nobody is asked for {}", other.name()),
        }
        Ok(())
    }
}

/// fib, with a task for each call above the cut-off.
fn tree(n: u32) -> Remote<Result<u64, Error>> {
    if n <= CUT_OFF {
        return remote!(move || Ok(fib(n)));
    }
    remote!(async move {
        let (a, b) = try_join(tree(n - 1).into_future(), tree(n - 2).into_future()).await?;
        Ok(a? + b?)
    })
}
