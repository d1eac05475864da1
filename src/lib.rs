#![doc = include_str!("../README.md")]
//!
//! # Where to look
//!
//! - [`remote!`], [`Remote`] and [`RemoteFn`]: tasks, what they capture, and what does not compile.
//! - [`Thread`] and [`ThreadBuilder`], [`Pool`] and [`PoolBuilder`]: workers and their options.
//! - [`Executor`] and [`ExecutorExt`]: the trait of everything that takes tasks, your own types too, and what it can do with
//!   many of them.
//! - [`RemoteHandle`] and [`Error`]: results, and why there is none. [`JoinSet`]: many handles.
//! - [`Shared`]: a value that crosses to each worker once.
//! - [`channel()`], [`unbounded`] and [`watch`], [`Sender`] and [`Receiver`]: values that tasks send while they run; [`TaskStream`]:
//!   those of one task.
//! - [`remote_trait`]: traits whose objects cross as `Box<dyn Trait>`.
//! - `Described`, with the feature `described`: values of types that describe themselves, such as `serde_json::Value`.
//! - [`Transfer`]: bulk data. On the web also `Js`, `exec_js` and `exec_js_async`.
//! - `transport`, with the feature of this name: tasks in other processes, over connections of the program's own.
//! - [`WorkerSetup`]: how workers are made on the web, where a program cannot leave that to the library.
//! - [`run`], [`try_run`], [`println!`], [`sleep`], [`yield_now`]: what every program needs. [`is_cancelled`], [`checkpoint`]: what
//!   long synchronous tasks need.
//! - [`prelude`]: most of these names, for `use wasm_mt::prelude::*`.
//!
//! # Public dependencies
//!
//! Types and traits of other crates are part of this interface. A new major version of one of them is a new major version of
//! wasm-mt.
//!
//! - **futures 0.3**: an [`Executor`] is a [`Spawn`](futures::task::Spawn), which takes a
//!   [`FutureObj`](futures::task::FutureObj) and gives a [`SpawnError`](futures::task::SpawnError), and on the web our
//!   executors are [`LocalSpawn`](futures::task::LocalSpawn) too. [`Executor::close`] gives a
//!   [`BoxFuture`](futures::future::BoxFuture). A [`ParMap`], a [`JoinSet`], a [`Receiver`] and a [`TaskStream`] are each a
//!   [`Stream`](futures::stream::Stream) and a [`FusedStream`](futures::stream::FusedStream), a [`RemoteHandle`] a
//!   [`FusedFuture`](futures::future::FusedFuture).
//! - **serde 1**: what tasks capture, take and give is [`Serialize`](serde::Serialize) and
//!   [`DeserializeOwned`](serde::de::DeserializeOwned).
//! - **wasm-bindgen 0.2, js-sys 0.3 and web-sys 0.3**, on the web only: `Js` holds what is a `JsCast`, `exec_js` gives a
//!   `JsValue`, and `worker_factory` takes a function that makes a `web_sys::Worker`.
//!   `compat::utils` speaks of a `web_sys::Response`, and of buffers of js-sys.

#[cfg(all(target_family = "wasm", target_feature = "atomics"))]
compile_error!(
    "wasm-mt gives every worker a memory of its own and does not support shared memory yet: \
     build without `-C target-feature=+atomics`, or use a crate made for shared memory, such as wasm-bindgen-rayon"
);

mod channel;
#[cfg(all(feature = "compat", target_family = "wasm"))]
pub mod compat;
mod error;
pub mod executor;
#[cfg(any(test, fuzzing))]
mod fuzz;
#[cfg(doctest)]
mod guide;
#[cfg(target_family = "wasm")]
mod js;
mod platform;
pub mod prelude;
mod run;
mod schedule;
mod supervisor;
mod task;
mod thread;
#[cfg(feature = "transport")]
pub mod transport;
mod wire;
mod worker;

pub use channel::{Receiver, Sender, TrySendError, channel, unbounded, watch};
#[cfg(all(feature = "compat", target_family = "wasm"))]
#[doc(hidden)]
pub use compat::{MtAsyncClosure, MtClosure, WasmMt, utils};
pub use error::Error;
pub use executor::actor::Actor;
pub use executor::ext::ExecutorExt;
pub use executor::fronts::{ParallelExecutor, SerialExecutor, WorkStealingExecutor};
pub use executor::inline::InlineExecutor;
pub use executor::join_set::JoinSet;
pub use executor::par_map::{ParChunks, ParMap};
pub use executor::pool::{Pool, PoolBuilder};
pub use executor::setup::WorkerSetup;
pub use executor::task_stream::TaskStream;
pub use executor::traits::Executor;
#[cfg(target_family = "wasm")]
pub use js::{Js, exec_js, exec_js_async};
pub use run::{ProgramOutput, run, sleep, try_run, yield_now};
pub use schedule::Strategy;
pub use supervisor::{Stats, TaskRun};
#[cfg(feature = "described")]
pub use task::described::Described;
pub use task::{
    ActorCall, ActorInit, Hint, Job, Remote, RemoteFn, RemoteHandle, Shared, Transfer, Transferable,
    remote_trait,
};
pub use thread::{Thread, ThreadBuilder};
pub use worker::{checkpoint, is_cancelled};

// What of the prelude is not everywhere: empty where it is not.
#[cfg(not(all(feature = "compat", target_family = "wasm")))]
mod compat {
    pub(crate) mod prelude {}
}
#[cfg(not(target_family = "wasm"))]
mod js {
    pub(crate) mod prelude {}
}

/// The script of a worker on the web, for programs that must serve it themselves: see
/// [`script_url`](ThreadBuilder::script_url).
///
/// ```
/// // In a build script: the file that a server sends to workers, always of the right version.
/// let folder = std::env::temp_dir();
/// std::fs::write(folder.join("worker.js"), wasm_mt::WORKER_SCRIPT)?;
/// # std::fs::remove_file(folder.join("worker.js"))?;
/// # Ok::<_, std::io::Error>(())
/// ```
pub const WORKER_SCRIPT: &str = platform::WORKER_SCRIPT;

/// For `#[serde(with = "wasm_mt::described")]`: a field crosses as in a [`Described`].
///
/// ```
/// # use serde::{Deserialize, Serialize};
/// # use wasm_mt::remote;
/// #[derive(Serialize, Deserialize)]
/// #[serde(untagged)]
/// enum Id {
///     Number(u32),
///     Name(String),
/// }
///
/// #[derive(Serialize, Deserialize)]
/// struct Order(#[serde(with = "wasm_mt::described")] Id);
///
/// # wasm_mt::run(async {
/// let order = Order(Id::Name("Ferris".to_owned()));
/// assert!(remote!(move || matches!(order.0, Id::Name(name) if name == "Ferris")).await?);
/// # Ok::<_, wasm_mt::Error>(())
/// # });
/// ```
#[cfg(feature = "described")]
pub mod described {
    pub use crate::task::described::{deserialize, serialize};
}

#[doc(hidden)]
pub mod __private;
