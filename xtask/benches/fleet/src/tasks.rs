//! What a task of a fleet costs beyond what it does.

use std::time::Instant;

use futures::future::try_join_all;
use wasm_mt::{Error, ExecutorExt as _, Remote, Thread, remote};
use wasm_mt_benches::work::compute;
use wasm_mt_benches::{Aim, Turns};

use crate::bare::{Bare, size_of_call};
use crate::nodes::Fleet;
use crate::{since, take_turns, tell};

/// So many requests are under way, where not one at a time.
const OUTSTANDING: usize = 64;

fn tiny_task(n: u64) -> Remote<u64> {
    remote!(move || n * n)
}

/// One task at a time, beside one request.
pub(crate) async fn latency(turns: &Turns, one: &Fleet, bare: &Bare) -> Result<(), Error> {
    const COUNT: u32 = 300;
    let size = size_of_call(tiny_task(0))?;
    let times = take_turns::<2>(turns.rounds(9), async |side| {
        if side == 1 {
            return Ok(bare.requests(COUNT, 1, size));
        }
        let start = Instant::now();
        for n in 0..COUNT {
            assert_eq!(one.cluster.spawn_remote(tiny_task(n.into())).await?, u64::from(n) * u64::from(n));
        }
        Ok(since(start) / f64::from(COUNT))
    });
    let times = times.await?;
    let beside = format!("async-nats: one request of {size} bytes at a time");
    tell("one task at a time", &beside, None, COUNT, times.iter().map(|[task, request]| (*task, *request)));
    Ok(())
}

/// Many tasks that do next to nothing, all given at once, beside a request for each.
pub(crate) async fn tiny(turns: &Turns, fleets: [&Fleet; 3], bare: &Bare) -> Result<(), Error> {
    const COUNT: u32 = 100_000;
    /// Of the requests one at a time, which take long.
    const FEW: u32 = 2_000;
    const NODES: [&str; 3] = ["1 node", "2 nodes", "4 nodes"];
    let size = size_of_call(tiny_task(0))?;
    let times = take_turns::<5>(turns.rounds(7), async |side| match side {
        3 => Ok(bare.requests(FEW, 1, size)),
        4 => Ok(bare.requests(COUNT, OUTSTANDING, size)),
        side => {
            let start = Instant::now();
            let tasks = (0..COUNT).map(|n| fleets[side].cluster.spawn_remote(tiny_task(n.into())));
            let squares = try_join_all(tasks).await?;
            let time = since(start) / f64::from(COUNT);
            let count = u64::from(COUNT);
            assert_eq!(squares.into_iter().sum::<u64>(), (count - 1) * count * (2 * count - 1) / 6);
            Ok(time)
        }
    });
    let times = times.await?;
    let beside = [
        format!("async-nats: a request of {size} bytes, one at a time"),
        format!("async-nats: a request of {size} bytes, {OUTSTANDING} outstanding"),
    ];
    for (place, nodes) in NODES.into_iter().enumerate() {
        for (other, beside) in beside.iter().enumerate() {
            let times = times.iter().map(|taken| (taken[place], taken[3 + other]));
            // The aim is of a program that awaits each request. That many are outstanding at once tells what gathering and
            // all else takes: nothing is sealed, stored or claimed there.
            let aim = (other == 0).then_some(Aim::TimesAsFast(5.0));
            tell(&format!("100,000 tiny tasks on {nodes}, each"), beside, aim, COUNT, times);
        }
    }
    Ok(())
}

/// Many tasks of a millisecond: what they take beyond their work, shared by the workers.
pub(crate) async fn short(turns: &Turns, fleets: [&Fleet; 2]) -> Result<(), Error> {
    const COUNT: u32 = 2_000;
    let thread = Thread::new();
    thread.ready().await?;
    // The work of all in one piece, on one worker of this process.
    let alone = async |steps: u32| {
        let start = Instant::now();
        thread.spawn_remote(remote!(move || compute(steps))).await?;
        Ok::<_, Error>(since(start))
    };
    // The fastest of some: whatever else the machine does must not make the tasks short.
    const MANY: u32 = 1 << 26;
    let mut time = f64::INFINITY;
    for _ in 0..3 {
        time = time.min(alone(MANY).await?);
    }
    let steps = (f64::from(MANY) / time) as u32;
    let times = take_turns::<3>(turns.rounds(5), async |side| {
        if side == 2 {
            return alone(steps * COUNT).await;
        }
        let start = Instant::now();
        let task = || remote!(move || compute(steps));
        try_join_all((0..COUNT).map(|_| fleets[side].cluster.spawn_remote(task()))).await?;
        Ok(since(start))
    });
    let times = times.await?;
    for (place, name) in ["1 node", "2 nodes"].into_iter().enumerate() {
        let workers = (place + 1) as f64;
        let each = times.iter().map(|taken| (taken[place], taken[2] / workers));
        let each: Vec<_> =
            each.map(|(all, work)| (all / f64::from(COUNT), work / f64::from(COUNT))).collect();
        let beside = "their work in one piece on 1 worker, / nodes";
        tell(&format!("2,000 tasks of 1 ms on {name}, each"), beside, None, COUNT, each.iter().copied());
        let beyond = each.iter().map(|(ours, work)| (ours - work, *work));
        tell(&format!("2,000 tasks of 1 ms on {name}: beyond the work, each"), beside, None, COUNT, beyond);
    }
    Ok(())
}
