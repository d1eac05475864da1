//! The floor natively: what the standard library gives, and the pool of futures-executor.

use std::sync::OnceLock;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use futures::channel::oneshot;
use futures::future::try_join_all;
use futures_executor::ThreadPool;
use wasm_mt_benches::Aim;

use crate::bulk::SIZE;
use crate::channels::BLOCK_SIZE;

pub(crate) const ECHO: &str = "std: 64 bytes echoed over two channels";
pub(crate) const START: &str = "std: a thread that sends one message";
pub(crate) const POOL_START: &str = "std: as many threads that send one message each";
pub(crate) const TINY: &str = "futures-executor: a ThreadPool of 2, a oneshot channel for each result";
pub(crate) const TINY_AIM: Option<Aim> = None;
pub(crate) const SQUARES: &str = "std: chunks of 4,096 numbers to 2 threads, and back";
pub(crate) const NUMBERS: &str = "std: a thread that sends numbers into a channel";
pub(crate) const BLOCKS: &str = "std: a thread that sends new ones into a channel";
pub(crate) const EACH_AIM: Option<Aim> = None;
pub(crate) const CHUNKS_AIM: Option<Aim> = None;
/// How long the workers of a pool are given to end before the next start is measured.
pub(crate) const END: Duration = Duration::from_millis(1);
pub(crate) const BULK: &str = "std: a copy into a channel, and another back";

/// How many numbers are sent at once.
const CHUNK: usize = 4096;

type Payload = [u8; 64];

/// A thread that answers with copies, and what is sent to it.
struct Bulk {
    echo: Echo<Vec<u8>>,
    data: Vec<u8>,
}

pub(crate) struct Floor {
    echo: Echo<Payload>,
    bulk: Option<Bulk>,
    pool: ThreadPool,
    squarers: [Echo<Vec<u64>>; 2],
}

impl Floor {
    pub(crate) fn new() -> Self {
        let pool = ThreadPool::builder().pool_size(2).create().expect("the system has room for two threads");
        let squarer = || echo(|numbers: Vec<u64>| numbers.into_iter().map(|n| n * n).collect());
        Self { echo: echo(|payload| payload), bulk: None, pool, squarers: [squarer(), squarer()] }
    }

    pub(crate) async fn round_trips(&mut self, count: u32) -> f64 {
        let (to, from) = &self.echo;
        let start = now();
        for _ in 0..count {
            to.send([0; 64]).expect("the echo runs as long as this end is there");
            from.recv().expect("the echo answers every message");
        }
        now() - start
    }

    pub(crate) async fn starts(&mut self, count: u32) -> f64 {
        let start = now();
        for _ in 0..count {
            self.pool_start(1).await;
        }
        now() - start
    }

    pub(crate) async fn pool_start(&mut self, size: usize) -> f64 {
        let start = now();
        let (outbox, from) = mpsc::channel();
        for _ in 0..size {
            let outbox = outbox.clone();
            thread::spawn(move || outbox.send(()));
        }
        from.iter().take(size).for_each(drop);
        now() - start
    }

    pub(crate) async fn tiny_tasks(&mut self, count: u32) -> f64 {
        let start = now();
        let replies = (0..count).map(|x| {
            let (reply, result) = oneshot::channel();
            self.pool.spawn_ok(async move { reply.send(x + 1).expect("every result is awaited") });
            result
        });
        let results = try_join_all(replies).await.expect("every task replies");
        let time = now() - start;
        let sum: u64 = results.into_iter().map(u64::from).sum();
        assert_eq!(sum, u64::from(count) * (u64::from(count) + 1) / 2, "every task adds one");
        time
    }

    pub(crate) async fn numbers(&mut self, count: u32) -> f64 {
        let start = now();
        let (to, from) = mpsc::sync_channel(1024);
        thread::spawn(move || (0..count).try_for_each(|n| to.send(n)));
        let sum: u64 = from.iter().map(u64::from).sum();
        let time = now() - start;
        assert_eq!(sum, u64::from(count) * u64::from(count - 1) / 2, "every number comes");
        time
    }

    pub(crate) async fn blocks(&mut self, count: u32) -> f64 {
        let start = now();
        let (to, from) = mpsc::sync_channel(8);
        thread::spawn(move || (0..count).try_for_each(|n| to.send(vec![n as u8; BLOCK_SIZE])));
        let size: usize = from.iter().map(|block| block.len()).sum();
        let time = now() - start;
        assert_eq!(size, BLOCK_SIZE * count as usize, "every block comes");
        time
    }

    pub(crate) async fn squares(&mut self, count: u32) -> f64 {
        let start = now();
        let count = u64::from(count);
        for (nth, first) in (0..count).step_by(CHUNK).enumerate() {
            let chunk = (first..count).take(CHUNK).collect();
            self.squarers[nth % 2].0.send(chunk).expect("it runs as long as this end is there");
        }
        let mut sum = 0;
        for nth in 0..count.div_ceil(CHUNK as u64) as usize {
            let chunk = self.squarers[nth % 2].1.recv().expect("every chunk is answered");
            sum += chunk.into_iter().sum::<u64>();
        }
        let time = now() - start;
        assert_eq!(sum, (count - 1) * count * (2 * count - 1) / 6, "every number is squared");
        time
    }

    pub(crate) async fn bulk(&mut self, count: u32) -> f64 {
        let new = || Bulk { echo: echo(|data: Vec<u8>| data.clone()), data: vec![1; SIZE] };
        let Bulk { echo: (to, from), data } = self.bulk.get_or_insert_with(new);
        let start = now();
        for _ in 0..count {
            to.send(data.clone()).expect("the echo runs as long as this end is there");
            *data = from.recv().expect("the echo answers every message");
        }
        now() - start
    }

    pub(crate) fn end_of_bulk(&mut self) {
        self.bulk = None;
    }
}

/// Both ends of a thread that answers every message.
type Echo<T> = (Sender<T>, Receiver<T>);

/// Starts one.
fn echo<T: Send + 'static>(answer: impl Fn(T) -> T + Send + 'static) -> Echo<T> {
    let (to, inbox) = mpsc::channel();
    let (outbox, from) = mpsc::channel();
    thread::spawn(move || inbox.iter().try_for_each(|message| outbox.send(answer(message))));
    (to, from)
}

/// Milliseconds.
pub(crate) fn now() -> f64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_secs_f64() * 1000.0
}

/// What follows `name=` on the command line.
pub(crate) fn option(name: &str) -> Option<String> {
    std::env::args().find_map(|option| Some(option.strip_prefix(name)?.strip_prefix('=')?.to_owned()))
}
