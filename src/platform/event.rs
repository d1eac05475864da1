//! What a page learns of its worker.

use super::packet::Packet;

/// What becomes of a worker, as its page learns it.
#[derive(Debug)]
pub(crate) enum WorkerEvent {
    /// The worker posted this.
    Packet(Packet),
    /// The worker could not be started, for this reason: "what went wrong; what to do". No task has begun on it.
    #[cfg_attr(
        not(target_family = "wasm"),
        expect(dead_code, reason = "natively a start fails at once or not at all")
    )]
    NotStarted(String),
    /// The worker is gone.
    Lost(Loss),
}

/// How a worker went.
#[derive(Debug, Default)]
pub(crate) struct Loss {
    /// What was seen of it.
    pub(crate) cause: String,
    /// The task whose code ran at that moment; zero if none did, or it is not known.
    pub(crate) task: u64,
    /// True if the code of that task is to blame: it trapped.
    pub(crate) trapped: bool,
    /// What the worker had shown by [`show_begun`](super::show_begun), if it can be known.
    pub(crate) begun: Option<Vec<u64>>,
}

/// Where a worker's events go.
pub(crate) type EventHandler = Box<dyn Fn(WorkerEvent) + Send + Sync>;
