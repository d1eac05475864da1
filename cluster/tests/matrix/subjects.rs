//! The executors: a fleet of one node, in this process, whose pool has one of the strategies.

use std::sync::atomic::{AtomicU32, Ordering};

use wasm_mt::{Actor, Error, Executor, Pool, Stats, Strategy};
use wasm_mt_nats::{Cluster, Config, Node};

use crate::cases::Situation;
use crate::faults::{Fault, Options};

/// A kind of executor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    Serial,
    Parallel,
    WorkStealing,
}

impl Subject {
    pub(crate) const ALL: [Self; 3] = [Self::Serial, Self::Parallel, Self::WorkStealing];

    /// Ends of channels and objects do not leave their process. Batches do not come in the order in which they were made, and left-over
    /// code has only tasks with a limit behind it if they do.
    pub(crate) fn can_have(self, fault: &Fault, situation: Situation) -> bool {
        let needs_order = fault.limit_behind.is_some() && situation == Situation::Many;
        fault.ends_process.is_none() && situation != Situation::Open && !needs_order
    }

    /// Tasks are taken in the order in which they are spawned.
    pub(crate) fn keeps_order(self) -> bool {
        false
    }

    /// A worker that is lost has a successor.
    pub(crate) fn replaces_workers(self) -> bool {
        true
    }

    pub(crate) async fn make(self, options: Options) -> Made {
        static LAST: AtomicU32 = AtomicU32::new(0);

        let strategy = match self {
            Self::Serial => Strategy::Serial,
            Self::Parallel => Strategy::Parallel,
            Self::WorkStealing => Strategy::WorkStealing,
        };
        let Options { on_start, start_timeout, on_run } = options;
        let mut builder = Pool::builder().strategy(strategy).threads(Made::THREADS);
        if let Some(task) = on_start {
            builder = builder.on_start(task);
        }
        if let Some(limit) = start_timeout {
            builder = builder.start_timeout(limit);
        }
        if let Some(hook) = on_run {
            builder = builder.on_run(hook);
        }
        let pool = builder.build();
        // Each has a fleet of its own.
        let application = format!("matrix-{}", LAST.fetch_add(1, Ordering::Relaxed));
        let config = Config::new(crate::url(), application, "a secret of the matrix").max_stored(1 << 20);
        let node = Node::start(config.clone(), pool.clone()).await.unwrap();
        let cluster = Cluster::connect(config).await.unwrap();
        cluster.ready().await;
        Made { cluster, pool, _node: node }
    }
}

/// A fleet, and the pool of its node.
pub(crate) struct Made {
    cluster: Cluster,
    pool: Pool,
    _node: Node,
}

impl Made {
    pub(crate) const THREADS: usize = 2;

    pub(crate) fn is_lost(&self) -> bool {
        false
    }

    pub(crate) fn executor(&self) -> &dyn Executor {
        &self.cluster
    }

    /// What the pool tells of itself.
    pub(crate) fn stats(&self) -> Option<Stats> {
        Some(self.pool.stats())
    }

    /// None: it would be of this process.
    pub(crate) fn object(&self) -> Option<Actor<u32>> {
        None
    }

    pub(crate) async fn ready(&self) -> Result<(), Error> {
        self.pool.ready().await
    }
}
