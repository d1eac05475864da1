//! Pools: who runs what, what becomes of it when workers are lost, and what is passed between them.

use std::cell::Cell;
use std::sync::{Arc, Mutex};

use futures::StreamExt;
use futures::future::{LocalBoxFuture, join_all, try_join, try_join_all};
use futures::task::SpawnExt;
use wasm_mt::{
    Error, Executor, ExecutorExt, Pool, PoolBuilder, Remote, Strategy, TaskRun, Thread, Transfer, executor,
    remote,
};

use crate::common::meet;

const STRATEGIES: [Strategy; 3] = [Strategy::Serial, Strategy::Parallel, Strategy::WorkStealing];

fn pool(strategy: Strategy, threads: usize) -> Pool {
    Pool::builder().strategy(strategy).threads(threads).build()
}

/// A pool that notes what has run where.
fn watched(builder: PoolBuilder) -> (Pool, Arc<Mutex<Vec<TaskRun>>>) {
    let runs = Arc::new(Mutex::new(Vec::new()));
    let notes = runs.clone();
    (builder.on_run(move |run| notes.lock().unwrap().push(run.clone())).build(), runs)
}

/// Some work.
fn spin(n: u32) -> u32 {
    (0..n).fold(0, |sum, i| std::hint::black_box(sum ^ i))
}

/// Spawns children, who do the same down to some depth, and counts all of them.
fn tree(depth: u32) -> LocalBoxFuture<'static, Result<u32, Error>> {
    Box::pin(async move {
        if depth == 0 {
            return Ok(1);
        }
        let branch = || Remote::new_async(depth - 1, tree).into_future();
        let (a, b) = try_join(branch(), branch()).await?;
        Ok(a? + b? + 1)
    })
}

remote_test! {
    async fn every_strategy_runs_every_task() {
        for strategy in STRATEGIES {
            let pool = pool(strategy, 2);
            let squares = (0..500_u64).map(|n| pool.spawn_remote(remote!(move || n * n)));
            let squares = try_join_all(squares).await.unwrap();
            assert!(squares.into_iter().eq((0..500).map(|n| n * n)), "{strategy:?}");
            assert_eq!(Executor::pending(&pool), 0);
            assert_eq!(pool.stats().finished, 500);
        }
    }

    async fn tasks_await_their_children_under_every_strategy_and_bound() {
        for strategy in STRATEGIES {
            for threads in [1, 2] {
                let pool = Pool::builder().strategy(strategy).threads(threads).max_queue(1).build();
                let trees = (0..3).map(|_| pool.spawn_remote(Remote::new_async(4, tree)));
                let counts = join_all(trees).await;
                for count in counts {
                    assert_eq!(count.unwrap().unwrap(), 31, "{strategy:?} on {threads}");
                }
            }
        }
    }

    async fn children_that_are_made_before_the_first_await_run_elsewhere_too() {
        let (pool, runs) = watched(Pool::builder().strategy(Strategy::WorkStealing).threads(2));
        pool.ready().await.unwrap();
        let parent = remote!(async {
            let pool = executor::current();
            // The oldest is handed over, the newest runs here first: neither goes on before both are there.
            let oldest = pool.spawn_remote(remote!(async { meet("oldest and newest", 2).await }));
            let between: Vec<_> = (0..62).map(|_| pool.spawn_remote(remote!(|| spin(1_000)))).collect();
            let newest = pool.spawn_remote(remote!(async { meet("oldest and newest", 2).await }));
            try_join(oldest, newest).await?;
            try_join_all(between).await.map(|all| all.len())
        });
        assert_eq!(pool.spawn_remote(parent).await.unwrap().unwrap(), 62);
        assert!(pool.stats().stolen > 0, "{:?}", pool.stats());
        // What has run is told no later than when its worker rests.
        Executor::close(&pool).await;
        let runs = runs.lock().unwrap();
        assert_eq!(runs.len(), 65);
        let parent = runs.iter().find(|run| run.made_by.is_none()).unwrap();
        let children = || runs.iter().filter(|run| run.made_by == Some(parent.worker));
        assert_eq!(children().count(), 64);
        assert!(children().any(|run| run.worker == parent.worker));
        assert!(children().any(|run| run.worker != parent.worker));
        assert!(runs.iter().all(|run| run.began <= run.ended && run.location().is_some_and(|place| place.file().ends_with("pool.rs"))));
    }

    async fn a_parallel_pool_spreads_children_at_once() {
        let pool = pool(Strategy::Parallel, 2);
        let parent = remote!(async {
            let meetings = || remote!(async { meet("two children at once", 2).await }).into_future();
            try_join(meetings(), meetings()).await.map(|_| ())
        });
        pool.spawn_remote(parent).await.unwrap().unwrap();
        assert!(pool.stats().stolen > 0, "{:?}", pool.stats());
    }

    async fn serial_tasks_do_not_overlap_and_keep_their_order() {
        thread_local! {
            static BUSY: Cell<bool> = const { Cell::new(false) };
            static TURN: Cell<u32> = const { Cell::new(0) };
        }
        let pool = pool(Strategy::Serial, 1);
        let tasks = (0..20_u32).map(|n| pool.spawn_remote(remote!(async move {
            assert!(!BUSY.replace(true), "two tasks at once");
            let turn = TURN.replace(TURN.get() + 1);
            for _ in 0..n % 3 {
                wasm_mt::yield_now().await;
            }
            BUSY.set(false);
            turn == n
        })));
        assert!(try_join_all(tasks).await.unwrap().into_iter().all(|in_turn| in_turn));
    }

    async fn bulk_data_passes_from_worker_to_worker() {
        let pool = pool(Strategy::Parallel, 2);
        let parent = remote!(async {
            let children = (0..4_u8).map(|n| {
                let data = Transfer(vec![n; 100_000]);
                remote!(move || Transfer(data.0.into_iter().map(|byte| byte + 1).collect::<Vec<u8>>())).into_future()
            });
            let sums = try_join_all(children).await?;
            Ok::<_, Error>(sums.iter().map(|sum| sum.0.iter().map(|byte| u64::from(*byte)).sum::<u64>()).sum::<u64>())
        });
        assert_eq!(pool.spawn_remote(parent).await.unwrap().unwrap(), 1_000_000);
        assert!(pool.stats().stolen > 0, "{:?}", pool.stats());
    }

    async fn a_panic_costs_a_pool_one_worker_and_no_waiting_task() {
        for strategy in STRATEGIES {
            let pool = pool(strategy, 2);
            pool.ready().await.unwrap();
            let culprit = pool.spawn_remote(remote!(|| -> u32 { panic!("by the culprit") }));
            let error = culprit.await.unwrap_err();
            assert!(error.is_panic() && error.to_string().contains("by the culprit"), "{error}");
            let others = (0..10_u32).map(|n| pool.spawn_remote(remote!(move || n)));
            assert_eq!(try_join_all(others).await.unwrap().len(), 10);
            pool.ready().await.unwrap();
            assert_eq!((pool.stats().workers, pool.stats().lost_workers), (2, 1));
        }
    }

    async fn what_has_not_begun_on_a_lost_worker_runs_on_another() {
        // Under this strategy all is posted at once, behind the culprit.
        let pool = pool(Strategy::Parallel, 1);
        pool.ready().await.unwrap();
        let bulk = Transfer(vec![1_u8; 20_000]);
        let culprit = pool.spawn_remote(remote!(|| -> u32 { panic!("first") }));
        let behind = pool.spawn_remote(remote!(|| 1));
        // Moved data goes with the worker, unless there is a copy.
        let with_bulk = pool.spawn_remote(remote!(move || bulk.0.len()).retry(1));
        assert!(culprit.await.unwrap_err().is_panic());
        assert_eq!(behind.await.unwrap(), 1);
        assert_eq!(with_bulk.await.unwrap(), 20_000);
    }

    async fn what_awaits_something_on_a_lost_worker_is_lost_unless_it_may_run_again() {
        thread_local! {
            static RUNS: Cell<u32> = const { Cell::new(0) };
        }
        // A serial pool has nothing beside a task that waits.
        for strategy in [Strategy::Parallel, Strategy::WorkStealing] {
            let pool = pool(strategy, 1);
            // On the worker that is lost it never ends; on the next it does, since that is told so before.
            let waits = || remote!(async {
                while RUNS.get() == 0 {
                    wasm_mt::yield_now().await;
                }
                RUNS.get()
            });
            let lost = pool.spawn_remote(waits());
            let again = pool.spawn_remote(waits().retry(1));
            let culprit = pool.spawn_remote(remote!(|| -> u32 { panic!("beside them") }));
            assert!(culprit.await.unwrap_err().is_panic());
            let error = lost.await.unwrap_err();
            assert!(error.is_worker_lost() && error.to_string().contains("beside them"), "{error}");
            pool.spawn_remote(remote!(|| RUNS.set(7))).await.unwrap();
            assert_eq!(again.await.unwrap(), 7);
        }
    }

    async fn a_parent_outlives_a_child_that_panics_elsewhere() {
        let pool = pool(Strategy::Parallel, 2);
        let parent = remote!(async {
            let child = remote!(|| -> u32 { panic!("the child") });
            let sibling = remote!(|| 5).into_future();
            let error = child.await.unwrap_err();
            (error.is_panic() || error.is_worker_lost(), sibling.await.is_ok())
        });
        // The parent is lost if its child runs on the same worker.
        match pool.spawn_remote(parent).await {
            Ok((is_told, _)) => assert!(is_told),
            Err(error) => assert!(error.is_worker_lost(), "{error}"),
        }
        assert_eq!(pool.spawn_remote(remote!(|| 6)).await.unwrap(), 6);
    }

    async fn a_child_that_is_let_go_runs_after_its_parent() {
        thread_local! {
            static RAN: Cell<bool> = const { Cell::new(false) };
        }
        let pool = pool(Strategy::WorkStealing, 1);
        pool.spawn_remote(remote!(async {
            executor::current().spawn_remote(remote!(async {
                wasm_mt::yield_now().await;
                RAN.set(true);
            })).forget();
        })).await.unwrap();
        pool.spawn_remote(remote!(async {
            while !RAN.get() {
                wasm_mt::yield_now().await;
            }
        })).await.unwrap();
    }

    async fn a_child_whose_handle_is_dropped_does_not_run() {
        thread_local! {
            static RAN: Cell<bool> = const { Cell::new(false) };
        }
        for strategy in STRATEGIES {
            let pool = pool(strategy, 1);
            let ran = pool.spawn_remote(remote!(async {
                drop(executor::current().spawn_remote(remote!(|| RAN.set(true))));
                remote!(|| RAN.get()).await
            }));
            assert!(!ran.await.unwrap().unwrap(), "{strategy:?}");
        }
    }

    async fn a_future_that_a_task_spawns_may_await_a_child() {
        for strategy in STRATEGIES {
            let pool = pool(strategy, 1);
            let parent = remote!(async {
                let spawned = executor::current().spawn_with_handle(async { remote!(|| 7).await });
                spawned.unwrap().await
            });
            assert_eq!(pool.spawn_remote(parent).await.unwrap().unwrap(), 7, "{strategy:?}");
        }
    }

    async fn on_start_may_await_tasks() {
        let start = remote!(async { remote!(|| 8).await.map(|n| assert_eq!(n, 8)).unwrap() });
        let pool = Pool::builder().threads(2).on_start(start).build();
        pool.ready().await.unwrap();
        assert_eq!(pool.spawn_remote(remote!(|| 9)).await.unwrap(), 9);
    }

    async fn broadcast_reaches_every_worker_once() {
        thread_local! {
            static CALLS: Cell<u32> = const { Cell::new(0) };
        }
        for strategy in STRATEGIES {
            let pool = pool(strategy, 3);
            let first = try_join_all(pool.broadcast(remote!(|| CALLS.set(CALLS.get() + 1)))).await.unwrap();
            assert_eq!(first.len(), 3);
            let calls = try_join_all(pool.broadcast(remote!(|| CALLS.get()))).await.unwrap();
            assert_eq!(calls, [1, 1, 1], "{strategy:?}");
        }
    }

    async fn a_dropped_pool_closes_its_tasks() {
        for strategy in STRATEGIES {
            let pool = pool(strategy, 2);
            let tasks = (0..5).map(|_| pool.spawn_remote(remote!(async { std::future::pending::<()>().await })));
            let tasks: Vec<_> = tasks.collect();
            let other = pool.clone();
            drop(pool);
            assert!(!tasks[0].is_finished());
            drop(other);
            for task in tasks {
                assert!(task.await.unwrap_err().is_closed());
            }
        }
    }

    async fn close_finishes_what_was_taken_with_its_children_and_takes_no_more() {
        for strategy in STRATEGIES {
            let pool = pool(strategy, 2);
            let trees: Vec<_> = (0..3).map(|_| pool.spawn_remote(Remote::new_async(3, tree))).collect();
            let closed = Executor::close(&pool);
            assert!(pool.spawn_remote(remote!(|| 1)).await.unwrap_err().is_closed());
            closed.await;
            for tree in trees {
                assert_eq!(tree.await.unwrap().unwrap(), 15, "{strategy:?}");
            }
            assert!(pool.ready().await.unwrap_err().is_closed());
            assert!(pool.spawn(async {}).is_err());
        }
    }

    async fn a_pool_whose_workers_do_not_start_says_so() {
        let pool = Pool::builder().threads(2).on_start(remote!(|| panic!("not today"))).build();
        let task = pool.spawn_remote(remote!(|| 1));
        let error = pool.ready().await.unwrap_err();
        assert!(error.is_startup() && error.to_string().contains("not today"), "{error}");
        assert!(task.await.unwrap_err().is_startup());
        assert!(pool.spawn_remote(remote!(|| 1)).await.unwrap_err().is_startup());
    }

    async fn a_pool_without_threads_says_so() {
        let pool = Pool::builder().threads(0).build();
        let says_so = |error: Error| {
            assert!(error.is_startup() && error.to_string().contains("a pool needs at least one thread"), "{error}");
        };
        says_so(pool.ready().await.unwrap_err());
        says_so(pool.spawn_remote(remote!(|| 1)).await.unwrap_err());
        says_so(pool.try_spawn_remote(remote!(|| 1)).unwrap().await.unwrap_err());
        let outcomes: Vec<_> = pool.par_map(0..2, remote!(|n: u32| n)).collect().await;
        assert_eq!(outcomes.len(), 2);
        outcomes.into_iter().for_each(|outcome| says_so(outcome.unwrap_err()));
        assert!(pool.broadcast(remote!(|| 1)).is_empty());
        assert!(pool.spawn(async {}).is_err());
        assert_eq!((pool.stats().workers, pool.pending()), (0, 0));
        pool.close().await;
        // The last word counts.
        assert_eq!(Pool::builder().threads(0).threads(1).build().spawn_remote(remote!(|| 1)).await.unwrap(), 1);
    }

    async fn a_builder_and_its_clone_start_alike() {
        thread_local! {
            static PREPARED: Cell<u32> = const { Cell::new(0) };
        }
        let bulk = Transfer(vec![3_u32, 4]);
        let builder = Pool::builder().threads(1).on_start(remote!(move || PREPARED.set(bulk.0.iter().sum())));
        for pool in [builder.clone().build(), builder.build()] {
            assert_eq!(pool.spawn_remote(remote!(|| PREPARED.get())).await.unwrap(), 7);
        }
    }

    async fn a_thread_tells_what_has_run_too() {
        let runs = Arc::new(Mutex::new(Vec::new()));
        let notes = runs.clone();
        let thread = Thread::builder().on_run(move |run: &TaskRun| notes.lock().unwrap().push(run.clone())).build();
        let line = line!() + 1;
        thread.spawn_remote(remote!(|| 1)).await.unwrap();
        let runs = runs.lock().unwrap();
        assert_eq!(runs.len(), 1);
        assert_eq!((runs[0].worker, runs[0].made_by), (0, None));
        assert_eq!(runs[0].location().map(std::panic::Location::line), Some(line));
        assert!(runs[0].to_string().contains(&format!("pool.rs:{line}:")), "{}", runs[0]);
        assert_eq!(thread.stats().finished, 1);
    }

    async fn on_start_runs_in_workers_that_replace_others_too() {
        thread_local! {
            static PREPARED: Cell<bool> = const { Cell::new(false) };
        }
        let pool = Pool::builder().threads(1).on_start(remote!(|| PREPARED.set(true))).build();
        assert!(pool.spawn_remote(remote!(|| PREPARED.get())).await.unwrap());
        pool.spawn_remote(remote!(|| -> () { panic!("lost") })).await.unwrap_err();
        assert!(pool.spawn_remote(remote!(|| PREPARED.get())).await.unwrap());
    }

    async fn a_task_may_have_a_pool_of_its_own() {
        let thread = Thread::new();
        let inner = thread.spawn_remote(remote!(async {
            let pool = Pool::builder().threads(2).build();
            let (inner, outer) = (pool.spawn_remote(remote!(async { executor::current().concurrency() })), remote!(async {
                executor::current().concurrency()
            }));
            Ok::<_, Error>((inner.await?, outer.await?))
        }));
        assert_eq!(inner.await.unwrap().unwrap(), (2, 1));
    }
}
