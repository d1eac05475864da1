//! Workers that go, and deadlines that end them.

use std::time::Duration;

use super::{Schedule, TaskRecord, TaskState};
use crate::schedule::deadline::Deadline;
use crate::schedule::event::{Completion, PageAction};
use crate::schedule::task::{TaskId, TaskKind, WorkerId};

/// How many times longer a worker may take to answer for a stopped task that awaits something.
const PATIENCE: u32 = 20;

impl Schedule {
    pub(super) fn lose(
        &mut self,
        now: Duration,
        id: WorkerId,
        culprit: Option<TaskId>,
        begun: Option<&[TaskId]>,
        actions: &mut Vec<PageAction>,
    ) {
        let Some(mut worker) = self.workers.remove(id) else { return };
        self.deadlines.clear(Deadline::Start(id));
        // Nobody waits for what it made, but for what runs for its own sake.
        while let Some((_, child)) = worker.owned.pop() {
            let child = TaskId::from_number(child);
            if self.tasks.get(child).is_some_and(|task| !task.options.detached) {
                self.cancel(child, actions);
            }
        }
        while let Some((_, task)) = worker.posted.pop() {
            let task = TaskId::from_number(task);
            let Some(entry) = self.tasks.get_mut(task) else { continue };
            let unbegun = !worker.phase.may_have_begun() || begun.is_some_and(|begun| !begun.contains(&task));
            // One that was for this worker alone has nowhere else to go.
            let surely_unbegun = unbegun && !entry.options.pinned;
            if culprit == Some(task) {
                self.settle(task, Completion::Blamed, actions);
            } else if !surely_unbegun && entry.options.retries > 0 && !entry.options.pinned {
                entry.options.retries -= 1;
            } else if !surely_unbegun {
                self.settle(task, Completion::WorkerLost, actions);
            }
            self.put_back(task);
        }
        let idle = self.tasks.is_empty() && !self.workers.keeps_tasks();
        if self.config.replace && worker.phase.is_replaced() && !(self.closing && idle) {
            self.start(now, actions);
        }
    }

    pub(super) fn overdue(&mut self, now: Duration, deadline: Deadline, actions: &mut Vec<PageAction>) {
        let to_terminate = match deadline {
            Deadline::Start(worker) => Some(worker),
            Deadline::Timeout(id) => {
                let Some(&TaskRecord { state: TaskState::Posted(posted), options, .. }) = self.tasks.get(id)
                else {
                    return;
                };
                if options.is_uninterruptible() {
                    self.settle(id, Completion::TimedOut, actions);
                    Some(posted.worker)
                } else {
                    self.stop(posted.worker, id, Completion::TimedOut, actions);
                    self.give_grace(now, id);
                    None
                }
            }
            Deadline::Grace(id) => {
                let Some(&TaskRecord { state: TaskState::Posted(posted), options, .. }) = self.tasks.get(id)
                else {
                    return;
                };
                let running = self.workers.get(posted.worker).map_or(0, |worker| worker.load.running);
                // A synchronous task that has begun and not ended has the thread: another is not to blame.
                let to_blame = running == 0 || posted.began && options.kind == TaskKind::Sync;
                if !to_blame {
                    self.give_grace(now, id);
                }
                to_blame.then_some(posted.worker)
            }
        };
        if let Some(worker) = to_terminate.filter(|worker| self.workers.get(*worker).is_some()) {
            actions.push(PageAction::Terminate { worker, overdue: deadline });
            self.lose(now, worker, None, None, actions);
        }
    }

    /// Lets a worker answer for a task that was stopped. Until it does, nothing is posted to it: it may have to end.
    pub(super) fn give_grace(&mut self, now: Duration, id: TaskId) {
        let Some(task) = self.tasks.get_mut(id) else { return };
        let TaskState::Posted(posted) = &mut task.state else { return };
        let mut grace = self.config.grace;
        if posted.waits {
            // Most likely another has the thread, one that was taken for short and not named.
            grace *= PATIENCE;
        } else {
            let first = !std::mem::replace(&mut posted.share.uninterruptible, true);
            let worker = posted.worker;
            self.workers.change(worker, |worker| worker.load.uninterruptible += u32::from(first));
        }
        self.deadlines.set(Deadline::Grace(id), now, grace);
    }
}
