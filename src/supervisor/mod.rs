//! Drives a schedule with real workers: starts them, posts tasks to them, takes what they post, and answers handles.
//!
//! [`PoolState`](state::PoolState) is everything that is known, under one lock. What happens - a task is submitted, a packet
//! arrives, a worker is lost, time passes - becomes an event of the schedule, and the actions that the schedule gives are done:
//! posts are made at once or gathered, everything else becomes one of the [`PoolEffects`](effects::PoolEffects). Those happen
//! when the lock is free: nothing is woken, answered or dropped under it.
//!
//! Every task that must be answered is in one table, from `submit` to the schedule's one `Settle`; the end of the pool answers
//! all that are left. So no handle waits for ever.

mod config;
mod effects;
mod slot;
mod state;
mod stats;
#[expect(clippy::module_inception, reason = "the supervisor is the subject of the folder")]
mod supervisor;

pub(crate) use self::config::PoolConfig;
pub use self::stats::{Stats, TaskRun};
pub(crate) use self::supervisor::Supervisor;
