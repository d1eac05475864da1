//! Who drops what, and when.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};

use futures::future::join_all;
use wasm_mt::{Executor, Remote, RemoteHandle, Thread, executor};

use crate::common::meet;

thread_local! {
    /// Counted on the worker, read by `read_count`.
    static EVENTS: Cell<u32> = const { Cell::new(0) };
}

fn count() {
    EVENTS.set(EVENTS.get() + 1);
}

/// Lets what was cancelled be dropped, then reads the worker's counter.
fn read_count() -> Remote<u32> {
    Remote::new_async((), |()| async {
        wasm_mt::yield_now().await;
        EVENTS.get()
    })
}

/// Counts when it is dropped.
struct CountDrop;

impl Drop for CountDrop {
    fn drop(&mut self) {
        count();
    }
}

remote_test! {
    async fn a_task_whose_handle_is_dropped_before_the_start_never_runs() {
        /// Holds the start natively, where the worker would not wait; in the browser it is not up before the page waits.
        static HELD: AtomicBool = AtomicBool::new(cfg!(not(target_family = "wasm")));
        let hold = Remote::new_async((), |()| async {
            while HELD.load(Ordering::Acquire) {
                wasm_mt::yield_now().await;
            }
        });
        let thread = Thread::builder().on_start(hold).build();
        drop(thread.spawn_remote(Remote::new((), |()| count())));
        HELD.store(false, Ordering::Release);
        assert_eq!(thread.spawn_remote(read_count()).await.unwrap(), 0);
    }

    async fn a_running_async_task_is_dropped_at_its_await() {
        let thread = Thread::new();
        let forever = thread.spawn_remote(Remote::new_async((), |()| async {
            let _guard = CountDrop;
            std::future::pending::<()>().await;
        }));
        assert_eq!(thread.spawn_remote(read_count()).await.unwrap(), 0);
        drop(forever);
        assert_eq!(thread.spawn_remote(read_count()).await.unwrap(), 1);
        assert_eq!(thread.pending(), 0);
    }

    async fn a_running_sync_task_finishes_and_its_result_is_thrown_away() {
        let thread = Thread::new();
        thread.ready().await.unwrap();
        drop(thread.spawn_remote(Remote::new((), |()| count())));
        // It was posted before its cancellation, so it has begun when that arrives.
        assert_eq!(thread.spawn_remote(read_count()).await.unwrap(), 1);
    }

    async fn a_handle_dropped_after_its_task_has_finished_changes_nothing() {
        let thread = Thread::new();
        let handle = thread.spawn_remote(Remote::new((), |()| count()));
        assert_eq!(thread.spawn_remote(read_count()).await.unwrap(), 1);
        assert!(handle.is_finished());
        drop(handle);
        assert_eq!(thread.spawn_remote(read_count()).await.unwrap(), 1);
    }

    async fn a_forgotten_task_runs() {
        let thread = Thread::new();
        thread.spawn_remote(Remote::new((), |()| count())).forget();
        thread.spawn_remote(Remote::new_async((), |()| async {
            wasm_mt::yield_now().await;
            count();
        })).forget();
        while thread.pending() > 0 {
            wasm_mt::yield_now().await;
        }
        assert_eq!(thread.spawn_remote(read_count()).await.unwrap(), 2);
    }

    async fn a_handle_outlives_its_thread_and_resolves() {
        let thread = Thread::new();
        let handle = thread.spawn_remote(Remote::new_async((), |()| std::future::pending::<()>()));
        drop(thread);
        assert!(handle.is_finished());
        assert!(handle.await.unwrap_err().is_closed());
    }

    async fn a_thread_lives_until_its_last_clone_is_dropped() {
        let thread = Thread::new();
        let other = thread.clone();
        drop(thread);
        assert_eq!(other.spawn_remote(read_count()).await.unwrap(), 0);
    }

    async fn terminate_resolves_all_pending_handles_and_refuses_later_tasks() {
        let thread = Thread::new();
        let begun = thread.spawn_remote(Remote::new_async((), |()| std::future::pending::<()>()));
        thread.spawn_remote(read_count()).await.unwrap();
        let queued = (0..10)
            .map(|_| thread.spawn_remote(Remote::new_async((), |()| std::future::pending::<()>())))
            .collect::<Vec<_>>();
        thread.terminate();
        assert!(thread.is_lost());
        assert!(begun.await.unwrap_err().is_closed());
        for handle in queued {
            assert!(handle.await.unwrap_err().is_closed());
        }
        assert!(thread.spawn_remote(read_count()).await.unwrap_err().is_closed());
        assert!(thread.ready().await.unwrap_err().is_closed());
    }

    async fn what_is_queued_on_a_terminated_thread_never_runs() {
        /// Natively the page and the worker share these; in the browser the worker is stopped where it is.
        static RELEASED: AtomicBool = AtomicBool::new(cfg!(target_family = "wasm"));
        static BEGUN: AtomicBool = AtomicBool::new(cfg!(target_family = "wasm"));
        static RAN: AtomicUsize = AtomicUsize::new(0);
        static GONE: AtomicBool = AtomicBool::new(cfg!(target_family = "wasm"));

        /// Dropped with the thread's own values.
        struct Gone;
        impl Drop for Gone {
            fn drop(&mut self) {
                GONE.store(true, Ordering::Release);
            }
        }

        let thread = Thread::new();
        let witness = thread.spawn_remote(Remote::new_async((), |()| async {
            let _gone = Gone;
            std::future::pending::<()>().await;
        }));
        let blocks = thread.spawn_remote(Remote::new((), |()| {
            BEGUN.store(true, Ordering::Release);
            while !RELEASED.load(Ordering::Acquire) {
                std::hint::spin_loop();
            }
        }));
        let queued = (0..5)
            .map(|_| thread.spawn_remote(Remote::new((), |()| RAN.fetch_add(1, Ordering::AcqRel))))
            .collect::<Vec<_>>();
        while !BEGUN.load(Ordering::Acquire) {
            wasm_mt::yield_now().await;
        }
        thread.terminate();
        RELEASED.store(true, Ordering::Release);
        while !GONE.load(Ordering::Acquire) {
            wasm_mt::yield_now().await;
        }
        assert_eq!(RAN.load(Ordering::Acquire), 0);
        assert!(join_all(queued).await.into_iter().all(|result| result.unwrap_err().is_closed()));
        assert!(witness.await.unwrap_err().is_closed() && blocks.await.unwrap_err().is_closed());
    }

    async fn what_a_drop_spawns_while_its_worker_ends_is_refused() {
        /// Natively the page and the worker share these; in the browser the worker is stopped where it is.
        static REFUSED: AtomicBool = AtomicBool::new(cfg!(target_family = "wasm"));
        static GONE: AtomicBool = AtomicBool::new(cfg!(target_family = "wasm"));

        struct Gone;
        impl Drop for Gone {
            fn drop(&mut self) {
                GONE.store(true, Ordering::Release);
            }
        }

        struct Spawns(Arc<dyn Executor>);
        impl Drop for Spawns {
            fn drop(&mut self) {
                let refused = self.0.spawn_obj(Box::pin(async {}).into()).is_err_and(|error| error.is_shutdown());
                REFUSED.store(refused, Ordering::Release);
            }
        }

        let thread = Thread::new();
        let forever = thread.spawn_remote(Remote::new_async((), |()| async {
            let _gone = Gone;
            let _spawns = Spawns(executor::current());
            std::future::pending::<()>().await;
        }));
        thread.spawn_remote(read_count()).await.unwrap();
        thread.terminate();
        while !GONE.load(Ordering::Acquire) {
            wasm_mt::yield_now().await;
        }
        assert!(REFUSED.load(Ordering::Acquire));
        assert!(forever.await.unwrap_err().is_closed());
    }

    async fn only_the_last_waker_is_woken() {
        let thread = Thread::new();
        let mut handle = thread.spawn_remote(Remote::new_async((), |()| meet("two wakers", 2)));
        let (first, second) = (Arc::new(CountWakes::default()), Arc::new(CountWakes::default()));
        for waker in [&first, &second] {
            let waker = Waker::from(waker.clone());
            assert!(Pin::new(&mut handle).poll(&mut Context::from_waker(&waker)).is_pending());
        }
        meet("two wakers", 2).await;
        while !handle.is_finished() {
            wasm_mt::yield_now().await;
        }
        // Natively the wake comes on the worker's thread, right behind the answer.
        while second.0.load(Ordering::Acquire) == 0 {
            wasm_mt::yield_now().await;
        }
        assert_eq!(first.0.load(Ordering::Acquire), 0);
        assert_eq!(second.0.load(Ordering::Acquire), 1);
        handle.await.unwrap();
    }

    async fn a_handle_may_be_dropped_by_its_own_waker() {
        /// Natively the worker would not wait for the handle to be polled; in the browser it is not up before the page waits.
        static HELD: AtomicBool = AtomicBool::new(cfg!(not(target_family = "wasm")));
        let hold = Remote::new_async((), |()| async {
            while HELD.load(Ordering::Acquire) {
                wasm_mt::yield_now().await;
            }
        });
        let thread = Thread::builder().on_start(hold).build();
        let holder = Arc::new(DropsHandle::default());
        let mut handle = thread.spawn_remote(read_count());
        let waker = Waker::from(holder.clone());
        assert!(Pin::new(&mut handle).poll(&mut Context::from_waker(&waker)).is_pending());
        holder.0.lock().unwrap().replace(handle);
        HELD.store(false, Ordering::Release);
        while holder.0.lock().unwrap().is_some() {
            wasm_mt::yield_now().await;
        }
        assert_eq!(thread.spawn_remote(read_count()).await.unwrap(), 0);
    }

    async fn a_finished_handle_says_so_and_is_terminated_once_taken() {
        use futures::future::FusedFuture;

        let thread = Thread::new();
        let mut handle = thread.spawn_remote(read_count());
        assert!(!handle.is_terminated());
        (&mut handle).await.unwrap();
        assert!(handle.is_terminated());
    }
}

#[derive(Default)]
struct CountWakes(AtomicUsize);

impl Wake for CountWakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

/// Drops the handle it holds when it is woken.
#[derive(Default)]
struct DropsHandle(Mutex<Option<RemoteHandle<u32>>>);

impl Wake for DropsHandle {
    fn wake(self: Arc<Self>) {
        let handle = self.0.lock().map(|mut held| held.take());
        drop(handle);
    }
}
