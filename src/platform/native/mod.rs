//! Workers are `std::thread`s, messages cross in a channel.

mod attachment;
#[cfg(feature = "transport")]
mod image;
mod local;
mod memory;
mod options;
mod outbox;
mod place;
mod port;
mod time;

use std::any::Any;
use std::cell::Cell;
use std::future::Future;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::num::NonZero;
use std::panic::{self, AssertUnwindSafe};
use std::thread;

pub(crate) use attachment::{Attachment, Number};
#[cfg(feature = "transport")]
pub(crate) use image::{Image, anchor};
use local::run_local;
pub(crate) use local::{has_local_pool, on_panic, spawn_local};
pub(crate) use memory::{memory_size, stack_has_sunk};
pub(crate) use options::{WebOptions, install};
pub(crate) use outbox::Outbox;
pub(crate) use place::{here, is_lost};
pub(crate) use port::{Port, post_to, start};
pub(crate) use time::{
    clock_tick, now, sleep, sleep as sleep_aside, spawn_service, yield_now, yield_now as yield_by_message,
};

use super::Packet;

thread_local! {
    /// The task whose code runs on this thread.
    static CURRENT: Cell<u64> = const { Cell::new(0) };
}

/// Runs code of a task, which [`current_task`] names meanwhile. A panic comes back as its payload.
pub(crate) fn guard<R>(task: u64, code: impl FnOnce() -> R) -> Result<R, Box<dyn Any + Send>> {
    let outer = CURRENT.replace(task);
    let result = panic::catch_unwind(AssertUnwindSafe(code));
    CURRENT.set(outer);
    result
}

/// Panics unwind, and [`guard`] catches them.
pub(crate) const PANIC_ABORTS: bool = false;

/// The task whose code runs on this thread; zero if none does.
pub(crate) fn current_task() -> u64 {
    CURRENT.get()
}

/// Where the names of this memory's resident values begin: all threads count together. Other processes begin elsewhere.
pub(crate) fn realm() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// True while this thread unwinds: it cannot change the panic hook.
pub(crate) fn is_panicking() -> bool {
    thread::panicking()
}

/// Runs code of the program that no task depends on: a panic of it ends here, and the hook has shown it.
pub(crate) fn contain(code: impl FnOnce()) {
    if let Err(payload) = panic::catch_unwind(AssertUnwindSafe(code)) {
        // Its drop may panic again.
        std::mem::forget(payload);
    }
}

/// Not read: a panic is caught, and its worker reports what had begun.
pub(crate) fn show_begun(_tasks: &[u64]) {}

/// Not read: a worker posts what it has gathered when it has caught a panic.
pub(crate) fn show_gathered(_packet: &Packet) {}

/// What one thread has, all can use.
pub(crate) const SHARES_MEMORY: bool = true;

/// Messages are posted as they come: there is no moment at which this thread is done for now.
pub(crate) const HAS_TICKS: bool = false;

/// Never called, since there are no ticks.
pub(crate) fn at_end_of_tick(future: impl Future<Output = ()> + Send + 'static) {
    spawn_service(future);
}

/// Nothing: a program ends when its main thread does.
pub(crate) struct KeepAlive(());

impl KeepAlive {
    pub(crate) fn new() -> Self {
        Self(())
    }
}

/// A thread ends when its code returns.
pub(crate) fn can_interrupt() -> bool {
    false
}

/// How many threads can run at the same time.
pub(crate) fn parallelism() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// A future runs only while it is polled, or in a pool that runs.
pub(crate) const HAS_EVENT_LOOP: bool = false;

/// Writes a line where the program's user reads it.
pub(crate) fn print(text: &str) {
    println!("{text}");
}

/// Runs a program; its error is shown and becomes exit code 1.
pub(crate) fn run(future: impl Future<Output = Result<(), String>> + 'static) {
    // When this returns, the future is gone, and what was spawned beside it.
    if let Err(text) = run_local(future) {
        eprintln!("{text}");
        std::process::exit(1);
    }
}

/// Runs a program, and returns its error.
pub(crate) fn try_run<E>(
    future: impl Future<Output = Result<(), E>> + 'static,
    _text: impl FnOnce(E) -> String + 'static,
) -> Result<(), E> {
    run_local(future)
}
