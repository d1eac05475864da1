//! An asynchronous task that has begun.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use futures::future::LocalBoxFuture;
use pin_project::{pin_project, pinned_drop};

use super::worker::Worker;
use crate::schedule::{LocalEvent, TaskId};
use crate::task::Outcome;

/// Polls a task's future under the worker's guard, reports each poll to the schedule, and gives the outcome to the worker.
/// Without a task it is `on_start`, of which the schedule knows nothing.
#[pin_project(PinnedDrop)]
pub(super) struct TaskFuture {
    worker: Rc<Worker>,
    task: Option<TaskId>,
    /// `None` once it has ended, or the worker is poisoned.
    #[pin]
    future: Option<LocalBoxFuture<'static, Outcome>>,
}

impl TaskFuture {
    pub(super) fn new(
        worker: Rc<Worker>,
        task: Option<TaskId>,
        future: LocalBoxFuture<'static, Outcome>,
    ) -> Self {
        Self { worker, task, future: Some(future) }
    }
}

impl Future for TaskFuture {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        if this.worker.is_poisoned() {
            return Poll::Pending;
        }
        let Some(future) = this.future.as_mut().as_pin_mut() else { return Poll::Pending };
        if let Some(task) = *this.task {
            this.worker.handle(LocalEvent::Resumed { task });
        }
        match (this.worker.guard(*this.task, || future.poll(context)), *this.task) {
            (Some(Poll::Ready(outcome)), None) => this.worker.ready(outcome),
            (Some(Poll::Ready(outcome)), Some(task)) => this.worker.ended(task, outcome),
            (Some(Poll::Pending), None) => return Poll::Pending,
            (Some(Poll::Pending), Some(task)) => {
                this.worker.handle(LocalEvent::Polled { task, ended: false });
                return Poll::Pending;
            }
            // It has panicked, and nothing goes on here.
            (None, _) => return Poll::Pending,
        }
        Poll::Ready(())
    }
}

#[pinned_drop]
impl PinnedDrop for TaskFuture {
    /// Dropping a future runs the task's code too: its values' drops.
    fn drop(self: Pin<&mut Self>) {
        let mut this = self.project();
        this.worker.guard(*this.task, || this.future.set(None));
    }
}
