//! Functions that have captured much: their captures cross to each worker once.

use std::time::Duration;

use futures::future::{join_all, try_join_all};
use futures::{StreamExt, TryStreamExt};
use serde::{Deserialize, Deserializer, Serialize};
use wasm_mt::executor::current;
use wasm_mt::{ExecutorExt, Pool, Remote, RemoteFn, Strategy, Thread, Transfer, remote};

use super::executors;
use crate::scene::{DECODED, DROPPED, Scene};

/// Gives a point, and how often this thread has decoded a scene.
fn point() -> RemoteFn<u32, (u32, u32)> {
    let scene = Scene::new();
    remote!(move |n| (scene.points[n as usize], DECODED.get()))
}

fn decoded() -> Remote<u32> {
    remote!(|| DECODED.get())
}

fn dropped() -> Remote<u32> {
    remote!(|| DROPPED.get())
}

remote_test! {
    async fn a_function_is_made_once_on_each_worker() {
        for strategy in [Strategy::Serial, Strategy::Parallel, Strategy::WorkStealing] {
            let pool = Pool::builder().strategy(strategy).threads(2).build();
            let results = pool.par_map(0..Scene::POINTS, point()).collect::<Vec<_>>().await;
            for (n, result) in (0..).zip(results) {
                assert_eq!(result.unwrap(), (n, 1), "{strategy:?}");
            }
            let decoded = try_join_all(pool.broadcast(decoded())).await.unwrap();
            assert!(decoded.iter().all(|times| *times <= 1), "{strategy:?}: {decoded:?}");
        }
    }

    async fn every_call_refers_to_the_function_that_was_made_first() {
        let thread = Thread::new();
        let point = point();
        for n in [1, 5, 3] {
            assert_eq!(thread.spawn_remote(point.call(n)).await.unwrap(), (n, 1));
        }
        // One that may run again or has a limit, and a clone, too.
        let point = point.clone().retry(1).timeout(Duration::from_secs(60));
        let results = thread.par_map(0..10, point).collect::<Vec<_>>().await;
        assert!(results.into_iter().map(Result::unwrap).eq((0..10).map(|n| (n, 1))));
        // Another function is another one, and what is small is made for each call.
        let (other, small) = (self::point(), vec![7_u32]);
        assert_eq!(thread.spawn_remote(other.call(2)).await.unwrap(), (2, 2));
        let small: RemoteFn<u32, u32> = remote!(move |n| n + small[0]);
        assert_eq!(thread.spawn_remote(small.call(2)).await.unwrap(), 9);
    }

    async fn an_asynchronous_function_is_made_once_too() {
        let thread = Thread::new();
        let scene = Scene::new();
        let function: RemoteFn<u32, (u32, u32)> = remote!(async move |n| {
            wasm_mt::yield_now().await;
            (scene.points[n as usize], DECODED.get())
        });
        let calls = (0..10).map(|n| thread.spawn_remote(function.call(n)));
        let results = try_join_all(calls).await.unwrap();
        assert!(results.into_iter().eq((0..10).map(|n| (n, 1))));
        let results = thread.par_map(0..10, function).map(Result::unwrap).collect::<Vec<_>>().await;
        assert!(results.into_iter().eq((0..10).map(|n| (n, 1))));
    }

    async fn workers_forget_a_function_when_its_last_owner_is_gone() {
        let pool = Pool::builder().threads(1).build();
        let point = point();
        assert_eq!(pool.stats().resident_bytes, 0);
        pool.spawn_remote(point.call(0)).await.unwrap();
        let bytes = pool.stats().resident_bytes;
        assert!(bytes > u64::from(Scene::POINTS), "{bytes}");
        // A clone, and a call that was not sent yet, are owners.
        let (clone, call) = (point.clone(), point.call(1));
        drop(point);
        drop(clone);
        assert_eq!(pool.spawn_remote(dropped()).await.unwrap(), 0);
        assert_eq!(pool.stats().resident_bytes, bytes);
        assert_eq!(pool.spawn_remote(call).await.unwrap(), (1, 1));
        assert_eq!(pool.stats().resident_bytes, 0);
        // The message is ahead of this task.
        assert_eq!(pool.spawn_remote(dropped()).await.unwrap(), 1);
    }

    async fn a_call_that_is_cancelled_leaves_nothing() {
        let pool = Pool::builder().threads(1).build();
        drop(pool.spawn_remote(point().call(0)));
        drop(pool.par_map(0..10, point()));
        pool.spawn_remote(decoded()).await.unwrap();
        assert_eq!(pool.stats().resident_bytes, 0);
        // A stream that was polled has chunks on their way.
        let mut points = pool.par_map(0..Scene::POINTS, point());
        points.next().await.unwrap().unwrap();
        drop(points);
        pool.spawn_remote(decoded()).await.unwrap();
        assert_eq!(pool.stats().resident_bytes, 0);
    }

    async fn a_worker_that_takes_the_place_of_a_lost_one_gets_the_function_again() {
        let pool = Pool::builder().threads(1).build();
        let point = point();
        assert_eq!(pool.spawn_remote(point.call(4)).await.unwrap(), (4, 1));
        assert!(pool.spawn_remote(remote!(|| -> () { panic!("on purpose") })).await.unwrap_err().is_panic());
        assert_eq!(pool.spawn_remote(point.call(5)).await.unwrap(), (5, 1));
        assert_eq!(pool.stats().lost_workers, 1);
        drop(point);
        assert_eq!(pool.stats().resident_bytes, 0);
    }

    async fn children_that_stay_share_the_function_of_their_parent() {
        let pool = Pool::builder().threads(1).build();
        let parent = remote!(async move {
            let point = point();
            current().spawn_remote(point.call(0)).await?;
            let points = current().par_map(0..Scene::POINTS, point).try_collect::<Vec<_>>().await?;
            Ok::<_, wasm_mt::Error>((0..).zip(points).all(|(n, point)| point == (n, 1)))
        });
        assert!(pool.spawn_remote(parent).await.unwrap().unwrap());
        // Its last owner was on the worker.
        assert_eq!(pool.spawn_remote(dropped()).await.unwrap(), 1);
    }

    async fn a_child_that_migrates_carries_its_function_along() {
        let pool = Pool::builder().strategy(Strategy::Parallel).threads(2).build();
        // Under `Parallel` every child goes to the page.
        let parent = remote!(async move {
            let (point, scene) = (point(), Scene::new());
            let later: RemoteFn<u32, u32> = remote!(async move |n| {
                wasm_mt::yield_now().await;
                scene.points[n as usize]
            });
            let calls = (0..8).map(|n| current().spawn_remote(point.call(n)));
            let points = try_join_all(calls).await?;
            // It outlives the last owner on its maker.
            let (last, late) = (current().spawn_remote(point.call(8)), current().spawn_remote(later.call(9)));
            drop((point, later));
            Ok::<_, wasm_mt::Error>((points, last.await?, late.await?))
        });
        let (points, last, late) = pool.spawn_remote(parent).await.unwrap().unwrap();
        assert!(points.into_iter().chain([last]).map(|(point, _)| point).chain([late]).eq(0..10));
        assert!(pool.stats().stolen >= 10);
        // Each run has dropped what it made.
        for (decoded, dropped) in try_join_all(pool.broadcast(remote!(|| (DECODED.get(), DROPPED.get())))).await.unwrap() {
            assert_eq!(decoded, dropped);
        }
    }

    async fn chunks_of_children_give_all_results_on_many_workers() {
        let pool = Pool::builder().threads(2).build();
        let parent = remote!(async move {
            let results = current().par_map(0..Scene::POINTS, point()).try_collect::<Vec<_>>().await?;
            Ok::<_, wasm_mt::Error>((0..).zip(results).all(|(n, (point, _))| point == n))
        });
        assert!(pool.spawn_remote(parent).await.unwrap().unwrap());
    }

    async fn one_function_serves_many_pools() {
        let pools = [Pool::builder().threads(1).build(), Pool::builder().threads(1).build()];
        let point = point();
        for pool in pools.iter().chain(&pools) {
            assert_eq!(pool.spawn_remote(point.call(3)).await.unwrap(), (3, 1));
        }
        // One that is gone is told nothing.
        let [first, second] = pools;
        drop(first);
        drop(point);
        assert_eq!(second.spawn_remote(dropped()).await.unwrap(), 1);
    }

    async fn on_start_may_call_one() {
        let scene = Scene::new();
        let check: RemoteFn<u32, ()> = remote!(move |n| assert_eq!(scene.points[n as usize], n));
        let pool = Pool::builder().threads(1).on_start(check.call(2)).build();
        pool.ready().await.unwrap();
        assert_eq!(pool.spawn_remote(decoded()).await.unwrap(), 1);
        pool.spawn_remote(check.call(3)).await.unwrap();
    }

    async fn every_executor_makes_it() {
        let values = vec![1_u32; 1_000];
        for executor in executors() {
            let (values, one) = (values.clone(), 1);
            let add: RemoteFn<u32, u32> = remote!(move |n| n * one + values.iter().sum::<u32>());
            assert_eq!(executor.spawn_remote(add.call(1)).await.unwrap(), 1_001);
            let sums = executor.par_map(0..100, add).map(Result::unwrap).collect::<Vec<_>>().await;
            assert!(sums.into_iter().eq(1_000..1_100));
        }
    }

    async fn captures_that_cannot_be_read_are_the_error_of_every_call() {
        #[derive(Serialize)]
        struct Torn(Vec<u8>);

        impl<'de> Deserialize<'de> for Torn {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <(Vec<u8>, u64)>::deserialize(deserializer).map(|(bytes, _)| Self(bytes))
            }
        }

        let pool = Pool::builder().threads(1).build();
        let torn = Torn(vec![0; 5_000]);
        let length: RemoteFn<usize, usize> = remote!(move |n| n + torn.0.len());
        let results = join_all((0..3).map(|n| pool.spawn_remote(length.call(n)))).await;
        for result in results.into_iter().chain(pool.par_map(0..3, length).collect::<Vec<_>>().await) {
            let error = result.unwrap_err();
            assert!(error.is_codec() && error.to_string().contains("resident.rs"), "{error}");
        }
        assert_eq!(pool.stats().lost_workers, 0);
    }

    async fn attachments_stay_with_what_they_were_captured_with() {
        // Workers are up and no deadline is near: nothing else has a task posted that was left behind its captures.
        let pool = Pool::builder().threads(2).start_timeout(Duration::from_secs(3_600)).build();
        pool.ready().await.unwrap();
        let table = Transfer((0..1_000_u32).collect::<Vec<_>>());
        let at: RemoteFn<usize, u32> = remote!(move |n| table.0[n]);
        assert_eq!(pool.spawn_remote(at.call(7)).await.unwrap(), 7);
        let entries = pool.par_map(0..1_000, at).map(Result::unwrap).collect::<Vec<_>>().await;
        assert!(entries.into_iter().eq(0..1_000));
    }

    async fn a_function_that_panics_when_it_is_dropped_costs_its_worker_alone() {
        /// Panics when it is dropped where it was decoded.
        #[derive(Serialize, Deserialize)]
        struct Fuse(Vec<u8>, #[serde(skip, default = "lit")] bool);

        fn lit() -> bool {
            true
        }

        impl Drop for Fuse {
            fn drop(&mut self) {
                assert!(!self.1, "on purpose");
            }
        }

        let pool = Pool::builder().threads(1).build();
        let fuse = Fuse(vec![0; 5_000], false);
        let length: RemoteFn<usize, usize> = remote!(move |n| n + fuse.0.len());
        assert_eq!(pool.spawn_remote(length.call(1)).await.unwrap(), 5_001);
        drop(length);
        assert_eq!(pool.spawn_remote(remote!(|| 1)).await.unwrap(), 1);
        assert_eq!(pool.stats().lost_workers, 1);
    }
}

#[cfg(target_family = "wasm")]
web_test! { async fn captures_without_a_clone_are_the_error_of_every_call() {
    use js_sys::Function;
    use wasm_mt::Js;

    let pool = Pool::builder().threads(1).build();
    let function = Js(Function::new_no_args("return 1"));
    let length: RemoteFn<u32, u32> = remote!(move |n| n + function.0.length());
    let calls = (0..3).map(|n| pool.spawn_remote(length.call(n)));
    let others = (0..3_u32).map(|n| pool.spawn_remote(remote!(move || n)));
    let (calls, others) = futures::join!(join_all(calls), try_join_all(others));
    for error in calls.into_iter().map(Result::unwrap_err) {
        assert!(error.is_codec() && error.to_string().contains("resident.rs"), "{error}");
    }
    assert_eq!(others.unwrap(), [0, 1, 2]);
    assert_eq!(pool.stats().lost_workers, 0);
}}
