//! What `cargo xtask soak` and its program tell each other: rounds, as lines of JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What has happened since the start of the program, or in several programs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// How many tasks were spawned, and items given to `par_map`.
    pub spawned: u64,
    /// How many of them came to which end.
    pub ends: BTreeMap<String, u64>,
    /// How many there were of each kind.
    pub kinds: BTreeMap<String, u64>,
    /// How many workers were started.
    pub workers: u64,
    /// What must not happen, each with the place in the plan where it did.
    pub faults: Vec<String>,
}

impl Balance {
    /// Adds what happened in another program.
    pub fn add(&mut self, other: &Balance) {
        self.spawned += other.spawned;
        self.workers += other.workers;
        for (end, count) in &other.ends {
            *self.ends.entry(end.clone()).or_default() += count;
        }
        for (kind, count) in &other.kinds {
            *self.kinds.entry(kind.clone()).or_default() += count;
        }
        self.faults.extend(other.faults.iter().cloned());
    }

    /// True if each task has ended once, as it should.
    #[must_use]
    pub fn is_even(&self) -> bool {
        self.faults.is_empty() && self.spawned == self.ends.values().sum::<u64>()
    }
}

/// The end of a round: all its executors are gone.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Round {
    /// Counted from zero. With the seed it decides on everything that is done in the round.
    pub number: u64,
    /// Since the start of the program.
    pub balance: Balance,
    /// What there must not be more and more of, by name.
    pub gauges: BTreeMap<String, u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(spawned: u64, finished: u64) -> Balance {
        let ends = BTreeMap::from([("finished".to_owned(), finished)]);
        Balance { spawned, ends, ..Balance::default() }
    }

    #[test]
    fn a_balance_is_even_if_all_have_ended_once_and_nothing_went_wrong() {
        assert!(ended(3, 3).is_even());
        assert!(!ended(3, 2).is_even() && !ended(3, 4).is_even());
        assert!(!Balance { faults: vec!["wrong value".to_owned()], ..ended(3, 3) }.is_even());
    }

    #[test]
    fn balances_add_up() {
        let mut sum = ended(3, 3);
        sum.add(&Balance { workers: 2, ..ended(4, 4) });
        assert_eq!((sum.spawned, sum.ends["finished"], sum.workers), (7, 7, 2));
    }
}
