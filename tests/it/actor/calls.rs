//! Calls of objects: in their order, with what they carry, and what becomes of those that fail.

use std::time::Duration;

use futures::future::{join_all, pending, try_join_all};
use futures::{StreamExt, TryStreamExt};
use wasm_mt::{
    Actor, Error, Executor, Pool, Shared, Strategy, Thread, Transfer, actor, call, channel, remote,
    unbounded, yield_now,
};

use super::{Faulty, Log, add, all, log, opens_the_gate, pools, waits_at_the_gate};
use crate::common::hold_the_thread;

remote_test! {
    async fn an_object_stays_as_its_calls_leave_it() {
        for pool in pools() {
            let log = pool.spawn_actor(log());
            let lines = join_all((0..100).map(|n| log.call(add(&n.to_string())))).await;
            assert!(lines.into_iter().all(|line| line.is_ok()));
            let expected: Vec<_> = (0..100).map(|n| n.to_string()).collect();
            assert_eq!(log.call(all()).await.unwrap(), expected);
            // By a clone too.
            log.clone().call(add("more")).await.unwrap();
            assert_eq!(log.call(all()).await.unwrap().len(), 101);
        }
    }

    async fn an_object_is_made_of_what_was_captured() {
        let pool = Pool::new();
        let (text, block) = ("sea".to_owned(), Transfer(vec![1_u8; 1000]));
        let (progress, made) = unbounded();
        let object = pool.spawn_actor(actor!(async move {
            progress.send("begins".to_owned()).await?;
            yield_now().await;
            progress.send("ends".to_owned()).await?;
            Ok((text, block))
        }));
        let length = object.call(call!(|(text, block): &mut (String, Transfer<Vec<u8>>)| text.len() + block.0.len()));
        assert_eq!(length.await.unwrap(), 1003);
        let made: Vec<String> = made.try_collect().await.unwrap();
        assert_eq!(made, ["begins", "ends"]);
    }

    async fn calls_come_one_by_one_in_their_order() {
        // Under `Serial` nothing else runs while one waits.
        for strategy in [Strategy::Parallel, Strategy::WorkStealing] {
            let pool = Pool::builder().strategy(strategy).threads(1).build();
            let (object, other) = (pool.spawn_actor(log()), pool.spawn_actor(log()));
            let first = object.call(waits_at_the_gate("first"));
            let later = [object.call(add("second")), object.call(add("third"))];
            // What is not of this object goes on.
            other.call(add("other")).await.unwrap();
            pool.spawn_remote(opens_the_gate()).await.unwrap();
            first.await.unwrap();
            try_join_all(later).await.unwrap();
            assert_eq!(object.call(all()).await.unwrap(), ["first begins", "first ends", "second", "third"]);
        }
    }

    async fn a_call_that_is_cancelled_gives_the_object_back() {
        let thread = Thread::new();
        let object = thread.spawn_actor(log());
        let endless = object.call(waits_at_the_gate("endless"));
        let (skipped, second) = (object.call(add("skipped")), object.call(add("second")));
        // It waits by now.
        thread.spawn_remote(remote!(|| ())).await.unwrap();
        drop(skipped);
        drop(endless);
        second.await.unwrap();
        assert_eq!(object.call(all()).await.unwrap(), ["endless begins", "second"]);
    }

    async fn a_limit_ends_a_call_and_not_its_object() {
        let object = Thread::new().spawn_actor(log());
        let limit = Duration::from_millis(10);
        let endless = call!(async |log: &mut Log| {
            log.add("endless");
            pending::<()>().await;
        });
        let endless = object.call(endless.timeout(limit));
        let waiting = object.call(add("waits").timeout(limit));
        assert!(endless.await.unwrap_err().is_timeout());
        // Its limit ends while it waits, or while it runs, or not at all.
        let waited = waiting.await;
        assert!(waited.as_ref().err().is_none_or(Error::is_timeout), "{waited:?}");
        let lines = object.call(all()).await.unwrap();
        assert!(lines == ["endless", "waits"] || lines == ["endless"] && waited.is_err(), "{lines:?}");
    }

    async fn what_cannot_be_made_is_the_error_of_each_call() {
        for pool in pools() {
            let none: Actor<Log> = pool.spawn_actor(actor!(|| Err(Error::other("no luck"))));
            let place = format!("{}:{}", file!(), line!() - 1);
            let (before, ready) = (none.call(add("before")), none.ready());
            let text = before.await.unwrap_err().to_string();
            assert!(text.contains("no luck") && text.contains(&place), "{text}");
            assert!(ready.await.unwrap_err().is_other());
            assert!(none.call(all()).await.unwrap_err().is_other());
            let later: Actor<Log> = pool.spawn_actor(actor!(async {
                yield_now().await;
                Err(Error::other("no luck"))
            }));
            assert!(later.call(all()).await.unwrap_err().is_other());
        }
    }

    async fn captures_that_cannot_cross_are_the_error_of_each_call() {
        let pool = Pool::builder().threads(1).build();
        for faulty in [Faulty { written: false }, Faulty { written: true }] {
            let object = pool.spawn_actor(actor!(move || Ok(faulty.written)));
            let calls = [object.call(call!(|written| *written)), object.call(call!(|written| *written))];
            for call in calls {
                let error = call.await.unwrap_err();
                assert!(error.is_codec() && error.to_string().contains("on purpose"), "{error}");
            }
            // Of a call, it is this call's.
            let sound = pool.spawn_actor(log());
            let wrong = sound.call(call!(move |log| log.add(faulty.written.to_string())));
            let right = sound.call(add("right"));
            assert!(wrong.await.unwrap_err().is_codec());
            right.await.unwrap();
            assert_eq!(sound.call(all()).await.unwrap(), ["right"]);
        }
    }

    async fn tasks_of_its_pool_call_an_object() {
        for strategy in [Strategy::Serial, Strategy::Parallel, Strategy::WorkStealing] {
            // A serial task waits for a call, and the call for no task.
            let pool = Pool::builder().strategy(strategy).threads(1).build();
            let object = pool.spawn_actor(log());
            let captured = object.clone();
            let task = remote!(async move {
                captured.call(add("task")).await?;
                let slow = captured.call(call!(async |log| {
                    yield_now().await;
                    log.add("slow");
                }));
                slow.await
            });
            pool.spawn_remote(task).await.unwrap().unwrap();
            assert_eq!(object.call(all()).await.unwrap(), ["task", "slow"], "{strategy:?}");
        }
    }

    async fn calls_wait_for_their_worker_and_no_other_takes_them() {
        for strategy in [Strategy::Parallel, Strategy::WorkStealing] {
            let pool = Pool::builder().strategy(strategy).threads(2).build();
            let object = pool.spawn_actor(log());
            // Before a task that only the end of its worker stops, what waits there leaves, but for this.
            let busy = pool.broadcast(remote!(|| hold_the_thread()));
            let limited = pool.broadcast(remote!(|| hold_the_thread()).timeout(Duration::from_secs(60)));
            let calls = (0..20).map(|n: u32| object.call(add(&n.to_string())));
            try_join_all(calls).await.unwrap();
            try_join_all(busy.into_iter().chain(limited)).await.unwrap();
            assert!(object.call(all()).await.unwrap().into_iter().eq((0..20).map(|n: u32| n.to_string())));
        }
    }

    async fn on_run_hears_of_what_the_program_has_made() {
        let (sender, runs) = std::sync::mpsc::channel();
        let sender = std::sync::Mutex::new(sender);
        let told = move |run: &wasm_mt::TaskRun| sender.lock().unwrap().send(run.location().unwrap().file()).unwrap();
        let pool = Pool::builder().threads(1).on_run(told).build();
        let object = pool.spawn_actor(actor!(|| Ok(1)));
        object.call(call!(|one| *one)).await.unwrap();
        drop(object);
        // Behind what drops the object.
        pool.spawn_remote(remote!(|| ())).await.unwrap();
        pool.close().await;
        let files: Vec<_> = runs.try_iter().collect();
        assert_eq!(files, [file!(); 3]);
    }

    async fn calls_carry_what_tasks_carry() {
        let pool = Pool::builder().threads(1).build();
        let object = pool.spawn_actor(actor!(|| Ok(0_u32)));
        let table = Shared::new(vec![1_u32; 1000]);
        for _ in 0..2 {
            let table = table.clone();
            object.call(call!(move |sum| *sum += table.iter().sum::<u32>())).await.unwrap();
        }
        let (sender, mut sums) = channel(1);
        let block = Transfer(vec![5_u32; 4]);
        let sum = object.call(call!(async move |sum| {
            *sum += block.0.iter().sum::<u32>();
            sender.send(*sum).await.unwrap();
            Transfer(vec![*sum; 2])
        }));
        assert_eq!(sums.next().await.unwrap().unwrap(), 2020);
        assert_eq!(sum.await.unwrap().0, [2020; 2]);
        let failed = object.call(call!(|_| Err::<(), _>("an error of its own".to_owned())));
        assert_eq!(failed.await.unwrap(), Err("an error of its own".to_owned()));
    }

    async fn calls_can_be_written_in_every_form() {
        let object = Thread::new().spawn_actor(actor!(move || Ok(vec![1_u32])));
        let (n, text) = (2, "three".to_owned());
        object.call(call!(move |list| list.push(n))).await.unwrap();
        object.call(call!([length = text.len() as u32] move |list| list.push(length))).await.unwrap();
        let sum = call!(move |list: &mut Vec<u32>| -> u32 { list.iter().sum::<u32>() + n });
        assert_eq!(object.call(sum.clone()).await.unwrap(), 10);
        assert_eq!(object.call(sum).await.unwrap(), 10);
        let block = object.call(call!(move |list| async move {
            yield_now().await;
            list[0] + n
        }));
        assert_eq!(block.await.unwrap(), 3);
        let typed = object.call(call!(async move |list| -> Result<u32, Error> {
            yield_now().await;
            let first = list.first().ok_or_else(|| Error::other("it is empty"))?;
            Ok(first + n)
        }));
        assert_eq!(typed.await.unwrap().unwrap(), 3);
        let ignored = object.call(call!(|_| 7));
        assert_eq!(ignored.await.unwrap(), 7);
    }
}

#[cfg(target_family = "wasm")]
web_test! { async fn captures_that_cannot_be_posted_are_the_error_of_each_call() {
    use wasm_mt::Js;
    for pool in pools() {
        for closes in [false, true] {
            let function = Js(js_sys::Function::new_no_args(""));
            let object = pool.spawn_actor(actor!(move || {
                drop(function);
                Ok(Log::new(None))
            }));
            let call = object.call(all());
            let closed = closes.then(|| pool.close());
            assert!(call.await.unwrap_err().is_codec());
            match closed {
                Some(closed) => closed.await,
                None => assert!(object.ready().await.unwrap_err().is_codec()),
            }
        }
    }
    // From elsewhere.
    let (owner, thread) = (Thread::new(), Thread::new());
    let object = owner.spawn_actor(log());
    let task = remote!(async move {
        let moved = Js::transfer(js_sys::Object::new());
        object.call(call!(move |_| drop(moved))).await.unwrap_err()
    });
    let error = thread.spawn_remote(task).await.unwrap();
    assert!(error.is_codec(), "{error}");
}}
