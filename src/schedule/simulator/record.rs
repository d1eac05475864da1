//! What became of every task.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::schedule::{Completion, TaskId, TaskOptions, WorkerId};

/// The life of one task.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) options: TaskOptions,
    pub(crate) script: usize,
    /// The task whose code made it.
    pub(crate) parent: Option<TaskId>,
    /// Where and when it began, each time.
    pub(crate) begun: Vec<(WorkerId, Duration)>,
    pub(crate) ended: Vec<(WorkerId, Duration)>,
    /// How the page's half settled it, each time.
    pub(crate) settled: Vec<(Completion, Duration)>,
    /// The queue was full, and the task never entered the schedule.
    pub(crate) refused: bool,
    /// Its handle has its answer or was dropped, or the task was refused.
    pub(crate) resolved: bool,
    /// When its worker received its cancellation.
    pub(crate) stopped: Option<(WorkerId, Duration)>,
}

/// The lives of all tasks, and the deaths of workers.
#[derive(Debug, Default)]
pub(crate) struct Records {
    pub(crate) tasks: BTreeMap<TaskId, Record>,
    pub(crate) gone: BTreeMap<WorkerId, Duration>,
}

impl Records {
    pub(crate) fn make(&mut self, id: TaskId, options: TaskOptions, script: usize, parent: Option<TaskId>) {
        let record = Record {
            options,
            script,
            parent,
            begun: Vec::new(),
            ended: Vec::new(),
            settled: Vec::new(),
            refused: false,
            resolved: false,
            stopped: None,
        };
        self.tasks.insert(id, record);
    }

    pub(crate) fn of(&mut self, task: TaskId) -> &mut Record {
        self.tasks.get_mut(&task).expect("every task is recorded when it is made")
    }

    pub(crate) fn end_worker(&mut self, worker: WorkerId, now: Duration) {
        self.gone.insert(worker, now);
    }

    pub(crate) fn alive_at(&self, worker: WorkerId, now: Duration) -> bool {
        self.gone.get(&worker).is_none_or(|gone| now <= *gone)
    }
}
