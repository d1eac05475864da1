//! Futures that stay on their thread.

use std::any::Any;
use std::cell::Cell;
use std::future::Future;
use std::panic::{self, AssertUnwindSafe};

use futures::FutureExt;
use futures::task::LocalSpawnExt;
use futures_executor::{LocalPool, LocalSpawner};

use crate::platform::ThreadSlot;

thread_local! {
    /// Where [`spawn_local`] puts its futures: set while this thread runs a local pool of ours.
    static SPAWNER: ThreadSlot<Option<LocalSpawner>> = const { ThreadSlot::new(None) };
    /// What takes the panics of those futures.
    static ON_PANIC: Cell<Option<PanicHandler>> = const { Cell::new(None) };
}

type PanicHandler = fn(Box<dyn Any + Send>);

/// Runs a future to its end on this thread, and beside it what it gives to [`spawn_local`], which ends with it.
pub(crate) fn run_local<F: Future>(future: F) -> F::Output {
    /// Puts back what was there, also when the future panics.
    struct Restore(Option<LocalSpawner>);
    impl Drop for Restore {
        fn drop(&mut self) {
            SPAWNER.with(|spawner| spawner.set(self.0.take()));
        }
    }

    let mut pool = LocalPool::new();
    let _restore = Restore(SPAWNER.with(|spawner| spawner.replace(Some(pool.spawner()))));
    pool.run_until(future)
}

/// Hands the panics of [`spawn_local`]'s futures on this thread to `handler`, from now on. Without one they unwind through
/// [`run_local`].
pub(crate) fn on_panic(handler: PanicHandler) {
    ON_PANIC.set(Some(handler));
}

/// Runs a future beside the others of this thread.
pub(crate) fn spawn_local(future: impl Future<Output = ()> + 'static) {
    let spawner = SPAWNER.with(ThreadSlot::get).expect("called on a worker, or within `wasm_mt::run`");
    let future = AssertUnwindSafe(future).catch_unwind().map(|outcome| {
        if let Err(payload) = outcome {
            match ON_PANIC.get() {
                Some(handler) => handler(payload),
                None => panic::resume_unwind(payload),
            }
        }
    });
    spawner.spawn_local(future).expect("the local pool is alive: it runs this very code");
}

/// True if [`spawn_local`] can be called here.
pub(crate) fn has_local_pool() -> bool {
    SPAWNER.with(ThreadSlot::get).is_some()
}
