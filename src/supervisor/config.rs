//! How to start a pool.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::stats::TaskRun;
use crate::error::Error;
use crate::platform::{self, Packet, WorkerSpec};
use crate::schedule::Strategy;

/// How to start a pool.
pub(crate) struct PoolConfig {
    pub(crate) spec: WorkerSpec,
    pub(crate) strategy: Strategy,
    /// `None`: as many as the machine can run at once.
    pub(crate) threads: Option<usize>,
    /// Why there can be no workers, if that is known.
    pub(crate) fault: Option<Error>,
    /// A worker that is lost is replaced.
    pub(crate) replace: bool,
    pub(crate) max_queue: Option<usize>,
    pub(crate) start_timeout: Duration,
    pub(crate) grace: Duration,
    /// Runs first in each worker.
    pub(crate) on_start: Option<Result<Packet, Error>>,
    /// Called with every task that has run.
    pub(crate) on_run: Option<OnRun>,
}

pub(crate) type OnRun = Arc<dyn Fn(&TaskRun) + Send + Sync>;

impl PoolConfig {
    pub(crate) fn new(strategy: Strategy) -> Self {
        Self {
            spec: WorkerSpec::default(),
            strategy,
            threads: None,
            fault: None,
            replace: true,
            max_queue: None,
            start_timeout: Duration::from_secs(10),
            grace: Duration::from_millis(100),
            on_start: None,
            on_run: None,
        }
    }

    /// How many workers there are to be. A serial pool needs no more than one.
    pub(super) fn threads(&self) -> usize {
        let default = || if self.strategy == Strategy::Serial { 1 } else { platform::parallelism() };
        self.threads.unwrap_or_else(default).max(1)
    }
}

/// Attachments of `on_start` that cannot be copied are an error of the copy's workers.
impl Clone for PoolConfig {
    fn clone(&self) -> Self {
        let copy =
            |call: &Result<Packet, Error>| call.as_ref().map_err(Clone::clone).and_then(Packet::try_clone);
        Self {
            spec: self.spec.clone(),
            fault: self.fault.clone(),
            on_start: self.on_start.as_ref().map(copy),
            on_run: self.on_run.clone(),
            ..*self
        }
    }
}

impl fmt::Debug for PoolConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolConfig")
            .field("spec", &self.spec)
            .field("strategy", &self.strategy)
            .field("threads", &self.threads)
            .field("max_queue", &self.max_queue)
            .finish_non_exhaustive()
    }
}
