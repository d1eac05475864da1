//! Every executor is a `Spawn`, takes typed tasks behind any pointer, and plugs into the combinators of `futures`.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures::future::{Abortable, Either, FutureExt, join_all, select, try_join_all};
use futures::stream::{self, FuturesUnordered, StreamExt};
use futures::task::{FutureObj, Spawn, SpawnError, SpawnExt};
use wasm_mt::{Executor, ExecutorExt, Job, Remote, RemoteHandle, Thread, remote};

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
}

impl Keeps {
    fn new() -> Self {
        Self { thread: Thread::new(), jobs: Mutex::default() }
    }

    fn take(&self) -> Job {
        self.jobs.lock().unwrap().pop().unwrap()
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
}

fn executors() -> Vec<Box<dyn Executor>> {
    vec![Box::new(Thread::new()), Box::new(RoundRobin::new())]
}

fn square(executor: &dyn Executor, n: u64) -> RemoteHandle<u64> {
    executor.spawn_remote(remote!(move || n * n))
}

fn forever(executor: &dyn Executor) -> RemoteHandle<u64> {
    executor.spawn_remote(Remote::new_async((), |()| std::future::pending::<u64>()))
}

remote_test! {
    async fn handles_join() {
        for executor in executors() {
            let joined = join_all((0..10).map(|n| square(&executor, n))).await;
            assert_eq!(joined.into_iter().map(Result::unwrap).sum::<u64>(), 285);
            assert_eq!(try_join_all((0..10).map(|n| square(&executor, n))).await.unwrap().len(), 10);
        }
    }

    async fn handles_are_streamed_as_they_finish() {
        for executor in executors() {
            let unordered = (0..10).map(|n| square(&executor, n)).collect::<FuturesUnordered<_>>();
            assert_eq!(unordered.map(Result::unwrap).fold(0, |sum, n| async move { sum + n }).await, 285);
            let buffered = stream::iter((0..10).map(|n| square(&executor, n))).buffer_unordered(3);
            assert_eq!(buffered.map(Result::unwrap).fold(0, |sum, n| async move { sum + n }).await, 285);
        }
    }

    async fn tasks_are_spawned_for_each_item_concurrently() {
        for executor in executors() {
            let sum = AtomicUsize::new(0);
            let (executor, sum) = (&executor, &sum);
            stream::iter(0..10).for_each_concurrent(4, |n| async move {
                let square = square(executor, n).await.unwrap();
                sum.fetch_add(usize::try_from(square).unwrap(), Ordering::Relaxed);
            }).await;
            assert_eq!(sum.load(Ordering::Relaxed), 285);
        }
    }

    async fn the_loser_of_a_select_is_cancelled() {
        for executor in executors() {
            match select(forever(&executor), square(&executor, 3)).await {
                Either::Right((won, lost)) => {
                    assert_eq!(won.unwrap(), 9);
                    drop(lost);
                }
                Either::Left(_) => panic!("a task that never ends has ended"),
            }
            assert_eq!(square(&executor, 4).await.unwrap(), 16);
        }
    }

    async fn a_handle_can_be_aborted_and_shared() {
        for executor in executors() {
            let (abort, registration) = futures::future::AbortHandle::new_pair();
            let abortable = Abortable::new(forever(&executor), registration);
            abort.abort();
            abortable.await.unwrap_err();

            let shared = square(&executor, 5).shared();
            assert_eq!(shared.clone().await.unwrap() + shared.await.unwrap(), 50);
        }
    }

    async fn a_future_is_spawned_with_a_handle() {
        for executor in executors() {
            let handle = executor.spawn_with_handle(async { 7 }).unwrap();
            assert_eq!(handle.await, 7);
        }
    }

    async fn an_executor_works_behind_every_pointer() {
        async fn twice(executor: impl Executor) -> u64 {
            executor.spawn_remote(remote!(|| 2)).await.unwrap()
        }
        let thread = Thread::new();
        assert_eq!(twice(&thread).await, 2);
        assert_eq!(twice(&mut thread.clone()).await, 2);
        assert_eq!(twice(Box::new(thread.clone())).await, 2);
        assert_eq!(twice(Arc::new(thread.clone())).await, 2);
        let dynamic: Arc<dyn Executor> = Arc::new(thread);
        assert_eq!(twice(dynamic).await, 2);
    }

    async fn a_job_that_an_executor_loses_resolves_its_handle() {
        let error = square(&Loses(Thread::new()), 2).await.unwrap_err();
        assert!(error.is_worker_lost(), "{error}");
    }

    async fn a_job_can_be_run_here() {
        let executor = Keeps::new();
        let sync = executor.spawn_remote(remote!(|| 1));
        executor.take().run().await;
        assert_eq!(sync.await.unwrap(), 1);
        let later = executor.spawn_remote(remote!(async {
            wasm_mt::yield_now().await;
            2
        }));
        executor.take().run().await;
        assert_eq!(later.await.unwrap(), 2);
    }

    async fn a_job_stops_when_its_handle_is_dropped() {
        let executor = Keeps::new();
        drop(forever(&executor));
        executor.take().run().await;

        let begun = forever(&executor);
        let mut run = Box::pin(executor.take().run());
        assert!(futures::poll!(&mut run).is_pending());
        drop(begun);
        run.await;
    }

    async fn a_run_that_is_dropped_resolves_its_handle() {
        let executor = Keeps::new();
        let handle = forever(&executor);
        let mut run = Box::pin(executor.take().run());
        assert!(futures::poll!(&mut run).is_pending());
        assert!(!handle.is_finished());
        drop(run);
        assert!(handle.await.unwrap_err().is_worker_lost());
    }

    async fn a_job_can_be_failed_and_has_a_name() {
        let executor = Keeps::new();
        let line = line!() + 1;
        let handle = executor.spawn_remote(remote!(|| 1));
        let job = executor.take();
        assert!(job.name().contains(&format!("executor.rs:{line}:")), "{}", job.name());
        let closed = Thread::new();
        closed.terminate();
        job.fail(closed.ready().await.unwrap_err());
        assert!(handle.await.unwrap_err().is_closed());
    }

    async fn close_waits_for_what_was_taken_and_takes_no_more() {
        let thread = Thread::new();
        let taken = (0..3).map(|n| square(&thread, n)).collect::<Vec<_>>();
        let closed = Executor::close(&thread);
        assert!(square(&thread, 2).await.unwrap_err().is_closed());
        closed.await;
        assert!(taken.iter().all(RemoteHandle::is_finished));
        assert_eq!(try_join_all(taken).await.unwrap(), [0, 1, 4]);
        assert!(thread.is_lost());
        assert!(thread.spawn(async {}).is_err());
        Executor::close(&thread).await;
    }

    async fn close_does_not_wait_for_what_was_cancelled() {
        let thread = Thread::new();
        let cancelled = forever(&thread);
        let closed = Executor::close(&thread);
        drop(cancelled);
        closed.await;
    }
}

#[cfg(not(target_family = "wasm"))]
#[test]
fn a_panic_of_a_job_that_is_run_here_is_an_error() {
    wasm_mt::run(async {
        let executor = Keeps::new();
        let handle = executor.spawn_remote(remote!(|| -> u8 { panic!("here") }));
        executor.take().run().await;
        let error = handle.await.unwrap_err();
        assert!(error.is_panic() && error.to_string().contains("here"), "{error}");
    });
}

#[cfg(not(target_family = "wasm"))]
#[test]
fn a_spawned_future_runs_on_the_thread() {
    wasm_mt::run(async {
        let thread = Thread::builder().name("elsewhere").build();
        let name =
            thread.spawn_with_handle(async { std::thread::current().name().map(str::to_owned) }).unwrap();
        assert_eq!(name.await.as_deref(), Some("elsewhere"));
    });
}
