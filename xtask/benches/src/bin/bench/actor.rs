//! What a call of an object costs, beside a task.

use wasm_mt::{Error, Thread, actor, call, remote};
use wasm_mt_benches::{Aim, Turns};

use crate::room;
use crate::turns::Comparison;

pub(crate) async fn measure(turns: &Turns) -> Result<(), Error> {
    let thread = Thread::new();
    let sum = thread.spawn_actor(actor!(|| Ok(0_u64)));
    sum.ready().await?;
    let calls = async |count| {
        sum.call(call!(|sum| *sum = 0)).await?;
        let start = room::now();
        let mut x = 0;
        for _ in 0..count {
            x = sum
                .call(call!(move |sum| {
                    *sum += 1;
                    *sum
                }))
                .await?;
        }
        let time = room::now() - start;
        assert_eq!(x, u64::from(count), "every call adds one");
        Ok(time)
    };
    let tasks = async |count| {
        let start = room::now();
        let mut x = 0_u64;
        for _ in 0..count {
            x = thread.spawn_remote(remote!(move || x + 1)).await.expect("it is a sound task");
        }
        let time = room::now() - start;
        assert_eq!(x, u64::from(count), "every task adds one");
        time
    };
    let comparison = Comparison {
        name: "a call of an object",
        beside: "a task to the same worker",
        aim: Some(Aim::AtMost(1.1)),
    };
    comparison.of_blocks(turns.rounds(31), calls, tasks).await
}
