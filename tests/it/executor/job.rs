//! What an executor can do with a job, and how executors close.

use futures::future::try_join_all;
use futures::task::SpawnExt;
use wasm_mt::{Error, Executor, ExecutorExt, RemoteHandle, Thread, remote};

use super::{Keeps, Loses, forever, square};

remote_test! {
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

    async fn a_job_can_be_failed_and_has_a_location() {
        let executor = Keeps::new();
        let line = line!() + 1;
        let handle = executor.spawn_remote(remote!(|| 1));
        let job = executor.take();
        let location = job.location();
        assert!(location.file().ends_with("job.rs") && location.line() == line, "{location}");
        let closed = Thread::new();
        closed.terminate();
        job.fail(closed.ready().await.unwrap_err());
        assert!(handle.await.unwrap_err().is_closed());
    }

    async fn what_an_executor_says_of_a_job_is_told_apart() {
        let executor = Keeps::new();
        let fail = |error| {
            let handle = executor.spawn_remote(remote!(|| 1));
            executor.take().fail(error);
            handle
        };
        assert!(fail(Error::closed()).await.unwrap_err().is_closed());
        assert!(fail(Error::cancelled()).await.unwrap_err().is_cancelled());
        let error = fail(Error::other("no host answers")).await.unwrap_err();
        assert!(error.is_other() && !error.is_closed(), "{error}");
        let text = error.to_string();
        assert!(text.contains("job.rs:") && text.ends_with(": no host answers"), "{text}");
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
native_test! { fn a_panic_of_a_job_that_is_run_here_is_an_error() {
    wasm_mt::run(async {
        let executor = Keeps::new();
        let handle = executor.spawn_remote(remote!(|| -> u8 { panic!("here") }));
        executor.take().run().await;
        let error = handle.await.unwrap_err();
        assert!(error.is_panic() && error.to_string().contains("here"), "{error}");
    });
}}
