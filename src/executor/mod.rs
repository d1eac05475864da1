//! The executor of the code that runs.
//!
//! The executors themselves, and the traits [`Executor`] and [`ExecutorExt`], are at the root of the crate.

pub(crate) mod actor;
mod builder;
mod current;
pub(crate) mod ext;
mod forward;
pub(crate) mod fronts;
pub(crate) mod inline;
pub(crate) mod join_set;
pub(crate) mod par_map;
pub(crate) mod pool;
pub(crate) mod setup;
pub(crate) mod task_stream;
pub(crate) mod traits;

pub use self::current::current;

pub(crate) use self::actor::Actor;
pub(crate) use self::builder::worker_options;
pub(crate) use self::ext::ExecutorExt;
pub(crate) use self::forward::{forward, spawn_actor, spawn_remote};
pub(crate) use self::pool::Pool;
pub(crate) use self::traits::Executor;
