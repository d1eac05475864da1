//! An executor behind a pointer is an executor, as futures has it for `Spawn`.

use std::sync::Arc;

use futures::future::BoxFuture;

use super::Executor;
use crate::supervisor::Stats;
use crate::task::Job;

macro_rules! forward {
    ($([$($lifetime:lifetime)?] $pointer:ty),*) => {$(
        impl<$($lifetime,)? E: Executor + ?Sized> Executor for $pointer
        where
            $pointer: futures::task::Spawn + Send + Sync,
        {
            fn submit(&self, job: Job) {
                E::submit(self, job);
            }

            fn try_submit(&self, job: Job) -> Result<(), Job> {
                E::try_submit(self, job)
            }

            fn concurrency(&self) -> usize {
                E::concurrency(self)
            }

            fn pending(&self) -> usize {
                E::pending(self)
            }

            fn stats(&self) -> Stats {
                E::stats(self)
            }

            fn close(&self) -> BoxFuture<'static, ()> {
                E::close(self)
            }
        }
    )*};
}

forward!(['a] &'a E, ['a] &'a mut E, [] Box<E>, [] Arc<E>);
