//! The executors that are tried.

use std::cell::Cell;
use std::fmt::Write as _;
use std::rc::Rc;
use std::time::Duration;

use futures::FutureExt;
use wasm_mt::{Executor, Pool, Strategy, Thread, remote};

use crate::kinds::Kind;
use crate::record::Record;
use crate::spawn::Watched;

/// How an executor ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Its last clone is dropped.
    Dropped,
    Terminated,
    /// What it was given is done before.
    Closed,
}

/// An executor.
pub(crate) struct Subject {
    pub(crate) made: Made,
    pub(crate) state: Rc<State>,
    /// How many workers were lost, as far as they are counted.
    lost: Cell<u64>,
}

/// What may become of its tasks. It outlives the executor.
pub(crate) struct State {
    pub(crate) name: String,
    pub(crate) is_bounded: bool,
    /// A task that is stopped may have no time to answer, if its worker is busy with another; then the worker is ended.
    pub(crate) is_hasty: bool,
    /// Its tasks may be answered with `is_closed`.
    pub(crate) has_ended: Cell<bool>,
    /// What is spawned is answered with `is_closed`.
    pub(crate) takes_no_more: Cell<bool>,
    /// It has a task that may end its worker, or had one.
    pub(crate) is_spoiled: Cell<bool>,
    /// What a lost worker had not begun runs on another: it has others, and none was given up without a word.
    pub(crate) keeps_unbegun: Cell<bool>,
}

/// The executor itself.
#[derive(Clone)]
pub(crate) enum Made {
    Thread(Thread),
    Pool(Pool),
}

impl Made {
    pub(crate) fn executor(&self) -> &dyn Executor {
        match self {
            Made::Thread(thread) => thread,
            Made::Pool(pool) => pool,
        }
    }

    fn lost_workers(&self) -> u64 {
        match self {
            Made::Thread(_) => 0,
            Made::Pool(pool) => pool.stats().lost_workers,
        }
    }
}

impl Subject {
    pub(crate) fn new(dice: &mut fastrand::Rng, record: &Record) -> Subject {
        let (mut name, mut is_bounded) = (String::new(), false);
        let grace = dice.bool().then(|| Duration::from_millis(dice.u64(1..50)));
        let (made, count) = if dice.u32(..4) == 0 {
            name += "a thread";
            let mut builder = Thread::builder();
            if dice.bool() {
                builder = builder.name("soak");
            }
            if let Some(grace) = grace {
                builder = builder.grace(grace);
            }
            (Made::Thread(builder.build()), 1)
        } else {
            let strategy = [Strategy::Serial, Strategy::Parallel, Strategy::WorkStealing][dice.usize(..3)];
            let threads = dice.usize(1..=4);
            write!(name, "{strategy:?} of {threads}").expect("a text can be written to");
            let mut builder = Pool::builder().strategy(strategy).threads(threads);
            if dice.u32(..4) == 0 {
                builder = builder.max_queue(dice.usize(1..20));
                is_bounded = true;
                name += ", bounded";
            }
            if let Some(grace) = grace {
                builder = builder.grace(grace);
            }
            if dice.u32(..3) == 0 {
                builder = builder.on_start(remote!(async { wasm_mt::yield_now().await }));
                name += ", on_start";
            }
            if dice.u32(..3) == 0 {
                builder = builder.on_run(|run| assert!(run.began <= run.ended));
                name += ", on_run";
            }
            (Made::Pool(builder.build()), threads as u64)
        };
        if let Some(grace) = grace {
            write!(name, ", grace {} ms", grace.as_millis()).expect("a text can be written to");
        }
        record.count_workers(count);
        let state = State {
            name,
            is_bounded,
            is_hasty: grace.is_some(),
            has_ended: Cell::new(false),
            takes_no_more: Cell::new(false),
            is_spoiled: Cell::new(false),
            keeps_unbegun: Cell::new(matches!(made, Made::Pool(_))),
        };
        Subject { made, state: Rc::new(state), lost: Cell::new(0) }
    }

    /// Ends it; what is left to wait for. One that is to be dropped must be dropped by the caller.
    pub(crate) fn end(&self, end: End, record: &Rc<Record>) -> Option<Watched> {
        self.count_lost(record);
        match end {
            End::Dropped => {
                self.state.has_ended.set(true);
                None
            }
            End::Terminated => {
                self.state.has_ended.set(true);
                self.state.takes_no_more.set(true);
                match &self.made {
                    Made::Thread(thread) => thread.terminate(),
                    Made::Pool(pool) => pool.terminate(),
                }
                None
            }
            End::Closed => {
                self.state.takes_no_more.set(true);
                let number = record.open(Kind::Close, &self.state.name);
                let (made, record) = (self.made.clone(), record.clone());
                let closed = made.executor().close();
                let wait = async move {
                    closed.await;
                    let pending = made.executor().pending();
                    if pending > 0 {
                        record.wrong(number, &format!("{pending} tasks are pending in a closed executor"));
                    }
                    record.end(number, "finished");
                };
                Some(wait.boxed_local())
            }
        }
    }

    /// A worker that was lost was replaced, most likely.
    fn count_lost(&self, record: &Record) {
        let lost = self.made.lost_workers();
        record.count_workers(lost - self.lost.replace(lost));
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        self.state.has_ended.set(true);
    }
}
