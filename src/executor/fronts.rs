//! An executor type for each strategy, for programs that choose when they are compiled.

use futures::future::BoxFuture;
use futures::task::{FutureObj, Spawn, SpawnError};

use super::{Executor, Pool};
use crate::schedule::Strategy;
use crate::supervisor::Stats;
use crate::task::Job;

macro_rules! fronts {
    ($($(#[$docs:meta])* $name:ident: $strategy:ident, $new:literal;)*) => {$(
        $(#[$docs])*
        #[derive(Clone, Debug)]
        pub struct $name(Pool);

        impl $name {
            #[doc = $new]
            #[must_use]
            pub fn new() -> Self {
                Self(Pool::builder().strategy(Strategy::$strategy).build())
            }

            /// The pool, with what only pools can do.
            #[must_use]
            pub fn pool(&self) -> &Pool {
                &self.0
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl From<$name> for Pool {
            fn from(executor: $name) -> Self {
                executor.0
            }
        }

        /// As a [`Pool`].
        impl Spawn for $name {
            fn spawn_obj(&self, future: FutureObj<'static, ()>) -> Result<(), SpawnError> {
                self.0.spawn_obj(future)
            }

            fn status(&self) -> Result<(), SpawnError> {
                self.0.status()
            }
        }

        impl Executor for $name {
            fn submit(&self, job: Job) {
                self.0.submit(job);
            }

            fn try_submit(&self, job: Job) -> Result<(), Job> {
                self.0.try_submit(job)
            }

            fn concurrency(&self) -> usize {
                self.0.concurrency()
            }

            fn pending(&self) -> usize {
                Executor::pending(&self.0)
            }

            fn stats(&self) -> Stats {
                self.0.stats()
            }

            fn close(&self) -> BoxFuture<'static, ()> {
                self.0.close()
            }
        }
    )*};
}

fronts! {
    /// One task at a time, in the order in which they were spawned, also when they are asynchronous: a [`Pool`] with one
    /// worker and [`Strategy::Serial`].
    ///
    /// ```
    /// use wasm_mt::{ExecutorExt, SerialExecutor, remote};
    ///
    /// # wasm_mt::run(async {
    /// assert_eq!(SerialExecutor::new().spawn_remote(remote!(|| 6 * 7)).await?, 42);
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    SerialExecutor: Serial, "Starts the one worker.";

    /// Every task at once, to the worker that has the fewest: a [`Pool`] with [`Strategy::Parallel`].
    ///
    /// ```
    /// use wasm_mt::{ExecutorExt, ParallelExecutor, remote};
    ///
    /// # wasm_mt::run(async {
    /// assert_eq!(ParallelExecutor::new().spawn_remote(remote!(|| 6 * 7)).await?, 42);
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    ParallelExecutor: Parallel, "Starts as many workers as the machine can run at once.";

    /// Tasks go to whoever has nothing to do, also those that tasks make: a [`Pool`] with [`Strategy::WorkStealing`].
    ///
    /// ```
    /// use wasm_mt::{ExecutorExt, WorkStealingExecutor, remote};
    ///
    /// # wasm_mt::run(async {
    /// assert_eq!(WorkStealingExecutor::new().spawn_remote(remote!(|| 6 * 7)).await?, 42);
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    WorkStealingExecutor: WorkStealing, "Starts as many workers as the machine can run at once.";
}
