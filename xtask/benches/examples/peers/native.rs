//! The others natively: pools of two threads, and two bare threads that share a channel of jobs.

use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, LazyLock, Mutex};
use std::thread;
use std::time::Instant;

use futures::channel::oneshot;
use futures::future::{BoxFuture, FutureExt as _, join, join_all};
use futures::task::SpawnExt as _;
use futures_executor::{ThreadPool, block_on};
use rayon::iter::{IndexedParallelIterator as _, IntoParallelIterator as _, ParallelIterator as _};
use tokio::runtime::Runtime;
use wasm_mt_benches::Benchmark;
use wasm_mt_benches::work::{compute, fib};

use crate::{CUT_OFF, FIB, N, OURS, SIZE, steps};

pub(crate) async fn libraries() -> Vec<&'static str> {
    vec!["std", OURS, "rayon", "tokio", "futures"]
}

pub(crate) const BENCHMARKS: [Benchmark; 5] = Benchmark::OF_PEERS;

/// A thread of its own waits for the library, so that one that hangs can be left behind.
pub(crate) async fn work(library: &'static str, benchmark: Benchmark, count: u32) -> Result<(), String> {
    let (done, is_done) = oneshot::channel();
    thread::spawn(move || {
        match library {
            "rayon" => in_rayon(benchmark, count),
            "tokio" => TOKIO.block_on(in_tasks(&*TOKIO, benchmark, count)),
            "futures" => block_on(in_tasks(&*FUTURES, benchmark, count)),
            _ if benchmark == Benchmark::ForkJoin => halves(),
            _ => block_on(in_tasks(&*STD, benchmark, count)),
        }
        done.send(())
    });
    is_done.await.map_err(|_| "a panic".to_owned())
}

/// Threads cannot be ended: the end of the program does that.
pub(crate) fn end(_library: &str) {}

/// Milliseconds.
pub(crate) fn now() -> f64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed().as_secs_f64() * 1000.0
}

/// What follows `name=` on the command line.
pub(crate) fn option(name: &str) -> Option<String> {
    std::env::args().find_map(|option| Some(option.strip_prefix(name)?.strip_prefix('=')?.to_owned()))
}

static RAYON: LazyLock<rayon::ThreadPool> = LazyLock::new(|| {
    rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("the system has room for two threads")
});

static TOKIO: LazyLock<Runtime> = LazyLock::new(|| {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).build().expect("the system has room for two threads")
});

static FUTURES: LazyLock<ThreadPool> = LazyLock::new(|| {
    ThreadPool::builder().pool_size(2).create().expect("the system has room for two threads")
});

static STD: LazyLock<Jobs> = LazyLock::new(|| {
    let (jobs, inbox) = mpsc::channel::<Job>();
    let inbox = Arc::new(Mutex::new(inbox));
    for _ in 0..2 {
        let inbox = Arc::clone(&inbox);
        let next = move || inbox.lock().ok()?.recv().ok();
        thread::spawn(move || std::iter::from_fn(next).for_each(|job| job()));
    }
    Jobs(jobs)
});

type Job = Box<dyn FnOnce() + Send>;

/// Two threads that take jobs from one channel.
struct Jobs(Sender<Job>);

fn in_rayon(benchmark: Benchmark, count: u32) {
    match benchmark {
        Benchmark::RoundTrip => {
            let mut x = 0;
            for _ in 0..count {
                x = RAYON.install(|| x + 1);
            }
            assert_eq!(x, count, "every task adds one");
        }
        Benchmark::TinyTasks => {
            let sums: Vec<u32> =
                RAYON.install(|| (0..count).into_par_iter().with_max_len(1).map(|x| x + 1).collect());
            check(sums);
        }
        Benchmark::Transfer => {
            let mut data = vec![1_u8; SIZE];
            for _ in 0..count {
                data = RAYON.install(move || data);
            }
            assert_eq!(data.len(), SIZE, "all of it comes back");
        }
        Benchmark::CpuTasks => {
            let _: Vec<u32> =
                RAYON.install(|| steps().into_par_iter().with_max_len(1).map(compute).collect());
        }
        _ => assert_eq!(RAYON.install(|| joined(N)), FIB, "every way gives the same"),
    }
}

fn joined(n: u32) -> u64 {
    if n <= CUT_OFF {
        return fib(n);
    }
    let (a, b) = rayon::join(|| joined(n - 1), || joined(n - 2));
    a + b
}

/// What a thread can take.
trait Task: Future<Output: Send + 'static> + Send + 'static {}

impl<F: Future<Output: Send + 'static> + Send + 'static> Task for F {}

/// What takes tasks and promises what they give.
trait Tasks: Sync {
    fn give<F: Task>(&'static self, task: F) -> impl Future<Output = F::Output> + Send;
}

impl Tasks for Runtime {
    fn give<F: Task>(&'static self, task: F) -> impl Future<Output = F::Output> + Send {
        let handle = self.spawn(task);
        async { handle.await.expect("no task panics") }
    }
}

impl Tasks for ThreadPool {
    fn give<F: Task>(&'static self, task: F) -> impl Future<Output = F::Output> + Send {
        self.spawn_with_handle(task).expect("the pool takes tasks as long as it is there")
    }
}

impl Tasks for Jobs {
    fn give<F: Task>(&'static self, task: F) -> impl Future<Output = F::Output> + Send {
        let (done, result) = oneshot::channel();
        let job =
            Box::new(move || done.send(block_on(task)).unwrap_or_else(|_| unreachable!("it is awaited")));
        self.0.send(job).expect("the threads run as long as this end is there");
        async { result.await.expect("no job panics") }
    }
}

async fn in_tasks<T: Tasks>(pool: &'static T, benchmark: Benchmark, count: u32) {
    match benchmark {
        Benchmark::RoundTrip => {
            let mut x = 0;
            for _ in 0..count {
                x = pool.give(async move { x + 1 }).await;
            }
            assert_eq!(x, count, "every task adds one");
        }
        Benchmark::TinyTasks => {
            let tasks: Vec<_> = (0..count).map(|x| pool.give(async move { x + 1 })).collect();
            check(join_all(tasks).await);
        }
        Benchmark::Transfer => {
            let mut data = vec![1_u8; SIZE];
            for _ in 0..count {
                data = pool.give(async move { data }).await;
            }
            assert_eq!(data.len(), SIZE, "all of it comes back");
        }
        Benchmark::CpuTasks => {
            let tasks: Vec<_> =
                steps().into_iter().map(|steps| pool.give(async move { compute(steps) })).collect();
            join_all(tasks).await;
        }
        _ => assert_eq!(pool.give(tree(pool, N)).await, FIB, "every way gives the same"),
    }
}

fn tree<T: Tasks>(pool: &'static T, n: u32) -> BoxFuture<'static, u64> {
    if n <= CUT_OFF {
        return async move { fib(n) }.boxed();
    }
    async move {
        let (a, b) = join(pool.give(tree(pool, n - 1)), pool.give(tree(pool, n - 2))).await;
        a + b
    }
    .boxed()
}

/// A job that waits for others keeps its thread from them: halves are all that there is without a library.
fn halves() {
    let other = thread::spawn(|| fib(N - 2));
    let sum = fib(N - 1) + other.join().expect("it does not panic");
    assert_eq!(sum, FIB, "every way gives the same");
}

fn check(sums: Vec<u32>) {
    let count = sums.len() as u64;
    let sum: u64 = sums.into_iter().map(u64::from).sum();
    assert_eq!(sum, count * (count + 1) / 2, "every task adds one");
}
