//! Time limits where clocks and workers do not play along: they end what they should, and nothing else.

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures::task::SpawnExt;
use wasm_mt::{
    Error, Executor, ExecutorExt, InlineExecutor, Pool, Remote, Strategy, Thread, executor, remote, sleep,
};

/// Natively nobody can end a thread, so the loops that have begun end when this grows. In the browser workers have a memory of
/// their own, which this does not reach.
static RELEASED: AtomicU32 = AtomicU32::new(0);

/// Ends the loops that have begun.
struct Release;

impl Drop for Release {
    fn drop(&mut self) {
        RELEASED.fetch_add(1, Ordering::Relaxed);
    }
}

/// Takes the thread for longer than any test. (It calls JavaScript: else a worker in WebKit would go on after its end.)
fn occupy() {
    let (begun, released) = (web_time::Instant::now(), RELEASED.load(Ordering::Relaxed));
    while RELEASED.load(Ordering::Relaxed) == released && begun.elapsed() < Duration::from_secs(60) {
        std::hint::spin_loop();
    }
}

fn busy(time: Duration) {
    let begun = web_time::Instant::now();
    while begun.elapsed() < time {
        std::hint::spin_loop();
    }
}

/// Pools of each kind, each with one worker.
fn pools() -> impl Iterator<Item = Pool> {
    let strategies = [Strategy::Serial, Strategy::Parallel, Strategy::WorkStealing];
    strategies.into_iter().map(|strategy| Pool::builder().strategy(strategy).threads(1).build())
}

/// Leaves code behind that takes the thread when the task has ended.
fn leaves_endless_code() -> Remote<()> {
    remote!(|| {
        let occupied = async {
            // sleep: the task has ended by then
            sleep(Duration::from_millis(1)).await;
            occupy();
        };
        executor::current().spawn(occupied).unwrap();
    })
}

const LIMIT: Duration = Duration::from_secs(1);

/// Spawns tasks until the left-over code has the thread.
async fn spawn_behind_endless_code(executor: &dyn Executor) -> Result<u32, Error> {
    executor.spawn_remote(leaves_endless_code()).await.unwrap();
    loop {
        let begun = web_time::Instant::now();
        let outcome = executor.spawn_remote(remote!(|| 7).timeout(LIMIT)).await;
        if outcome.is_err() || begun.elapsed() >= LIMIT {
            return outcome;
        }
        wasm_mt::yield_now().await;
    }
}

/// Loses the worker of a pool of one. The next two fail to start, "not now", and the one after them works.
async fn works_again_after_two_failed_starts(pool: &Pool) {
    pool.spawn_remote(remote!(|| -> () { panic!("on purpose") })).await.unwrap_err();
    let mut failed = 0;
    while let Err(error) = pool.spawn_remote(remote!(|| 2)).await {
        assert!(error.is_startup() && error.to_string().contains("not now"), "{error}");
        failed += 1;
    }
    // What is spawned in a pause waits for the next attempt.
    assert!((1..=2).contains(&failed), "{failed}");
    assert_eq!((pool.stats().failed_starts, pool.stats().workers), (2, 1));
}

remote_test! {
    async fn a_worker_that_left_over_code_keeps_from_answering_is_ended() {
        for pool in pools() {
            let _release = Release;
            // It runs on the worker that takes the other's place.
            assert_eq!(spawn_behind_endless_code(&pool).await.unwrap(), 7);
            assert_eq!(pool.stats().lost_workers, 1);
        }
        let _release = Release;
        let error = spawn_behind_endless_code(&Thread::new()).await.unwrap_err();
        assert!(error.is_worker_lost() && error.to_string().contains("left behind"), "{error}");
    }

    async fn a_long_task_of_another_may_keep_a_task_with_a_timeout_waiting() {
        for pool in pools() {
            pool.ready().await.unwrap();
            let long = pool.spawn_remote(remote!(|| {
                busy(Duration::from_millis(1_500));
                1
            }));
            let behind = pool.spawn_remote(remote!(async { 2 }).timeout(Duration::from_millis(300)));
            assert_eq!((long.await.unwrap(), behind.await.unwrap()), (1, 2));
            assert_eq!(pool.stats().lost_workers, 0);
        }
    }

    async fn a_limit_counts_from_now_after_a_time_in_which_nothing_happened() {
        let pool = Pool::builder().threads(1).grace(Duration::from_millis(10)).build();
        let leave = remote!(|| {
            let occupied = async {
                // sleep: nothing else happens for far longer than the limit
                sleep(Duration::from_millis(3_100)).await;
                busy(Duration::from_millis(400));
            };
            executor::current().spawn(occupied).unwrap();
        });
        pool.spawn_remote(leave).await.unwrap();
        // sleep: the code that was left behind has the thread by then
        sleep(Duration::from_millis(3_200)).await;
        let task = remote!(|| 1).timeout(Duration::from_secs(1));
        assert_eq!(pool.spawn_remote(task).await.unwrap(), 1);
        assert_eq!(pool.stats().lost_workers, 0, "it answered before the limit");
    }

    async fn a_child_that_reaches_its_limit_is_told_so() {
        for pool in pools() {
            let parent = remote!(async {
                let forever = remote!(async { std::future::pending::<()>().await });
                let error = forever.timeout(Duration::from_millis(10)).await.unwrap_err();
                (error.is_timeout(), error.to_string())
            });
            let (is_timeout, text) = pool.spawn_remote(parent).await.unwrap();
            assert!(is_timeout, "{text}");
            assert_eq!(pool.stats().lost_workers, 0);
        }
    }
}

thread_local! {
    static DROPPED: Cell<u32> = const { Cell::new(0) };
    static KEPT: RefCell<Option<Thread>> = const { RefCell::new(None) };
}

/// Counts when it is dropped.
struct CountDrop;

impl Drop for CountDrop {
    fn drop(&mut self) {
        DROPPED.set(DROPPED.get() + 1);
    }
}

/// Never ends, but by a limit that it has not of itself.
fn never_ends() -> Remote<()> {
    remote!(async {
        let _guard = CountDrop;
        std::future::pending::<()>().await;
    })
}

remote_test! {
    async fn a_child_has_no_more_time_than_is_left_to_its_parent() {
        let limit = Duration::from_millis(50);
        let parent = || remote!(async {
            wasm_mt::yield_now().await;
            executor::current().spawn_remote(never_ends()).forget();
        });
        for pool in pools() {
            pool.spawn_remote(parent().timeout(limit)).await.unwrap();
            while pool.spawn_remote(remote!(|| DROPPED.get())).await.unwrap() == 0 {
                wasm_mt::yield_now().await;
            }
            assert_eq!(pool.stats().lost_workers, 0);
        }
        InlineExecutor::new().spawn_remote(parent().timeout(limit)).await.unwrap();
        while DROPPED.get() == 0 {
            wasm_mt::yield_now().await;
        }
    }

    async fn so_it_is_in_a_pool_of_the_parent_s_own() {
        let thread = Thread::new();
        let parent = remote!(|| {
            let own = Thread::new();
            own.spawn_remote(never_ends()).forget();
            KEPT.set(Some(own));
        });
        thread.spawn_remote(parent.timeout(Duration::from_secs(1))).await.unwrap();
        let dropped = || remote!(async {
            let own = KEPT.with_borrow(Clone::clone).unwrap();
            own.spawn_remote(remote!(|| DROPPED.get())).await
        });
        while thread.spawn_remote(dropped()).await.unwrap().unwrap() == 0 {
            wasm_mt::yield_now().await;
        }
    }

    async fn grandchildren_inherit_it_too_and_a_shorter_limit_of_a_child_stays() {
        let thread = Thread::new();
        let parent = remote!(async {
            let child = remote!(async {
                executor::current().spawn_remote(never_ends()).forget();
                never_ends().timeout(Duration::from_millis(10)).await.unwrap_err().to_string()
            });
            child.await
        });
        let text = thread.spawn_remote(parent.timeout(Duration::from_secs(1))).await.unwrap().unwrap();
        assert!(text.contains("10 ms"), "{text}");
        while thread.spawn_remote(remote!(|| DROPPED.get())).await.unwrap() < 2 {
            wasm_mt::yield_now().await;
        }
    }
}

#[cfg(target_family = "wasm")]
mod web {
    use js_sys::Function;
    use wasm_bindgen::prelude::*;

    use super::*;

    /// As in a page that has been hidden for long: its timers do not come. Those that are set already do.
    struct NoTimers;

    impl NoTimers {
        fn new() -> Self {
            run("self.setTimeoutBefore = self.setTimeout; self.setTimeout = () => 0;");
            Self
        }
    }

    impl Drop for NoTimers {
        fn drop(&mut self) {
            run("self.setTimeout = self.setTimeoutBefore;");
        }
    }

    fn run(source: &str) -> JsValue {
        Function::new_no_args(source).call0(&JsValue::UNDEFINED).unwrap()
    }

    web_test! { async fn an_asynchronous_task_reaches_its_limit_while_its_page_has_no_timers() {
        for executor in pools() {
            executor.ready().await.unwrap();
            let _no_timers = NoTimers::new();
            let task = remote!(async { std::future::pending::<()>().await });
            let error = executor.spawn_remote(task.timeout(Duration::from_millis(50))).await.unwrap_err();
            assert!(error.is_timeout(), "{error}");
            assert_eq!(executor.stats().lost_workers, 0);
        }
    }}

    web_test! { async fn an_endless_task_reaches_its_limit_when_another_worker_is_heard() {
        for strategy in [Strategy::Parallel, Strategy::WorkStealing] {
            let pool = Pool::builder().strategy(strategy).threads(2).build();
            pool.ready().await.unwrap();
            let _no_timers = NoTimers::new();
            let mut endless = pool.spawn_remote(remote!(|| occupy()).timeout(Duration::from_millis(50)));
            let error = loop {
                pool.spawn_remote(remote!(|| 1)).await.unwrap();
                if let std::task::Poll::Ready(outcome) = futures::poll!(&mut endless) {
                    break outcome.unwrap_err();
                }
            };
            assert!(error.is_timeout(), "{error}");
            assert_eq!(pool.stats().lost_workers, 1);
        }
    }}

    web_test! { async fn a_result_that_came_too_late_is_none_though_the_page_was_late_too() {
        for pool in pools() {
            pool.ready().await.unwrap();
            let late = remote!(|| busy(Duration::from_millis(100))).timeout(Duration::from_millis(50));
            let in_time = remote!(|| busy(Duration::from_millis(50))).timeout(Duration::from_secs(60));
            let (late, in_time) = (pool.spawn_remote(late), pool.spawn_remote(in_time));
            // It has been posted then.
            wasm_mt::yield_now().await;
            busy(Duration::from_millis(1_200));
            let error = late.await.unwrap_err();
            assert!(error.is_timeout(), "{error}");
            in_time.await.unwrap();
            assert_eq!(pool.stats().lost_workers, 0, "it had ended");
        }
    }}

    web_test! { async fn a_page_that_is_busy_for_as_long_as_a_start_may_take_does_not_fail_it() {
        for _ in 0..3 {
            let pool = Pool::builder().threads(1).start_timeout(Duration::from_secs(2)).build();
            wasm_mt::yield_now().await;
            busy(Duration::from_millis(2_030));
            pool.ready().await.unwrap();
        }
    }}

    web_test! { async fn a_worker_that_fails_to_take_the_place_of_a_lost_one_is_tried_again() {
        let make = || {
            let attempt = run("return self.attempts = (self.attempts ?? 0) + 1;").as_f64();
            if attempt.is_some_and(|attempt| (2.0..4.0).contains(&attempt)) {
                return Err("not now".into());
            }
            let source =
                "return new Worker(URL.createObjectURL(new Blob([script], { type: 'text/javascript' })));";
            let make = Function::new_with_args("script", source);
            make.call1(&JsValue::UNDEFINED, &wasm_mt::WORKER_SCRIPT.into()).map(JsCast::unchecked_into)
        };
        let pool = Pool::builder().threads(1).worker_factory(make).build();
        assert_eq!(pool.spawn_remote(remote!(|| 1)).await.unwrap(), 1);
        works_again_after_two_failed_starts(&pool).await;
    }}
}

#[cfg(not(target_family = "wasm"))]
native_test! { fn a_replacement_whose_on_start_fails_is_tried_again() {
    static ATTEMPTS: AtomicU32 = AtomicU32::new(0);

    let on_start = remote!(|| {
        let attempt = ATTEMPTS.fetch_add(1, Ordering::Relaxed);
        assert!(!(1..3).contains(&attempt), "not now");
    });
    wasm_mt::run(async {
        let pool = Pool::builder().threads(1).on_start(on_start).build();
        works_again_after_two_failed_starts(&pool).await;
    });
}}
