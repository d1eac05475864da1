//! Workers are Web Workers, messages cross by `postMessage`.
//!
//! JavaScript objects stay in thread-local tables and are named by number, so that everything outside holds is
//! `Send`: each instance of the module has one thread.

mod attachment;
mod boot;
#[cfg(feature = "bundler")]
mod bundler;
mod console;
mod failure;
mod glue;
#[cfg(feature = "transport")]
mod image;
mod local;
mod locks;
mod memory;
mod message;
mod node;
mod options;
mod outbox;
mod port;
mod reflect;
mod setup;
mod source;
mod status;
mod thrown;
mod time;

use std::future::Future;

use self::reflect::{global, number, text};

pub(crate) use attachment::{Attachment, Number};
pub(crate) use console::print;
#[cfg(feature = "compat")]
pub(crate) use glue::url_of_hidden_glue;
#[cfg(feature = "transport")]
pub(crate) use image::{Image, anchor};
pub(crate) use local::spawn_local;
pub(crate) use memory::{memory_size, stack_has_sunk};
pub(crate) use node::KeepAlive;
pub(crate) use options::WebOptions;
pub(crate) use outbox::Outbox;
pub(crate) use port::{Port, here, is_lost, post_to, realm, start};
pub(crate) use setup::install;
pub(crate) use status::{
    PANIC_ABORTS, contain, current_task, guard, is_panicking, on_panic, show_begun, show_gathered,
};
pub(crate) use thrown::js_error;
pub(crate) use time::{clock_tick, now, sleep, sleep_aside, spawn_service, yield_by_message, yield_now};

/// Each instance has a memory of its own.
pub(crate) const SHARES_MEMORY: bool = false;

/// What is posted in one tick to one worker leaves in one message.
pub(crate) const HAS_TICKS: bool = true;

/// Runs a future in a microtask.
pub(crate) fn at_end_of_tick(future: impl Future<Output = ()> + Send + 'static) {
    spawn_local(future);
}

/// True if the end of a worker stops its code wherever it is. WebKit stops it when it returns or calls JavaScript.
pub(crate) fn can_interrupt() -> bool {
    text(&global("navigator"), "vendor").is_none_or(|vendor| !vendor.starts_with("Apple"))
}

/// How many threads can run at the same time.
pub(crate) fn parallelism() -> usize {
    let count = number(&global("navigator"), "hardwareConcurrency").or_else(node::parallelism);
    count.map_or(1, |count| count as usize).max(1)
}

/// A future that was given to [`spawn_local`] runs without being awaited.
pub(crate) const HAS_EVENT_LOOP: bool = true;

/// True if [`spawn_local`] can be called here.
pub(crate) fn has_local_pool() -> bool {
    true
}

/// Runs a program beside whatever else the page does, and announces its end.
pub(crate) fn run(future: impl Future<Output = Result<(), String>> + 'static) {
    console::show_panics();
    spawn_local(async move {
        let outcome = future.await;
        if let Err(text) = &outcome {
            console::error(text);
        }
        console::announce_exit(outcome.err());
    });
}

/// Runs a program as [`run`] does: this thread cannot wait for its error.
pub(crate) fn try_run<E: 'static>(
    future: impl Future<Output = Result<(), E>> + 'static,
    text: impl FnOnce(E) -> String + 'static,
) -> Result<(), E> {
    run(async { future.await.map_err(text) });
    Ok(())
}
