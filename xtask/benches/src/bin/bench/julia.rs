//! A Julia set, row by row on two workers, as `examples/parallel.rs` computes it.

use futures::stream::TryStreamExt as _;
use wasm_mt::{Error, ExecutorExt, Pool, RemoteFn, Strategy, Thread, Transfer, remote};
use wasm_mt_benches::Turns;
use wasm_mt_benches::julia::{SIZE, picture, row};

use crate::room;
use crate::turns::Comparison;

pub(crate) async fn measure(turns: &Turns) -> Result<(), Error> {
    let thread = Thread::new();
    let pool = Pool::builder().strategy(Strategy::WorkStealing).threads(2).build();
    thread.ready().await?;
    pool.ready().await?;

    let alone = async || {
        let start = room::now();
        let picture = thread.spawn_remote(remote!(|| Transfer(picture()))).await?;
        Ok::<_, Error>((room::now() - start, picture.0))
    };
    let shared = async || {
        let task: RemoteFn<u32, Transfer<Vec<u8>>> = remote!(|y| Transfer(row(y)));
        let start = room::now();
        let rows: Vec<Transfer<Vec<u8>>> = pool.par_map(0..SIZE, task).try_collect().await?;
        let picture: Vec<u8> = rows.into_iter().flat_map(|row| row.0).collect();
        Ok::<_, Error>((room::now() - start, picture))
    };

    let mut times = Vec::new();
    for round in 0..=turns.rounds(9) {
        let (alone, expected) = alone().await?;
        let (shared, picture) = shared().await?;
        assert!(picture == expected, "both ways give the same picture");
        // The first round warms up.
        if round > 0 {
            times.push((shared, alone));
        }
    }
    let comparison =
        Comparison { name: "Julia set of 800 rows on 2 workers", beside: "1 worker, in one task", aim: None };
    comparison.tell(1, &times);
    Ok(())
}
