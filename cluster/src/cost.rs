//! What tasks cost, learnt from those that ran.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// The weight of the latest measurement is 1 / `MEMORY`, once there are so many.
const MEMORY: u32 = 16;
/// No task costs less: it bounds how many go together.
const LEAST: Duration = Duration::from_nanos(500);

/// The mean of each site.
#[derive(Debug, Default)]
pub(crate) struct Costs {
    sites: HashMap<u64, Estimate>,
}

#[derive(Debug)]
struct Estimate {
    mean: Duration,
    count: u32,
}

impl Costs {
    /// `None`: too few have run. A few say little if they are not alike, and where many workers run some at the same time, they are waited for.
    pub(crate) fn of(&self, site: u64, workers: usize) -> Option<Duration> {
        let enough = workers.min(MEMORY as usize) as u32;
        let estimate = self.sites.get(&site).filter(|estimate| estimate.count >= enough)?;
        Some(estimate.mean.max(LEAST))
    }

    /// The tasks of a batch took a worker so long, each on average.
    pub(crate) fn learn(&mut self, site: u64, ran: Duration) {
        let estimate = self.sites.entry(site).or_insert(Estimate { mean: ran, count: 0 });
        estimate.count = MEMORY.min(estimate.count + 1);
        // One that was much longer shows at once that more may be so.
        let mean = estimate.mean * (estimate.count - 1) / estimate.count + ran / estimate.count;
        estimate.mean = mean.max(ran / 8);
    }
}

/// What tasks take of the workers of a node, told from when they came and ended: which worker runs which task is not known, and
/// need not be. The sum of all is right, and which of those that run has ended makes little difference for their mean.
#[derive(Debug)]
pub(crate) struct Shifts {
    workers: usize,
    /// Since when each busy worker has its task, the longest first.
    begun: VecDeque<Duration>,
    waiting: usize,
}

impl Shifts {
    pub(crate) fn new(workers: usize) -> Self {
        Self { workers, begun: VecDeque::new(), waiting: 0 }
    }

    /// A task has come.
    pub(crate) fn come(&mut self, now: Duration) {
        if self.begun.len() < self.workers {
            self.begun.push_back(now);
        } else {
            self.waiting += 1;
        }
    }

    /// A task has ended, and has had a worker for so long.
    pub(crate) fn end(&mut self, now: Duration) -> Duration {
        let begun = self.begun.pop_front().unwrap_or(now);
        if self.waiting > 0 {
            self.waiting -= 1;
            self.begun.push_back(now);
        }
        now.saturating_sub(begun)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_that_run_at_the_same_time_cost_as_much_as_alone() {
        let ms = Duration::from_millis;
        let mut shifts = Shifts::new(2);
        (0..4).for_each(|_| shifts.come(ms(0)));
        assert_eq!([10, 10, 20, 21].map(|now| shifts.end(ms(now))), [10, 10, 10, 11].map(ms));
        shifts.come(ms(50));
        assert_eq!(shifts.end(ms(51)), ms(1));
    }
}
