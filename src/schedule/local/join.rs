//! Tasks that are begun within the code that runs.

use std::mem;
use std::time::Duration;

use super::event::LocalAction;
use super::{CurrentPoll, Local, LocalTask};
use crate::schedule::Strategy;
use crate::schedule::deadline::nanos;
use crate::schedule::task::{TaskId, TaskKind};

/// The code that a task is begun within: of a task, or of none.
#[derive(Debug)]
#[must_use = "it goes on when the task has ended"]
pub(crate) struct OuterPoll(Option<CurrentPoll>);

impl<T> LocalTask<T> {
    /// When a task that has begun reaches its limit.
    fn limit(&self) -> u64 {
        let limit = self.begun.zip(self.options.timeout);
        limit.map_or(u64::MAX, |(begun, limit)| nanos(begun.saturating_add(limit)))
    }
}

impl<T> Local<T> {
    /// The code that runs begins a task within itself, if it may: one that was made here, is synchronous and has not begun. An
    /// event like others, in a function of its own for programs that have none. Gives the code that goes on with
    /// [`joined`](Self::joined).
    pub(crate) fn join(
        &mut self,
        now: Duration,
        task: TaskId,
        actions: &mut Vec<LocalAction<T>>,
    ) -> Option<OuterPoll> {
        let may = |task: &&mut LocalTask<T>| {
            !task.posted && task.begun.is_none() && task.options.kind == TaskKind::Sync
        };
        let entry = self.tasks.get_mut(task).filter(may)?;
        // The deque forgets it when it is its turn there.
        entry.begun = Some(now);
        let options = entry.options;
        self.leaves_the_deque(false);
        let mut poll = CurrentPoll::new(task, now, self.entered);
        let outer = self.poll.take();
        if let Some((outer, entry)) =
            outer.as_ref().and_then(|outer| Some((outer, self.tasks.get(outer.task)?)))
        {
            poll.watched = outer.watched.min(entry.limit());
            poll.holds_from = poll.holds_from.min(outer.holds_from);
        }
        let due = self.tasks.get(task).map_or(u64::MAX, LocalTask::limit);
        if due < poll.watched {
            // Under `Serial` what is on its way here would overtake what migrates.
            if self.strategy != Strategy::Serial {
                self.migrate_posted(now, actions);
            }
            self.gather(now, LocalAction::Announce { task, options }, actions);
            self.flush(false, actions);
        } else if let Some(entry) = self.tasks.get_mut(task) {
            // The page ends what it is within before: of this task it need not know.
            entry.options.timeout = None;
        }
        self.poll = Some(poll);
        self.worked = true;
        Some(OuterPoll(outer))
    }

    /// The task that was begun within other code has ended; that code goes on.
    pub(crate) fn joined(
        &mut self,
        now: Duration,
        task: TaskId,
        outer: OuterPoll,
        actions: &mut Vec<LocalAction<T>>,
    ) {
        let Some(poll) = mem::replace(&mut self.poll, outer.0) else { return };
        if let Some(entry) = self.tasks.get_mut(task) {
            entry.ran += now.saturating_sub(poll.since);
            self.end(now, task, false, actions);
        }
        match &mut self.poll {
            Some(outer) => {
                outer.spawned += poll.spawned;
                outer.migrated |= poll.migrated;
            }
            None => self.migrate_surplus(now, actions),
        }
    }
}
