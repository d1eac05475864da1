//! How objects are made, where, and how they end.

use std::cell::Cell;
use std::time::Duration;

use futures::channel::oneshot;
use futures::future::{pending, try_join_all};
use futures::{FutureExt, StreamExt};
use wasm_mt::{Actor, ActorInit, Pool, Thread, Transfer, actor, call, remote, unbounded, yield_now};

use super::{Log, OPENS, add, all, breaks, log, opens_the_gate, pools, waits_at_the_gate};

remote_test! {
    async fn an_object_is_dropped_behind_its_last_call() {
        for pool in pools() {
            let (dropped, mut drops) = unbounded();
            let object = pool.spawn_actor(actor!(move || Ok(Log::new(Some(dropped)))));
            let clone = object.clone();
            drop(object);
            clone.call(add("kept")).await.unwrap();
            let last = clone.call(call!(async |log| {
                yield_now().await;
                log.add("last");
            }));
            drop(clone);
            last.await.unwrap();
            assert_eq!(drops.next().await.unwrap().unwrap(), ["kept", "last"]);
            assert!(drops.next().await.is_none());
        }
    }

    async fn an_object_whose_calls_are_forgotten_or_cancelled_is_dropped_too() {
        let pool = Pool::builder().threads(1).build();
        let (dropped, mut drops) = unbounded();
        let object = pool.spawn_actor(actor!(move || Ok(Log::new(Some(dropped)))));
        object.call(add("forgotten")).forget();
        let endless = object.call(call!(async |log: &mut Log| {
            log.add("endless");
            pending::<()>().await;
        }));
        pool.spawn_remote(remote!(|| ())).await.unwrap();
        drop(object);
        assert!(drops.next().now_or_never().is_none());
        drop(endless);
        assert_eq!(drops.next().await.unwrap().unwrap(), ["forgotten", "endless"]);
    }

    async fn an_object_is_dropped_when_it_is_closed() {
        let pool = Pool::builder().threads(1).build();
        let (dropped, mut drops) = unbounded();
        let object = pool.spawn_actor(actor!(move || Ok(Log::new(Some(dropped)))).restart(1));
        let first = object.call(waits_at_the_gate("first"));
        let (closed, later, again) = (object.close(), object.call(add("later")), object.close());
        pool.spawn_remote(opens_the_gate()).await.unwrap();
        first.await.unwrap();
        closed.await.unwrap();
        assert_eq!(drops.next().now_or_never().unwrap().unwrap().unwrap(), ["first begins", "first ends"]);
        assert!(later.await.unwrap_err().is_closed());
        assert!(again.await.unwrap_err().is_closed());
        // By a task of another worker.
        let object = pool.spawn_actor(log());
        let captured = object.clone();
        Thread::new().spawn_remote(remote!(async move { captured.close().await })).await.unwrap().unwrap();
        assert!(object.call(all()).await.unwrap_err().is_closed());
    }

    async fn an_actor_keeps_its_workers() {
        let object = Pool::new().spawn_actor(log());
        object.call(add("alone")).await.unwrap();
        let thread = Thread::new();
        let ended = thread.spawn_actor(log());
        let endless = ended.call(waits_at_the_gate("endless"));
        thread.terminate();
        assert!(endless.await.unwrap_err().is_closed());
        assert!(ended.call(all()).await.unwrap_err().is_closed());
        assert_eq!(object.call(all()).await.unwrap(), ["alone"]);
    }

    async fn an_object_that_is_lost_ends_its_calls() {
        let pool = Pool::builder().threads(1).build();
        let object = pool.spawn_actor(log());
        let (waiting, blamed, behind) =
            (object.call(add("before")), object.call(breaks()), object.call(add("behind")));
        waiting.await.unwrap();
        assert!(blamed.await.unwrap_err().is_panic());
        assert!(behind.await.unwrap_err().is_worker_lost());
        let error = object.call(all()).await.unwrap_err();
        assert!(error.is_worker_lost() && error.to_string().contains("restart"), "{error}");
        // The pool has another worker.
        assert!(pool.spawn_actor(log()).call(all()).await.unwrap().is_empty());

        let thread = Thread::new();
        let object = thread.spawn_actor(log());
        assert!(thread.spawn_remote(remote!(|| -> () { panic!("on purpose") })).await.unwrap_err().is_panic());
        assert!(object.call(all()).await.unwrap_err().is_worker_lost());
        assert!(thread.spawn_actor(log()).call(all()).await.unwrap_err().is_worker_lost());
    }

    async fn an_object_whose_initialiser_panics_is_lost() {
        let pool = Pool::builder().threads(1).build();
        let object: Actor<Log> = pool.spawn_actor(actor!(|| panic!("on purpose")));
        assert!(object.call(all()).await.unwrap_err().is_worker_lost());
        assert!(object.ready().await.unwrap_err().is_worker_lost());
    }

    async fn an_object_is_made_anew_as_often_as_it_may() {
        for pool in pools() {
            let (first, block) = ("first".to_owned(), Transfer(vec![7_u8; 10]));
            let init = actor!(move || {
                let log = Log::new(None);
                log.add(format!("{first} {}", block.0.len()));
                Ok(log)
            });
            let object = pool.spawn_actor(init.restart(2));
            for _ in 0..2 {
                object.call(add("lost")).await.unwrap();
                assert!(object.call(breaks()).await.unwrap_err().is_panic());
                assert_eq!(object.call(all()).await.unwrap(), ["first 10"]);
            }
            assert!(object.call(breaks()).await.unwrap_err().is_panic());
            assert!(object.call(all()).await.unwrap_err().is_worker_lost());
        }
    }

    async fn what_cannot_be_copied_makes_one_object() {
        let pool = Pool::builder().threads(1).build();
        let (sender, words) = unbounded::<String>();
        sender.send("sea".to_owned()).await.unwrap();
        let init = actor!(async move {
            let mut words = words;
            words.next().await.unwrap()
        });
        let object = pool.spawn_actor(init.restart(2));
        assert_eq!(object.call(call!(|word| word.clone())).await.unwrap(), "sea");
        assert!(object.call(breaks()).await.unwrap_err().is_panic());
        let error = object.ready().await.unwrap_err();
        assert!(error.is_codec() && error.to_string().contains("Receiver"), "{error}");
    }

    async fn objects_are_spread_over_the_workers() {
        thread_local! {
            static HERE: Cell<u32> = const { Cell::new(0) };
        }
        let pool = Pool::builder().threads(2).build();
        let numbered = || actor!(|| {
            HERE.set(HERE.get() + 1);
            Ok(HERE.get())
        });
        let objects: Vec<_> = (0..4).map(|_| pool.spawn_actor(numbered())).collect();
        let calls = objects.iter().map(|object| object.call(call!(|number| *number)));
        let mut numbers = try_join_all(calls).await.unwrap();
        numbers.sort_unstable();
        assert_eq!(numbers, [1, 1, 2, 2]);
        // One on each worker.
        let each = pool.spawn_actors(numbered());
        let calls = each.iter().map(|object| object.call(call!(|number| *number)));
        assert_eq!(try_join_all(calls).await.unwrap(), [3, 3]);
        drop((objects, each));
        // Those that are gone count no more: a worker with one fewer gets the next.
        let mut each = pool.spawn_actors(numbered());
        try_join_all(each.iter().map(Actor::ready)).await.unwrap();
        drop(each.remove(1));
        pool.spawn_actor(numbered()).ready().await.unwrap();
        let here = try_join_all(pool.broadcast(remote!(|| HERE.get()))).await.unwrap();
        assert_eq!(here, [4, 5]);
    }

    async fn a_closed_object_is_not_made_anew() {
        for is_elsewhere in [false, true] {
            let pool = Pool::builder().threads(1).build();
            let object = pool.spawn_actor(log().restart(1));
            if is_elsewhere {
                let captured = object.clone();
                let closes = remote!(async move { captured.close().await });
                pool.spawn_remote(closes).await.unwrap().unwrap();
            } else {
                object.close().await.unwrap();
            }
            assert!(pool.spawn_remote(remote!(|| -> () { panic!("on purpose") })).await.unwrap_err().is_panic());
            assert!(object.call(all()).await.unwrap_err().is_closed());
        }
    }

    async fn an_object_is_dropped_whatever_goes_first() {
        for pool_first in [false, true] {
            let (dropped, mut drops) = unbounded();
            let pool = Pool::builder().threads(1).build();
            let object = pool.spawn_actor(actor!(move || Ok(Log::new(Some(dropped)))));
            let last = object.call(call!(async |log| {
                yield_now().await;
                log.add("last");
            }));
            if pool_first {
                drop(pool);
                drop(object);
                last.await.unwrap();
            } else {
                last.await.unwrap();
                drop(object);
                drop(pool);
            }
            assert_eq!(drops.next().await.unwrap().unwrap(), ["last"]);
        }
    }

    async fn calls_run_to_their_ends_when_nothing_else_is_left() {
        let object = Thread::builder().grace(Duration::ZERO).build().spawn_actor(log());
        let long = object.call(call!(async |log| {
            for _ in 0..50 {
                yield_now().await;
            }
            log.add("end");
            log.all()
        }));
        drop(object);
        assert_eq!(long.await.unwrap(), ["end"]);
    }

    async fn an_initialiser_has_no_limit_of_others() {
        fn waits() -> ActorInit<Log> {
            actor!(async || {
                let (sender, receiver) = oneshot::channel();
                OPENS.set(Some(sender));
                receiver.await.unwrap();
                Ok(Log::new(None))
            })
        }
        let limit = Duration::from_millis(30);
        let thread = Thread::new();
        // Made within a limit, which then passes.
        let (open, opened) = unbounded::<()>();
        let makes = remote!(async move {
            Pool::builder().threads(1).build().spawn_actor(actor!(async move {
                let mut opened = opened;
                opened.next().await.unwrap()?;
                Ok(Log::new(None))
            }))
        });
        let made = thread.spawn_remote(makes.timeout(limit)).await;
        let late = remote!(async { pending::<()>().await });
        assert!(thread.spawn_remote(late.timeout(limit)).await.unwrap_err().is_timeout());
        // On a busy machine the task may be late itself.
        if let Ok(object) = made {
            open.send(()).await.unwrap();
            assert!(object.call(all()).await.unwrap().is_empty());
        }
        // Made anew by a call within one.
        let pool = Pool::builder().threads(1).build();
        let object = pool.spawn_actor(waits().restart(1));
        pool.spawn_remote(opens_the_gate()).await.unwrap();
        assert!(object.call(breaks()).await.unwrap_err().is_panic());
        let captured = object.clone();
        let calls = remote!(async move { captured.ready().await });
        assert!(thread.spawn_remote(calls.timeout(limit)).await.unwrap_err().is_timeout());
        pool.spawn_remote(opens_the_gate()).await.unwrap();
        assert!(object.call(all()).await.unwrap().is_empty());
    }
}

#[cfg(not(target_family = "wasm"))]
native_test! { fn threads_that_find_an_object_lost_have_it_made_once() {
    use std::sync::{Arc, Barrier};
    for strategy in [wasm_mt::Strategy::Serial, wasm_mt::Strategy::Parallel] {
        for _ in 0..20 {
            let pool = Pool::builder().strategy(strategy).threads(1).build();
            let object = pool.spawn_actor(actor!(|| Ok(0_u32)).restart(1));
            let lost = object.clone();
            wasm_mt::run(async move { assert!(lost.call(breaks()).await.unwrap_err().is_panic()) });
            let barrier = Arc::new(Barrier::new(4));
            let calls = |_| {
                let (object, barrier) = (object.clone(), barrier.clone());
                std::thread::spawn(move || {
                    barrier.wait();
                    let call = object.call(call!(|sum| *sum += 1));
                    wasm_mt::run(async { call.await.unwrap() });
                })
            };
            let threads: Vec<_> = (0..4).map(calls).collect();
            threads.into_iter().for_each(|thread| thread.join().unwrap());
            let sum = object.call(call!(|sum| *sum));
            wasm_mt::run(async { assert_eq!(sum.await.unwrap(), 4) });
        }
    }
}}

#[cfg(not(target_family = "wasm"))]
native_test! { fn an_actor_is_called_from_many_threads() {
    let object = Pool::new().spawn_actor(actor!(|| Ok(0_u32)));
    let calls = |_| {
        let object = object.clone();
        std::thread::spawn(move || {
            let calls = (0..100).map(move |_| object.call(call!(|sum| *sum += 1)));
            wasm_mt::run(async { assert_eq!(try_join_all(calls).await.unwrap().len(), 100) });
        })
    };
    let threads: Vec<_> = (0..4).map(calls).collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    wasm_mt::run(async move { assert_eq!(object.call(call!(|sum| *sum)).await.unwrap(), 400) });
}}
