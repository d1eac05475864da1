//! Pure strategies: which worker runs which task, and when.
//!
//! A schedule has two halves, both state machines without I/O, clock or threads. The page's half, [`Schedule`], knows every
//! task that its page knows; the worker's half, [`Local`], knows those of one worker. Both take events and the time, and give
//! actions; their drivers carry messages between the two. The README beside this file describes the protocol, and why it
//! loses no task and runs none twice.
//!
//! What a driver MUST keep:
//!
//! - Events are handed over in the order in which they happen; the messages of one worker in the order in which it posted
//!   them, and [`PageEvent::Lost`] after all of them. No message of a worker comes after its loss or its `Terminate`.
//! - Actions are done in the order in which they are given, before the next event is handed over.
//! - [`PageEvent::Woken`] comes at the time of [`Schedule::wake_at`] or later, in a turn of the event loop of its own, after
//!   all messages that have arrived by then.

use std::time::Duration;

use serde::{Deserialize, Serialize};

mod collections;
mod cost;
mod deadline;
mod event;
mod injector;
mod local;
mod page;
mod phase;
#[cfg(test)]
mod simulator;
mod task;
#[cfg(test)]
mod tests;
mod workers;

pub(crate) use self::collections::{Id, IdMap};
pub(crate) use self::deadline::{Deadline, nanos};
pub(crate) use self::event::{Completion, HandleSignal, PageAction, PageEvent, Urgency};
pub(crate) use self::local::{Local, LocalAction, LocalEvent, Next, OuterPoll};
pub(crate) use self::page::Schedule;
pub(crate) use self::task::{Site, TaskId, TaskKind, TaskNumbers, TaskOptions, WorkerId};

/// How a pool spreads its tasks over its workers.
///
/// ```
/// use wasm_mt::{Pool, Strategy, remote};
///
/// # wasm_mt::run(async {
/// for strategy in [Strategy::Serial, Strategy::Parallel, Strategy::WorkStealing] {
///     let pool = Pool::builder().strategy(strategy).build();
///     assert_eq!(pool.spawn_remote(remote!(|| 6 * 7)).await?, 42);
/// }
/// # Ok::<_, wasm_mt::Error>(())
/// # });
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Strategy {
    /// One task at a time, in order, also when tasks are asynchronous. A task's children run within its turn.
    Serial,
    /// Every task at once to the least loaded worker.
    Parallel,
    /// Tasks wait on the page until a worker has room. What a task makes stays on its worker, until another has nothing
    /// to do. The default.
    #[default]
    WorkStealing,
}

/// The numbers of a schedule. Both halves have the same.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Config {
    /// How many workers there are to be.
    pub(crate) threads: usize,
    /// True if a worker that goes is replaced.
    pub(crate) replace: bool,
    /// How many bounded tasks may wait.
    pub(crate) max_queue: Option<usize>,
    /// How long a worker may take to greet.
    pub(crate) start_timeout: Duration,
    /// How long a worker may take to answer for a task that was stopped.
    pub(crate) grace: Duration,
    /// What a worker waits for an answer of its page. Twice to six times as much work is posted to it ahead.
    pub(crate) round_trip: Duration,
    /// How long a worker goes on without reading its messages.
    pub(crate) listen: Duration,
    /// How many tasks migrate from a worker at once for each that has nothing to do.
    pub(crate) batch: usize,
    /// The step of the clock.
    pub(crate) tick: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            threads: 1,
            replace: true,
            max_queue: None,
            start_timeout: Duration::from_secs(10),
            grace: Duration::from_millis(100),
            round_trip: Duration::from_micros(100),
            listen: Duration::from_millis(1),
            batch: 64,
            tick: Duration::from_micros(100),
        }
    }
}
