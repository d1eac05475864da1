//! An executor type for each strategy, for programs that choose when they are compiled.

use futures::task::Spawn;

use super::{Executor, Pool, forward, spawn_remote};
use crate::schedule::Strategy;

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

            /// The pool, for what only pools have: [`stats`](Pool::stats), for example.
            ///
            /// ```
            /// # use wasm_mt::{SerialExecutor, remote};
            /// # wasm_mt::run(async {
            /// let executor = SerialExecutor::new();
            /// executor.spawn_remote(remote!(|| 6 * 7)).await?;
            /// assert_eq!(executor.pool().stats().finished, 1);
            /// # Ok::<_, wasm_mt::Error>(())
            /// # });
            /// ```
            #[must_use]
            pub fn pool(&self) -> &Pool {
                &self.0
            }

            spawn_remote!(pub);
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
            forward!(Spawn, |executor| &executor.0);
        }

        impl Executor for $name {
            forward!(Executor, |executor| &executor.0);
        }
    )*};
}

fronts! {
    /// One task at a time, in the order in which they were spawned, also when they are asynchronous: a [`Pool`] with one
    /// worker and [`Strategy::Serial`].
    ///
    /// ```
    /// use wasm_mt::{SerialExecutor, remote};
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
    /// use wasm_mt::{ParallelExecutor, remote};
    ///
    /// # wasm_mt::run(async {
    /// assert_eq!(ParallelExecutor::new().spawn_remote(remote!(|| 6 * 7)).await?, 42);
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    ParallelExecutor: Parallel, "Starts as many workers as the machine can run at once.";

    /// Tasks run on an idle worker, also those that tasks spawn: a [`Pool`] with [`Strategy::WorkStealing`].
    ///
    /// ```
    /// use wasm_mt::{WorkStealingExecutor, remote};
    ///
    /// # wasm_mt::run(async {
    /// assert_eq!(WorkStealingExecutor::new().spawn_remote(remote!(|| 6 * 7)).await?, 42);
    /// # Ok::<_, wasm_mt::Error>(())
    /// # });
    /// ```
    WorkStealingExecutor: WorkStealing, "Starts as many workers as the machine can run at once.";
}
