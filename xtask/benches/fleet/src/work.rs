//! Programs that have much to do, on fleets and on pools of this process with as many workers.

use std::time::Instant;

use futures::stream::TryStreamExt as _;
use wasm_mt::{Error, Executor, ExecutorExt as _, Pool, RemoteFn, Transfer, remote};
use wasm_mt_benches::Turns;
use wasm_mt_benches::julia::{SIZE, picture, row};

use crate::nodes::Fleet;
use crate::{since, take_turns, tell};

/// A picture, row by row.
pub(crate) async fn julia(turns: &Turns, fleets: [&Fleet; 2]) -> Result<(), Error> {
    let expected = picture();
    compare("Julia set of 800 rows", turns, fleets, async |executor| {
        let task: RemoteFn<u32, Transfer<Vec<u8>>> = remote!(|y| Transfer(row(y)));
        let start = Instant::now();
        let rows: Vec<Transfer<Vec<u8>>> = executor.par_map(0..SIZE, task).try_collect().await?;
        let picture: Vec<u8> = rows.into_iter().flat_map(|row| row.0).collect();
        let time = since(start);
        assert!(picture == expected, "every way gives the same picture");
        Ok(time)
    })
    .await
}

/// So many queens on a board of so many columns.
const QUEENS: u32 = 15;
const COLUMNS: u32 = (1 << QUEENS) - 1;

/// How many ways there are to place queens: a task for each placement of the first two.
pub(crate) async fn queens(turns: &Turns, fleets: [&Fleet; 2]) -> Result<(), Error> {
    const WAYS: u64 = 2_279_184;
    compare("15 queens in 182 tasks", turns, fleets, async |executor| {
        let task: RemoteFn<Board, u64> = remote!(|board| ways(board, COLUMNS));
        let start = Instant::now();
        let two: Vec<Board> = next((0, 0, 0), COLUMNS).flat_map(|board| next(board, COLUMNS)).collect();
        let counts: Vec<u64> = executor.par_map(two, task).try_collect().await?;
        let time = since(start);
        assert_eq!(counts.into_iter().sum::<u64>(), WAYS);
        Ok(time)
    })
    .await
}

/// The columns and both diagonals that queens of earlier rows hold, in the next row.
type Board = (u32, u32, u32);

/// The boards with one more queen.
fn next((columns, left, right): Board, all: u32) -> impl Iterator<Item = Board> {
    let mut free = all & !(columns | left | right);
    std::iter::from_fn(move || {
        let queen = free & free.wrapping_neg();
        free ^= queen;
        (queen != 0).then_some((columns | queen, (left | queen) << 1, (right | queen) >> 1))
    })
}

#[inline(never)]
fn ways(board: Board, all: u32) -> u64 {
    if board.0 == all { 1 } else { next(board, all).map(|board| ways(board, all)).sum() }
}

/// The same on one and two nodes, and on one and two workers of this process.
async fn compare(
    name: &str,
    turns: &Turns,
    fleets: [&Fleet; 2],
    run: impl AsyncFn(&dyn Executor) -> Result<f64, Error>,
) -> Result<(), Error> {
    let pools = [1, 2].map(|workers| Pool::builder().threads(workers).build());
    for pool in &pools {
        pool.ready().await?;
    }
    let executors: [&dyn Executor; 4] = [&fleets[0].cluster, &fleets[1].cluster, &pools[0], &pools[1]];
    let times = take_turns::<4>(turns.rounds(5), async |side| run(executors[side]).await).await?;
    let sides = ["1 node", "2 nodes", "a Pool of 1 worker", "a Pool of 2 workers"];
    for (ours, floor) in [(0, 2), (1, 3), (1, 0), (3, 2)] {
        let times = times.iter().map(|taken| (taken[ours], taken[floor]));
        tell(&format!("{name} on {}", sides[ours]), sides[floor], None, 1, times);
    }
    Ok(())
}
