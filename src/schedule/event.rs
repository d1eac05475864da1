//! Events and actions of the page's half.

use std::time::Duration;

use super::deadline::Deadline;
use super::task::{TaskId, TaskOptions, WorkerId};

/// An event of the page's half.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PageEvent {
    /// The page has a new task.
    Submitted { task: TaskId, options: TaskOptions },
    /// The page has a task for this worker alone, whatever the bound.
    Pinned { worker: WorkerId, task: TaskId, options: TaskOptions },
    /// The task's handle was dropped.
    Cancelled { task: TaskId },
    /// The task's handle aborts it.
    Aborted { task: TaskId },
    /// The handle of a child that waits or runs elsewhere was let go: the child runs even if its maker is lost.
    Detached { task: TaskId },
    /// The page submits nothing more, and awaits the end of all tasks.
    Closing,

    /// The worker has greeted.
    Ready { worker: WorkerId },
    /// The worker begins a task which its page may have to know of: one of unknown or long cost, or with a timeout.
    Began { worker: WorkerId, task: TaskId, options: TaskOptions },
    /// The worker has nothing to run; this posted task awaits something and has taken the thread for `ran` so far.
    Suspended { worker: WorkerId, task: TaskId, ran: Duration },
    /// The worker is done with a task that was posted to it, or with one of its own that it had named. `ran` is how long
    /// it took the thread; `None` if it never began, or could not be posted.
    Finished { worker: WorkerId, task: TaskId, ran: Option<Duration> },
    /// A task migrates from the worker, which has not begun it: one of its own, or one that was posted to it.
    Migrated { worker: WorkerId, task: TaskId, options: TaskOptions },
    /// The worker holds so many unfinished tasks of its own, and has something to run, or has not.
    Reported { worker: WorkerId, local: u32, resting: bool },
    /// The worker is gone, by the fault of one task if it is known. `begun`: if it is known, all tasks that have begun on
    /// it and may not have been answered.
    Lost { worker: WorkerId, culprit: Option<TaskId>, begun: Option<Vec<TaskId>> },

    /// The time that [`wake_at`](super::Schedule::wake_at) named has come.
    Woken,
}

/// A signal of a handle about its task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HandleSignal {
    /// [`PageEvent::Cancelled`]
    Cancel,
    /// [`PageEvent::Aborted`]
    Abort,
    /// [`PageEvent::Detached`]
    Detach,
}

impl HandleSignal {
    /// The event that it is to the page's half.
    pub(crate) fn of(self, task: TaskId) -> PageEvent {
        match self {
            Self::Cancel => PageEvent::Cancelled { task },
            Self::Abort => PageEvent::Aborted { task },
            Self::Detach => PageEvent::Detached { task },
        }
    }
}

/// An action of the page's half. The driver performs actions in the order in which they are given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PageAction {
    /// Start a worker under this name.
    Start { worker: WorkerId },
    /// Post the task. A worker that is not ready gets it after its greeting. What says `Soon` may be gathered.
    Post { worker: WorkerId, task: TaskId, urgency: Urgency },
    /// Tell the worker to stop the task. The worker answers as always.
    Stop { worker: WorkerId, task: TaskId },
    /// Ask the worker for a report: it answers as soon as it reads messages.
    ReportRequest { worker: WorkerId },
    /// Ask the worker for tasks that it has not begun, for so many workers that have nothing to do.
    StealRequest { worker: WorkerId, idle: u32 },
    /// Resolve the task's handle. It happens exactly once per task; the driver forgets the task with it.
    Settle { task: TaskId, completion: Completion },
    /// End the worker, whose deadline has passed. The schedule has forgotten it already.
    Terminate { worker: WorkerId, overdue: Deadline },
    /// All is done: nothing waits, nothing runs, nothing will come.
    Closed,
}

/// How soon a task is to be posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// Its worker has nothing else to run.
    Now,
    /// Its worker has something to run.
    Soon,
    /// Its worker has something to run, and will say so when that is over. The task takes far less than a round trip, so its
    /// message would cost more than it does.
    Late,
}

/// How a task ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Completion {
    /// With what its worker answered.
    Answered,
    /// Without a result: its handle is gone, or it was aborted.
    Cancelled,
    /// It ran for longer than it may.
    TimedOut,
    /// It took its worker down.
    Blamed,
    /// Its worker was lost under it.
    WorkerLost,
    /// No worker could be started.
    NoWorkers,
    /// The schedule is closing.
    Closed,
}
