//! Workers that start workers.

use std::cell::Cell;

use futures::future::LocalBoxFuture;
use wasm_mt::{Error, Remote, Thread};

use crate::common::{meet, on_worker};

/// Tells whether the worker that entered is still there.
#[cfg(not(target_family = "wasm"))]
mod witness {
    use std::cell::RefCell;
    use std::sync::atomic::{AtomicU32, Ordering};

    static PRESENT: AtomicU32 = AtomicU32::new(0);

    /// Lives as long as its thread.
    struct Presence;

    impl Drop for Presence {
        fn drop(&mut self) {
            PRESENT.fetch_sub(1, Ordering::AcqRel);
        }
    }

    thread_local! {
        static PRESENCE: RefCell<Option<Presence>> = const { RefCell::new(None) };
    }

    pub(super) async fn enter() {
        PRESENT.fetch_add(1, Ordering::AcqRel);
        PRESENCE.set(Some(Presence));
    }

    pub(super) async fn is_present() -> bool {
        PRESENT.load(Ordering::Acquire) == 1
    }

    pub(super) async fn has_left() {
        while is_present().await {
            wasm_mt::yield_now().await;
        }
    }
}

/// Tells whether the worker that entered is still there: the browser takes a lock back when its worker has ended. Where there
/// are no locks, as in older versions of Node.js, it answers as long as it is there.
#[cfg(target_family = "wasm")]
mod witness {
    use crate::common::javascript;

    // The timer is no wait for something to happen: that nobody answers is what it finds.
    const ASK: &str = "const ask = () => new Promise((answered) => {
        const channel = new BroadcastChannel('witness');
        const end = (answer) => { channel.close(); answered(answer); };
        channel.onmessage = () => end(true);
        channel.postMessage('who is there?');
        setTimeout(end, 1000, false);
    });";

    pub(super) async fn enter() {
        let source = "if (!globalThis.navigator?.locks) {
            const channel = new BroadcastChannel('witness');
            channel.onmessage = () => channel.postMessage('I am');
            return;
        }
        await new Promise((entered) => {
            navigator.locks.request('witness', () => { entered(); return new Promise(() => {}); });
        });";
        javascript(source).await;
    }

    pub(super) async fn is_present() -> bool {
        let source = "if (!globalThis.navigator?.locks) return await ask();
            return await navigator.locks.request('witness', { ifAvailable: true }, (lock) => lock === null);";
        javascript(&format!("{ASK}\n{source}")).await.is_truthy()
    }

    pub(super) async fn has_left() {
        let source = "if (!globalThis.navigator?.locks) while (await ask());
            else await navigator.locks.request('witness', () => {});";
        javascript(&format!("{ASK}\n{source}")).await;
    }
}

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
            let there = thread.spawn_remote(Remote::new_async((), |()| meet("above and below", 2)));
            meet("above and below", 2).await;
            there.await
        });
        on_worker(task).await.unwrap().unwrap();
    }

    async fn a_panic_two_levels_down_reaches_the_page_as_a_value() {
        let task = Remote::new_async((), |()| async {
            on_worker(Remote::new((), |()| -> u32 { panic!("deep") })).await
        });
        let error = on_worker(task).await.unwrap().unwrap_err();
        assert!(error.is_panic() && error.to_string().contains("deep"), "{error}");
    }

    async fn the_end_of_a_worker_ends_its_own_workers() {
        thread_local! {
            static ENTERED: Cell<bool> = const { Cell::new(false) };
        }
        let thread = Thread::new();
        let outer = thread.spawn_remote(Remote::new_async((), |()| async {
            let inner = Thread::new();
            inner.spawn_remote(Remote::new_async((), |()| witness::enter())).await?;
            ENTERED.set(true);
            inner.spawn_remote(Remote::new_async((), |()| std::future::pending::<()>())).await
        }));
        thread.spawn_remote(Remote::new_async((), |()| async {
            while !ENTERED.get() {
                wasm_mt::yield_now().await;
            }
        })).await.unwrap();
        assert!(witness::is_present().await);
        thread.terminate();
        assert!(outer.await.unwrap_err().is_closed());
        witness::has_left().await;
    }
}
