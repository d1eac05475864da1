//! The far side: decodes tasks, runs them, and replies.
//!
//! One [`Worker`](worker::Worker) per worker, driven by the packets of its page ([`main`]). What it does next is decided by its
//! half of the schedule, which lies in its [`state`]; the [run loop](run_loop) follows that: it begins a task, yields to the
//! event loop, or rests. It polls the asynchronous ones.
//!
//! Tasks that the code here makes come by the [`WorkerContext`], which is what an executor on a worker stands on.
//!
//! After a panic the worker is *poisoned*: it reports that to its page, and neither begins nor polls anything again. On the
//! web the instance traps and `worker.js` never enters it again; natively the page drops its port and the thread ends.

mod cancel;
mod context;
mod join;
mod loop_waker;
mod main;
mod panic;
mod run_loop;
mod state;
mod task_future;
mod tell;
#[expect(clippy::module_inception, reason = "a worker is the subject of the folder")]
mod worker;

/// What [`loop_waker`] is made of.
mod sync {
    pub(super) use std::sync::atomic::{AtomicBool, Ordering, fence};

    pub(super) use futures::task::AtomicWaker;
}

pub use self::cancel::{checkpoint, is_cancelled};
pub(crate) use self::context::{WorkerContext, context};
pub(crate) use self::main::MAIN;
pub(crate) use self::tell::{is_in_call, tell};
