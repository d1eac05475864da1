//! The life of a worker that takes tasks.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::StreamExt;
use futures::future::{Abortable, BoxFuture, abortable};
use futures::stream::FuturesUnordered;
use futures::task::waker_ref;

use super::task_future::TaskFuture;
use super::worker::Worker;
use crate::platform;
use crate::schedule::{LocalEvent, Next, TaskId};
use crate::task::Call;

/// Does what the schedule says, until the worker ends. It is one future of its thread, with all asynchronous tasks within it:
/// from one task to the next nothing goes through the event loop, unless the schedule demands it.
pub(super) struct RunLoop {
    worker: Rc<Worker>,
    /// The asynchronous tasks that have begun and not ended. They wake [`WorkerContext`], which wakes this.
    tasks: FuturesUnordered<Abortable<TaskFuture>>,
    /// A turn of the event loop that is not over.
    pause: Option<BoxFuture<'static, ()>>,
    /// A timer that rings at this time, or before.
    alarm: Option<(Duration, BoxFuture<'static, ()>)>,
}

impl RunLoop {
    pub(super) fn new(worker: Rc<Worker>) -> Self {
        Self { worker, tasks: FuturesUnordered::new(), pause: None, alarm: None }
    }

    /// Polls the tasks that were woken, and those that are woken by that. A task that goes on waking itself gets as many turns
    /// as the others, and then the event loop has one.
    fn poll_tasks(&mut self) {
        const MOST: usize = 4;
        for _ in 0..MOST {
            if !self.worker.context.loop_waker.take_wakes() {
                break;
            }
            self.worker.serve_requests();
            let waker = waker_ref(&self.worker.context);
            let mut context = Context::from_waker(&waker);
            // One that was aborted needs no answer.
            while let Poll::Ready(Some(_ended)) = self.tasks.poll_next_unpin(&mut context) {}
        }
    }

    /// True if a task has reached its limit. If one will, the loop is woken then.
    fn is_due(&mut self, context: &mut Context<'_>) -> bool {
        let Some(at) = self.worker.wake_at() else { return false };
        // One that rings before only wakes the loop in vain.
        if self.alarm.as_ref().is_none_or(|(set, _)| at < *set) {
            let after = at.saturating_sub(platform::now());
            self.alarm = Some((at, Box::pin(platform::sleep(after))));
        }
        let rings = self.alarm.as_mut().is_some_and(|(_, alarm)| alarm.as_mut().poll(context).is_ready());
        if rings {
            self.alarm = None;
        }
        rings
    }

    /// Goes on until there is nothing to do but to wait. True if the loop may sleep until it is woken.
    fn go_on(&mut self, context: &mut Context<'_>) -> bool {
        let worker = self.worker.clone();
        worker.read_clock();
        while !worker.is_poisoned() && worker.outbox.is_connected() {
            if let Some(pause) = &mut self.pause {
                if pause.as_mut().poll(context).is_pending() {
                    return false;
                }
                self.pause = None;
                worker.handle(LocalEvent::Woken);
            }
            // Tasks that were woken go before new ones.
            self.poll_tasks();
            if worker.is_poisoned() {
                break;
            }
            match worker.next() {
                // The page may have given the worker up while it took the announcement: then the task runs elsewhere.
                Next::Begin(_) if !worker.outbox.is_connected() => break,
                Next::Begin(task) => {
                    if let Some(future) = begin(&worker, task) {
                        self.tasks.push(future);
                        worker.context.loop_waker.wake();
                    }
                }
                Next::Poll => {}
                Next::Yield => self.pause = Some(Box::pin(platform::yield_now())),
                // Tasks that wake themselves leave a turn to the event loop, which others may wait for.
                Next::Rest if worker.context.loop_waker.is_awake() => {
                    self.pause = Some(Box::pin(platform::yield_now()));
                }
                Next::Rest if worker.is_poisoned() => break,
                Next::Rest if self.is_due(context) => worker.read_clock(),
                Next::Rest => return true,
            }
        }
        false
    }
}

impl Future for RunLoop {
    type Output = ();

    /// Never ready: what has begun stays as it is when a worker is poisoned, and goes with its thread.
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let worker = self.worker.clone();
        let loop_waker = &worker.context.loop_waker;
        loop_waker.begin_turn(context.waker());
        let sleeps = self.go_on(context);
        let woken = loop_waker.end_turn();
        if sleeps && woken {
            context.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

/// Begins a task: a synchronous one ends with it, of an asynchronous one comes what is to be polled.
fn begin(worker: &Rc<Worker>, task: TaskId) -> Option<Abortable<TaskFuture>> {
    match worker.begin(task)? {
        Call::Ended(outcome) => {
            worker.ended(task, outcome);
            None
        }
        Call::Running(future) => {
            let (future, abort) = abortable(TaskFuture::new(worker.clone(), Some(task), future));
            worker.runs(task, abort);
            Some(future)
        }
    }
}
