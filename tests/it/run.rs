//! A task runs on a worker and its result comes back.

use std::cell::Cell;

use futures::future::{join_all, try_join_all};
use wasm_mt::{Remote, RemoteFn, Thread};

use crate::common::{meet, on_worker};

// Natively it blocks: see tests/exit.rs.
#[cfg(target_family = "wasm")]
web_test! { async fn try_run_returns_at_once_in_a_browser_and_shows_the_error() {
    let (sender, mut receiver) = futures::channel::oneshot::channel();
    let shown = crate::common::javascript(
        "return [new Promise(resolve => {
            addEventListener('wasm-mt-exit', ({ detail }) => resolve(detail.error), { once: true });
        })];",
    );
    let shown = js_sys::Array::from(&shown.await).get(0);
    let app = async move {
        sender.send(()).unwrap();
        Err("no harbour")
    };
    assert_eq!(wasm_mt::try_run(app), Ok(()));
    assert_eq!(receiver.try_recv(), Ok(None));
    receiver.await.unwrap();
    let shown = wasm_bindgen_futures::JsFuture::from(js_sys::Promise::from(shown)).await.unwrap();
    assert_eq!(shown, "Error: no harbour");
}}

remote_test! {
    async fn a_function_runs_on_a_worker() {
        fn add((a, b): (i32, i32)) -> i32 {
            a + b
        }
        assert_eq!(on_worker(Remote::new((2, 3), add)).await.unwrap(), 5);
    }

    async fn an_async_closure_runs_on_a_worker() {
        let task = Remote::new_async((2, 3), |(a, b): (i32, i32)| async move {
            wasm_mt::yield_now().await;
            a * b
        });
        assert_eq!(on_worker(task).await.unwrap(), 6);
    }

    async fn an_async_function_runs_on_a_worker() {
        async fn double(n: u64) -> u64 {
            wasm_mt::yield_now().await;
            2 * n
        }
        assert_eq!(on_worker(Remote::new_async(21, double)).await.unwrap(), 42);
    }

    async fn an_open_argument_is_given_later_and_often() {
        let thread = Thread::new();
        let scale = RemoteFn::new(vec![1, 10], |factors, hint| hint.closure(move |x| factors.iter().map(|f| f * x).collect::<Vec<i32>>()));
        let scale_later = RemoteFn::new_async(2, |factor, _| async move |x: i32| factor * x);
        for x in 0..3 {
            assert_eq!(thread.spawn_remote(scale.call(x)).await.unwrap(), [x, 10 * x]);
            assert_eq!(thread.spawn_remote(scale_later.call(x)).await.unwrap(), 2 * x);
        }
    }

    async fn ten_thousand_tasks_resolve_the_right_handles() {
        let thread = Thread::new();
        let handles = (0..10_000_u32).map(|n| thread.spawn_remote(Remote::new(n, |n: u32| n.wrapping_mul(2_654_435_761))));
        let results = try_join_all(handles).await.unwrap();
        assert_eq!(results.len(), 10_000);
        for (n, result) in (0..).zip(results) {
            assert_eq!(result, u32::wrapping_mul(n, 2_654_435_761));
        }
    }

    async fn synchronous_tasks_run_in_the_order_in_which_they_were_spawned() {
        thread_local! {
            static SEEN: Cell<u32> = const { Cell::new(0) };
        }
        let thread = Thread::new();
        let handles = (0..100).map(|n| thread.spawn_remote(Remote::new(n, |n: u32| SEEN.replace(n + 1) == n)));
        assert!(join_all(handles).await.into_iter().all(|in_order| in_order.unwrap()));
    }

    async fn asynchronous_tasks_of_one_thread_overlap() {
        use futures::channel::oneshot;
        thread_local! {
            static SIGNAL: Cell<Option<oneshot::Sender<u32>>> = const { Cell::new(None) };
        }
        let thread = Thread::new();
        let waits = thread.spawn_remote(Remote::new_async((), |()| {
            let (sender, receiver) = oneshot::channel();
            SIGNAL.set(Some(sender));
            async move { receiver.await.ok() }
        }));
        let signals = thread.spawn_remote(Remote::new(5, |n: u32| SIGNAL.take().and_then(|signal| signal.send(n).ok())));
        assert_eq!(signals.await.unwrap(), Some(()));
        assert_eq!(waits.await.unwrap(), Some(5));
    }

    async fn eight_threads_run_at_once() {
        let threads = (0..8).map(|n| Thread::builder().name(format!("number {n}")).build()).collect::<Vec<_>>();
        let handles = threads.iter().zip(0..).map(|(thread, n)| {
            thread.spawn_remote(Remote::new_async(n, |n: u64| async move {
                meet("eight threads", 8).await;
                n * n
            }))
        });
        let squares = try_join_all(handles).await.unwrap();
        assert_eq!(squares, [0, 1, 4, 9, 16, 25, 36, 49]);
    }

    async fn on_start_runs_first_and_once() {
        thread_local! {
            static STARTS: Cell<u32> = const { Cell::new(0) };
        }
        let on_start = Remote::new_async(7, |n: u32| async move {
            wasm_mt::yield_now().await;
            STARTS.set(STARTS.get() + n);
        });
        let thread = Thread::builder().on_start(on_start).build();
        for _ in 0..2 {
            assert_eq!(thread.spawn_remote(Remote::new((), |()| STARTS.get())).await.unwrap(), 7);
        }
        assert_eq!(STARTS.get(), 0);
    }

    async fn the_types_of_a_task_can_be_sent() {
        fn send<T: Send>(_: &T) {}
        fn sync<T: Sync>(_: &T) {}
        fn unpin<T: Unpin>(_: &T) {}

        let thread = Thread::new();
        let task = Remote::new((), |()| 1);
        send(&task);
        let handle = thread.spawn_remote(task);
        send(&handle);
        unpin(&handle);
        send(&thread);
        sync(&thread);
        send(&thread.ready());
        send(&Thread::builder());
        // sleep: it is never awaited
        send(&wasm_mt::sleep(std::time::Duration::ZERO));
        assert_eq!(handle.await.unwrap(), 1);
    }
}
