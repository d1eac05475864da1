//! Every executor plugs into the combinators of `futures`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::{Abortable, Either, FutureExt, join_all, select, try_join_all};
use futures::stream::{self, FuturesUnordered, StreamExt};
use futures::task::SpawnExt;
use wasm_mt::{Executor, ExecutorExt, Thread, remote};

use super::{executors, forever, square};

remote_test! {
    async fn handles_join() {
        for executor in executors() {
            let joined = join_all((0..10).map(|n| square(&executor, n))).await;
            assert_eq!(joined.into_iter().map(Result::unwrap).sum::<u64>(), 285);
            assert_eq!(try_join_all((0..10).map(|n| square(&executor, n))).await.unwrap().len(), 10);
        }
    }

    async fn handles_are_streamed_as_they_finish() {
        for executor in executors() {
            let unordered = (0..10).map(|n| square(&executor, n)).collect::<FuturesUnordered<_>>();
            assert_eq!(unordered.map(Result::unwrap).fold(0, |sum, n| async move { sum + n }).await, 285);
            let buffered = stream::iter((0..10).map(|n| square(&executor, n))).buffer_unordered(3);
            assert_eq!(buffered.map(Result::unwrap).fold(0, |sum, n| async move { sum + n }).await, 285);
        }
    }

    async fn tasks_are_spawned_for_each_item_concurrently() {
        for executor in executors() {
            let sum = AtomicUsize::new(0);
            let (executor, sum) = (&executor, &sum);
            stream::iter(0..10).for_each_concurrent(4, |n| async move {
                let square = square(executor, n).await.unwrap();
                sum.fetch_add(usize::try_from(square).unwrap(), Ordering::Relaxed);
            }).await;
            assert_eq!(sum.load(Ordering::Relaxed), 285);
        }
    }

    async fn the_loser_of_a_select_is_cancelled() {
        for executor in executors() {
            match select(square(&executor, 3), forever(&executor)).await {
                Either::Left((won, lost)) => {
                    assert_eq!(won.unwrap(), 9);
                    drop(lost);
                }
                Either::Right(_) => panic!("a task that never ends has ended"),
            }
            assert_eq!(square(&executor, 4).await.unwrap(), 16);
        }
    }

    async fn a_select_with_a_sleep_is_a_timeout() {
        for executor in executors() {
            let limit = std::pin::pin!(wasm_mt::sleep(Duration::from_millis(5))); // sleep: it is the timeout
            match select(forever(&executor), limit).await {
                Either::Right(((), late)) => drop(late),
                Either::Left(_) => panic!("a task that never ends has ended"),
            }
            assert_eq!(square(&executor, 6).await.unwrap(), 36);
        }
    }

    async fn a_handle_can_be_aborted_and_shared() {
        for executor in executors() {
            let (abort, registration) = futures::future::AbortHandle::new_pair();
            let abortable = Abortable::new(forever(&executor), registration);
            abort.abort();
            abortable.await.unwrap_err();

            let shared = square(&executor, 5).shared();
            assert_eq!(shared.clone().await.unwrap() + shared.await.unwrap(), 50);
        }
    }

    async fn a_future_is_spawned_with_a_handle() {
        for executor in executors() {
            let handle = executor.spawn_with_handle(async { 7 }).unwrap();
            assert_eq!(handle.await, 7);
        }
    }

    async fn an_executor_works_behind_every_pointer() {
        async fn twice(executor: impl Executor) -> u64 {
            executor.spawn_remote(remote!(|| 2)).await.unwrap()
        }
        let thread = Thread::new();
        assert_eq!(twice(&thread).await, 2);
        assert_eq!(twice(&mut thread.clone()).await, 2);
        assert_eq!(twice(Box::new(thread.clone())).await, 2);
        assert_eq!(twice(Arc::new(thread.clone())).await, 2);
        let dynamic: Arc<dyn Executor> = Arc::new(thread);
        assert_eq!(twice(dynamic).await, 2);
    }
}

#[cfg(not(target_family = "wasm"))]
native_test! { fn a_spawned_future_runs_on_the_thread() {
    wasm_mt::run(async {
        let thread = Thread::builder().name("elsewhere").build();
        let name =
            thread.spawn_with_handle(async { std::thread::current().name().map(str::to_owned) }).unwrap();
        assert_eq!(name.await.as_deref(), Some("elsewhere"));
    });
}}
