//! What it takes until workers take tasks.

use wasm_mt::{Error, Pool, Thread};
use wasm_mt_benches::{Aim, Turns};

use crate::room::{self, Floor};
use crate::turns::Comparison;

/// One worker after the other is started until it takes tasks.
pub(crate) async fn worker(turns: &Turns, floor: &mut Floor) -> Result<(), Error> {
    let ours = async |count| {
        let start = room::now();
        for _ in 0..count {
            Thread::new().ready().await?;
        }
        Ok(room::now() - start)
    };
    let comparison = Comparison { name: "start of a worker", beside: room::START, aim: None };
    comparison.of_blocks(turns.rounds(31), ours, async |count| floor.starts(count).await).await
}

/// Pools of several sizes are started until all their workers take tasks.
pub(crate) async fn pool(turns: &Turns, floor: &mut Floor) -> Result<(), Error> {
    for size in [1, 2, 4, 8] {
        let ours = async |count| {
            let mut time = 0.0;
            for _ in 0..count {
                let start = room::now();
                let pool = Pool::builder().threads(size).build();
                pool.ready().await?;
                time += room::now() - start;
                drop(pool);
                wasm_mt::sleep(room::END).await;
            }
            Ok(time)
        };
        let floor = async |count| {
            let mut time = 0.0;
            for _ in 0..count {
                time += floor.pool_start(size).await;
                wasm_mt::sleep(room::END).await;
            }
            time
        };
        let name = format!("start of a pool of {size}");
        let comparison = Comparison { name: &name, beside: room::POOL_START, aim: Some(Aim::AtMost(1.3)) };
        comparison.of_blocks(turns.rounds(15), ours, floor).await?;
    }
    Ok(())
}
