//! The executors.

use wasm_mt::{Actor, Error, Executor, InlineExecutor, Pool, Stats, Strategy, Thread, actor};

use crate::cases::Situation;
use crate::faults::{Fault, Options};

/// A kind of executor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    Thread,
    Serial,
    Parallel,
    WorkStealing,
    Inline,
}

impl Subject {
    pub(crate) const ALL: [Self; 5] =
        [Self::Thread, Self::Serial, Self::Parallel, Self::WorkStealing, Self::Inline];

    /// True if the fault can happen there.
    pub(crate) fn can_have(self, fault: &Fault, _situation: Situation) -> bool {
        fault.inline || self != Self::Inline
    }

    /// Tasks are taken in the order in which they are spawned.
    pub(crate) fn keeps_order(self) -> bool {
        true
    }

    /// A worker that is lost has a successor.
    pub(crate) fn replaces_workers(self) -> bool {
        self != Self::Thread
    }

    pub(crate) async fn make(self, options: Options) -> Made {
        match self {
            Self::Thread => {
                let Options { on_start, start_timeout, on_run } = options;
                let mut builder = Thread::builder();
                if let Some(task) = on_start {
                    builder = builder.on_start(task);
                }
                if let Some(limit) = start_timeout {
                    builder = builder.start_timeout(limit);
                }
                if let Some(hook) = on_run {
                    builder = builder.on_run(hook);
                }
                Made::Thread(builder.build())
            }
            Self::Serial => Made::pool(Strategy::Serial, options),
            Self::Parallel => Made::pool(Strategy::Parallel, options),
            Self::WorkStealing => Made::pool(Strategy::WorkStealing, options),
            Self::Inline => Made::Inline(InlineExecutor::new()),
        }
    }
}

/// An executor of one kind.
pub(crate) enum Made {
    Thread(Thread),
    Pool(Pool),
    Inline(InlineExecutor),
}

impl Made {
    /// How many workers a pool here has.
    pub(crate) const THREADS: usize = 2;

    fn pool(strategy: Strategy, options: Options) -> Self {
        let Options { on_start, start_timeout, on_run } = options;
        let mut builder = Pool::builder().strategy(strategy).threads(Self::THREADS);
        if let Some(task) = on_start {
            builder = builder.on_start(task);
        }
        if let Some(limit) = start_timeout {
            builder = builder.start_timeout(limit);
        }
        if let Some(hook) = on_run {
            builder = builder.on_run(hook);
        }
        Self::Pool(builder.build())
    }

    /// True if no task will run any more.
    pub(crate) fn is_lost(&self) -> bool {
        match self {
            Self::Thread(thread) => thread.is_lost(),
            Self::Pool(_) | Self::Inline(_) => false,
        }
    }

    pub(crate) fn executor(&self) -> &dyn Executor {
        match self {
            Self::Thread(thread) => thread,
            Self::Pool(pool) => pool,
            Self::Inline(inline) => inline,
        }
    }

    /// What it tells of itself, if it does.
    pub(crate) fn stats(&self) -> Option<Stats> {
        match self {
            Self::Thread(thread) => Some(thread.stats()),
            Self::Pool(pool) => Some(pool.stats()),
            Self::Inline(_) => None,
        }
    }

    /// An object on one of its workers, made anew once if it is lost.
    pub(crate) fn object(&self) -> Option<Actor<u32>> {
        let object = actor!(|| Ok(0)).restart(1);
        match self {
            Self::Thread(thread) => Some(thread.spawn_actor(object)),
            Self::Pool(pool) => Some(pool.spawn_actor(object)),
            Self::Inline(_) => None,
        }
    }

    pub(crate) async fn ready(&self) -> Result<(), Error> {
        match self {
            Self::Thread(thread) => thread.ready().await,
            Self::Pool(pool) => pool.ready().await,
            Self::Inline(_) => Ok(()),
        }
    }
}
