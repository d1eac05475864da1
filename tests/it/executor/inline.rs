//! Tasks that run on the thread that awaits them.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use futures::channel::oneshot;
use futures::future::{FutureExt, join, join_all};
use futures::task::SpawnExt;
use serde::{Deserialize, Serialize};
use wasm_mt::{Error, Executor, InlineExecutor, Remote, RemoteHandle, executor, remote};

use super::{Keeps, forever, square};

thread_local! {
    /// In the browser all tests run on one thread, one after the other.
    static EVENTS: Cell<u32> = const { Cell::new(0) };
    static SIGNAL: RefCell<Option<oneshot::Sender<u32>>> = const { RefCell::new(None) };
}

/// Counts when it is dropped.
struct CountDrop;

impl Drop for CountDrop {
    fn drop(&mut self) {
        EVENTS.set(EVENTS.get() + 1);
    }
}

/// Waits for ever, with something to drop.
fn waits() -> Remote<()> {
    remote!(async {
        let _guard = CountDrop;
        std::future::pending::<()>().await;
    })
}

/// Encoded as its double.
#[derive(Deserialize, Debug, PartialEq)]
struct Doubles(u32);

impl Serialize for Doubles {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct("Doubles", &(2 * self.0))
    }
}

/// So many tasks, each of which waits for the next.
fn chain(tasks: u32) -> Remote<Result<u32, Error>> {
    remote!(async move {
        match tasks {
            0 | 1 => Ok(tasks),
            _ => Ok(chain(tasks - 1).await?? + 1),
        }
    })
}

remote_test! {
    async fn a_task_runs_here_through_the_encoding() {
        EVENTS.set(5);
        let executor = InlineExecutor::new();
        assert_eq!(executor.spawn_remote(remote!(|| EVENTS.get())).await.unwrap(), 5);
        assert_eq!(executor.spawn_remote(Remote::new(Doubles(1), |it: Doubles| it)).await.unwrap(), Doubles(4));
    }

    async fn tasks_may_wait_for_one_another() {
        assert_eq!(InlineExecutor::new().spawn_remote(chain(100)).await.unwrap().unwrap(), 100);
    }

    async fn its_tasks_overlap_at_their_awaits() {
        let executor = InlineExecutor::new();
        let waits = executor.spawn_remote(remote!(async {
            let (sender, receiver) = oneshot::channel();
            SIGNAL.set(Some(sender));
            receiver.await.unwrap()
        }));
        let signals = executor.spawn_remote(remote!(async {
            while SIGNAL.with_borrow(Option::is_none) {
                wasm_mt::yield_now().await;
            }
            SIGNAL.take().unwrap().send(9).unwrap();
        }));
        let (waits, signals) = join(waits, signals).await;
        assert_eq!((waits.unwrap(), signals.unwrap()), (9, ()));
    }

    async fn it_counts_what_is_pending() {
        let executor = InlineExecutor::new();
        assert_eq!((executor.concurrency(), executor.pending()), (1, 0));
        let (first, second, third) = (forever(&executor), square(&executor, 2), forever(&executor));
        assert_eq!(executor.pending(), 3);
        assert_eq!(second.await.unwrap(), 4);
        assert_eq!(executor.pending(), 2);
        drop(first);
        third.abort();
        assert!(third.await.unwrap_err().is_cancelled());
        while executor.pending() > 0 {
            wasm_mt::yield_now().await;
        }
    }

    async fn it_takes_jobs_that_others_have_kept() {
        let (keeps, inline) = (Keeps::new(), InlineExecutor::new());
        let handle = square(&keeps, 6);
        // The handle is polled before.
        let later = async {
            wasm_mt::yield_now().await;
            inline.submit(keeps.take());
        };
        assert_eq!(join(handle, later).await.0.unwrap(), 36);
    }

    async fn a_running_task_is_dropped_with_its_handle() {
        EVENTS.set(0);
        let executor = InlineExecutor::new();
        let mut task = executor.spawn_remote(waits());
        assert!(futures::poll!(&mut task).is_pending());
        assert_eq!(executor.spawn_remote(remote!(|| EVENTS.get())).await.unwrap(), 0);
        drop(task);
        while EVENTS.get() == 0 {
            wasm_mt::yield_now().await;
        }
        assert_eq!(executor.pending(), 0);
    }

    async fn a_task_whose_handle_is_dropped_at_once_never_runs() {
        EVENTS.set(0);
        let executor = InlineExecutor::new();
        drop(executor.spawn_remote(remote!(|| EVENTS.set(1))));
        square(&executor, 1).await.unwrap();
        assert_eq!((EVENTS.get(), executor.pending()), (0, 0));
    }

    async fn a_forgotten_task_runs_beside_the_program() {
        EVENTS.set(0);
        let executor = InlineExecutor::new();
        executor.spawn_remote(remote!(|| EVENTS.set(EVENTS.get() + 1))).forget();
        let later = || remote!(async {
            wasm_mt::yield_now().await;
            EVENTS.set(EVENTS.get() + 1);
        });
        executor.spawn_remote(later()).forget();
        let mut begun = executor.spawn_remote(later());
        let _polled = futures::poll!(&mut begun);
        begun.forget();
        while executor.pending() > 0 {
            wasm_mt::yield_now().await;
        }
        assert_eq!(EVENTS.get(), 3);
    }

    async fn a_spawned_future_runs_beside_the_program() {
        let executor = InlineExecutor::new();
        EVENTS.set(3);
        let handle = executor.spawn_with_handle(async { EVENTS.get() }).unwrap();
        assert_eq!(handle.await, 3);
    }

    async fn close_finishes_what_was_taken_and_takes_no_more() {
        let executor = InlineExecutor::new();
        let later = || remote!(async {
            wasm_mt::yield_now().await;
            7
        });
        let mut begun = executor.spawn_remote(later());
        let _polled = futures::poll!(&mut begun);
        let taken = [begun, executor.spawn_remote(later())];
        let closed = executor.close();
        assert!(square(&executor, 2).await.unwrap_err().is_closed());
        assert!(executor.spawn(async {}).is_err());
        closed.await;
        assert!(taken.iter().all(RemoteHandle::is_finished));
        assert!(join_all(taken).await.into_iter().all(|result| result.unwrap() == 7));
        executor.close().await;
    }

    async fn a_task_has_its_children_also_while_its_executor_closes() {
        thread_local! {
            static EXECUTOR: RefCell<Option<InlineExecutor>> = const { RefCell::new(None) };
        }
        let executor = InlineExecutor::new();
        EXECUTOR.set(Some(executor.clone()));
        let task = executor.spawn_remote(remote!(async {
            let executor = EXECUTOR.take().unwrap();
            let mut closed = executor.close();
            let here = executor::current();
            here.close().await;
            let child = square(&here, 3).await.unwrap();
            assert!(square(&executor, 3).await.unwrap_err().is_closed());
            // It waits for this very task.
            assert!(futures::poll!(&mut closed).is_pending());
            child
        }));
        assert_eq!(task.await.unwrap(), 9);
        executor.close().await;
    }

    async fn a_synchronous_task_is_late_when_it_has_ended() {
        let task = remote!(|| {
            let begun = web_time::Instant::now();
            while begun.elapsed() < Duration::from_millis(5) {}
            EVENTS.set(1);
        });
        let error = InlineExecutor::new().spawn_remote(task.timeout(Duration::from_millis(1))).await.unwrap_err();
        assert!(error.is_timeout(), "{error}");
        assert_eq!(EVENTS.get(), 1);
    }

    async fn tasks_nest() {
        fn fib(n: u32) -> futures::future::LocalBoxFuture<'static, Result<u32, Error>> {
            async move {
                if n < 2 {
                    return Ok(n);
                }
                let (a, b) = join(Remote::new_async(n - 1, fib).into_future(), Remote::new_async(n - 2, fib).into_future()).await;
                Ok(a?? + b??)
            }
            .boxed_local()
        }
        let executor = InlineExecutor::new();
        assert_eq!(executor.spawn_remote(Remote::new_async(10, fib)).await.unwrap().unwrap(), 55);
        assert_eq!(executor.pending(), 0);
    }

    async fn it_runs_on_a_worker_too() {
        let task = remote!(async {
            EVENTS.set(4);
            InlineExecutor::new().spawn_remote(remote!(|| EVENTS.get())).await
        });
        EVENTS.set(0);
        assert_eq!(crate::common::on_worker(task).await.unwrap().unwrap(), 4);
        assert_eq!(EVENTS.get(), 0);
    }
}

#[cfg(not(target_family = "wasm"))]
mod native {
    use futures::StreamExt;
    use futures_executor::block_on;
    use wasm_mt::ExecutorExt;

    use super::*;

    native_test! { fn any_runtime_will_do() {
        let executor = InlineExecutor::new();
        assert_eq!(block_on(square(&executor, 3)).unwrap(), 9);
        let later = executor.spawn_remote(remote!(async {
            wasm_mt::yield_now().await;
            // sleep: it wakes whoever polls
            wasm_mt::sleep(Duration::from_millis(1)).await;
            remote!(|| 1).await
        }));
        assert_eq!(block_on(later).unwrap().unwrap(), 1);
        let squares = block_on(executor.par_map(0..100_u64, remote!(|n: u64| n * n)).collect::<Vec<_>>());
        assert_eq!(squares.into_iter().map(Result::unwrap).sum::<u64>(), 328_350);
        let handle = square(&executor, 4);
        assert_eq!(std::thread::spawn(|| block_on(handle)).join().unwrap().unwrap(), 16);
    }}

    native_test! { fn it_works_where_the_program_blocks_within_run() {
        wasm_mt::run(async {
            let mut task = std::pin::pin!(square(&InlineExecutor::new(), 3));
            // No turn for anything else.
            let result = loop {
                if let Some(result) = task.as_mut().now_or_never() {
                    break result;
                }
            };
            assert_eq!(result.unwrap(), 9);
        });
    }}

    native_test! { fn a_panic_is_an_error() {
        let executor = InlineExecutor::new();
        let error = block_on(executor.spawn_remote(remote!(|| -> u8 { panic!("here") }))).unwrap_err();
        assert!(error.is_panic() && error.to_string().contains("here"), "{error}");
        let later = remote!(async {
            wasm_mt::yield_now().await;
            if true { panic!("there") } else { 0 }
        });
        let error = block_on(executor.spawn_remote(later)).unwrap_err();
        assert!(error.is_panic() && error.to_string().contains("there"), "{error}");
        let items =
            executor.par_map(0..1_000_u32, remote!(|n: u32| if n == 700 { panic!("I am {n}") } else { n }));
        for (result, n) in block_on(items.collect::<Vec<_>>()).into_iter().zip(0..) {
            match result {
                Ok(result) => assert_eq!(result, n),
                Err(error) => assert!(n == 700 && error.is_panic(), "{n}: {error}"),
            }
        }
        assert_eq!(executor.pending(), 0);
    }}

    native_test! { fn a_task_within_an_item_harms_no_other() {
        let within = remote!(|n: u32| {
            let inner = InlineExecutor::new();
            let panics = remote!(move || if n % 100 == 50 { panic!("I am {n}") } else { n });
            let outcome = inner.spawn_remote(panics).now_or_never().unwrap();
            let doubled =
                inner.par_map(0..3, remote!(|n: u32| 2 * n)).collect::<Vec<_>>().now_or_never().unwrap();
            assert!(doubled.into_iter().map(Result::unwrap).eq([0, 2, 4]));
            outcome.is_ok()
        });
        let executor = InlineExecutor::new();
        let results = block_on(executor.par_map(0..1_000, within).collect::<Vec<_>>());
        assert!(results.into_iter().map(Result::unwrap).eq((0..1_000).map(|n| n % 100 != 50)));
    }}

    native_test! { fn a_task_moves_until_it_has_begun() {
        let executor = InlineExecutor::new();
        let unbegun = square(&executor, 3);
        let mut begun = executor.spawn_remote(waits());
        assert!(block_on(async { futures::poll!(&mut begun) }).is_pending());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                assert_eq!(block_on(unbegun).unwrap(), 9);
                let error = block_on(begun).unwrap_err();
                assert!(error.is_worker_lost() && error.to_string().contains("another thread"), "{error}");
            });
        });
        // What was left here is dropped when the next one begins.
        assert_eq!((EVENTS.get(), executor.pending()), (0, 1));
        assert_eq!(block_on(square(&executor, 2)).unwrap(), 4);
        assert_eq!((EVENTS.get(), executor.pending()), (1, 0));
    }}

    native_test! { fn a_task_whose_handle_is_dropped_elsewhere_is_dropped_here() {
        let executor = InlineExecutor::new();
        for leave in [|handle| drop(handle), |handle: RemoteHandle<()>| handle.forget()] {
            EVENTS.set(0);
            let mut begun = executor.spawn_remote(waits());
            assert!(block_on(async { futures::poll!(&mut begun) }).is_pending());
            std::thread::scope(|scope| {
                scope.spawn(|| leave(begun));
            });
            assert_eq!((EVENTS.get(), executor.pending()), (0, 1));
            assert_eq!(block_on(square(&executor, 2)).unwrap(), 4);
            assert_eq!((EVENTS.get(), executor.pending()), (1, 0));
        }
    }}

    native_test! { fn a_forgotten_task_runs_to_its_first_await_without_a_pool() {
        let executor = InlineExecutor::new();
        executor.spawn_remote(remote!(|| EVENTS.set(1))).forget();
        assert_eq!(EVENTS.get(), 1);
        executor.spawn_remote(waits()).forget();
        assert_eq!((EVENTS.get(), executor.pending()), (2, 0));
        assert!(executor.spawn(async {}).is_err());
    }}

    native_test! { fn close_waits_for_the_handles_without_a_pool() {
        let executor = InlineExecutor::new();
        let handle = square(&executor, 3);
        let (result, ()) = block_on(join(handle, executor.close()));
        assert_eq!(result.unwrap(), 9);
        let dropped = forever(&executor);
        assert!(block_on(dropped).unwrap_err().is_closed());
    }}

    native_test! { fn tasks_that_would_exhaust_the_stack_end_with_an_error() {
        let executor = InlineExecutor::new();
        let error = block_on(executor.spawn_remote(chain(50_000))).unwrap().unwrap_err();
        assert!(error.is_panic(), "{error}");
        assert!(error.to_string().contains("more than 128 tasks wait for one another"), "{error}");
        assert_eq!(executor.pending(), 0);
        // The thread is in order.
        assert_eq!(block_on(executor.spawn_remote(chain(128))).unwrap().unwrap(), 128);
    }}

    native_test! { fn forgotten_tasks_that_would_exhaust_the_stack_end() {
        fn forgets(tasks: u32) -> Remote<()> {
            remote!(async move {
                EVENTS.set(EVENTS.get() + 1);
                if tasks > 1 {
                    executor::current().spawn_remote(forgets(tasks - 1)).forget();
                }
            })
        }
        // Where no futures run beside it, a forgotten task runs at once.
        let executor = InlineExecutor::new();
        block_on(executor.spawn_remote(forgets(50_000))).unwrap();
        assert_eq!((EVENTS.get(), executor.pending()), (128, 0));
    }}
}
