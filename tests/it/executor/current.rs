//! The executor of the code that runs: within tasks, and outside.

use std::sync::Arc;
use std::task::Context;

use futures::FutureExt;
use futures::future::{join_all, try_join};
use futures::task::{ArcWake, waker};
use wasm_mt::{Error, Executor, ExecutorExt, InlineExecutor, Pool, Strategy, executor, remote};

use super::{executors, square};

remote_test! {
    async fn a_task_that_is_awaited_runs_on_the_executor_of_its_parent() {
        for executor in executors() {
            let parent = remote!(async {
                let (a, b) = try_join(remote!(|| 1).into_future(), remote!(async { 2 }).into_future()).await?;
                let last = remote!(move || a + b).await?;
                Ok::<_, Error>((last, executor::current().concurrency()))
            });
            let (sum, concurrency) = executor.spawn_remote(parent).await.unwrap().unwrap();
            assert_eq!(sum, 3);
            // A user's own executor is that of its threads' tasks by name only.
            assert!(concurrency == executor.concurrency() || concurrency == 1);
        }
    }

    async fn the_executor_of_a_task_knows_its_pool() {
        for strategy in [Strategy::Serial, Strategy::Parallel, Strategy::WorkStealing] {
            let pool = Pool::builder().strategy(strategy).threads(3).build();
            let task = remote!(async {
                let pool = executor::current();
                let child = square(&pool, 3);
                let pending = pool.pending();
                let result = child.await?;
                Ok::<_, Error>((pool.concurrency(), pending, result, pool.pending()))
            });
            let (concurrency, pending, result, later) = pool.spawn_remote(task).await.unwrap().unwrap();
            assert_eq!((concurrency, result, later), (3, 9, 0), "{strategy:?}");
            // Under `Parallel` it leaves at once.
            assert_eq!(pending, usize::from(strategy != Strategy::Parallel), "{strategy:?}");
        }
    }

    async fn outside_it_is_a_pool_of_the_program() {
        let pool = executor::current();
        assert!(Arc::ptr_eq(&pool, &executor::current()));
        assert_eq!(square(&pool, 5).await.unwrap(), 25);
        assert_eq!(remote!(|| 6).await.unwrap(), 6);
        assert!(pool.concurrency() > 0);
    }

    async fn it_is_an_inline_executor_only_while_a_task_of_it_is_polled() {
        let inline = InlineExecutor::new();
        let outside = executor::current();
        let task = || remote!(async {
            let here = executor::current();
            // Others are polled meanwhile.
            wasm_mt::yield_now().await;
            (here.concurrency(), here.pending(), executor::current().pending())
        });
        let tasks = (0..2).map(|_| inline.spawn_remote(task())).collect::<Vec<_>>();
        let mut joined = join_all(tasks);
        assert!(futures::poll!(&mut joined).is_pending());
        assert!(Arc::ptr_eq(&outside, &executor::current()));
        for counts in joined.await {
            let (concurrency, pending, later) = counts.unwrap();
            assert_eq!(concurrency, 1);
            assert!((1..=2).contains(&pending) && (1..=2).contains(&later), "{pending}, {later}");
        }
        assert!(Arc::ptr_eq(&outside, &executor::current()));
    }

    async fn it_may_be_closed_by_its_owner_only() {
        let pool = Pool::builder().threads(1).build();
        let task = remote!(async {
            let here = executor::current();
            here.close().await;
            square(&here, 4).await
        });
        assert_eq!(pool.spawn_remote(task).await.unwrap().unwrap(), 16);
        assert_eq!(square(&pool, 4).await.unwrap(), 16);
    }
    async fn a_synchronous_task_that_waits_for_its_child_is_told_what_to_do() {
        for strategy in [Strategy::Serial, Strategy::Parallel, Strategy::WorkStealing] {
            let pool = Pool::builder().strategy(strategy).threads(1).build();
            let looks = remote!(|| square(&executor::current(), 3).now_or_never().is_none());
            assert!(pool.spawn_remote(looks).await.unwrap());
            let waits = remote!(|| {
                let mut child = square(&executor::current(), 3);
                let waker = waker(Arc::new(Unparks));
                child.poll_unpin(&mut Context::from_waker(&waker)).is_pending()
            });
            let error = pool.spawn_remote(waits).await.unwrap_err();
            assert!(error.is_panic() && error.to_string().contains("make it asynchronous"), "{error}");
        }
    }
}

/// As `block_on` has it: it would wake the thread that waits.
struct Unparks;

impl ArcWake for Unparks {
    fn wake_by_ref(_this: &Arc<Self>) {}
}
