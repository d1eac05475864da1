//! What the implementations of [`Executor`] have in common.

use std::sync::Arc;

use futures::task::Spawn;

use super::Executor;

/// The methods of `Spawn`, or of [`Executor`], by those of the executor that the expression gives.
macro_rules! forward {
    (Spawn, |$this:ident| $to:expr) => {
        fn spawn_obj(
            &self,
            future: ::futures::task::FutureObj<'static, ()>,
        ) -> Result<(), ::futures::task::SpawnError> {
            let $this = self;
            ::futures::task::Spawn::spawn_obj($to, future)
        }

        fn status(&self) -> Result<(), ::futures::task::SpawnError> {
            let $this = self;
            ::futures::task::Spawn::status($to)
        }
    };
    (Executor, |$this:ident| $to:expr) => {
        fn submit(&self, job: $crate::Job) {
            let $this = self;
            $crate::Executor::submit($to, job);
        }

        fn try_submit(&self, job: $crate::Job) -> Result<(), $crate::Job> {
            let $this = self;
            $crate::Executor::try_submit($to, job)
        }

        fn concurrency(&self) -> usize {
            let $this = self;
            $crate::Executor::concurrency($to)
        }

        fn pending(&self) -> usize {
            let $this = self;
            $crate::Executor::pending($to)
        }

        fn close(&self) -> ::futures::future::BoxFuture<'static, ()> {
            let $this = self;
            $crate::Executor::close($to)
        }
    };
}
pub(crate) use forward;

/// The method `spawn_remote`: of [`ExecutorExt`](crate::ExecutorExt), and of each executor type itself, so that most programs
/// need not import the trait.
macro_rules! spawn_remote {
    ($($visibility:tt)?) => {
        /// Runs a task.
        ///
        /// The handle is a future of the task's result. Dropping it cancels the task.
        ///
        /// # Errors
        ///
        /// The handle resolves to an error that [`is_panic`](crate::Error::is_panic) if the task panicked,
        /// [`is_worker_lost`](crate::Error::is_worker_lost) if its worker ended before it could answer,
        /// [`is_startup`](crate::Error::is_startup) if no worker could be started,
        /// [`is_timeout`](crate::Error::is_timeout) if the task ran for longer than its
        /// [`timeout`](crate::Remote::timeout), [`is_cancelled`](crate::Error::is_cancelled) if it was
        /// [aborted](crate::RemoteHandle::abort), [`is_closed`](crate::Error::is_closed) if the executor was closed or
        /// dropped, and [`is_codec`](crate::Error::is_codec) if arguments or result could not be encoded.
        ///
        /// # Examples
        ///
        /// ```
        /// # use wasm_mt::{Thread, remote};
        /// # wasm_mt::run(async {
        /// let thread = Thread::new();
        /// let sum = thread.spawn_remote(remote!(|| 2 + 3));
        /// let bug = thread.spawn_remote(remote!(|| -> u32 { panic!("a bug") }));
        /// assert_eq!(sum.await?, 5);
        /// assert!(bug.await.unwrap_err().is_panic());
        /// # Ok::<_, wasm_mt::Error>(())
        /// # });
        /// ```
        $($visibility)? fn spawn_remote<R>(&self, task: $crate::Remote<R>) -> $crate::RemoteHandle<R>
        where
            R: ::serde::Serialize + ::serde::de::DeserializeOwned + 'static,
        {
            let (job, handle) = task.into_job();
            if let Some(job) = job {
                $crate::Executor::submit(self, job);
            }
            handle
        }
    };
}
pub(crate) use spawn_remote;

/// Makes an object on a worker.
macro_rules! spawn_actor {
    () => {
        /// Makes an object that lives on a worker, the least loaded one of a pool, and gives what it is called by.
        ///
        /// It can be called at once: calls wait until the object is made, or end in the error that it cannot be.
        ///
        /// ```
        /// use wasm_mt::{Pool, Thread, actor, call};
        ///
        /// # wasm_mt::run(async {
        /// let words = Thread::new().spawn_actor(actor!(|| Ok(vec!["sea".to_owned()])));
        /// words.call(call!(|words| words.push("shore".to_owned()))).await?;
        /// let length = words.call(call!(|words| words.concat().len()));
        /// assert_eq!(length.await?, 8);
        /// # Ok::<_, wasm_mt::Error>(())
        /// # });
        /// ```
        pub fn spawn_actor<T: 'static>(&self, init: $crate::ActorInit<T>) -> $crate::Actor<T> {
            $crate::Actor::new(self.supervisor.clone(), init, None)
        }
    };
}
pub(crate) use spawn_actor;

/// An executor behind a pointer is an executor, as futures has it for `Spawn`.
macro_rules! pointers {
    ($([$($lifetime:lifetime)?] $pointer:ty),*) => {$(
        impl<$($lifetime,)? E: Executor + ?Sized> Executor for $pointer
        where
            $pointer: Spawn + Send + Sync,
        {
            forward!(Executor, |pointer| &**pointer);
        }
    )*};
}

pointers!(['a] &'a E, ['a] &'a mut E, [] Box<E>, [] Arc<E>);
