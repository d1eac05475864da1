//! Workers that go, and deadlines that end them.

use std::time::Duration;

use super::{Schedule, TaskRecord, TaskState};
use crate::schedule::Strategy;
use crate::schedule::deadline::Deadline;
use crate::schedule::event::{Completion, PageAction};
use crate::schedule::phase::WorkerPhase;
use crate::schedule::task::{TaskId, TaskKind, WorkerId};
use crate::schedule::workers::WorkerRecord;

/// How many times longer a worker may take to answer for a stopped task that awaits something or has others before it, or if
/// others would be lost with the worker.
const PATIENCE: u32 = 20;

/// The pause after the first worker that failed to replace a lost one; it doubles with each that fails, up to the longest.
const RESTART_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

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
        self.deadlines.clear(Deadline::Silence(id));
        // Where it is not known what has begun, what was posted may have.
        let ran = culprit.is_some() || begun.map_or(!worker.posted.is_empty(), |begun| !begun.is_empty());
        let worked = worker.worked || ran;
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
        if !self.config.replace || self.closing && idle {
            return;
        }
        let was_up = worker.phase == WorkerPhase::Ready;
        match worker.attempt {
            Some(failed) if !(was_up && worked) => self.restart_later(now, id, failed, actions),
            _ if was_up => self.start(now, Some(0), actions),
            _ => {}
        }
    }

    /// A worker has failed that was to replace a lost one, as so many before: another is tried after a pause.
    fn restart_later(&mut self, now: Duration, id: WorkerId, failed: u32, actions: &mut Vec<PageAction>) {
        self.restarts.push((id, failed));
        let pause = RESTART_PAUSE.saturating_mul(1 << failed.min(16)).min(LONGEST_PAUSE);
        self.deadlines.set(Deadline::Restart(id), now, pause);
        // What waits fails with the cause. What comes later waits for the next attempt, which ends in time too.
        if self.workers.is_empty() {
            self.give_up(actions);
        }
    }

    pub(super) fn overdue(&mut self, now: Duration, deadline: Deadline, actions: &mut Vec<PageAction>) {
        let to_terminate = match deadline {
            Deadline::Start(worker) => Some(worker),
            Deadline::Silence(worker) => return self.overdue_message(now, worker, actions),
            Deadline::Restart(worker) => {
                let Some(place) = self.restarts.iter().position(|(failed, _)| *failed == worker) else {
                    return;
                };
                let (_, attempt) = self.restarts.swap_remove(place);
                return self.start(now, Some(attempt.saturating_add(1)), actions);
            }
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
                let Some(worker) = self.workers.get(posted.worker) else { return };
                let is_running = posted.began && options.kind == TaskKind::Sync;
                // A synchronous task that has begun and not ended has the thread, and one that never awaits leaves the
                // worker no time to say anything: otherwise another task is the cause, or none.
                let has_excuse = worker.load.running > 0 || worker.messages > posted.messages;
                let to_blame = is_running || !has_excuse;
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

    /// A task with a timeout was posted to a worker: it will say something, at the latest when the task begins.
    pub(super) fn expect_message(&mut self, now: Duration, id: WorkerId, timeout: Duration) {
        let wait = timeout.saturating_add(self.config.grace);
        let at = now.saturating_add(wait);
        self.workers.change(id, |worker| {
            if worker.expected.is_none_or(|(expected, _)| !worker.asked_to_report && at < expected) {
                worker.expected = Some((at, worker.messages));
                self.deadlines.set(Deadline::Silence(id), now, wait);
            }
        });
    }

    /// A worker was expected to say something by now. If it has not, though none of its tasks keeps it busy, code does that
    /// was left behind on it: then it ends, and what has not begun runs elsewhere.
    fn overdue_message(&mut self, now: Duration, id: WorkerId, actions: &mut Vec<PageAction>) {
        let Some(worker) = self.workers.get(id) else { return };
        // The least limit of a task that has not begun: it would have been announced.
        let mut limit = None::<Duration>;
        let mut busy = worker.phase == WorkerPhase::Starting || worker.local > 0 && !worker.resting;
        let mut may_have_begun = Vec::new();
        for task in worker.posted.names().map(TaskId::from_number) {
            let Some(TaskRecord { state: TaskState::Posted(posted), options, .. }) = self.tasks.get(task)
            else {
                continue;
            };
            match options.timeout {
                Some(timeout) if !posted.began => {
                    limit = Some(limit.map_or(timeout, |least| least.min(timeout)));
                }
                _ => may_have_begun.push(task),
            }
            // Under `Serial` it is not told that one is suspended.
            let may_wait = options.kind == TaskKind::Async && self.strategy == Strategy::Serial;
            busy |= posted.began && !posted.waits && !may_wait;
        }
        // What was suspended may have gone on, and what was taken for short is not announced.
        let quiet = may_have_begun.is_empty() && worker.resting && worker.local == 0;
        let responded = worker.expected.is_some_and(|(_, before)| worker.messages > before);
        let asked = worker.asked_to_report;
        self.workers.change(id, |worker| {
            worker.expected = None;
            worker.asked_to_report = false;
        });
        let Some(limit) = limit else { return };
        if responded || busy {
            self.expect_message(now, id, limit);
        } else if !asked {
            // Under `Serial`, for one, it may have nothing to say.
            actions.push(PageAction::ReportRequest { worker: id });
            self.expect_message(now, id, if quiet { Duration::ZERO } else { self.config.start_timeout });
            self.workers.change(id, |worker| worker.asked_to_report = true);
        } else {
            actions.push(PageAction::Terminate { worker: id, overdue: Deadline::Silence(id) });
            self.lose(now, id, None, Some(&may_have_begun), actions);
        }
    }

    /// Lets a worker answer for a task that was stopped. Until it does, nothing is posted to it: it may have to end.
    pub(super) fn give_grace(&mut self, now: Duration, id: TaskId) {
        let Some(task) = self.tasks.get(id) else { return };
        let TaskState::Posted(posted) = task.state else { return };
        let Some(worker) = self.workers.get(posted.worker) else { return };
        // Most likely another has the thread, one that was taken for short and not named.
        let is_behind = posted.waits || !posted.began && worker.load.count > 1;
        // A worker that gets no processor time is as silent as one that a task keeps.
        let patience = if is_behind || self.has_unsettled(worker) { PATIENCE } else { 1 };
        let messages = worker.messages;
        let Some((_, posted)) = self.posted(posted.worker, id) else { return };
        posted.messages = messages;
        if !posted.waits {
            let first = !std::mem::replace(&mut posted.share.uninterruptible, true);
            let worker = posted.worker;
            self.workers.change(worker, |worker| worker.load.uninterruptible += u32::from(first));
        }
        self.deadlines.set(Deadline::Grace(id), now, self.config.grace.saturating_mul(patience));
    }

    /// True if a task that somebody wants is lost when this worker ends.
    fn has_unsettled(&self, worker: &WorkerRecord) -> bool {
        let mut posted = worker.posted.names().map(TaskId::from_number);
        posted.any(|task| self.tasks.get(task).is_some_and(|task| !task.settled))
    }
}
