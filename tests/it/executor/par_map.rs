//! One function over many items: order, bounds, chunks, faults.

use std::cell::Cell;
use std::future::Future;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::stream::{FusedStream, Stream, StreamExt, TryStreamExt};
use serde::de::Error as _;
use serde::ser::{Error as _, SerializeStruct as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use wasm_mt::{Executor, ExecutorExt, Pool, RemoteFn, Strategy, Thread, Transfer, remote, remote_trait};

use super::{Keeps, executors};

thread_local! {
    /// Counted where a job is run by the test.
    pub(super) static RUNS: Cell<u32> = const { Cell::new(0) };
}

/// Runs what an executor keeps until `future` has ended. Gives its output, and how many tasks it took.
pub(super) async fn serve<F: Future>(executor: &Keeps, future: F) -> (F::Output, usize) {
    let mut future = std::pin::pin!(future);
    let mut jobs = 0;
    loop {
        if let std::task::Poll::Ready(output) = futures::poll!(&mut future) {
            return (output, jobs);
        }
        let taken = executor.take_all();
        assert!(!taken.is_empty(), "nothing is in flight, and it has not ended");
        for job in taken {
            jobs += 1;
            job.run().await;
        }
    }
}

#[remote_trait]
trait Shape {
    fn side(&self) -> u32;
}

#[derive(Serialize, Deserialize)]
struct Square(u32);

impl Shape for Square {
    fn side(&self) -> u32 {
        self.0
    }
}

/// Not encodable if it is odd.
#[derive(Deserialize)]
pub(super) struct Even(pub(super) u32);

impl Serialize for Even {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 % 2 == 1 {
            return Err(S::Error::custom("it is odd"));
        }
        serializer.serialize_newtype_struct("Even", &self.0)
    }
}

/// Not decodable if it is even.
#[derive(Serialize)]
pub(super) struct Odd(pub(super) u32);

impl<'de> Deserialize<'de> for Odd {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let n = u32::deserialize(deserializer)?;
        if n % 2 == 0 { Err(D::Error::custom("it is even")) } else { Ok(Self(n)) }
    }
}

/// Panics when it is dropped where it was made. What was decoded does not.
#[derive(Deserialize)]
struct Fragile {
    n: u32,
    #[serde(skip)]
    breaks: bool,
}

impl Serialize for Fragile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Without the other field, as it is read.
        let mut fields = serializer.serialize_struct("Fragile", 1)?;
        fields.serialize_field("n", &self.n)?;
        fields.end()
    }
}

impl Drop for Fragile {
    fn drop(&mut self) {
        assert!(!self.breaks, "{} broke", self.n);
    }
}

remote_test! {
    async fn results_come_in_the_order_of_the_items() {
        for executor in executors() {
            let offset = 7;
            let results = executor.par_map(0..1_000_u64, remote!(move |n| n * n + offset));
            let results: Vec<u64> = results.try_collect().await.unwrap();
            assert!(results.iter().zip(0..).all(|(result, n)| *result == n * n + 7));
            assert_eq!(results.len(), 1_000);
        }
    }

    async fn a_row_is_transferred() {
        for executor in executors() {
            let width = 100;
            let mut rows = executor.par_map(0..50_u32, remote!(move |y| Transfer(vec![y; width])));
            let mut y = 0;
            while let Some(row) = rows.next().await {
                assert_eq!(row.unwrap().0, [y; 100]);
                y += 1;
            }
            assert_eq!(y, 50);
            let sums = executor.par_map(
                (0..20).map(|n| Transfer(vec![n; 10])),
                remote!(|numbers: Transfer<Vec<u32>>| numbers.0.iter().sum::<u32>()),
            );
            assert_eq!(sums.try_collect::<Vec<_>>().await.unwrap(), (0..20).map(|n| 10 * n).collect::<Vec<_>>());
        }
    }

    async fn every_call_has_what_the_function_captured() {
        for executor in executors() {
            let (factors, shape) = (Transfer(vec![1, 10, 100]), Box::new(Square(2)) as Box<dyn Shape>);
            let items = (0..300).map(|n| Box::new(Square(n)) as Box<dyn Shape>);
            let function = remote!(move |item: Box<dyn Shape>| {
                let side = item.side() * factors.0.iter().sum::<u32>() + shape.side();
                Box::new(Square(side)) as Box<dyn Shape>
            });
            let sides = executor.par_map(items, function).map_ok(|shape| shape.side());
            let sides: Vec<_> = sides.try_collect().await.unwrap();
            assert!(sides.into_iter().eq((0..300).map(|n| 111 * n + 2)));
        }
    }

    async fn workers_that_come_later_have_items_too() {
        let executor = Keeps::new();
        let mut results = executor.par_map(0..1000_u32, remote!(|n: u32| n));
        for (n, workers, in_flight) in [(0, 1, 4), (1, 3, 12), (2, 1, 12), (3, 1, 11)] {
            executor.workers.store(workers, Ordering::Relaxed);
            assert!(futures::poll!(results.next()).is_pending());
            assert_eq!(executor.pending(), in_flight, "of {workers} workers");
            let first = executor.jobs.lock().unwrap().remove(0);
            first.run().await;
            assert_eq!(results.next().await.unwrap().unwrap(), n);
        }
    }

    async fn no_more_is_in_flight_than_workers_need() {
        let executor = Keeps::new();
        let taken = Cell::new(0);
        let items = std::iter::repeat_with(|| taken.replace(taken.get() + 1));
        let mut results = executor.par_map(items, remote!(|n: u32| n));
        assert_eq!(taken.get(), 0, "nothing happens before it is polled");
        assert!(futures::poll!(results.next()).is_pending());
        assert!(futures::poll!(results.next()).is_pending());
        assert_eq!((taken.get(), executor.pending()), (4, 4));
        // One more for each that was given, although the second has ended too.
        let mut jobs = executor.take_all().into_iter();
        jobs.next().unwrap().run().await;
        jobs.next().unwrap().run().await;
        assert_eq!(results.next().await.unwrap().unwrap(), 0);
        assert_eq!(executor.pending(), 1);
    }

    async fn a_full_queue_is_waited_for() {
        for room in [0, 1, 3] {
            let executor = Keeps::with_room(room);
            let results = async {
                let mut results = executor.par_map(0..100_u32, remote!(|n: u32| n + 1));
                let mut sum = 0;
                while let Some(result) = results.next().await {
                    assert!(executor.pending() <= room.max(1));
                    sum += result.unwrap();
                }
                sum
            };
            assert_eq!(serve(&executor, results).await.0, 5_050);
        }
    }

    async fn a_pool_with_a_bounded_queue_takes_them_all() {
        for strategy in [Strategy::Serial, Strategy::Parallel, Strategy::WorkStealing] {
            let pool = Pool::builder().strategy(strategy).threads(2).max_queue(1).build();
            let results = pool.par_map(0..500_u32, remote!(|n: u32| n)).map(Result::unwrap).collect::<Vec<_>>().await;
            assert!(results.into_iter().eq(0..500), "{strategy:?}");
        }
    }

    async fn cheap_items_travel_together_and_costly_ones_singly() {
        let executor = Keeps::new();
        let cheap = executor.par_map(0..10_000_u32, remote!(|n: u32| n)).try_collect::<Vec<_>>();
        let (results, jobs) = serve(&executor, cheap).await;
        assert!(results.unwrap().into_iter().eq(0..10_000));
        assert!(jobs < 2_500, "{jobs}");

        let costly = remote!(|n: u32| {
            let begun = web_time::Instant::now();
            while begun.elapsed() < Duration::from_millis(5) {}
            n
        });
        let costly = executor.par_map(0..20, costly).try_collect::<Vec<_>>();
        let (results, jobs) = serve(&executor, costly).await;
        assert!(results.unwrap().into_iter().eq(0..20));
        assert_eq!(jobs, 20);
    }

    async fn a_chunk_that_takes_too_long_comes_back_unfinished() {
        let executor = Keeps::new();
        // Nobody can know that the last ones are costly, nor how many are left.
        let uneven = remote!(|n: u32| {
            let begun = web_time::Instant::now();
            while n >= 1_900 && begun.elapsed() < Duration::from_millis(5) {}
            RUNS.set(RUNS.get() + 1);
            n
        });
        let mut items = 0..2_000;
        let items = std::iter::from_fn(|| items.next());
        let results = executor.par_map(items, uneven).try_collect::<Vec<_>>();
        let (results, jobs) = serve(&executor, results).await;
        assert!(results.unwrap().into_iter().eq(0..2_000));
        assert_eq!(RUNS.replace(0), 2_000);
        // The clock is read after sixteen items at the latest, then after each, and no task goes on for more than two.
        assert!(jobs > (100 - 16) / 2, "{jobs}");
    }

    async fn calls_with_a_limit_or_another_try_share_no_task() {
        let executor = Keeps::new();
        let limited = remote!(|n: u32| n).timeout(Duration::from_secs(600));
        let again = remote!(|n: u32| n).retry(1);
        for function in [limited, again] {
            let results = executor.par_map(0..100, function).try_collect::<Vec<_>>();
            let (results, jobs) = serve(&executor, results).await;
            assert!(results.unwrap().into_iter().eq(0..100));
            assert_eq!(jobs, 100);
        }
    }

    async fn an_item_that_panics_fails_alone() {
        for strategy in [Strategy::Serial, Strategy::Parallel, Strategy::WorkStealing] {
            let pool = Pool::builder().strategy(strategy).threads(2).build();
            let line = line!() + 1;
            let function = remote!(|n: u32| if n % 700 == 600 { panic!("I am {n}") } else { n });
            let results = pool.par_map(0..2_000, function).collect::<Vec<_>>().await;
            assert_eq!(results.len(), 2_000);
            for (result, n) in results.into_iter().zip(0..) {
                match result {
                    Err(error) if n % 700 == 600 => {
                        let text = error.to_string();
                        assert!(error.is_panic() && text.contains(&format!("I am {n}")), "{strategy:?}, {n}: {text}");
                        assert!(text.contains(&format!("par_map.rs:{line}:")), "{text}");
                    }
                    result => assert_eq!(result.unwrap(), n, "{strategy:?}"),
                }
            }
            assert_eq!(pool.stats().lost_workers, 2, "{strategy:?}");
        }
    }

    async fn a_result_that_panics_when_it_is_dropped_fails_alone() {
        let pool = Pool::builder().threads(2).build();
        let function = remote!(|n: u32| Fragile { n, breaks: n % 700 == 600 });
        let results = pool.par_map(0..2_000, function).collect::<Vec<_>>().await;
        assert_eq!(results.len(), 2_000);
        for (result, n) in results.into_iter().zip(0..) {
            match result {
                Ok(fragile) => assert!(fragile.n == n && n % 700 != 600, "{n}"),
                Err(error) => assert!(error.is_panic() && n % 700 == 600, "{n}: {error}"),
            }
        }
    }

    async fn a_thread_that_is_lost_fails_the_items_that_are_left() {
        let thread = Thread::new();
        let function = remote!(|n: u32| if n == 500 { panic!("too much") } else { n });
        let results = thread.par_map(0..1_000, function).collect::<Vec<_>>().await;
        // Not only those behind it: what a chunk had no time for is sent again.
        let mut lost = 0;
        for (result, n) in results.iter().zip(0..) {
            match result {
                Ok(value) => assert!(*value == n && n != 500, "{n}: {value}"),
                Err(error) if n == 500 => assert!(error.is_panic(), "{error}"),
                Err(error) => {
                    assert!(error.is_worker_lost(), "{n}: {error}");
                    lost += 1;
                }
            }
        }
        assert_ne!(lost, 0);
        assert_eq!(results.len(), 1_000);
    }

    async fn an_item_that_cannot_be_encoded_fails_at_its_place() {
        let executor = Keeps::new();
        let results = executor.par_map((0..100).map(Even), remote!(|even: Even| even.0)).collect::<Vec<_>>();
        let results = serve(&executor, results).await.0;
        assert_eq!(results.len(), 100);
        for (result, n) in results.into_iter().zip(0..) {
            match result {
                Ok(even) => assert_eq!((even, n % 2), (n, 0)),
                Err(error) => assert!(n % 2 == 1 && error.is_codec() && error.to_string().contains("par_map.rs"), "{error}"),
            }
        }
    }

    async fn an_item_or_a_result_that_cannot_be_decoded_fails_alone() {
        for executor in executors() {
            let items = executor.par_map((0..100).map(Odd), remote!(|odd: Odd| odd.0)).collect::<Vec<_>>().await;
            let results = executor.par_map(0..100, remote!(|n: u32| Odd(n))).map_ok(|odd| odd.0).collect::<Vec<_>>().await;
            assert_eq!((items.len(), results.len()), (100, 100));
            for (result, n) in items.into_iter().zip(0..).chain(results.into_iter().zip(0..)) {
                match result {
                    Ok(odd) => assert_eq!((odd, odd % 2), (n, 1)),
                    Err(error) => assert!(n % 2 == 0 && error.is_codec(), "{error}"),
                }
            }
        }
    }

    async fn numbers_keep_all_their_bits() {
        for executor in executors() {
            let bits = [f64::NAN.to_bits() | 1, (-0.0_f64).to_bits(), 1];
            let floats = executor.par_map(bits.map(f64::from_bits), remote!(|float: f64| float));
            let floats = floats.map_ok(f64::to_bits).try_collect::<Vec<_>>().await.unwrap();
            assert_eq!(floats, bits);
            let least = executor.par_map([i8::MIN, -1, i8::MAX], remote!(|n: i8| n.wrapping_sub(1)));
            assert_eq!(least.try_collect::<Vec<_>>().await.unwrap(), [i8::MAX, -2, i8::MAX - 1]);
        }
    }

    async fn a_task_makes_its_function_once() {
        let executor = Keeps::new();
        let function = RemoteFn::new((), |(), _| {
            RUNS.set(RUNS.get() + 1);
            |n: u32| n
        });
        let results = executor.par_map(0..10_000, function).try_collect::<Vec<_>>();
        let (results, jobs) = serve(&executor, results).await;
        assert!(results.unwrap().into_iter().eq(0..10_000));
        assert_eq!(RUNS.replace(0) as usize, jobs);
    }

    async fn a_function_that_cannot_be_encoded_fails_every_item() {
        let function = RemoteFn::new(Even(1), |even: Even, _| move |n: u32| even.0 + n);
        let results = Keeps::new().par_map(0..10, function).collect::<Vec<_>>().await;
        assert_eq!(results.len(), 10);
        assert!(results.into_iter().all(|result| result.unwrap_err().is_codec()));
    }

    async fn the_calls_of_an_async_function_overlap() {
        thread_local! {
            static PRESENT: Cell<u32> = const { Cell::new(0) };
        }
        let meet = remote!(async move |n: u32| {
            PRESENT.set(PRESENT.get() + 1);
            while PRESENT.get() < 4 {
                wasm_mt::yield_now().await;
            }
            n
        });
        let thread = Thread::new();
        let results = thread.par_map(0..4, meet).try_collect::<Vec<_>>().await.unwrap();
        assert_eq!(results, [0, 1, 2, 3]);
    }

    async fn a_timeout_is_meant_for_each_item() {
        for executor in executors() {
            let function = remote!(async move |n: u32| {
                if n == 2 {
                    std::future::pending::<()>().await;
                }
                n
            });
            let function = function.timeout(Duration::from_millis(400));
            let results = executor.par_map(0..5, function).collect::<Vec<_>>().await;
            for (result, n) in results.into_iter().zip(0..) {
                match result {
                    Err(error) => assert!(n == 2 && error.is_timeout(), "{error}"),
                    Ok(result) => assert_eq!(result, n),
                }
            }
        }
    }

    async fn a_stream_that_is_dropped_cancels_its_items() {
        let executor = Keeps::new();
        let mut results = executor.par_map(0..100_u32, remote!(|_| RUNS.set(RUNS.get() + 1)));
        assert!(futures::poll!(results.next()).is_pending());
        drop(results);
        for job in executor.take_all() {
            job.run().await;
        }
        assert_eq!(RUNS.get(), 0);
    }

    async fn an_executor_that_loses_its_jobs_fails_every_item() {
        let executor = super::Loses(Thread::new());
        let results = executor.par_map(0..10_u32, remote!(|n: u32| n)).collect::<Vec<_>>().await;
        assert_eq!(results.len(), 10);
        assert!(results.into_iter().all(|result| result.unwrap_err().is_worker_lost()));
    }

    async fn it_says_how_much_is_left_and_when_it_is_over() {
        let executor = Keeps::new();
        let mut results = executor.par_map(0..10_u32, remote!(|n: u32| n));
        assert_eq!(results.size_hint(), (10, Some(10)));
        assert!(futures::poll!(results.next()).is_pending());
        assert_eq!(results.size_hint(), (10, Some(10)));
        assert!(!results.is_terminated());
        let rest = async {
            assert_eq!(results.next().await.unwrap().unwrap(), 0);
            assert_eq!(results.size_hint(), (9, Some(9)));
            while results.next().await.is_some() {}
            assert!(results.is_terminated());
            assert!(results.next().await.is_none());
        };
        serve(&executor, rest).await;
        let mut none = executor.par_map(std::iter::empty::<u32>(), remote!(|n: u32| n));
        assert!(none.next().await.is_none());
    }

    async fn items_within_a_task_are_its_children() {
        for strategy in [Strategy::Serial, Strategy::Parallel, Strategy::WorkStealing] {
            let pool = Pool::builder().strategy(strategy).threads(2).max_queue(1).build();
            let sum = remote!(async move {
                let pool = wasm_mt::executor::current();
                let squares = pool.par_map(0..100_u32, remote!(|n: u32| n * n));
                squares.try_fold(0, |sum, square| async move { Ok(sum + square) }).await
            });
            assert_eq!(pool.spawn_remote(sum).await.unwrap().unwrap(), 328_350, "{strategy:?}");
        }
    }
}
