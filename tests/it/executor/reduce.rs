//! Results of `par_map` in chunks, as they come, for what is done alone, and reduced to one.

use futures::stream::{FusedStream, StreamExt, TryStreamExt};
use wasm_mt::{ExecutorExt, Pool, Strategy, remote};

use super::par_map::{Even, Odd, RUNS, serve};
use super::{Keeps, executors};

remote_test! {
    async fn chunks_have_all_results_in_order() {
        for executor in executors() {
            let mut chunks = executor.par_map(0..10_000_u32, remote!(|n: u32| n + 1)).in_chunks();
            let mut next = 1;
            while let Some(chunk) = chunks.try_next().await.unwrap() {
                assert!(!chunk.is_empty() && chunk.iter().copied().eq(next..next + chunk.len() as u32));
                next += chunk.len() as u32;
            }
            assert_eq!(next, 10_001);
            assert!(chunks.is_terminated());
            let texts = executor.par_map(0..100_u32, remote!(|n: u32| n.to_string())).in_chunks();
            let texts = texts.try_concat().await.unwrap();
            assert!(texts.into_iter().eq((0..100).map(|n| n.to_string())));
        }
    }

    async fn a_chunk_with_an_error_comes_in_parts() {
        let executor = Keeps::new();
        // The first items travel alone; later ones share a task.
        let chunks = executor.par_map(0..2_000_u32, remote!(|n: u32| Odd(2 * n + u32::from(n % 500 != 400)))).in_chunks();
        let (chunks, jobs) = serve(&executor, chunks.collect::<Vec<_>>()).await;
        assert!(jobs < 1_000, "{jobs}");
        let (mut next, mut errors) = (0, 0);
        for chunk in chunks {
            match chunk {
                Ok(chunk) => {
                    for odd in chunk {
                        assert_eq!(odd.0, 2 * next + 1);
                        next += 1;
                    }
                }
                Err(error) => {
                    assert!(next % 500 == 400 && error.is_codec() && error.to_string().contains("reduce.rs"), "{error}");
                    next += 1;
                    errors += 1;
                }
            }
        }
        assert_eq!((next, errors), (2_000, 4));
    }

    async fn without_an_order_no_result_waits_for_one_before_it() {
        let executor = Keeps::new();
        let mut results = executor.par_map_unordered(0..4_u32, remote!(|n: u32| n));
        assert!(futures::poll!(results.next()).is_pending());
        let mut jobs = executor.take_all();
        assert_eq!(jobs.len(), 4);
        jobs.pop().unwrap().run().await;
        assert_eq!(results.next().await.unwrap().unwrap(), 3);
        assert!(futures::poll!(results.next()).is_pending());
        for job in jobs {
            job.run().await;
        }
        let mut rest = results.try_collect::<Vec<_>>().await.unwrap();
        rest.sort_unstable();
        assert_eq!(rest, [0, 1, 2]);
        for executor in executors() {
            let squares = executor.par_map_unordered(0..1_000_u64, remote!(|n: u64| n * n));
            let mut squares = squares.try_collect::<Vec<_>>().await.unwrap();
            squares.sort_unstable();
            assert!(squares.into_iter().eq((0..1_000).map(|n| n * n)));
        }
    }

    async fn what_is_done_for_each_item_ends_with_the_last_or_the_first_error() {
        for executor in executors() {
            executor.par_for_each(0..1_000_u32, remote!(|_: u32| ())).await.unwrap();
        }
        let executor = Keeps::new();
        let items = (0..1_000).map(|n| Even(2 * n + u32::from(n == 500)));
        let counts = executor.par_for_each(items, remote!(|_: Even| RUNS.set(RUNS.get() + 1)));
        let error = serve(&executor, counts).await.0.unwrap_err();
        assert!(error.is_codec(), "{error}");
        assert!(RUNS.replace(0) < 1_000);
        drop(executor);
    }

    async fn results_are_reduced_in_order_on_the_workers() {
        for executor in executors() {
            let digits = remote!(|n: u32| n.to_string());
            let joined = executor.par_reduce(0..1_000_u32, digits, remote!(|(a, b): (String, String)| a + &b));
            assert_eq!(joined.await.unwrap().unwrap(), (0..1_000).map(|n| n.to_string()).collect::<String>());
            let sum = remote!(|(a, b): (u64, u64)| a + b);
            assert_eq!(executor.par_reduce(0..1_000, remote!(|n: u64| n), sum.clone()).await.unwrap(), Some(499_500));
            assert_eq!(executor.par_reduce([7], remote!(|n: u64| n), sum.clone()).await.unwrap(), Some(7));
            assert_eq!(executor.par_reduce([], remote!(|n: u64| n), sum).await.unwrap(), None);
        }
    }

    async fn a_chunk_that_is_reduced_gives_one_result() {
        let executor = Keeps::new();
        let most = remote!(|(a, b): (u32, u32)| {
            RUNS.set(RUNS.get() + 1);
            a.max(b)
        });
        let most = executor.par_reduce((0..10_000).map(|n| n * 7_919 % 10_000), remote!(|n: u32| n), most);
        let (most, jobs) = serve(&executor, most).await;
        assert_eq!(most.unwrap(), Some(9_999));
        assert_eq!(RUNS.replace(0), 9_999);
        assert!(jobs < 5_000, "{jobs}");
    }

    async fn what_is_reduced_ends_with_the_first_error() {
        for strategy in [Strategy::Serial, Strategy::Parallel, Strategy::WorkStealing] {
            let pool = Pool::builder().strategy(strategy).threads(2).build();
            let sum = remote!(|(a, b): (u32, u32)| a.wrapping_add(b));
            let odd = remote!(|odd: Odd| odd.0);
            let items = (0..2_000).map(|n| Odd(2 * n + u32::from(n != 1_500)));
            let error = pool.par_reduce(items, odd, sum.clone()).await.unwrap_err();
            assert!(error.is_codec(), "{strategy:?}: {error}");
            let panics = remote!(|n: u32| if n == 1_500 { panic!("no") } else { n });
            let error = pool.par_reduce(0..2_000_u32, panics, sum).await.unwrap_err();
            assert!(error.is_panic(), "{strategy:?}: {error}");
            let line = line!() + 1;
            let never = remote!(|(a, b): (u32, u32)| if b == 1_500 { panic!("no {a}") } else { b });
            let error = pool.par_reduce(0..2_000_u32, remote!(|n: u32| n), never).await.unwrap_err();
            assert!(error.is_panic() && error.to_string().contains(&format!("reduce.rs:{line}:")), "{strategy:?}: {error}");
        }
    }
}
