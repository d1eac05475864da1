//! Tasks that are run by the code that waits for them.

use std::cell::RefCell;
use std::sync::Arc;
use std::task::Context;
use std::time::Duration;

use futures::FutureExt;
use futures::task::{ArcWake, waker};
use wasm_mt::{Error, Executor, ExecutorExt, InlineExecutor, Pool, Strategy, Thread, executor, remote};

use super::{Keeps, forever, square};

thread_local! {
    /// In which order things happened on a worker.
    static STEPS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn step(name: &str) {
    STEPS.with_borrow_mut(|steps| steps.push(name.to_owned()));
}

/// Pools of each kind.
fn pools(threads: usize) -> impl Iterator<Item = Pool> {
    let strategies = [Strategy::Serial, Strategy::Parallel, Strategy::WorkStealing];
    strategies.into_iter().map(move |strategy| Pool::builder().strategy(strategy).threads(threads).build())
}

/// Divides its work, synchronously.
fn fib(n: u64) -> Result<u64, Error> {
    if n < 2 {
        return Ok(n);
    }
    let mut a = executor::current().spawn_remote(remote!(move || fib(n - 1)));
    let b = fib(n - 2)?;
    Ok(a.join()?? + b)
}

/// One after the other within one another.
fn descend(depth: u32) -> Result<u32, Error> {
    if depth == 0 {
        return Ok(0);
    }
    Ok(executor::current().spawn_remote(remote!(move || descend(depth - 1))).join()?? + 1)
}

remote_test! {
    async fn a_synchronous_task_divides_its_work() {
        for threads in [1, 3] {
            for pool in pools(threads) {
                pool.ready().await.unwrap();
                assert_eq!(pool.spawn_remote(remote!(|| fib(14))).await.unwrap().unwrap(), 377);
                assert_eq!((pool.stats().stolen, pool.stats().lost_workers), (0, 0));
                assert_eq!(pool.spawn_remote(remote!(|| descend(50))).await.unwrap().unwrap(), 50);
            }
        }
    }

    async fn a_task_that_is_joined_runs_then_and_there_and_once() {
        for pool in pools(1) {
            let parent = remote!(|| {
                let mut first = executor::current().spawn_remote(remote!(|| step("first")));
                let mut second = executor::current().spawn_remote(remote!(|| {
                    step("second");
                    executor::current().spawn_remote(remote!(|| step("left behind"))).forget();
                    7
                }));
                step("parent");
                assert_eq!(second.join()?, 7);
                first.join()?;
                step("joined");
                Ok::<_, Error>(executor::current().pending())
            });
            assert_eq!(pool.spawn_remote(parent).await.unwrap().unwrap(), 1);
            let steps = pool.spawn_remote(remote!(|| STEPS.take())).await.unwrap();
            assert_eq!(steps, ["parent", "second", "first", "joined", "left behind"]);
            assert_eq!(pool.stats().lost_workers, 0);
        }
    }

    async fn an_asynchronous_parent_joins_what_is_there_and_awaits_the_rest() {
        for pool in pools(3) {
            let parent = remote!(async {
                let children = (0..100).map(|n| square(&executor::current(), n)).collect::<Vec<_>>();
                let mut sum = 0;
                for mut child in children.into_iter().rev() {
                    sum += match child.join() {
                        Err(error) if error.is_would_block() => child.await?,
                        result => result?,
                    };
                }
                Ok::<_, Error>((sum, executor::current().pending()))
            });
            assert_eq!(pool.spawn_remote(parent).await.unwrap().unwrap(), (328_350, 0));
            assert_eq!(pool.spawn_remote(remote!(|| 1)).await.unwrap(), 1);
        }
    }

    async fn what_cannot_be_run_here_says_so_and_can_be_awaited() {
        let executor = Keeps::new();
        let mut handle = square(&executor, 3);
        let error = handle.join().unwrap_err();
        assert!(error.is_would_block() && error.to_string().contains("`.await` its handle"), "{error}");
        executor.take().run().await;
        assert_eq!(handle.await.unwrap(), 9);

        let parent = remote!(async {
            let other = Thread::new();
            let on_another = forever(&other).join().unwrap_err().is_would_block();
            let mut asynchronous = executor::current().spawn_remote(remote!(async { 1 }));
            let refused = asynchronous.join().unwrap_err().is_would_block();
            Ok::<_, Error>((on_another, refused, asynchronous.await?))
        });
        assert_eq!(Thread::new().spawn_remote(parent).await.unwrap().unwrap(), (true, true, 1));
    }

    async fn a_result_that_is_there_is_given() {
        let executor = Keeps::new();
        let mut handles = [square(&executor, 3), square(&executor, 4)];
        let mut jobs = executor.take_all();
        jobs.remove(0).run().await;
        jobs.remove(0).fail(Error::other("no"));
        assert_eq!(handles[0].join().unwrap(), 9);
        assert!(handles[1].join().unwrap_err().is_other());
        let mut aborted = forever(&executor);
        aborted.abort();
        assert!(aborted.join().unwrap_err().is_cancelled());
    }

    async fn a_task_of_an_executor_without_workers_is_joined_where_it_waits() {
        let executor = InlineExecutor::new();
        let mut sum = executor.spawn_remote(remote!(|| fib(10)));
        assert_eq!(sum.join().unwrap().unwrap(), 55);
        assert_eq!(executor.pending(), 0);
        let mut asynchronous = executor.spawn_remote(remote!(async { 1 }));
        assert!(asynchronous.join().unwrap_err().is_would_block());
        assert_eq!(asynchronous.await.unwrap(), 1);
        // Those that are not joined run as ever, or not.
        assert_eq!(square(&executor, 3).await.unwrap(), 9);
        drop(square(&executor, 3));
        square(&executor, 3).forget();
        executor.close().await;
        assert_eq!(executor.pending(), 0);
    }

    async fn a_panic_of_a_task_that_is_joined_is_that_of_the_task_that_joins_it() {
        for pool in pools(1) {
            let parent = remote!(|| {
                executor::current().spawn_remote(remote!(|| -> u32 { panic!("in the child") })).join()
            });
            let error = pool.spawn_remote(parent).await.unwrap_err();
            let text = error.to_string();
            assert!(error.is_panic() && text.contains("in the child") && text.contains("join.rs"), "{text}");
            assert_eq!(pool.spawn_remote(remote!(|| fib(5))).await.unwrap().unwrap(), 5);
            assert_eq!(pool.stats().lost_workers, 1);
        }
    }

    async fn a_task_that_is_joined_has_no_more_time_than_its_parent() {
        for pool in pools(1) {
            let parent = remote!(|| {
                let mut child = executor::current().spawn_remote(remote!(|| {
                    while wasm_mt::checkpoint().is_ok() {}
                }));
                child.join()
            });
            let error = pool.spawn_remote(parent.timeout(Duration::from_millis(50))).await.unwrap_err();
            assert!(error.is_timeout(), "{error}");
            assert_eq!(pool.spawn_remote(remote!(|| fib(5))).await.unwrap().unwrap(), 5);
        }
    }

    async fn a_task_that_is_joined_and_late_says_so_itself() {
        for pool in pools(1) {
            let parent = remote!(async {
                let child = remote!(|| {
                    while wasm_mt::checkpoint().is_ok() {}
                });
                // Its page has been told, and ends the worker unless this ends first.
                let mut child = executor::current().spawn_remote(child.timeout(Duration::from_millis(20)));
                child.join().unwrap_err().is_timeout()
            });
            match pool.spawn_remote(parent).await {
                Ok(is_timeout) => assert!(is_timeout),
                Err(error) => assert!(error.is_worker_lost(), "{error}"),
            }
            assert_eq!(pool.spawn_remote(remote!(|| fib(5))).await.unwrap().unwrap(), 5);
        }
    }

    async fn a_task_that_is_joined_cannot_wait_for_what_it_makes() {
        for pool in pools(1) {
            let parent = remote!(async {
                executor::current().spawn_remote(remote!(|| {
                    let mut child = square(&executor::current(), 3);
                    let waker = waker(Arc::new(Unparks));
                    child.poll_unpin(&mut Context::from_waker(&waker)).is_pending()
                })).join()
            });
            let error = pool.spawn_remote(parent).await.unwrap_err();
            assert!(error.is_panic() && error.to_string().contains("make it asynchronous"), "{error}");
            // The parent may wait again.
            let parent = remote!(async {
                executor::current().spawn_remote(remote!(|| ())).join()?;
                square(&executor::current(), 3).await
            });
            assert_eq!(pool.spawn_remote(parent).await.unwrap().unwrap(), 9);
        }
    }

    async fn tasks_that_are_joined_are_reported_like_others() {
        static RUNS: std::sync::Mutex<Vec<Option<u32>>> = std::sync::Mutex::new(Vec::new());

        let line = line!() + 1;
        let parent = remote!(|| executor::current().spawn_remote(remote!(|| 7)).join());
        let watched = Pool::builder().threads(1);
        let pool = watched.on_run(|run| RUNS.lock().unwrap().push(run.location().map(std::panic::Location::line))).build();
        assert_eq!(pool.spawn_remote(parent).await.unwrap().unwrap(), 7);
        pool.close().await;
        assert_eq!(*RUNS.lock().unwrap(), [Some(line); 2]);
    }
}

/// As `block_on` has it: it would wake the thread that waits.
struct Unparks;

impl ArcWake for Unparks {
    fn wake_by_ref(_this: &Arc<Self>) {}
}

// Natively a panic can be caught, and the code behind it goes on.
#[cfg(not(target_family = "wasm"))]
native_test! { fn a_caught_panic_leaves_a_handle_that_says_so() {
    wasm_mt::run(async {
        let parent = remote!(|| {
            let mut child = executor::current().spawn_remote(remote!(|| -> u32 { panic!("in the child") }));
            let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| child.join())).is_err();
            (caught, child.join().unwrap_err().is_panic(), fib(5))
        });
        let (caught, is_panic, sum) = Thread::new().spawn_remote(parent).await.unwrap();
        assert_eq!((caught, is_panic, sum.unwrap()), (true, true, 5));
    });
}}

#[cfg(not(target_family = "wasm"))]
native_test! { fn a_task_that_is_joined_ends_when_the_handle_of_its_parent_is_dropped() {
    use std::sync::atomic::{AtomicBool, Ordering};

    static BEGUN: AtomicBool = AtomicBool::new(false);

    wasm_mt::run(async {
        let pool = Pool::builder().threads(1).build();
        let parent = pool.spawn_remote(remote!(|| {
            executor::current().spawn_remote(remote!(|| {
                BEGUN.store(true, Ordering::Release);
                while !wasm_mt::is_cancelled() {}
            })).join()
        }));
        while !BEGUN.load(Ordering::Acquire) {
            wasm_mt::yield_now().await;
        }
        drop(parent);
        assert_eq!(pool.spawn_remote(remote!(|| 7)).await.unwrap(), 7);
        assert_eq!(pool.stats().lost_workers, 0);
    });
}}
