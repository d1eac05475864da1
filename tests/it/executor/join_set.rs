//! Handles that are awaited together.

use std::cell::Cell;
use std::future::pending;
use std::pin::pin;
use std::task::Context;

use futures::FutureExt;
use futures::stream::{FusedStream, Stream, TryStreamExt};
use futures::task::waker;
use wasm_mt::{Error, JoinSet, Pool, Remote, Thread, remote};

use super::{Keeps, executors, forever, square};

thread_local! {
    /// Counted on a worker.
    static EVENTS: Cell<u32> = const { Cell::new(0) };
}

/// Counts when it is dropped.
struct CountDrop;

impl Drop for CountDrop {
    fn drop(&mut self) {
        EVENTS.set(EVENTS.get() + 1);
    }
}

/// Waits for ever, with something to drop.
fn waits() -> Remote<u64> {
    remote!(async {
        let _guard = CountDrop;
        pending().await
    })
}

/// Lets what was cancelled be dropped, then reads the worker's counter.
fn read_count() -> Remote<u32> {
    remote!(async {
        wasm_mt::yield_now().await;
        EVENTS.get()
    })
}

remote_test! {
    async fn the_results_of_all_tasks_come_and_then_none() {
        for executor in executors() {
            let mut set = JoinSet::new();
            assert!(set.is_empty() && set.join_next().await.is_none());
            for n in 0..10_u64 {
                set.spawn_on(&executor, remote!(move || n * n));
            }
            let mut sum = 0;
            for left in (0..10).rev() {
                sum += set.join_next().await.unwrap().unwrap();
                assert_eq!(set.len(), left);
            }
            assert_eq!(sum, 285);
            assert!(set.join_next().await.is_none() && set.try_join_next().is_none());
            // It goes on with more.
            set.insert(square(&executor, 4));
            assert_eq!(set.join_all().await.into_iter().map(Result::unwrap).collect::<Vec<_>>(), [16]);
        }
    }

    async fn results_come_in_the_order_in_which_tasks_end() {
        let executor = Keeps::new();
        let mut set = (0..4).map(|n| square(&executor, n)).collect::<JoinSet<_>>();
        assert!(set.join_next().now_or_never().is_none() && set.try_join_next().is_none());
        let mut jobs = executor.take_all();
        let mut order = Vec::new();
        for nth in [2, 0, 1, 0] {
            jobs.remove(nth).run().await;
            order.push(set.join_next().await.unwrap().unwrap());
        }
        assert_eq!(order, [4, 0, 9, 1]);
        assert!(set.is_empty());
    }

    async fn a_task_that_is_added_while_the_set_is_awaited_is_awaited_too() {
        let executor = Keeps::new();
        let mut set = JoinSet::new();
        set.spawn_on(&executor, remote!(|| 1));
        assert!(set.join_next().now_or_never().is_none());
        set.spawn_on(&executor, remote!(|| 2));
        executor.take().run().await;
        assert_eq!(set.join_next().await.unwrap().unwrap(), 2);
    }

    async fn an_error_is_the_result_of_one_task() {
        let pool = Pool::builder().threads(1).build();
        let mut set = JoinSet::new();
        set.spawn_on(&pool, remote!(|| -> u32 { panic!("a bug") }));
        assert!(set.join_next().await.unwrap().unwrap_err().is_panic());
        set.spawn_on(&pool, remote!(|| 7));
        assert_eq!(set.join_next().await.unwrap().unwrap(), 7);
    }

    async fn those_that_are_aborted_say_so() {
        for executor in executors() {
            let mut set = (0..3).map(|_| forever(&executor)).collect::<JoinSet<_>>();
            set.abort_all();
            for left in (0..3).rev() {
                assert!(set.join_next().await.unwrap().unwrap_err().is_cancelled());
                assert_eq!(set.len(), left);
            }
            assert!(set.join_next().await.is_none());
        }
    }

    async fn what_has_its_result_when_it_is_aborted_keeps_it() {
        let executor = Keeps::new();
        let set = (5..7).map(|n| square(&executor, n)).collect::<JoinSet<_>>();
        let mut jobs = executor.take_all();
        jobs.remove(1).run().await;
        set.abort_all();
        let results = set.join_all().await;
        assert!(results.iter().any(|result| matches!(result, Ok(36))), "{results:?}");
        assert!(results.iter().flat_map(|result| result.as_ref().err()).any(Error::is_cancelled));
    }

    async fn a_set_that_is_dropped_or_shut_down_stops_its_tasks() {
        let thread = Thread::new();
        let mut set = JoinSet::new();
        set.spawn_on(&thread, waits());
        set.spawn_on(&thread, waits());
        assert_eq!(thread.spawn_remote(read_count()).await.unwrap(), 0);
        drop(set);
        assert_eq!(thread.spawn_remote(read_count()).await.unwrap(), 2);

        let mut set = JoinSet::new();
        set.spawn_on(&thread, waits());
        thread.spawn_remote(read_count()).await.unwrap();
        set.shutdown().await;
        assert!(set.is_empty());
        assert_eq!(thread.spawn_remote(read_count()).await.unwrap(), 3);
    }

    async fn tasks_that_are_detached_run() {
        let executor = Keeps::new();
        let mut set = JoinSet::new();
        for _ in 0..2 {
            set.spawn_on(&executor, remote!(async {
                wasm_mt::yield_now().await;
                EVENTS.set(EVENTS.get() + 1);
            }));
        }
        EVENTS.set(0);
        set.detach_all();
        assert!(set.is_empty() && set.join_next().await.is_none());
        drop(set);
        for job in executor.take_all() {
            job.run().await;
        }
        assert_eq!(EVENTS.get(), 2);
    }

    async fn a_set_is_a_stream() {
        for executor in executors() {
            let mut set = (0..4).map(|n| square(&executor, n)).collect::<JoinSet<_>>();
            assert_eq!((set.size_hint(), set.is_terminated()), ((4, Some(4)), false));
            set.extend([square(&executor, 4)]);
            assert_eq!((&mut set).try_fold(0, async |sum, n| Ok(sum + n)).await.unwrap(), 30);
            assert!(set.is_terminated());
        }
        let executor = Keeps::new();
        let set = (0..2).map(|n| square(&executor, n)).collect::<JoinSet<_>>();
        let mut jobs = executor.take_all();
        jobs.remove(0).fail(Error::other("no"));
        assert!(set.try_collect::<Vec<_>>().await.unwrap_err().is_other());
    }

    async fn the_current_executor_takes_what_names_none() {
        let on_worker = remote!(async {
            let mut set = JoinSet::new();
            set.spawn(remote!(|| 6 * 7));
            set.join_next().await.unwrap()
        });
        assert_eq!(Thread::new().spawn_remote(on_worker).await.unwrap().unwrap(), 42);
    }

    async fn a_synchronous_task_that_waits_for_its_children_is_told_what_to_do() {
        let thread = Thread::new();
        let looks = remote!(|| {
            let mut set = JoinSet::new();
            set.spawn(remote!(|| 1));
            set.try_join_next().is_none() && set.join_next().now_or_never().is_none()
        });
        assert!(thread.spawn_remote(looks).await.unwrap());
        let waits = remote!(|| {
            let mut set = JoinSet::new();
            set.spawn(remote!(|| 1));
            let waker = waker(std::sync::Arc::new(Unparks));
            pin!(set.join_next()).poll(&mut Context::from_waker(&waker)).is_pending()
        });
        let error = thread.spawn_remote(waits).await.unwrap_err();
        assert!(error.is_panic() && error.to_string().contains("make it asynchronous"), "{error}");
    }
}

/// As `block_on` has it: it would wake the thread that waits.
struct Unparks;

impl futures::task::ArcWake for Unparks {
    fn wake_by_ref(_this: &std::sync::Arc<Self>) {}
}
