//! Deadlines, without a clock: the driver of the schedule brings the time.
//!
//! A deadline may end a worker, so a late clock is not trusted. One that is met late tells of a frozen tab,
//! a busy page or a debugger, not of the worker, and starts anew. One that is met in time first asks to be woken again:
//! what the worker had posted by then is handled before the verdict. For this the driver MUST hand over the messages that
//! have arrived before it wakes the schedule again, and MUST NOT wake it twice in one turn of its event loop.

use std::time::Duration;

use super::collections::{Id, IdMap, SortedQueue};
use super::task::{TaskId, WorkerId};

/// What is overdue when a deadline rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Deadline {
    /// The greeting of a worker.
    Start(WorkerId),
    /// The end of a task.
    Timeout(TaskId),
    /// The end of a task that was told to stop.
    Grace(TaskId),
}

impl Id for Deadline {
    /// There are fewer than 2^30 workers, so the uppermost bits of a task's number are free.
    fn number(self) -> u64 {
        match self {
            Self::Start(worker) => worker.number(),
            Self::Timeout(task) => (1 << 62) | task.number(),
            Self::Grace(task) => (2 << 62) | task.number(),
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Armed {
    deadline: Deadline,
    at: Duration,
    after: Duration,
    /// It was met in time once; what the worker had posted by then is handled before it is met again.
    due_once: bool,
}

/// The deadlines that are set, the earliest first. There is one of each kind per task or worker at most.
#[derive(Debug, Default)]
pub(crate) struct Deadlines {
    armed: IdMap<Armed>,
    order: SortedQueue,
}

impl Deadlines {
    /// Sets a deadline, anew if it was set.
    pub(crate) fn set(&mut self, deadline: Deadline, now: Duration, after: Duration) {
        self.clear(deadline);
        self.insert(Armed { deadline, at: now.saturating_add(after), after, due_once: false });
    }

    pub(crate) fn clear(&mut self, deadline: Deadline) {
        // Most tasks have none, and each asks.
        if self.order.is_empty() {
            return;
        }
        if let Some(setting) = self.armed.remove(deadline) {
            self.order.remove(nanos(setting.at), deadline);
        }
    }

    /// When the schedule wants to be woken.
    pub(crate) fn next(&self) -> Option<Duration> {
        self.order.first().map(|(at, _)| Duration::from_nanos(at))
    }

    /// Takes out the deadlines that ring.
    pub(crate) fn ring(&mut self, now: Duration) -> Vec<Deadline> {
        let mut due = Vec::new();
        while let Some((at, number)) = self.order.first() {
            if at > nanos(now) {
                break;
            }
            self.order.pop();
            due.extend(self.armed.remove(number));
        }
        let mut rung = Vec::new();
        for setting in due {
            let Armed { deadline, at, after, due_once } = setting;
            let tolerance = after / 4 + Duration::from_millis(50);
            if now.saturating_sub(at) > tolerance {
                self.set(deadline, now, after);
            } else if due_once {
                rung.push(deadline);
            } else {
                self.insert(Armed { at: now, due_once: true, ..setting });
            }
        }
        rung
    }

    fn insert(&mut self, setting: Armed) {
        self.order.insert(nanos(setting.at), setting.deadline);
        self.armed.insert(setting.deadline, setting);
    }
}

/// What lies more than 500 years ahead never comes.
pub(crate) fn nanos(time: Duration) -> u64 {
    time.as_secs().saturating_mul(1_000_000_000).saturating_add(u64::from(time.subsec_nanos()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEADLINE: Deadline = Deadline::Start(WorkerId(1));

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_deadline_rings_after_the_driver_was_woken_twice() {
        let mut deadlines = Deadlines::default();
        deadlines.set(DEADLINE, ms(0), ms(100));
        assert_eq!(deadlines.next(), Some(ms(100)));
        assert_eq!(deadlines.ring(ms(99)), []);
        assert_eq!(deadlines.ring(ms(101)), []);
        assert_eq!(deadlines.next(), Some(ms(101)));
        assert_eq!(deadlines.ring(ms(101)), [DEADLINE]);
        assert_eq!(deadlines.next(), None);
    }

    #[test]
    fn a_deadline_that_is_met_late_starts_anew() {
        let mut deadlines = Deadlines::default();
        deadlines.set(DEADLINE, ms(0), ms(100));
        assert_eq!(deadlines.ring(ms(5_000)), []);
        assert_eq!(deadlines.next(), Some(ms(5_100)));
    }

    #[test]
    fn a_deadline_that_is_cleared_or_set_anew_rings_not_or_once() {
        let mut deadlines = Deadlines::default();
        deadlines.set(DEADLINE, ms(0), ms(10));
        deadlines.set(DEADLINE, ms(5), ms(10));
        assert_eq!(deadlines.next(), Some(ms(15)));
        deadlines.clear(DEADLINE);
        assert_eq!(deadlines.next(), None);
    }
}
