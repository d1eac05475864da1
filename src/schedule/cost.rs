//! What tasks cost, learnt from those that ran.
//!
//! Two figures per site. The *mean* says how many tasks fill a round trip. The *peak* remembers the worst for some dozens
//! of tasks: a site whose tasks are mostly short, and now and then long, counts as long, because a long task holds up all
//! that was posted behind it.
//!
//! A browser's clock is coarse (100 us, in Firefox 1 ms): of a thousand tasks of 1 us, 999 seem free and one seems to take
//! a millisecond. The mean is right all the same; the peak believes of a measurement only what exceeds one tick.

use std::time::Duration;

use super::alarm::nanos;
use super::store::Store;
use super::task::Site;

/// A task at least this long, in nanoseconds as all here, is named before it begins, and nothing is posted behind it.
const LONG: u64 = 500_000;

/// The weight of the latest measurement in the mean is 1 / `MEMORY`.
const MEMORY: u64 = 8;
/// A peak that is not met again shrinks by 1 / `DECAY` per task.
const DECAY: u64 = 64;
/// No task costs less: it bounds how many are posted on the word of a clock that shows none of them.
const LEAST: u64 = 1_000;

/// What the tasks of a site are expected to cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cost {
    /// None has run yet.
    Unknown,
    /// Some of them took half a millisecond or more.
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
    peak: u64,
}

/// The estimates of all sites.
#[derive(Debug)]
pub(crate) struct Costs {
    sites: Store<Estimate>,
    tick: u64,
}

impl Costs {
    /// `tick` is the step of the clock that measures.
    pub(crate) fn new(tick: Duration) -> Self {
        Self { sites: Store::default(), tick: nanos(tick) }
    }

    pub(crate) fn of(&self, site: Site) -> Cost {
        match self.sites.get(site) {
            None => Cost::Unknown,
            Some(Estimate { mean, peak }) if *mean.max(peak) >= LONG => Cost::Long,
            Some(Estimate { mean, .. }) => Cost::Short(LEAST.max(*mean)),
        }
    }

    /// A task of the site took the thread for so long.
    pub(crate) fn learn(&mut self, site: Site, ran: Duration) {
        let ran = nanos(ran);
        let sure = ran.saturating_sub(self.tick);
        let Some(estimate) = self.sites.get_mut(site) else {
            // The first measurement alone must not make a site long because of one tick.
            return self.sites.insert(site, Estimate { mean: ran.min(LONG / 2), peak: sure });
        };
        estimate.mean = estimate.mean - estimate.mean / MEMORY + ran / MEMORY;
        estimate.peak = sure.max(estimate.peak - estimate.peak / DECAY);
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
    fn one_long_task_marks_its_site_for_dozens_of_tasks() {
        let mut costs = Costs::new(us(5));
        assert_eq!(costs.of(SITE), Cost::Unknown);
        costs.learn(SITE, us(50));
        assert!(costs.of(SITE).is_short());
        costs.learn(SITE, us(5_000));
        for _ in 0..60 {
            assert_eq!(costs.of(SITE), Cost::Long);
            costs.learn(SITE, us(50));
        }
        for _ in 0..200 {
            costs.learn(SITE, us(50));
        }
        assert!(costs.of(SITE).is_short());
    }

    #[test]
    fn a_coarse_clock_makes_no_short_task_long() {
        let mut costs = Costs::new(us(1_000));
        for task in 0..10_000 {
            // One in 500 tasks of 2 us sees the clock advance.
            costs.learn(SITE, us(if task % 500 == 0 { 1_000 } else { 0 }));
            assert!(costs.of(SITE).is_short(), "after task {task}");
        }
        for _ in 0..20 {
            costs.learn(SITE, us(1_000));
        }
        assert_eq!(costs.of(SITE), Cost::Long);
    }
}
