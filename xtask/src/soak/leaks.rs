//! What there must not be more and more of.

use std::collections::BTreeMap;

/// How many rounds of a program may take what they like: allocators, caches and compilers are warm then.
const WARM_UP: usize = 2;

/// How much more there may be of something at the end than after the warm-up. What is not named here is only printed.
pub(super) const ALLOWED: [(&str, u64); 5] = [
    ("threads", 0),
    ("resident KiB", 64 * 1024),
    // Of 64 KiB each.
    ("wasm pages", 64),
    ("JavaScript heap KiB", 2 * 1024),
    ("listeners", 8),
];

/// The gauges of all rounds, program by program.
#[derive(Default)]
pub(super) struct Leaks(Vec<Vec<BTreeMap<String, u64>>>);

/// How a gauge has changed in the program in which it grew most.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Growth {
    pub(super) name: String,
    /// After the warm-up.
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) rounds: usize,
    pub(super) allowed: Option<u64>,
}

impl Growth {
    fn amount(&self) -> u64 {
        self.to.saturating_sub(self.from)
    }

    pub(super) fn is_leak(&self) -> bool {
        self.allowed.is_some_and(|allowed| self.amount() > allowed)
    }
}

impl Leaks {
    /// A new program begins.
    pub(super) fn begin(&mut self) {
        self.0.push(Vec::new());
    }

    /// Takes the gauges of a round.
    pub(super) fn add(&mut self, gauges: &BTreeMap<String, u64>) {
        if self.0.is_empty() {
            self.begin();
        }
        self.0.last_mut().expect("there is a program: one was begun").push(gauges.clone());
    }

    /// The growth of each gauge. A program with no round after the warm-up says nothing.
    pub(super) fn growths(&self) -> Vec<Growth> {
        let mut most: BTreeMap<&str, Growth> = BTreeMap::new();
        for program in self.0.iter().filter(|program| program.len() > WARM_UP) {
            let (warm, last, rounds) =
                (&program[WARM_UP - 1], &program[program.len() - 1], program.len() - WARM_UP);
            for (name, &from) in warm {
                let Some(&to) = last.get(name) else { continue };
                let allowed = ALLOWED.iter().find(|(gauge, _)| gauge == name).map(|(_, allowed)| *allowed);
                let growth = Growth { name: name.clone(), from, to, rounds, allowed };
                if most.get(name.as_str()).is_none_or(|most| most.amount() < growth.amount()) {
                    most.insert(name, growth);
                }
            }
        }
        most.into_values().collect()
    }

    pub(super) fn faults(&self) -> Vec<String> {
        let growths = self.growths();
        if growths.is_empty() {
            return vec!["no program had a round after its warm-up: nothing can be said of leaks".to_owned()];
        }
        let leaks = growths.into_iter().filter(Growth::is_leak);
        leaks
            .map(|Growth { name, from, to, rounds, .. }| {
                format!("leak: {name} grew from {from} to {to} in {rounds} rounds")
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaks(name: &str, programs: &[&[u64]]) -> Leaks {
        let mut leaks = Leaks::default();
        for program in programs {
            leaks.begin();
            program.iter().for_each(|value| leaks.add(&BTreeMap::from([(name.to_owned(), *value)])));
        }
        leaks
    }

    #[test]
    fn what_grows_after_the_warm_up_leaks() {
        assert_eq!(leaks("threads", &[&[3, 9, 9, 9]]).faults(), [""; 0]);
        let faults = leaks("threads", &[&[3, 3, 3], &[3, 4, 5, 6]]).faults();
        assert_eq!(faults, ["leak: threads grew from 4 to 6 in 2 rounds"]);
    }

    #[test]
    fn a_run_that_is_too_short_says_nothing_of_leaks() {
        assert_eq!(leaks("threads", &[&[3, 9], &[3, 9]]).faults().len(), 1);
    }

    #[test]
    fn a_bounded_growth_and_an_unknown_gauge_are_fine() {
        assert_eq!(leaks("wasm pages", &[&[20, 20, 84]]).faults(), [""; 0]);
        assert_eq!(leaks("wasm pages", &[&[20, 20, 85]]).faults().len(), 1);
        assert_eq!(leaks("moons", &[&[1, 1, 1_000]]).faults(), [""; 0]);
    }
}
