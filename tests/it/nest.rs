//! Workers that start workers.

use futures::future::LocalBoxFuture;
use wasm_mt::{Error, Remote, Thread};

use crate::common::on_worker;

/// Calls itself on a worker of its own, `depth` times.
fn descend(depth: u32) -> LocalBoxFuture<'static, Result<u32, Error>> {
    Box::pin(async move {
        if depth == 0 {
            return Ok(0);
        }
        let below = on_worker(Remote::new_async(depth - 1, descend)).await??;
        Ok(below + 1)
    })
}

remote_test! {
    async fn workers_nest_three_deep() {
        assert_eq!(descend(3).await.unwrap(), 3);
    }

    async fn a_worker_and_its_own_worker_overlap() {
        let task = Remote::new_async((), |()| async {
            let thread = Thread::new();
            let there = thread.spawn_remote(Remote::new(20, |n: u32| n + 1));
            let here = 20;
            there.await.map(|there| here + there)
        });
        assert_eq!(on_worker(task).await.unwrap().unwrap(), 41);
    }

    async fn a_panic_two_levels_down_reaches_the_page_as_a_value() {
        let task = Remote::new_async((), |()| async {
            on_worker(Remote::new((), |()| -> u32 { panic!("deep") })).await
        });
        let error = on_worker(task).await.unwrap().unwrap_err();
        assert!(error.is_panic() && error.to_string().contains("deep"), "{error}");
    }

    async fn the_end_of_a_worker_ends_its_own_workers() {
        let thread = Thread::new();
        let outer = thread.spawn_remote(Remote::new_async((), |()| async {
            on_worker(Remote::new_async((), |()| std::future::pending::<()>())).await
        }));
        thread.spawn_remote(Remote::new((), |()| ())).await.unwrap();
        thread.terminate();
        assert!(outer.await.unwrap_err().is_closed());
    }
}
