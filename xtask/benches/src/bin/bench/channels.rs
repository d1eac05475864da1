//! What a value costs that goes through a channel: among many, and alone.

use futures::{StreamExt, TryStreamExt};
use wasm_mt::{Error, ExecutorExt, Receiver, Thread, Transfer, channel, remote, unbounded};
use wasm_mt_benches::{Aim, Turns};

use crate::room::{self, Floor};
use crate::turns::Comparison;

/// How many values a worker sends.
const COUNT: u32 = 100_000;

/// What is sent in a stream.
pub(crate) const BLOCK_SIZE: usize = 1 << 20;

/// A worker sends numbers: as fast as it can, as the floor does, and no faster than the page takes them.
pub(crate) async fn measure(turns: &Turns, floor: &mut Floor) -> Result<(), Error> {
    let thread = Thread::new();
    thread.ready().await?;
    for (name, capacity) in [
        ("100,000 values through a channel, each", None),
        ("100,000 values through a channel of capacity 1,024, each", Some(1024)),
    ] {
        let ours = async |count| {
            let start = room::now();
            let (sender, numbers) = capacity.map_or_else(unbounded, channel);
            let task = thread.spawn_remote(remote!(async move {
                for n in 0..count {
                    sender.send(n).await?;
                }
                Ok::<_, Error>(())
            }));
            let sum: u64 = numbers.try_fold(0, |sum, n: u32| async move { Ok(sum + u64::from(n)) }).await?;
            task.await??;
            let time = room::now() - start;
            assert_eq!(sum, u64::from(count) * u64::from(count - 1) / 2, "every number comes");
            Ok(time)
        };
        let comparison = Comparison { name, beside: room::NUMBERS, aim: None };
        comparison.of(COUNT, turns.rounds(11), ours, async |count| floor.numbers(count).await).await?;
    }
    stream(&thread, turns, floor).await?;

    let (sender, numbers) = channel::<u32>(1);
    let (back, mut echo) = channel::<u32>(1);
    let task = thread.spawn_remote(remote!(async move {
        let mut numbers: Receiver<u32> = numbers;
        while let Some(n) = numbers.next().await {
            back.send(n? + 1).await?;
        }
        Ok::<_, Error>(())
    }));
    let ours = async |count| {
        let start = room::now();
        for n in 0..count {
            sender.send(n).await?;
            assert_eq!(echo.next().await.transpose()?, Some(n + 1));
        }
        Ok(room::now() - start)
    };
    let comparison = Comparison {
        name: "a value there and back by channels",
        beside: room::ECHO,
        aim: Some(Aim::AtMost(2.0)),
    };
    comparison.of_blocks(turns.rounds(31), ours, async |count| floor.round_trips(count).await).await?;
    drop(sender);
    task.await?
}

/// A worker sends blocks of bytes.
async fn stream(thread: &Thread, turns: &Turns, floor: &mut Floor) -> Result<(), Error> {
    let ours = async |count| {
        let start = room::now();
        let mut blocks = thread.spawn_stream(8, |sender| {
            remote!(async move {
                for n in 0..count {
                    sender.send(Transfer(vec![n as u8; BLOCK_SIZE])).await?;
                }
                Ok::<_, Error>(())
            })
        });
        let mut size = 0;
        while let Some(Transfer(block)) = blocks.next().await.transpose()? {
            size += block.len();
        }
        let time = room::now() - start;
        assert_eq!(size, BLOCK_SIZE * count as usize, "every block comes");
        Ok(time)
    };
    let comparison =
        Comparison { name: "64 blocks of 1 MiB as a stream, each", beside: room::BLOCKS, aim: None };
    comparison.of(64, turns.rounds(11), ours, async |count| floor.blocks(count).await).await
}
