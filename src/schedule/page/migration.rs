//! Tasks that their makers give away, or name.

use std::time::Duration;

use super::{Schedule, TaskRecord, TaskState};
use crate::schedule::deadline::Deadline;
use crate::schedule::event::PageAction;
use crate::schedule::task::{TaskId, TaskOptions, WorkerId};

impl TaskRecord {
    /// True if it was stopped, and is still on a worker other than this one.
    fn is_left_on_another(&self, worker: WorkerId) -> bool {
        self.settled && matches!(self.state, TaskState::Posted(posted) if posted.worker != worker)
    }
}

impl Schedule {
    /// True if a task that its maker names, or gives away, is one that the page does not know. Its name may be that of an older
    /// one which was stopped: its maker does not know that another worker is still at it.
    pub(crate) fn is_new(&self, worker: WorkerId, task: TaskId) -> bool {
        task.maker == worker && self.tasks.get(task).is_none_or(|known| known.is_left_on_another(worker))
    }

    pub(super) fn migrated(
        &mut self,
        now: Duration,
        worker: WorkerId,
        id: TaskId,
        options: TaskOptions,
        actions: &mut Vec<PageAction>,
    ) {
        if self.workers.get(worker).is_none() {
            return;
        }
        self.workers.change(worker, |worker| {
            worker.asked = false;
            worker.messages += 1;
        });
        if self.takes_name(now, worker, id, actions) {
            self.enter(id, options);
        } else if self.posted(worker, id).is_some() {
            self.put_back(id);
        }
    }

    /// Puts a posted task back into the injector, where it was; one that is settled is forgotten.
    pub(super) fn put_back(&mut self, id: TaskId) {
        let Some(task) = self.tasks.get_mut(id) else { return };
        let (Some(place), false) = (task.place, task.settled) else { return self.forget(id) };
        if let TaskState::Posted(posted) = std::mem::replace(&mut task.state, TaskState::Queued) {
            let kind = task.options.kind;
            self.deadlines.clear(Deadline::Timeout(id));
            self.take_back(id, kind, posted);
            self.injector.insert(place, id);
        }
    }

    /// True if the task [is new](Self::is_new). Then its name is its alone: if its maker has used up its numbers and come to this
    /// one again, in the time that an older task of the name has taken to stop on another worker, that one ends.
    pub(super) fn takes_name(
        &mut self,
        now: Duration,
        worker: WorkerId,
        id: TaskId,
        actions: &mut Vec<PageAction>,
    ) -> bool {
        if !self.is_new(worker, id) {
            return false;
        }
        if let Some(TaskRecord { state: TaskState::Posted(posted), .. }) = self.tasks.get(id) {
            let worker = posted.worker;
            actions.push(PageAction::Terminate { worker, overdue: Deadline::Grace(id) });
            self.lose(now, worker, None, None, actions);
        }
        true
    }
}
