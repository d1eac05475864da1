//! What a task or its handle may ask for: a time limit, another run, an end at any price, no waiting in a queue.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::future::{join_all, try_join_all};
use wasm_mt::{Executor, ExecutorExt, Pool, Remote, RemoteHandle, Strategy, Thread, remote};

use super::{Made, Workers, executors, executors_with, forever, made_with, square};

/// One for each test: natively nobody can end a thread, so the loops of [`endless`] end with the test. In the browser workers
/// have a memory of their own, which this does not reach.
static RELEASED: [AtomicBool; 4] = [const { AtomicBool::new(false) }; 4];

/// Ends the loops of a test.
struct Release(usize);

impl Drop for Release {
    fn drop(&mut self) {
        RELEASED[self.0].store(true, Ordering::Relaxed);
    }
}

/// By far too long. Not without end: in WebKit a worker that was ended goes on until its code calls JavaScript.
fn spin(test: usize) {
    let begun = web_time::Instant::now();
    while !RELEASED[test].load(Ordering::Relaxed) && begun.elapsed() < Duration::from_secs(60) {
        std::hint::spin_loop();
    }
}

/// Does not await anything, and does not end.
fn endless(test: usize) -> Remote<()> {
    remote!(move || spin(test))
}

async fn is_alive(executor: &dyn Executor) {
    assert_eq!(square(executor, 7).await.unwrap(), 49);
}

/// A task of one site, whatever it costs.
fn busy(milliseconds: u64) -> Remote<()> {
    remote!(move || {
        let begun = web_time::Instant::now();
        while begun.elapsed() < Duration::from_millis(milliseconds) {
            std::hint::spin_loop();
        }
    })
}

remote_test! {
    async fn a_stopped_task_that_waits_takes_no_other_with_it() {
        let pool = |strategy| Pool::builder().strategy(strategy).threads(1).build();
        for stopped_by_its_time in [true, false] {
            let executors: [Box<dyn Executor>; 3] =
                [Box::new(Thread::new()), Box::new(pool(Strategy::Parallel)), Box::new(pool(Strategy::WorkStealing))];
            for executor in executors {
                // The site is known to be a short one then.
                let known = join_all((0..300).map(|_| executor.spawn_remote(busy(0)))).await;
                assert!(known.iter().all(Result::is_ok));
                let forever = remote!(async { std::future::pending::<()>().await });
                let limit = Duration::from_millis(60);
                let forever = if stopped_by_its_time { forever.timeout(limit) } else { forever };
                let mut stopped = executor.spawn_remote(forever);
                assert!(futures::poll!(&mut stopped).is_pending());
                // sleep: it awaits by then, and its worker has nothing to do
                wasm_mt::sleep(Duration::from_millis(20)).await;
                let long = executor.spawn_remote(busy(400));
                let behind = (0..5).map(|_| executor.spawn_remote(busy(0))).collect::<Vec<_>>();
                // sleep: the long one has begun by then
                wasm_mt::sleep(Duration::from_millis(20)).await;
                if !stopped_by_its_time {
                    stopped.abort();
                }
                let error = stopped.await.unwrap_err();
                assert!(if stopped_by_its_time { error.is_timeout() } else { error.is_cancelled() }, "{error}");
                long.await.unwrap();
                for task in behind {
                    task.await.unwrap();
                }
            }
        }
    }

    async fn an_asynchronous_task_is_dropped_when_its_time_is_over() {
        for executor in executors() {
            let limit = Duration::from_millis(10);
            let late = remote!(async { std::future::pending::<()>().await }).timeout(limit);
            let in_time = remote!(async { 1 }).timeout(Duration::from_secs(600));
            let (late, in_time) = (executor.spawn_remote(late), executor.spawn_remote(in_time));
            let error = late.await.unwrap_err();
            assert!(error.is_timeout() && error.to_string().contains("10 ms"), "{error}");
            assert_eq!(in_time.await.unwrap(), 1);
            is_alive(&executor).await;
        }
    }

    async fn a_synchronous_task_is_ended_with_its_worker_when_its_time_is_over() {
        let _release = Release(0);
        for Made { executor, stats } in made_with(|workers| workers == Workers::Replaced) {
            let late = executor.spawn_remote(endless(0).timeout(Duration::from_millis(10)));
            let others = (0..4).map(|n| square(&executor, n)).collect::<Vec<_>>();
            assert!(late.await.unwrap_err().is_timeout());
            // Those that stood behind it too.
            assert_eq!(try_join_all(others).await.unwrap(), [0, 1, 4, 9]);
            assert_eq!(stats().lost_workers, 1);
        }
        for executor in executors_with(|workers| workers == Workers::Lost) {
            let late = executor.spawn_remote(endless(0).timeout(Duration::from_millis(10)));
            assert!(late.await.unwrap_err().is_timeout());
        }
    }

    async fn an_asynchronous_task_is_aborted_at_its_await() {
        for Made { executor, stats } in made_with(|_| true) {
            is_alive(&executor).await;
            let mut task = forever(&executor);
            assert!(futures::poll!(&mut task).is_pending());
            // It is posted, and begins before its worker hears of the next thing.
            wasm_mt::yield_now().await;
            task.abort();
            let error = task.await.unwrap_err();
            assert!(error.is_cancelled(), "{error}");
            is_alive(&executor).await;
            assert_eq!(stats().lost_workers, 0);
        }
    }

    async fn a_task_that_does_not_stop_is_aborted_with_its_worker() {
        let _release = Release(1);
        let asynchronous = || remote!(async { spin(1) });
        for task in [|| endless(1), asynchronous] {
            for executor in executors_with(|workers| workers != Workers::None) {
                is_alive(&executor).await;
                let task = executor.spawn_remote(task());
                wasm_mt::yield_now().await;
                task.abort();
                let error = task.await.unwrap_err();
                assert!(error.is_cancelled(), "{error}");
            }
        }
        for executor in executors_with(|workers| workers == Workers::Replaced) {
            is_alive(&executor).await;
            let task = executor.spawn_remote(endless(1));
            wasm_mt::yield_now().await;
            task.abort();
            assert!(task.await.unwrap_err().is_cancelled());
            // Nothing is posted to a worker that may have to end.
            is_alive(&executor).await;
        }
    }

    async fn a_task_that_may_run_again_does_not_after_a_panic_of_its_own() {
        for Made { executor, stats } in made_with(|workers| workers == Workers::Replaced) {
            let faulty = remote!(|| -> u32 { panic!("always") }).retry(3);
            let fine = remote!(|| 5).retry(3);
            let (faulty, fine) = (executor.spawn_remote(faulty), executor.spawn_remote(fine));
            assert!(faulty.await.unwrap_err().is_panic());
            assert_eq!(fine.await.unwrap(), 5);
            assert_eq!(stats().lost_workers, 1);
        }
    }

    async fn a_full_queue_refuses_who_does_not_want_to_wait() {
        let _release = Release(2);
        for strategy in [Strategy::Serial, Strategy::Parallel, Strategy::WorkStealing] {
            let pool = Pool::builder().strategy(strategy).threads(1).max_queue(1).build();
            pool.ready().await.unwrap();
            let busy = pool.try_spawn_remote(endless(2).timeout(Duration::from_millis(50))).unwrap();
            let queued = pool.try_spawn_remote(remote!(|| 1)).unwrap();
            let line = line!() + 1;
            let error = pool.try_spawn_remote(remote!(|| 2)).unwrap_err();
            assert!(error.is_queue_full(), "{error}");
            assert!(error.to_string().contains(&format!("options.rs:{line}:")), "{error}");
            let waits = pool.spawn_remote(remote!(|| 3));
            assert!(busy.await.unwrap_err().is_timeout());
            assert_eq!((queued.await.unwrap(), waits.await.unwrap()), (1, 3), "{strategy:?}");
            assert_eq!(pool.try_spawn_remote(remote!(|| 4)).unwrap().await.unwrap(), 4);
        }
    }

    async fn an_executor_without_a_bound_takes_every_task() {
        for executor in executors() {
            let tasks = (0..100).map(|n| executor.try_spawn_remote(remote!(move || n)).unwrap());
            assert!(join_all(tasks).await.into_iter().map(Result::unwrap).eq(0..100));
        }
    }

    async fn an_aborted_task_that_has_not_begun_never_does() {
        for executor in executors() {
            let tasks = (0..3).map(|n| square(&executor, n)).collect::<Vec<_>>();
            tasks.iter().for_each(RemoteHandle::abort);
            for task in tasks {
                // In the browser none has been posted yet; natively one may have run.
                match task.await {
                    Ok(_) if cfg!(target_family = "wasm") => panic!("it has run"),
                    Ok(_) => {}
                    Err(error) => assert!(error.is_cancelled(), "{error}"),
                }
            }
            is_alive(&executor).await;
        }
    }
}
