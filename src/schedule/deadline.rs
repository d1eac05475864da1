//! Deadlines, without a clock: the driver of the schedule brings the time.
//!
//! A deadline may end a worker, so a late clock is not believed at once. A timer that comes late may tell of a hidden tab, of
//! a busy page or a debugger, and not of the worker: a doubt gives that some more time, but not again and again. What is
//! believed first asks to be woken again: what the worker had posted by then is handled before the verdict. For this the
//! driver MUST hand over the messages that have arrived before it wakes the schedule again, and MUST NOT wake it twice in one
//! turn of its event loop.

use std::time::Duration;

use super::collections::{Id, IdMap, SortedQueue};
use super::task::{TaskId, WorkerId};

/// What is overdue when a deadline rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Deadline {
    /// The greeting of a worker.
    Start(WorkerId),
    /// Any message of a worker that a task with a timeout was posted to.
    Silence(WorkerId),
    /// The pause after a worker that could not take the place of a lost one: another is tried.
    Restart(WorkerId),
    /// The end of a task.
    Timeout(TaskId),
    /// The end of a task that was told to stop.
    Grace(TaskId),
}

impl Id for Deadline {
    /// There are fewer than 2^30 workers, so the uppermost bits of a task's number are free, and of a worker's half of them.
    fn number(self) -> u64 {
        match self {
            Self::Start(worker) => worker.number(),
            Self::Silence(worker) => (1 << 32) | worker.number(),
            Self::Restart(worker) => (2 << 32) | worker.number(),
            Self::Timeout(task) => (1 << 62) | task.number(),
            Self::Grace(task) => (2 << 62) | task.number(),
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Armed {
    deadline: Deadline,
    set: Duration,
    after: Duration,
    at: Duration,
    /// How often it was met late and not believed.
    doubts: u32,
    /// It was believed once; what the worker had posted by then is handled before it is met again.
    believed: bool,
}

/// A timer may be so late without a doubt.
const LATE: Duration = Duration::from_millis(50);

/// The longest time that a doubt gives a worker: by then a page that works again has met it.
const DOUBT: Duration = Duration::from_secs(1);

impl Armed {
    /// True if lateness may be the page's, and the worker shall have some more time. A worker cannot start without its page,
    /// which may have been busy until now: so it gets that once at any rate, and twice if the timer was late; a task runs
    /// meanwhile, so it gets no more than as long again and [`DOUBT`].
    fn doubts(&self, now: Duration) -> bool {
        let late = now.saturating_sub(self.at) > LATE;
        match self.deadline {
            Deadline::Start(_) => self.doubts < 1 || late && self.doubts < 2,
            Deadline::Timeout(_) | Deadline::Grace(_) | Deadline::Silence(_) => {
                late && self.doubts < 1 && now < self.set.saturating_add(2 * self.after).saturating_add(DOUBT)
            }
            Deadline::Restart(_) => false,
        }
    }
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
        let at = now.saturating_add(after);
        self.insert(Armed { deadline, set: now, after, at, doubts: 0, believed: false });
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

    /// When the schedule is to be called again.
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
        for armed in due {
            if armed.believed {
                rung.push(armed.deadline);
            } else if armed.doubts(now) {
                let at = now.saturating_add(armed.after.min(DOUBT));
                self.insert(Armed { at, doubts: armed.doubts + 1, ..armed });
            } else {
                self.insert(Armed { at: now, believed: true, ..armed });
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

    const DEADLINE: Deadline = Deadline::Silence(WorkerId(1));

    const START: Deadline = Deadline::Start(WorkerId(1));

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

    /// When it rings if each timer comes `late`, and the page has one more turn for each.
    fn rings_at(deadline: Deadline, after: u64, late: u64) -> Duration {
        let mut deadlines = Deadlines::default();
        deadlines.set(deadline, ms(0), ms(after));
        loop {
            let now = deadlines.next().expect("it is set") + ms(late);
            if deadlines.ring(now) == [deadline] {
                return now;
            }
        }
    }

    #[test]
    fn a_late_timer_is_doubted_a_bounded_number_of_times() {
        let task = TaskId { maker: WorkerId::PAGE, number: 1 };
        for deadline in [Deadline::Timeout(task), Deadline::Grace(task), DEADLINE] {
            assert_eq!(rings_at(deadline, 100, 50), ms(200));
            // A page that works in pieces, a hidden tab, one that was hidden for long.
            assert_eq!(rings_at(deadline, 100, 200), ms(800));
            assert_eq!(rings_at(deadline, 200, 1_000), ms(3_400));
            assert_eq!(rings_at(deadline, 200, 60_000), ms(120_200));
        }
        assert_eq!(rings_at(START, 10_000, 2_000), ms(20_000));
    }

    #[test]
    fn a_start_has_another_second_however_late_it_was_met() {
        for met in [10_000, 10_040, 12_000] {
            let mut deadlines = Deadlines::default();
            deadlines.set(START, ms(0), ms(10_000));
            assert_eq!(deadlines.ring(ms(met)), []);
            assert_eq!(deadlines.next(), Some(ms(met + 1_000)));
        }
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
