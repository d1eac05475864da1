//! Tasks that spawn two tasks and await them, down to a cut-off: fib, as a tree of about 470 leaves.

use futures::future::try_join;
use wasm_mt::{Error, Pool, Remote, Strategy, Thread, remote};
use wasm_mt_benches::work::fib;
use wasm_mt_benches::{Aim, Turns};

use crate::room;
use crate::turns::Comparison;

const N: u32 = 35;
/// From here on down no more tasks are made. In a browser that takes about a third of a millisecond.
const CUT_OFF: u32 = 23;

pub(crate) async fn measure(turns: &Turns) -> Result<(), Error> {
    let thread = Thread::new();
    let [one, two] =
        [1, 2].map(|threads| Pool::builder().strategy(Strategy::WorkStealing).threads(threads).build());
    thread.ready().await?;
    one.ready().await?;
    two.ready().await?;

    let expected = fib(N);
    let n = N;
    let sequential = async || timed(thread.spawn_remote(remote!(move || fib(n))), expected).await;
    let forked = async |pool: &Pool| timed(async { pool.spawn_remote(tree(N)).await? }, expected).await;

    let (mut by_two, mut by_one, mut overhead) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=turns.rounds(11) {
        let times = (sequential().await?, forked(&one).await?, forked(&two).await?);
        // The first round warms up.
        if round > 0 {
            by_two.push((times.2, times.1));
            by_one.push((times.1, times.0));
            overhead.push((times.2, times.0));
        }
    }
    let tell = |name, beside, aim, times: &[_]| Comparison { name, beside, aim }.tell(1, times);
    let on_two = "fork-join on 2 workers";
    tell(on_two, "the same on 1 worker", Some(Aim::TimesAsFast(1.7)), &by_two);
    tell(on_two, "1 worker, without tasks", None, &overhead);
    tell("fork-join on 1 worker", "1 worker, without tasks", None, &by_one);
    Ok(())
}

async fn timed(work: impl Future<Output = Result<u64, Error>>, expected: u64) -> Result<f64, Error> {
    let start = room::now();
    let result = work.await?;
    let time = room::now() - start;
    assert_eq!(result, expected, "every way gives the same");
    Ok(time)
}

/// The same, with a task for each call above the cut-off.
fn tree(n: u32) -> Remote<Result<u64, Error>> {
    if n <= CUT_OFF {
        return remote!(move || Ok(fib(n)));
    }
    remote!(async move {
        let (a, b) = try_join(tree(n - 1).into_future(), tree(n - 2).into_future()).await?;
        Ok(a? + b?)
    })
}
