//! An asynchronous task that has begun.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use futures::future::LocalBoxFuture;
use pin_project::{pin_project, pinned_drop};

use super::Worker;
use crate::schedule::{LocalEvent, TaskId};
use crate::task::Outcome;

/// Polls a task's future under the worker's guard and tells the schedule of each poll but the last: that is for whoever
/// takes the outcome. Resolves to it, or to `None` if the task panicked. `on_start` is no task of the schedule.
#[pin_project(PinnedDrop)]
pub(super) struct Running {
    worker: Rc<Worker>,
    task: Option<TaskId>,
    /// It was polled, or never will be.
    polled: bool,
    /// `None` once it has ended, or the worker is poisoned.
    #[pin]
    future: Option<LocalBoxFuture<'static, Outcome>>,
}

impl Running {
    pub(super) fn new(
        worker: Rc<Worker>,
        task: Option<TaskId>,
        future: LocalBoxFuture<'static, Outcome>,
    ) -> Self {
        Self { worker, task, polled: task.is_none(), future: Some(future) }
    }
}

impl Future for Running {
    type Output = Option<Outcome>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        this.worker.polls(this.polled);
        if this.worker.is_poisoned() {
            return Poll::Pending;
        }
        let Some(future) = this.future.as_mut().as_pin_mut() else { return Poll::Pending };
        if let Some(task) = *this.task {
            this.worker.tell(LocalEvent::Resumed { task });
        }
        match this.worker.guard(*this.task, || future.poll(context)) {
            Some(Poll::Pending) => {
                if let Some(task) = *this.task {
                    this.worker.tell(LocalEvent::Polled { task, ended: false });
                    this.worker.inside.wake();
                }
                Poll::Pending
            }
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
        this.worker.polls(this.polled);
        this.worker.guard(*this.task, || this.future.set(None));
    }
}
