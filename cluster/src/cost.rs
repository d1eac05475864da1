//! What tasks cost, learnt from those that ran.

use std::collections::HashMap;
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
    /// `None`: none has run yet.
    pub(crate) fn of(&self, site: u64) -> Option<Duration> {
        self.sites.get(&site).map(|estimate| estimate.mean.max(LEAST))
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
