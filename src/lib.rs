#![doc = include_str!("../README.md")]
//!
//! # Where to look
//!
//! - [`remote!`], [`Remote`] and [`RemoteFn`]: tasks, what they capture, and what does not compile.
//! - [`Thread`] and [`ThreadBuilder`]: workers and their options.
//! - [`Executor`] and [`ExecutorExt`]: whatever takes tasks, a `Thread`, an [`InlineExecutor`] or your own; and what it can
//!   do with many of them.
//! - [`RemoteHandle`] and [`Error`]: results, and why there is none.
//! - [`remote_trait`]: traits whose objects cross as `Box<dyn Trait>`.
//! - [`Transfer`]: bulk data. On the web also `Js`, `exec_js` and `exec_js_async`.
//! - [`run`], [`println!`], [`sleep`], [`yield_now`]: what every program needs.

#[cfg(all(target_family = "wasm", target_feature = "atomics"))]
compile_error!(
    "wasm-mt gives every worker a memory of its own and does not support shared memory yet: \
     build without `-C target-feature=+atomics`, or use a crate made for shared memory, such as wasm-bindgen-rayon"
);

#[cfg(target_family = "wasm")]
pub mod compat;
mod error;
pub mod executor;
#[cfg(target_family = "wasm")]
mod js;
mod platform;
mod run;
mod schedule;
mod supervisor;
mod task;
mod thread;
mod wire;
mod worker;

#[cfg(target_family = "wasm")]
pub use compat::{MtAsyncClosure, MtClosure, WasmMt, prelude, utils};
pub use error::Error;
pub use executor::{
    Executor, ExecutorExt, InlineExecutor, ParMap, ParallelExecutor, Pool, PoolBuilder, SerialExecutor,
    WorkStealingExecutor,
};
#[cfg(target_family = "wasm")]
pub use js::{Js, exec_js, exec_js_async};
pub use run::{Exit, run, sleep, yield_now};
pub use schedule::Strategy;
pub use supervisor::{Stats, TaskRun};
pub use task::{Hint, Job, Remote, RemoteFn, RemoteHandle, Transfer, Transferable, remote_trait};
pub use thread::{Thread, ThreadBuilder};

/// The script of a worker on the web, for programs that must serve it themselves: see
/// [`script_url`](ThreadBuilder::script_url).
pub const WORKER_SCRIPT: &str = platform::WORKER_SCRIPT;

#[doc(hidden)]
pub mod __private;
