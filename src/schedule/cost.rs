//! What tasks cost, learnt from those that ran.
//!
//! Two figures per site. The *mean* says how many tasks fill a round trip. The *score* keeps a trace of tasks that were long: a site
//! that is now and then long counts as long, because a long task holds up all that was posted behind it. One long task
//! among many short ones does not make it so: its thread was held up, most likely.
//!
//! A browser's clock is coarse (100 us, in Firefox 1 ms): of a thousand tasks of 1 us, 999 seem free and one seems to take
//! a millisecond. So the mean is that of dozens of tasks, and of a measurement only what exceeds one tick is surely long.

use std::time::Duration;

use super::collections::IdMap;
use super::deadline::nanos;
use super::task::Site;

/// A task at least this long, in nanoseconds as all here, is named before it begins, and nothing is posted behind it.
const LONG: u64 = 500_000;

/// The weight of the latest measurement in the mean is 1 / `MEMORY`, once there are so many.
const MEMORY: u64 = 64;
/// What a long task adds to the score, of which every short one takes one away.
const LONG_SCORE: u32 = 32;
/// No task costs less: it bounds how many are posted by a clock that shows none of them.
const LEAST: u64 = 1_000;

/// What the tasks of a site are expected to cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cost {
    /// None has run yet.
    Unknown,
    /// More than one of the last dozens took half a millisecond or more.
    Long,
    /// The mean of tasks that are all short, in nanoseconds.
    Short(u64),
}

impl Cost {
    pub(crate) fn is_short(self) -> bool {
        matches!(self, Self::Short(_))
    }
}

#[derive(Debug)]
struct Estimate {
    mean: u64,
    /// How many measurements it is of, up to `MEMORY`.
    count: u64,
    score: u32,
}

impl Estimate {
    fn is_long(&self) -> bool {
        self.mean >= LONG || self.score > LONG_SCORE
    }
}

/// The estimates of all sites.
#[derive(Debug)]
pub(crate) struct Costs {
    sites: IdMap<Estimate>,
    tick: u64,
}

impl Costs {
    /// `tick` is the step of the clock that measures.
    pub(crate) fn new(tick: Duration) -> Self {
        Self { sites: IdMap::default(), tick: nanos(tick) }
    }

    pub(crate) fn of(&self, site: Site) -> Cost {
        match self.sites.get(site) {
            None => Cost::Unknown,
            Some(estimate) if estimate.is_long() => Cost::Long,
            Some(Estimate { mean, .. }) => Cost::Short(LEAST.max(*mean)),
        }
    }

    /// A task of the site took the thread for so long.
    pub(crate) fn learn(&mut self, site: Site, ran: Duration) {
        let ran = nanos(ran);
        let long = ran.saturating_sub(self.tick) >= LONG;
        let Some(estimate) = self.sites.get_mut(site) else {
            // Nothing better is known. One tick alone must not make a site long.
            let score = if long { 2 * LONG_SCORE } else { 0 };
            return self.sites.insert(site, Estimate { mean: ran.min(LONG / 2), count: 1, score });
        };
        estimate.count = MEMORY.min(estimate.count + 1);
        estimate.mean = estimate.mean - estimate.mean / estimate.count + ran / estimate.count;
        estimate.score = if long {
            (estimate.score + LONG_SCORE).min(2 * LONG_SCORE)
        } else {
            estimate.score.saturating_sub(1)
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SITE: Site = Site(1);

    fn us(us: u64) -> Duration {
        Duration::from_micros(us)
    }

    #[test]
    fn long_tasks_now_and_then_mark_their_site_and_a_single_one_does_not() {
        let mut costs = Costs::new(us(5));
        assert_eq!(costs.of(SITE), Cost::Unknown);
        let learn = |costs: &mut Costs, long, short| {
            costs.learn(SITE, us(long));
            for _ in 0..short {
                costs.learn(SITE, us(50));
            }
        };
        learn(&mut costs, 50, 100);
        learn(&mut costs, 5_000, 0);
        assert!(costs.of(SITE).is_short());
        learn(&mut costs, 50, 20);
        learn(&mut costs, 5_000, 0);
        assert_eq!(costs.of(SITE), Cost::Long);
        learn(&mut costs, 50, 500);
        assert!(costs.of(SITE).is_short());
    }

    #[test]
    fn the_first_task_that_is_long_marks_its_site() {
        let mut costs = Costs::new(us(100));
        costs.learn(SITE, us(5_000));
        assert_eq!(costs.of(SITE), Cost::Long);
    }

    #[test]
    fn a_coarse_clock_makes_no_short_task_long() {
        let mut costs = Costs::new(us(1_000));
        for task in 0..10_000 {
            // One in 500 tasks of 2 us sees the clock advance.
            costs.learn(SITE, us(if task % 500 == 0 { 1_000 } else { 0 }));
            assert!(costs.of(SITE).is_short(), "after task {task}");
        }
        for _ in 0..100 {
            costs.learn(SITE, us(1_000));
        }
        assert_eq!(costs.of(SITE), Cost::Long);
    }
}
