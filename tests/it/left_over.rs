//! Code that fails beside tasks, left behind by one or hung on to them by the program: it costs no other task its result.

use std::time::Duration;

use futures::future::join_all;
use futures::task::SpawnExt;
use wasm_mt::{Error, Pool, Remote, Strategy, executor, remote};

fn pools() -> impl Iterator<Item = Pool> {
    let strategies = [Strategy::Serial, Strategy::Parallel, Strategy::WorkStealing];
    strategies.into_iter().map(|strategy| Pool::builder().strategy(strategy).threads(1).build())
}

/// Takes longer than a worker goes on without a turn of its event loop.
fn milliseconds(number: u32) -> Remote<u32> {
    remote!(move || {
        let begun = web_time::Instant::now();
        while begun.elapsed() < Duration::from_millis(2) {
            std::hint::spin_loop();
        }
        number
    })
}

fn leaves_a_panic() -> Remote<()> {
    remote!(|| executor::current().spawn(async { panic!("left behind") }).unwrap())
}

remote_test! {
    async fn a_panic_that_a_task_leaves_behind_costs_only_what_has_begun() {
        for pool in pools() {
            let fails = pool.spawn_remote(leaves_a_panic());
            let tasks = (0..64).map(|number| pool.spawn_remote(milliseconds(number))).collect::<Vec<_>>();
            fails.await.unwrap();
            let lost = join_all(tasks).await.into_iter().zip(0..).filter(|(outcome, number)| match outcome {
                Ok(value) => {
                    assert_eq!(value, number);
                    false
                }
                Err(error) => {
                    assert!(error.is_worker_lost() && error.to_string().contains("left behind"), "{error}");
                    true
                }
            });
            // None runs while another future is polled.
            assert_eq!(lost.count(), 0, "{pool:?}");
            assert_eq!(pool.stats().lost_workers, 1);
        }
    }

    async fn a_panic_that_a_task_leaves_behind_is_heard_by_what_waits() {
        for pool in pools().skip(1) {
            let waits = pool.spawn_remote(remote!(async { std::future::pending::<()>().await }));
            pool.spawn_remote(leaves_a_panic()).await.unwrap();
            let error: Error = waits.await.unwrap_err();
            assert!(error.is_worker_lost() && error.to_string().contains("left behind"), "{error}");
            // What `on_start` leaves behind fails in the same way.
            let text = error.to_string();
            assert!(text.contains("code of no task") && !text.contains("on_start"), "{text}");
            assert_eq!(pool.spawn_remote(remote!(|| 1)).await.unwrap(), 1);
        }
    }
}

/// In a browser a panic ends the page that runs it.
#[cfg(not(target_family = "wasm"))]
mod native {
    use std::future::Future;
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::task::{Context, Wake, Waker};

    use super::*;

    struct Fails;

    impl Wake for Fails {
        fn wake(self: Arc<Self>) {
            WAKES.fetch_add(1, Ordering::Relaxed);
            panic!("a waker that fails");
        }
    }

    static WAKES: AtomicUsize = AtomicUsize::new(0);
    /// The task that is to find that waker does not end before.
    static HELD: AtomicBool = AtomicBool::new(false);

    native_test! { fn a_waker_that_panics_costs_nobody_a_task() {
        wasm_mt::run(async {
            for pool in pools() {
                HELD.store(true, Ordering::Release);
                let held = remote!(|| {
                    while HELD.load(Ordering::Acquire) {
                        std::thread::yield_now();
                    }
                    1_000
                });
                let mut handle = pin!(pool.spawn_remote(held));
                let waker = Waker::from(Arc::new(Fails));
                assert!(handle.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
                HELD.store(false, Ordering::Release);
                let tasks = (0..64).map(|number| pool.spawn_remote(milliseconds(number)));
                let values = join_all(tasks).await.into_iter().map(Result::unwrap);
                assert!(values.eq(0..64));
                assert_eq!(handle.await.unwrap(), 1_000);
                assert_eq!(pool.stats().lost_workers, 0);
            }
            assert_eq!(WAKES.load(Ordering::Relaxed), 3, "each pool has found the waker");
        });
    }}

    native_test! { fn a_hook_that_panics_costs_nobody_a_task() {
        wasm_mt::run(async {
            let pool = Pool::builder().threads(2).on_run(|_| panic!("a hook that fails")).build();
            let tasks = (0..64).map(|number| pool.spawn_remote(milliseconds(number)));
            let values = join_all(tasks).await.into_iter().map(Result::unwrap);
            assert!(values.eq(0..64));
            assert_eq!(pool.stats().lost_workers, 0);
        });
    }}
}
