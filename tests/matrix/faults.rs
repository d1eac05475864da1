//! The faults: what happens, and what may become of the task that it happens in.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use futures::future::LocalBoxFuture;
use futures::task::SpawnExt;
use wasm_mt::{Error, ExecutorExt, Remote, TaskRun, executor, remote, yield_now};

use crate::cases::Situation;
use crate::notes::{is_over, note};
use crate::target;
use crate::value::{Undecodable, Unencodable, Value};

/// The number of the task in which the fault happens.
pub(crate) const FAULTY: u32 = 500;

pub(crate) struct Fault {
    pub(crate) name: &'static str,
    pub(crate) act: Act,
    /// What the faulty task may end in.
    pub(crate) ends: &'static [End],
    pub(crate) worker: Worker,
    /// The time limit of the faulty task, in milliseconds.
    pub(crate) limit: Option<u64>,
    /// The time limit of the tasks behind it.
    pub(crate) limit_behind: Option<u64>,
    /// The faulty task is aborted when it has begun.
    pub(crate) aborted: bool,
    /// It holds its thread until that ends.
    pub(crate) loops: bool,
    /// How the executor is built.
    pub(crate) options: Option<fn(u32) -> Options>,
    /// Its tasks are spawned when all workers have started.
    pub(crate) after_start: bool,
    /// An executor without workers can have it.
    pub(crate) inline: bool,
    pub(crate) tells: Tells,
    /// Items that share a task with the faulty one share its error.
    pub(crate) shares: bool,
    pub(crate) situations: &'static [Situation],
    /// It ends the process, after this was written to stderr.
    pub(crate) ends_process: Option<&'static str>,
}

/// How a fault is caused: by the code of a task, which is given the number of the case.
pub(crate) enum Act {
    Sync(fn(u32) -> Value),
    Async(fn(u32) -> LocalBoxFuture<'static, Value>),
    /// By a script; the second runs as an `async` function.
    #[cfg(target_family = "wasm")]
    Script(&'static str),
    #[cfg(target_family = "wasm")]
    AsyncScript(&'static str),
    /// By the code that awaits the task.
    #[cfg(not(target_family = "wasm"))]
    Waker,
}

/// What becomes of the worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Worker {
    Stays,
    Ends,
    /// One or the other, by engine.
    #[cfg(target_family = "wasm")]
    MayEnd,
    /// None starts.
    NeverStarts,
}

/// What the page learns from the worker's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tells {
    /// All that was computed before, and which tasks had begun.
    Begun,
    /// All that was computed before.
    Results,
    Nothing,
}

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Value,
    Panic,
    WorkerLost,
    Cancelled,
    Timeout,
    Startup,
    Codec,
    Js,
    /// In another error.
    Other,
}

impl End {
    pub(crate) fn of(outcome: &Result<Value, Error>) -> Self {
        match outcome {
            Ok(_) => Self::Value,
            Err(error) if error.is_panic() => Self::Panic,
            Err(error) if error.is_worker_lost() => Self::WorkerLost,
            Err(error) if error.is_cancelled() => Self::Cancelled,
            Err(error) if error.is_timeout() => Self::Timeout,
            Err(error) if error.is_startup() => Self::Startup,
            Err(error) if error.is_codec() => Self::Codec,
            Err(error) if error.is_js() => Self::Js,
            Err(_) => Self::Other,
        }
    }
}

/// How an executor is built.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) on_start: Option<Remote<()>>,
    pub(crate) start_timeout: Option<Duration>,
    pub(crate) on_run: Option<OnRun>,
}

pub(crate) type OnRun = Box<dyn Fn(&TaskRun) + Send + Sync>;

impl Fault {
    pub(crate) const fn new(name: &'static str, act: Act, ends: &'static [End], worker: Worker) -> Self {
        Self {
            name,
            act,
            ends,
            worker,
            limit: None,
            limit_behind: None,
            aborted: false,
            loops: false,
            options: None,
            after_start: false,
            inline: false,
            tells: Tells::Begun,
            shares: false,
            situations: &Situation::ALL,
            ends_process: None,
        }
    }

    /// True if workers that were up may end.
    pub(crate) fn may_end_workers(&self) -> bool {
        !matches!(self.worker, Worker::Stays | Worker::NeverStarts)
    }
}

/// All of them, in an order that page and workers share: a fault crosses as its place.
pub(crate) fn faults() -> impl Iterator<Item = &'static Fault> {
    SHARED.iter().chain(target::FAULTS)
}

pub(crate) fn fault(place: u32) -> &'static Fault {
    faults().nth(place as usize).expect("cases are made of the faults that there are")
}

/// Some milliseconds. A task that is not to run out of time takes far less, also on a busy machine.
const LIMIT: Option<u64> = Some(300);

/// The faults that both targets have.
static SHARED: &[Fault] = &[
    Fault {
        inline: cfg!(panic = "unwind"),
        ..Fault::new("a panic", Act::Sync(|_| panic!("a panic of the matrix")), &[End::Panic], Worker::Ends)
    },
    Fault {
        inline: cfg!(panic = "unwind"),
        ..Fault::new("a panic after an await", Act::Async(panics_later), &[End::Panic], Worker::Ends)
    },
    Fault {
        ..Fault::new("a panic in a left-over future", Act::Sync(leaves_a_panic), &[End::Value], Worker::Ends)
    },
    Fault {
        ..Fault::new(
            "a panicking waker in a task",
            Act::Async(wakes_with_a_panic),
            // Where a panic unwinds, it is the waker's alone.
            if cfg!(panic = "unwind") { &[End::Value] } else { &[End::WorkerLost] },
            if cfg!(panic = "unwind") { Worker::Stays } else { Worker::Ends },
        )
    },
    Fault {
        limit: LIMIT,
        ..Fault::new("a panicking drop", Act::Async(panics_when_dropped), &[End::Timeout], Worker::Ends)
    },
    Fault {
        inline: true,
        ..Fault::new(
            "an unencodable value",
            Act::Sync(|_| Value::Unencodable(Unencodable)),
            &[End::Codec],
            Worker::Stays,
        )
    },
    Fault {
        inline: true,
        ..Fault::new(
            "an undecodable value",
            Act::Sync(|_| Value::Undecodable(Undecodable(1))),
            &[End::Codec],
            Worker::Stays,
        )
    },
    Fault {
        limit: LIMIT,
        loops: true,
        // A call of an object is stopped as an asynchronous task is.
        situations: &[Situation::Alone, Situation::Many, Situation::Nested, Situation::ParMap],
        ..Fault::new("an endless loop with a timeout", Act::Sync(loops), &[End::Timeout], Worker::Ends)
    },
    Fault {
        limit: LIMIT,
        // Others are posted behind it, and its thread tells nothing more.
        tells: Tells::Results,
        loops: true,
        ..Fault::new(
            "an endless loop in an async task with a timeout",
            Act::Async(loops_later),
            &[End::Timeout],
            Worker::Ends,
        )
    },
    Fault {
        limit: LIMIT,
        inline: true,
        ..Fault::new("an endless wait with a timeout", Act::Async(waits), &[End::Timeout], Worker::Stays)
    },
    Fault {
        aborted: true,
        loops: true,
        // It is taken for a short one, so its worker keeps what it gathers; and what ends that is its page.
        tells: Tells::Nothing,
        // Within a task it may hold the thread that is to abort it.
        situations: &[Situation::Alone, Situation::Many],
        ..Fault::new("an aborted endless loop", Act::Sync(loops), &[End::Cancelled], Worker::Ends)
    },
    Fault {
        aborted: true,
        inline: true,
        situations: &[Situation::Alone, Situation::Many, Situation::Nested, Situation::Open],
        ..Fault::new("an aborted wait", Act::Async(waits), &[End::Cancelled], Worker::Stays)
    },
    Fault {
        limit_behind: LIMIT,
        loops: true,
        situations: &[Situation::Alone, Situation::Many],
        // For as long a worker may be silent on which another task waits.
        options: Some(|_| Options { start_timeout: Some(Duration::from_secs(4)), ..Options::default() }),
        ..Fault::new("a left-over endless loop", Act::Sync(leaves_a_loop), &[End::Value], Worker::Ends)
    },
    Fault {
        options: Some(|_| Options {
            on_start: Some(remote!(|| panic!("an `on_start` of the matrix"))),
            ..Options::default()
        }),
        ..Fault::new("a panicking on_start", Act::Sync(nothing), &[End::Startup], Worker::NeverStarts)
    },
    Fault {
        options: Some(|_| Options {
            on_start: Some(remote!(async { std::future::pending::<()>().await })),
            start_timeout: LIMIT.map(Duration::from_millis),
            ..Options::default()
        }),
        ..Fault::new("a start that never answers", Act::Sync(nothing), &[End::Startup], Worker::NeverStarts)
    },
];

/// The faulty task is one like others.
pub(crate) fn nothing(_case: u32) -> Value {
    Value::Number(FAULTY)
}

fn panics_later(_case: u32) -> LocalBoxFuture<'static, Value> {
    Box::pin(async {
        yield_now().await;
        panic!("a late panic of the matrix")
    })
}

fn waits(_case: u32) -> LocalBoxFuture<'static, Value> {
    Box::pin(std::future::pending())
}

/// Runs for by far too long. Not without end: in WebKit the thread of a worker that was ended goes on until its code calls
/// JavaScript, as the clock does.
fn loops(case: u32) -> Value {
    let begun = web_time::Instant::now();
    while !is_over(case) && begun.elapsed() < Duration::from_secs(60) {
        (0..100_000_u32).for_each(|n| _ = std::hint::black_box(n));
    }
    Value::Number(FAULTY)
}

fn loops_later(case: u32) -> LocalBoxFuture<'static, Value> {
    Box::pin(async move {
        yield_now().await;
        loops(case)
    })
}

fn leaves_a_loop(case: u32) -> Value {
    let left = async move {
        yield_now().await;
        loops(case);
    };
    executor::current().spawn(left).expect("the worker takes futures");
    Value::Number(FAULTY)
}

fn leaves_a_panic(_case: u32) -> Value {
    let left = async {
        yield_now().await;
        panic!("a left-over panic of the matrix");
    };
    executor::current().spawn(left).expect("the worker takes futures");
    Value::Number(FAULTY)
}

struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        panic!("a drop of the matrix");
    }
}

fn panics_when_dropped(_case: u32) -> LocalBoxFuture<'static, Value> {
    Box::pin(async {
        let _held = PanicsWhenDropped;
        std::future::pending().await
    })
}

/// Panics when it is woken.
pub(crate) struct PanickingWaker;

impl Wake for PanickingWaker {
    fn wake(self: Arc<Self>) {
        panic!("a waker of the matrix");
    }
}

/// Lets a child of this task wake a waker that panics.
fn wakes_with_a_panic(_case: u32) -> LocalBoxFuture<'static, Value> {
    Box::pin(async {
        let mut child = executor::current().spawn_remote(remote!(async { yield_now().await }));
        let waker = Waker::from(Arc::new(PanickingWaker));
        assert!(Pin::new(&mut child).poll(&mut Context::from_waker(&waker)).is_pending());
        while !child.is_finished() {
            yield_now().await;
        }
        Value::Number(FAULTY)
    })
}

/// Runs the code of a fault, in a task.
pub(crate) fn commit(fault: u32, case: u32) -> Value {
    note(case, FAULTY);
    match self::fault(fault).act {
        Act::Sync(act) => act(case),
        #[cfg(not(target_family = "wasm"))]
        Act::Waker => nothing(case),
        _ => unreachable!("it is called for synchronous acts only"),
    }
}

/// As [`commit`].
pub(crate) fn commit_async(fault: u32, case: u32) -> LocalBoxFuture<'static, Value> {
    note(case, FAULTY);
    match self::fault(fault).act {
        Act::Async(act) => act(case),
        _ => unreachable!("it is called for asynchronous acts only"),
    }
}
