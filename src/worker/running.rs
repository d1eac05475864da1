//! An asynchronous task that has begun.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use futures::future::LocalBoxFuture;
use pin_project::{pin_project, pinned_drop};

use super::Worker;
use crate::task::Outcome;
use crate::wire::TaskId;

/// Polls a task's future under the worker's guard: resolves to its outcome, or to `None` if it panicked.
#[pin_project(PinnedDrop)]
pub(super) struct Running {
    worker: Rc<Worker>,
    id: TaskId,
    /// `None` once it has ended, or the worker is poisoned.
    #[pin]
    future: Option<LocalBoxFuture<'static, Outcome>>,
}

impl Running {
    pub(super) fn new(worker: Rc<Worker>, id: TaskId, future: LocalBoxFuture<'static, Outcome>) -> Self {
        Self { worker, id, future: Some(future) }
    }
}

impl Future for Running {
    type Output = Option<Outcome>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if this.worker.is_poisoned() {
            return Poll::Pending;
        }
        let Some(future) = this.future.as_mut().as_pin_mut() else { return Poll::Pending };
        match this.worker.guard(*this.id, || future.poll(context)) {
            Some(Poll::Pending) => Poll::Pending,
            Some(Poll::Ready(outcome)) => Poll::Ready(Some(outcome)),
            None => Poll::Ready(None),
        }
    }
}

#[pinned_drop]
impl PinnedDrop for Running {
    /// Dropping a future runs the task's code too: its values' drops.
    fn drop(self: Pin<&mut Self>) {
        let mut this = self.project();
        this.worker.guard(*this.id, || this.future.set(None));
    }
}
