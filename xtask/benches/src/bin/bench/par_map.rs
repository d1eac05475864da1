//! A function for many numbers, which costs next to nothing for each.

use futures::TryStreamExt as _;
use wasm_mt::{Error, ExecutorExt as _, Pool, remote};
use wasm_mt_benches::Turns;

use crate::room::{self, Floor};
use crate::turns::Comparison;

/// How many numbers there are.
const COUNT: u32 = 1_000_000;

/// Squares are computed on two workers and added here, one by one or chunk by chunk.
pub(crate) async fn measure(turns: &Turns, floor: &mut Floor) -> Result<(), Error> {
    let pool = Pool::builder().threads(2).build();
    pool.ready().await?;
    let ours = async |count: u32| {
        let start = room::now();
        let mut squares = pool.par_map(0..u64::from(count), remote!(|n: u64| n * n));
        let mut sum = 0;
        while let Some(square) = squares.try_next().await? {
            sum += square;
        }
        let time = room::now() - start;
        let count = u64::from(count);
        assert_eq!(sum, (count - 1) * count * (2 * count - 1) / 6, "every number is squared");
        Ok(time)
    };
    let in_chunks = async |count: u32| {
        let start = room::now();
        let mut squares = pool.par_map(0..u64::from(count), remote!(|n: u64| n * n)).in_chunks();
        let mut sum = 0;
        while let Some(chunk) = squares.try_next().await? {
            sum += chunk.into_iter().sum::<u64>();
        }
        let time = room::now() - start;
        let count = u64::from(count);
        assert_eq!(sum, (count - 1) * count * (2 * count - 1) / 6, "every number is squared");
        Ok(time)
    };
    ours(COUNT).await?;
    in_chunks(COUNT).await?;
    floor.squares(COUNT).await;
    let comparison =
        Comparison { name: "1,000,000 numbers mapped, each", beside: room::SQUARES, aim: room::EACH_AIM };
    comparison.of(COUNT, turns.rounds(9), ours, async |count| floor.squares(count).await).await?;
    let comparison =
        Comparison { name: "1,000,000 numbers in chunks", beside: room::SQUARES, aim: room::CHUNKS_AIM };
    comparison.of(COUNT, turns.rounds(9), in_chunks, async |count| floor.squares(count).await).await?;
    captures(turns, &pool).await
}

/// How many items a function with large captures has.
const ITEMS: u32 = 2_000;

/// What it costs that a function has captured 1 MiB.
async fn captures(turns: &Turns, pool: &Pool) -> Result<(), Error> {
    let capturing = async |count: u32| {
        let table = vec![1_u8; 1 << 20];
        let start = room::now();
        let mut entries = pool.par_map(0..count, remote!(move |n: u32| u32::from(table[n as usize])));
        let mut sum = 0;
        while let Some(entry) = entries.try_next().await? {
            sum += entry;
        }
        let time = room::now() - start;
        assert_eq!(sum, count, "every item has its entry");
        Ok(time)
    };
    let bare = async |count: u32| {
        let start = room::now();
        let mut ones = pool.par_map(0..count, remote!(|n: u32| u32::from(n < u32::MAX)));
        let mut sum = 0;
        while let Some(one) = ones.try_next().await.expect("no item fails") {
            sum += one;
        }
        let time = room::now() - start;
        assert_eq!(sum, count, "every item counts");
        time
    };
    let comparison = Comparison {
        name: "2,000 items, 1 MiB captured",
        beside: "the same with nothing captured",
        aim: None,
    };
    comparison.of(ITEMS, turns.rounds(31), capturing, bare).await
}
