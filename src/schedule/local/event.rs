//! Events and actions of the worker's half.

use std::time::Duration;

use crate::schedule::event::HandleSignal;
use crate::schedule::task::{TaskId, TaskOptions};

/// What happens to the worker's half. `T` is what its driver keeps of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LocalEvent<T = ()> {
    /// The worker comes from its event loop: messages may have been read, and follow.
    Woken,
    /// A task was posted to this worker.
    Posted { task: TaskId, options: TaskOptions, payload: T },
    /// The page stops this task.
    Stopped { task: TaskId },
    /// The page asks for tasks for so many idle workers.
    StealRequested { idle: u32 },
    /// The page asks for a report.
    ReportRequested,
    /// The code that runs makes a task.
    Spawned { task: TaskId, options: TaskOptions, payload: T },
    /// The handle of a task that was made here was dropped.
    Dropped { task: TaskId },
    /// The handle of a task that was made here aborts it.
    Aborted { task: TaskId },
    /// The handle of a task that was made here was let go.
    Detached { task: TaskId },
    /// A task that awaited something is about to be polled.
    Resumed { task: TaskId },
    /// The call or the poll is over; the task has `ended`, or awaits something. Of a task that was made here and has ended, the
    /// driver takes what it needs out of the payload before: the rest is dropped.
    Polled { task: TaskId, ended: bool },
}

/// An action of the worker's half. The driver performs actions in the order in which they are given.
///
/// All but `Forget` and `Flush` add something to the packet that the next `Flush` posts. What is handed over with a payload
/// is no longer in the schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LocalAction<T = ()> {
    /// Add the task's result, which is in the payload: [`PageEvent::Finished`](crate::schedule::PageEvent::Finished). Without a
    /// payload the task was stopped, or the page awaits no result. `ran` is `None` if it never began; `timed_out` is the
    /// limit that it has reached.
    Answer { task: TaskId, ran: Option<Duration>, payload: Option<T>, timed_out: Option<Duration> },
    /// Add that the task begins: [`PageEvent::Began`](crate::schedule::PageEvent::Began).
    Announce { task: TaskId, options: TaskOptions },
    /// Add that the task awaits something: [`PageEvent::Suspended`](crate::schedule::PageEvent::Suspended).
    Suspend { task: TaskId, ran: Duration },
    /// Add the task itself, and forget it: [`PageEvent::Migrated`](crate::schedule::PageEvent::Migrated).
    Migrate { task: TaskId, options: TaskOptions, payload: T },
    /// Add how the worker stands: [`PageEvent::Reported`](crate::schedule::PageEvent::Reported).
    Report { local: u32, resting: bool },
    /// Add a signal of the handle of a task that is on the page.
    Forward { task: TaskId, signal: HandleSignal },
    /// Drop the task: its call if it has not begun, else its future. It was cancelled, or has reached this limit.
    Forget { task: TaskId, payload: T, timed_out: Option<Duration> },
    /// Post the packet now.
    Flush,
}

/// What a worker does next, between two tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Call the task, or poll it for the first time; then say `Polled`.
    Begin(TaskId),
    /// Poll the tasks that were stopped, so that what they hold is dropped before anything else begins; then ask again.
    Poll,
    /// Let the event loop have a turn; then say `Woken` and ask again.
    Yield,
    /// Return to the event loop, until a message comes or a task resumes.
    Rest,
}
