//! What a task can see of its own cancellation.

use std::cell::RefCell;
use std::future::pending;
use std::time::Duration;

use wasm_mt::{
    Error, ExecutorExt, InlineExecutor, Remote, RemoteHandle, Thread, checkpoint, executor, is_cancelled,
    remote,
};

use super::Keeps;

thread_local! {
    static SEEN: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    static HANDLE: RefCell<Option<RemoteHandle<bool>>> = const { RefCell::new(None) };
}

/// Loops until there is a reason not to.
fn goes_on_until_told() -> Error {
    loop {
        if let Err(error) = checkpoint() {
            assert!(is_cancelled());
            return error;
        }
    }
}

fn what(error: &Error) -> String {
    format!("timeout {}, cancelled {}", error.is_timeout(), error.is_cancelled())
}

remote_test! {
    async fn nothing_is_cancelled_that_may_go_on() {
        assert!(!is_cancelled());
        checkpoint().unwrap();
        let thread = Thread::new();
        let goes_on = || remote!(|| (is_cancelled(), checkpoint().is_ok()));
        assert_eq!(thread.spawn_remote(goes_on()).await.unwrap(), (false, true));
        assert_eq!(InlineExecutor::new().spawn_remote(goes_on()).await.unwrap(), (false, true));
        let limited = goes_on().timeout(Duration::from_secs(60));
        assert_eq!(thread.spawn_remote(limited).await.unwrap(), (false, true));
        // What is dropped at its await leaves nothing behind.
        drop(thread.spawn_remote(remote!(async { pending::<()>().await })));
        assert_eq!(thread.spawn_remote(goes_on()).await.unwrap(), (false, true));
    }

    async fn a_task_that_does_not_await_sees_its_limit_pass() {
        let thread = Thread::new();
        let before_its_first_await = remote!(async {
            SEEN.with_borrow_mut(|seen| seen.push(what(&goes_on_until_told())));
        });
        let behind_an_await = remote!(async {
            wasm_mt::yield_now().await;
            SEEN.with_borrow_mut(|seen| seen.push(what(&goes_on_until_told())));
        });
        for task in [before_its_first_await, behind_an_await] {
            let limited = thread.spawn_remote(task.timeout(Duration::from_millis(20)));
            assert!(limited.await.unwrap_err().is_timeout());
            let seen = thread.spawn_remote(remote!(|| (SEEN.take(), is_cancelled()))).await.unwrap();
            assert_eq!(seen, (vec!["timeout true, cancelled false".to_owned()], false));
        }
    }

    async fn a_task_on_the_thread_of_its_executor_sees_its_limit_pass() {
        let executor = InlineExecutor::new();
        let synchronous = remote!(|| goes_on_until_told().is_timeout());
        let asynchronous = remote!(async {
            wasm_mt::yield_now().await;
            goes_on_until_told().is_timeout()
        });
        for task in [synchronous, asynchronous] {
            let limited = executor.spawn_remote(task.timeout(Duration::from_millis(20)));
            assert!(limited.await.unwrap_err().is_timeout());
            assert!(!is_cancelled());
        }
    }

    async fn a_task_whose_own_code_drops_its_handle_is_cancelled() {
        fn drops_its_handle() -> Remote<bool> {
            remote!(async {
                // Not before it is there.
                wasm_mt::yield_now().await;
                let before = is_cancelled();
                drop(HANDLE.take());
                let after = checkpoint().is_err_and(|error| error.is_cancelled());
                SEEN.with_borrow_mut(|seen| seen.push(format!("{before}, {after}")));
                true
            })
        }
        let parent = remote!(async {
            HANDLE.set(Some(executor::current().spawn_remote(drops_its_handle())));
            while SEEN.with_borrow(Vec::is_empty) {
                wasm_mt::yield_now().await;
            }
            SEEN.take()
        });
        let thread = Thread::new();
        assert_eq!(thread.spawn_remote(parent).await.unwrap(), ["false, true"]);

        let executor = Keeps::new();
        HANDLE.set(Some(executor.spawn_remote(drops_its_handle())));
        executor.take().run().await;
        assert_eq!(SEEN.take(), ["false, true"]);
        assert!(!is_cancelled());
    }
}

/// Natively a task that is synchronous and has begun sees at once what others do with its handle.
#[cfg(not(target_family = "wasm"))]
mod native {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicBool, Ordering};

    use wasm_mt::{Pool, Strategy};

    use super::*;

    /// What a task tells of itself, by memory that all share.
    struct Progress {
        begun: AtomicBool,
        ended: AtomicBool,
    }

    impl Progress {
        const fn new() -> Self {
            Self { begun: AtomicBool::new(false), ended: AtomicBool::new(false) }
        }

        /// Loops until there is a reason not to.
        fn run(&self) -> Result<(), Error> {
            self.begun.store(true, Ordering::Release);
            let error = goes_on_until_told();
            self.ended.store(true, Ordering::Release);
            Err(error)
        }

        async fn until(flag: &AtomicBool) {
            while !flag.load(Ordering::Acquire) {
                wasm_mt::yield_now().await;
            }
        }
    }

    fn executors() -> impl Iterator<Item = Pool> {
        let strategies = [Strategy::Serial, Strategy::Parallel, Strategy::WorkStealing];
        strategies.into_iter().map(|strategy| Pool::builder().strategy(strategy).threads(1).build())
    }

    native_test! { fn a_synchronous_task_ends_when_its_handle_is_dropped_and_its_worker_goes_on() {
        static PROGRESS: Progress = Progress::new();

        wasm_mt::run(async {
            for pool in executors() {
                PROGRESS.begun.store(false, Ordering::Release);
                let endless = pool.spawn_remote(remote!(|| PROGRESS.run()));
                Progress::until(&PROGRESS.begun).await;
                drop(endless);
                assert_eq!(pool.spawn_remote(remote!(|| 7)).await.unwrap(), 7);
                assert_eq!(pool.stats().lost_workers, 0);
            }
        });
    }}

    native_test! { fn a_synchronous_task_that_is_aborted_ends_in_time_and_its_worker_goes_on() {
        static PROGRESS: Progress = Progress::new();

        wasm_mt::run(async {
            for pool in executors() {
                PROGRESS.begun.store(false, Ordering::Release);
                let endless = pool.spawn_remote(remote!(|| PROGRESS.run()));
                Progress::until(&PROGRESS.begun).await;
                endless.abort();
                assert!(endless.await.unwrap_err().is_cancelled());
                assert_eq!(pool.spawn_remote(remote!(|| 7)).await.unwrap(), 7);
                assert_eq!(pool.stats().lost_workers, 0);
            }
        });
    }}

    native_test! { fn a_synchronous_task_ends_when_its_pool_is_dropped() {
        static PROGRESS: Progress = Progress::new();

        wasm_mt::run(async {
            let pool = Pool::builder().threads(1).build();
            let endless = pool.spawn_remote(remote!(|| PROGRESS.run()));
            Progress::until(&PROGRESS.begun).await;
            drop(pool);
            Progress::until(&PROGRESS.ended).await;
            assert!(endless.await.unwrap_err().is_closed());
        });
    }}

    native_test! { fn a_synchronous_task_whose_time_is_over_ends_with_its_thread() {
        static PROGRESS: Progress = Progress::new();

        wasm_mt::run(async {
            let pool = Pool::builder().threads(1).build();
            let limited = remote!(|| PROGRESS.run()).timeout(Duration::from_millis(20));
            assert!(pool.spawn_remote(limited).await.unwrap_err().is_timeout());
            Progress::until(&PROGRESS.ended).await;
        });
    }}

    native_test! { fn on_start_ends_when_its_pool_is_dropped() {
        static PROGRESS: Progress = Progress::new();

        wasm_mt::run(async {
            let on_start = remote!(|| PROGRESS.run().unwrap_or(()));
            let pool = Pool::builder().threads(1).on_start(on_start).build();
            Progress::until(&PROGRESS.begun).await;
            drop(pool);
            Progress::until(&PROGRESS.ended).await;
        });
    }}

    native_test! { fn a_child_ends_when_its_handle_is_dropped_on_another_thread() {
        static PROGRESS: Progress = Progress::new();
        static CHILD: Mutex<Option<RemoteHandle<Result<(), Error>>>> = Mutex::new(None);

        wasm_mt::run(async {
            let pool = Pool::builder().threads(1).build();
            let makes = remote!(|| {
                *CHILD.lock().unwrap() = Some(executor::current().spawn_remote(remote!(|| PROGRESS.run())));
            });
            pool.spawn_remote(makes).await.unwrap();
            Progress::until(&PROGRESS.begun).await;
            drop(CHILD.lock().unwrap().take());
            assert_eq!(pool.spawn_remote(remote!(|| 7)).await.unwrap(), 7);
            assert_eq!(pool.stats().lost_workers, 0);
        });
    }}

    native_test! { fn a_task_on_the_thread_of_its_executor_ends_when_its_handle_is_dropped() {
        static PROGRESS: Progress = Progress::new();

        wasm_mt::run(async {
            let executor = Keeps::new();
            let endless = executor.spawn_remote(remote!(|| PROGRESS.run()));
            let dropped = std::thread::spawn(move || {
                while !PROGRESS.begun.load(Ordering::Acquire) {
                    std::hint::spin_loop();
                }
                drop(endless);
            });
            executor.take().run().await;
            dropped.join().unwrap();
            assert!(PROGRESS.ended.load(Ordering::Acquire));
        });
    }}
}
