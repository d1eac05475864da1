//! What holds for every executor, and the executors themselves.

mod combinators;
mod job;
mod par_map;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::task::{FutureObj, Spawn, SpawnError};
use wasm_mt::{
    Executor, ExecutorExt, Job, ParallelExecutor, Pool, Remote, RemoteHandle, SerialExecutor, Strategy,
    Thread, WorkStealingExecutor, remote,
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
}

/// Keeps its jobs for the test to run.
struct Keeps {
    thread: Thread,
    jobs: Mutex<Vec<Job>>,
    /// How many it takes at the same time, when asked whether it does.
    room: usize,
}

impl Keeps {
    fn new() -> Self {
        Self::with_room(usize::MAX)
    }

    fn with_room(room: usize) -> Self {
        Self { thread: Thread::new(), jobs: Mutex::default(), room }
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

    fn pending(&self) -> usize {
        self.jobs.lock().unwrap().len()
    }
}

type Make = fn() -> Box<dyn Executor>;

/// Every executor, made when it is its turn. Whoever reads the output of a test that failed sees whose turn it was.
fn executors() -> impl Iterator<Item = Box<dyn Executor>> {
    fn pool(strategy: Strategy) -> Box<dyn Executor> {
        Box::new(Pool::builder().strategy(strategy).threads(2).build())
    }
    let all: [(&str, Make); 8] = [
        ("a thread", || Box::new(Thread::new())),
        ("a user's own", || Box::new(RoundRobin::new())),
        ("a serial pool", || pool(Strategy::Serial)),
        ("a parallel pool", || pool(Strategy::Parallel)),
        ("a work-stealing pool", || pool(Strategy::WorkStealing)),
        ("SerialExecutor", || Box::new(SerialExecutor::new())),
        ("ParallelExecutor", || Box::new(ParallelExecutor::new())),
        ("WorkStealingExecutor", || Box::new(WorkStealingExecutor::new())),
    ];
    all.into_iter().map(|(name, make)| {
        wasm_mt::println!("with {name}");
        make()
    })
}

fn square(executor: &dyn Executor, n: u64) -> RemoteHandle<u64> {
    executor.spawn_remote(remote!(move || n * n))
}

fn forever(executor: &dyn Executor) -> RemoteHandle<u64> {
    executor.spawn_remote(Remote::new_async((), |()| std::future::pending::<u64>()))
}
