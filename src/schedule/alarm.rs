//! Deadlines, without a clock: whoever drives the schedule brings the time.
//!
//! A deadline decides over life and death, so it is slow to believe the clock. One that is met late tells of a frozen tab,
//! a busy page or a debugger, not of the worker, and starts anew. One that is met in time first asks to be woken again:
//! what the worker had posted by then is heard before the verdict. For this the driver MUST hand over the messages that
//! have arrived before it wakes the schedule again, and MUST NOT wake it twice in one turn of its event loop.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::task::{TaskId, WorkerId};

/// What is overdue when an alarm rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Alarm {
    /// The greeting of a worker.
    Start(WorkerId),
    /// The end of a task.
    Timeout(TaskId),
    /// The end of a task that was told to stop.
    Grace(TaskId),
}

#[derive(Clone, Copy, Debug)]
struct Setting {
    alarm: Alarm,
    after: Duration,
    /// It was met in time, and what the worker has posted is being heard.
    heard: bool,
}

/// The alarms that are set, the earliest first. There is one of each kind per task or worker at most.
#[derive(Debug, Default)]
pub(crate) struct Alarms {
    settings: BTreeMap<(Duration, u64), Setting>,
    places: HashMap<Alarm, (Duration, u64)>,
    last: u64,
}

impl Alarms {
    /// Sets an alarm, anew if it was set.
    pub(crate) fn set(&mut self, alarm: Alarm, now: Duration, after: Duration) {
        self.clear(alarm);
        self.insert(now.saturating_add(after), Setting { alarm, after, heard: false });
    }

    pub(crate) fn clear(&mut self, alarm: Alarm) {
        if let Some(place) = self.places.remove(&alarm) {
            self.settings.remove(&place);
        }
    }

    /// When the schedule wants to be woken.
    pub(crate) fn next(&self) -> Option<Duration> {
        self.settings.first_key_value().map(|((at, _), _)| *at)
    }

    /// Takes out the alarms that ring.
    pub(crate) fn ring(&mut self, now: Duration) -> Vec<Alarm> {
        let later = self.settings.split_off(&(now.saturating_add(Duration::from_nanos(1)), 0));
        let due = std::mem::replace(&mut self.settings, later);
        let mut rung = Vec::new();
        for ((at, _), setting) in due {
            self.places.remove(&setting.alarm);
            let Setting { alarm, after, heard } = setting;
            let tolerance = after / 4 + Duration::from_millis(50);
            if now - at > tolerance {
                self.set(alarm, now, after);
            } else if heard {
                rung.push(alarm);
            } else {
                self.insert(now, Setting { alarm, after, heard: true });
            }
        }
        rung
    }

    fn insert(&mut self, at: Duration, setting: Setting) {
        self.last += 1;
        self.places.insert(setting.alarm, (at, self.last));
        self.settings.insert((at, self.last), setting);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALARM: Alarm = Alarm::Start(WorkerId(1));

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn an_alarm_rings_after_the_driver_was_woken_twice() {
        let mut alarms = Alarms::default();
        alarms.set(ALARM, ms(0), ms(100));
        assert_eq!(alarms.next(), Some(ms(100)));
        assert_eq!(alarms.ring(ms(99)), []);
        assert_eq!(alarms.ring(ms(101)), []);
        assert_eq!(alarms.next(), Some(ms(101)));
        assert_eq!(alarms.ring(ms(101)), [ALARM]);
        assert_eq!(alarms.next(), None);
    }

    #[test]
    fn an_alarm_that_is_met_late_starts_anew() {
        let mut alarms = Alarms::default();
        alarms.set(ALARM, ms(0), ms(100));
        assert_eq!(alarms.ring(ms(5_000)), []);
        assert_eq!(alarms.next(), Some(ms(5_100)));
    }

    #[test]
    fn an_alarm_that_is_cleared_or_set_anew_rings_not_or_once() {
        let mut alarms = Alarms::default();
        alarms.set(ALARM, ms(0), ms(10));
        alarms.set(ALARM, ms(5), ms(10));
        assert_eq!(alarms.next(), Some(ms(15)));
        alarms.clear(ALARM);
        assert_eq!(alarms.next(), None);
    }
}
