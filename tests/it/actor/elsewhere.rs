//! Actors in other memories than the one that made them.

use std::time::Duration;

use futures::future::{pending, try_join_all};
use futures::{FutureExt, StreamExt, TryStreamExt};
use wasm_mt::{
    Actor, ActorCall, Error, ExecutorExt, Pool, RemoteFn, Sender, Shared, Thread, Transfer, actor, call,
    channel, remote, unbounded, yield_now,
};

use super::{Faulty, Log, add, all, breaks, log, opens_the_gate, pools, waits_at_the_gate};

remote_test! {
    async fn tasks_call_an_actor_that_they_have_captured() {
        let owner = Thread::new();
        let object = owner.spawn_actor(log());
        for pool in pools() {
            object.call(call!(|log| log.lines.borrow_mut().clear())).await.unwrap();
            let tasks = (0..4_u32).map(|task| {
                let object = object.clone();
                pool.spawn_remote(remote!(async move {
                    for n in 0..5_u32 {
                        object.call(add(&format!("{task} {n}"))).await?;
                    }
                    object.call(all()).await
                }))
            });
            for lines in try_join_all(tasks).await.unwrap() {
                assert!(lines.unwrap().len() >= 5);
            }
            let lines = object.call(all()).await.unwrap();
            assert_eq!(lines.len(), 20);
            for task in 0..4 {
                let own = lines.iter().filter(|line| line.starts_with(&task.to_string())).cloned();
                assert!(own.eq((0..5).map(|n| format!("{task} {n}"))), "{lines:?}");
            }
        }
    }

    async fn functions_children_and_results_have_it_too() {
        let pool = Pool::builder().threads(2).build();
        let object = pool.spawn_actor(actor!(|| Ok(0_u32)));
        let captured = object.clone();
        let function: RemoteFn<u32, Result<(), Error>> =
            remote!(async move |n| captured.call(call!(move |sum| *sum += n)).await);
        let done: Vec<_> = pool.par_map(0..10, function).try_collect().await.unwrap();
        assert!(done.into_iter().all(|done| done.is_ok()));
        // To a worker of a worker, and from there back.
        let captured = object.clone();
        let parent = remote!(async move {
            let thread = Thread::new();
            let child = thread.spawn_remote(remote!(async move {
                captured.call(call!(|sum| *sum += 1)).await?;
                Ok::<_, Error>(captured)
            }));
            child.await?
        });
        let back = pool.spawn_remote(parent).await.unwrap().unwrap();
        assert_eq!(back.call(call!(|sum| *sum)).await.unwrap(), 46);
        // Through a channel.
        let (sender, receiver) = channel(1);
        sender.send(back).await.unwrap();
        let adds = remote!(async move {
            let mut receiver = receiver;
            let object: Actor<u32> = receiver.next().await.unwrap()?;
            object.call(call!(|sum| *sum += 1)).await
        });
        pool.spawn_remote(adds).await.unwrap().unwrap();
        assert_eq!(object.call(call!(|sum| *sum)).await.unwrap(), 47);
    }

    async fn an_actor_elsewhere_keeps_the_object() {
        let (dropped, mut drops) = unbounded();
        let object = Thread::new().spawn_actor(actor!(move || Ok(Log::new(Some(dropped)))));
        let thread = Thread::new();
        let task = thread.spawn_remote(remote!(async move {
            yield_now().await;
            object.call(add("far")).await
        }));
        assert!(drops.next().now_or_never().is_none());
        task.await.unwrap().unwrap();
        assert_eq!(drops.next().await.unwrap().unwrap(), ["far"]);
    }

    async fn calls_from_elsewhere_carry_what_tasks_carry_and_tell_errors() {
        let (owner, thread) = (Thread::new(), Pool::builder().threads(1).build());
        let sum = owner.spawn_actor(actor!(|| Ok(0_u32)));
        let none: Actor<Log> = owner.spawn_actor(actor!(|| Err(Error::other("no luck"))));
        let table = Shared::new(vec![1_u32; 1000]);
        let task = remote!(async move {
            let block = Transfer(vec![5_u32; 4]);
            for _ in 0..2 {
                let table = table.clone();
                sum.call(call!(move |sum| *sum += table.iter().sum::<u32>())).await?;
            }
            let back = sum.call(call!(move |sum| {
                *sum += block.0.iter().sum::<u32>();
                Transfer(vec![*sum; 2])
            }));
            let back = back.await?.0;
            let refused = sum.call(ActorCall::new(Faulty { written: false }, |_, sum| *sum)).await;
            let unread = sum.call(ActorCall::new(Faulty { written: true }, |_, sum| *sum)).await;
            let failed = none.ready().await;
            Ok::<_, Error>((back, refused.unwrap_err(), unread.unwrap_err(), failed.unwrap_err()))
        });
        let (back, refused, unread, failed) = thread.spawn_remote(task).await.unwrap().unwrap();
        assert_eq!(back, [2020; 2]);
        assert!(refused.is_codec() && unread.is_codec(), "{refused}, {unread}");
        assert!(failed.is_other() && failed.to_string().contains("no luck"), "{failed}");
    }

    async fn a_call_from_elsewhere_that_is_dropped_gives_the_object_back() {
        let (owner, pool) = (Thread::new(), Pool::builder().threads(1).build());
        let object = owner.spawn_actor(log());
        let (captured, (begun, mut begins)) = (object.clone(), unbounded());
        // Dropped, timed out, and lost with its worker.
        let task = remote!(async move {
            let endless = |line: &'static str| {
                let (begun, line) = (begun.clone(), line.to_owned());
                call!(async move |log: &mut Log| {
                    log.add(line.clone());
                    begun.send(line).await.unwrap();
                    pending::<()>().await;
                })
            };
            drop(captured.call(endless("dropped")));
            let late = captured.call(endless("late").timeout(Duration::from_millis(10))).await;
            captured.call(call!(move |log| log.add(late.unwrap_err().is_timeout().to_string()))).await?;
            captured.call(endless("lost")).await
        });
        let lost = pool.spawn_remote(task);
        while begins.next().await.unwrap().unwrap() != "lost" {}
        let behind = object.call(add("behind"));
        pool.terminate();
        assert!(lost.await.unwrap_err().is_closed());
        behind.await.unwrap();
        let lines = object.call(all()).await.unwrap();
        // The first may have been dropped before it began, and the second may have been late already.
        assert!(lines.ends_with(&["true".to_owned(), "lost".to_owned(), "behind".to_owned()]), "{lines:?}");
    }

    async fn a_call_that_was_forgotten_elsewhere_runs() {
        let owner = Thread::new();
        let object = owner.spawn_actor(log());
        let gate = object.call(waits_at_the_gate("first"));
        let pool = Pool::builder().threads(1).build();
        let captured = object.clone();
        let forgets = remote!(async move { captured.call(add("forgotten")).forget() });
        pool.spawn_remote(forgets).await.unwrap();
        pool.terminate();
        owner.spawn_remote(opens_the_gate()).await.unwrap();
        gate.await.unwrap();
        assert_eq!(object.call(all()).await.unwrap(), ["first begins", "first ends", "forgotten"]);
    }

    async fn objects_that_hold_actors_of_one_another_end_with_a_close() {
        /// It says when it is dropped.
        struct Held {
            other: Option<Actor<Held>>,
            dropped: Sender<u32>,
            number: u32,
        }

        impl Drop for Held {
            fn drop(&mut self) {
                self.dropped.try_send(self.number).unwrap();
            }
        }

        let pool = Pool::builder().threads(2).build();
        let (dropped, mut drops) = unbounded();
        let held = |number: u32| {
            let dropped = dropped.clone();
            pool.spawn_actor(actor!(move || Ok(Held { other: None, dropped, number })))
        };
        // One holds itself, and two hold each other.
        let objects = [held(0), held(1), held(2)];
        for (nth, other) in [(0, 0), (1, 2), (2, 1)] {
            let other = objects[other].clone();
            objects[nth].call(call!(move |held| held.other = Some(other))).await.unwrap();
        }
        let number = objects[1].call(call!(async |held| {
            held.other.as_ref().unwrap().call(call!(|held| held.number)).await
        }));
        assert_eq!(number.await.unwrap().unwrap(), 2);
        let [itself, first, second] = objects;
        itself.close().await.unwrap();
        assert_eq!(drops.next().await.unwrap().unwrap(), 0);
        drop(itself);
        // With the one that is closed goes what holds the other.
        drop(second);
        first.close().await.unwrap();
        drop(first);
        let mut rest = [drops.next().await.unwrap().unwrap(), drops.next().await.unwrap().unwrap()];
        rest.sort_unstable();
        assert_eq!(rest, [1, 2]);
        drop(dropped);
        assert!(drops.next().await.is_none());
    }

    async fn the_loss_of_an_object_is_told_elsewhere() {
        let (owner, pool) = (Thread::new(), Pool::builder().threads(1).build());
        let object = owner.spawn_actor(log());
        let task = remote!(async move {
            let waiting = object.call(waits_at_the_gate("lost"));
            let broken = object.call(breaks());
            drop(waiting);
            (broken.await.unwrap_err(), object.call(all()).await.unwrap_err())
        });
        let (broken, later) = pool.spawn_remote(task).await.unwrap();
        assert!(broken.is_panic() && later.is_worker_lost(), "{broken}, {later}");
    }

    async fn the_loss_of_the_memory_that_made_it_is_that_of_the_object() {
        let thread = Thread::new();
        let makes = remote!(async || {
            let object = Thread::new().spawn_actor(log());
            object.ready().await.map(|()| object)
        });
        let object = thread.spawn_remote(makes).await.unwrap().unwrap();
        object.call(add("far")).await.unwrap();
        let during = object.call(call!(async |_| pending::<()>().await));
        assert!(thread.spawn_remote(remote!(|| -> () { panic!("on purpose") })).await.unwrap_err().is_panic());
        // Natively the thread lives on for its object.
        if cfg!(target_family = "wasm") {
            for error in [during.await.unwrap_err(), object.ready().await.unwrap_err()] {
                assert!(error.is_worker_lost() && error.to_string().contains("object"), "{error}");
            }
        }
    }

    async fn a_task_has_objects_on_workers_of_its_own() {
        let task = remote!(async || {
            let object = Pool::builder().threads(1).build().spawn_actor(log());
            object.call(add("nested")).await?;
            object.call(all()).await
        });
        assert_eq!(Pool::new().spawn_remote(task).await.unwrap().unwrap(), ["nested"]);
    }
}
