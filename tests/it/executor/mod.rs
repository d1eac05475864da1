//! What holds for every executor, and the executors themselves.

mod cancel;
mod combinators;
mod current;
mod inline;
mod job;
mod join;
mod join_set;
mod options;
mod par_map;
mod reduce;
mod resident;
mod types;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::task::{FutureObj, Spawn, SpawnError};
use wasm_mt::{
    Executor, ExecutorExt, InlineExecutor, Job, ParallelExecutor, Pool, Remote, RemoteHandle, SerialExecutor,
    Stats, Strategy, Thread, WorkStealingExecutor, remote,
};

/// A user's own executor: takes turns.
struct RoundRobin {
    threads: Vec<Thread>,
    turn: AtomicUsize,
}

impl RoundRobin {
    fn new() -> Self {
        Self { threads: vec![Thread::new(), Thread::new()], turn: AtomicUsize::new(0) }
    }

    fn next(&self) -> &Thread {
        &self.threads[self.turn.fetch_add(1, Ordering::Relaxed) % self.threads.len()]
    }
}

impl Spawn for RoundRobin {
    fn spawn_obj(&self, future: FutureObj<'static, ()>) -> Result<(), SpawnError> {
        self.next().spawn_obj(future)
    }
}

impl Executor for RoundRobin {
    fn submit(&self, job: Job) {
        self.next().submit(job);
    }

    fn concurrency(&self) -> usize {
        self.threads.len()
    }
}

/// A user's faulty executor: loses every job.
struct Loses(Thread);

impl Spawn for Loses {
    fn spawn_obj(&self, future: FutureObj<'static, ()>) -> Result<(), SpawnError> {
        self.0.spawn_obj(future)
    }
}

impl Executor for Loses {
    fn submit(&self, job: Job) {
        drop(job);
    }

    fn concurrency(&self) -> usize {
        1
    }
}

/// Keeps its jobs for the test to run.
struct Keeps {
    thread: Thread,
    jobs: Mutex<Vec<Job>>,
    /// How many it takes at the same time, when asked whether it does.
    room: usize,
    /// As many as it says that it has.
    workers: AtomicUsize,
}

impl Keeps {
    fn new() -> Self {
        Self::with_room(usize::MAX)
    }

    fn with_room(room: usize) -> Self {
        Self { thread: Thread::new(), jobs: Mutex::default(), room, workers: AtomicUsize::new(1) }
    }

    fn take(&self) -> Job {
        self.take_all().pop().unwrap()
    }

    fn take_all(&self) -> Vec<Job> {
        std::mem::take(&mut *self.jobs.lock().unwrap())
    }
}

impl Spawn for Keeps {
    fn spawn_obj(&self, future: FutureObj<'static, ()>) -> Result<(), SpawnError> {
        self.thread.spawn_obj(future)
    }
}

impl Executor for Keeps {
    fn submit(&self, job: Job) {
        self.jobs.lock().unwrap().push(job);
    }

    fn try_submit(&self, job: Job) -> Result<(), Job> {
        if self.pending() >= self.room {
            return Err(job);
        }
        self.submit(job);
        Ok(())
    }

    fn concurrency(&self) -> usize {
        self.workers.load(Ordering::Relaxed)
    }

    fn pending(&self) -> usize {
        self.jobs.lock().unwrap().len()
    }
}

/// An executor under test.
struct Subject {
    name: &'static str,
    make: fn() -> Made,
    /// What becomes of a task that cannot be stopped.
    workers: Workers,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Workers {
    /// It ends with its worker, and another takes that one's place.
    Replaced,
    /// It ends with its worker.
    Lost,
    /// It has the thread that waits for it.
    None,
}

/// An executor, and what it tells of itself, if it does.
struct Made {
    executor: Box<dyn Executor>,
    stats: Box<dyn Fn() -> Stats>,
}

impl Made {
    fn pool<E: Executor + Clone + Into<Pool> + 'static>(executor: E) -> Self {
        let pool = executor.clone().into();
        Self { executor: Box::new(executor), stats: Box::new(move || pool.stats()) }
    }

    fn thread() -> Self {
        let thread = Thread::new();
        Self { executor: Box::new(thread.clone()), stats: Box::new(move || thread.stats()) }
    }

    fn other(executor: impl Executor + 'static) -> Self {
        Self { executor: Box::new(executor), stats: Box::new(Stats::default) }
    }
}

fn pool(strategy: Strategy) -> Made {
    Made::pool(Pool::builder().strategy(strategy).threads(2).build())
}

const SUBJECTS: [Subject; 9] = [
    Subject { name: "Thread", make: Made::thread, workers: Workers::Lost },
    Subject { name: "a user's own", make: || Made::other(RoundRobin::new()), workers: Workers::Lost },
    Subject { name: "a serial pool", make: || pool(Strategy::Serial), workers: Workers::Replaced },
    Subject { name: "a parallel pool", make: || pool(Strategy::Parallel), workers: Workers::Replaced },
    Subject {
        name: "a work-stealing pool",
        make: || pool(Strategy::WorkStealing),
        workers: Workers::Replaced,
    },
    Subject {
        name: "SerialExecutor",
        make: || Made::pool(SerialExecutor::new()),
        workers: Workers::Replaced,
    },
    Subject {
        name: "ParallelExecutor",
        make: || Made::pool(ParallelExecutor::new()),
        workers: Workers::Replaced,
    },
    Subject {
        name: "WorkStealingExecutor",
        make: || Made::pool(WorkStealingExecutor::new()),
        workers: Workers::Replaced,
    },
    Subject { name: "InlineExecutor", make: || Made::other(InlineExecutor::new()), workers: Workers::None },
];

/// The executors that `which` wants, each made when it is its turn. The output of a test that failed names the last one.
fn made_with(which: fn(Workers) -> bool) -> impl Iterator<Item = Made> {
    SUBJECTS.iter().filter(move |subject| which(subject.workers)).map(|subject| {
        wasm_mt::println!("with {}", subject.name);
        (subject.make)()
    })
}

/// The executors that `which` wants.
fn executors_with(which: fn(Workers) -> bool) -> impl Iterator<Item = Box<dyn Executor>> {
    made_with(which).map(|made| made.executor)
}

/// Every executor.
fn executors() -> impl Iterator<Item = Box<dyn Executor>> {
    executors_with(|_| true)
}

fn square(executor: &dyn Executor, n: u64) -> RemoteHandle<u64> {
    executor.spawn_remote(remote!(move || n * n))
}

fn forever(executor: &dyn Executor) -> RemoteHandle<u64> {
    executor.spawn_remote(Remote::new_async((), |()| std::future::pending::<u64>()))
}
