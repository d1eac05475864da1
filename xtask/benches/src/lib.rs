//! What the benchmarks are called, and what they give: figures of ours beside those of the floor, the same work done
//! without this library.

use serde::{Deserialize, Serialize};

pub mod julia;
pub mod work;

/// Something that is measured, in one line of the table or in several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Benchmark {
    /// One task at a time, there and back.
    RoundTrip,
    /// A worker, from nothing until it takes tasks.
    WorkerStart,
    /// Several workers at once, likewise.
    PoolStart,
    /// Many tasks that do next to nothing.
    TinyTasks,
    /// A function for many numbers.
    ParMap,
    /// Tasks that compute for milliseconds, spread over two workers.
    CpuTasks,
    /// Tasks that spawn tasks and await them.
    ForkJoin,
    /// Bulk data there and back.
    Transfer,
    /// Values from a worker, one by one.
    Channel,
    /// A large value that many tasks use.
    Shared,
    /// Calls of an object, one at a time.
    Actor,
    /// A picture, row by row.
    Julia,
}

impl Benchmark {
    /// In the order in which they run.
    pub const ALL: [Self; 12] = [
        Self::RoundTrip,
        Self::WorkerStart,
        Self::PoolStart,
        Self::TinyTasks,
        Self::ParMap,
        Self::CpuTasks,
        Self::ForkJoin,
        Self::Transfer,
        Self::Channel,
        Self::Shared,
        Self::Actor,
        Self::Julia,
    ];

    /// Those that other libraries do too. A browser has no fork-join.
    pub const OF_PEERS: [Self; 5] =
        [Self::RoundTrip, Self::TinyTasks, Self::Transfer, Self::CpuTasks, Self::ForkJoin];

    /// How it is called on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RoundTrip => "round-trip",
            Self::WorkerStart => "worker-start",
            Self::PoolStart => "pool-start",
            Self::TinyTasks => "tiny-tasks",
            Self::ParMap => "par-map",
            Self::CpuTasks => "cpu-tasks",
            Self::ForkJoin => "fork-join",
            Self::Transfer => "transfer",
            Self::Channel => "channel",
            Self::Shared => "shared",
            Self::Actor => "actor",
            Self::Julia => "julia",
        }
    }

    /// How it is called where other libraries do it too.
    #[must_use]
    pub const fn workload(self) -> &'static str {
        match self {
            Self::RoundTrip => "round trip",
            Self::TinyTasks => "10,000 tiny tasks, each",
            Self::Transfer => "1 MiB there and back",
            Self::CpuTasks => "64 skewed CPU tasks",
            other => other.name(),
        }
    }
}

/// How many rounds the round trip has unless told otherwise; others have fewer, in proportion. Odd, so that there is one in
/// the middle.
pub const ROUNDS: usize = 31;

/// How long a block of operations takes at least, in milliseconds: twenty steps of the coarsest clock.
pub const BLOCK: f64 = 20.0;

/// How many turns there are.
#[derive(Clone, Copy, Debug)]
pub struct Turns {
    rounds: usize,
}

impl Turns {
    /// So many rounds for the round trip; [`ROUNDS`] unless told.
    #[must_use]
    pub fn new(rounds: Option<usize>) -> Self {
        Self { rounds: rounds.unwrap_or(ROUNDS) }
    }

    /// The rounds of a benchmark that has `usual` of them unless told otherwise.
    #[must_use]
    pub fn rounds(&self, usual: usize) -> usize {
        (usual * self.rounds).div_ceil(ROUNDS)
    }
}

/// One line of the table. Written by the program as a line of JSON, read by `cargo xtask bench`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Measured {
    /// What was measured.
    pub name: String,
    /// Milliseconds per operation with this library.
    pub ours: Spread,
    /// What it is measured beside.
    pub beside: String,
    /// Milliseconds per operation of that.
    pub floor: Spread,
    /// Ours to the floor within one round.
    pub ratio: Spread,
    /// What the ratio should be.
    pub aim: Option<Aim>,
    /// How many rounds there were.
    pub rounds: usize,
    /// How many operations one side did in a round.
    pub operations: u32,
}

impl Measured {
    /// What both sides took, in each round: the milliseconds of one operation.
    #[must_use]
    pub fn of(name: &str, beside: &str, operations: u32, times: &[(f64, f64)]) -> Self {
        Self {
            name: name.to_owned(),
            ours: Spread::of(times.iter().map(|(ours, _)| *ours)),
            beside: beside.to_owned(),
            floor: Spread::of(times.iter().map(|(_, floor)| *floor)),
            ratio: Spread::of(times.iter().map(|(ours, floor)| ours / floor)),
            aim: None,
            rounds: times.len(),
            operations,
        }
    }
}

/// One cell of a table of libraries that did the same. Written and read likewise.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Cell {
    /// What was done.
    pub workload: String,
    /// Who did it.
    pub library: String,
    /// How that went.
    pub outcome: Outcome,
}

/// What came of a library's turns at a workload.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Outcome {
    /// Milliseconds per operation, and their ratio to the first library's within one round.
    Took {
        /// The time.
        time: Spread,
        /// The ratio.
        ratio: Spread,
    },
    /// A turn did not end within its limit. The library has no more turns.
    Hung,
    /// A turn failed, for this reason. The library has no more turns.
    Failed(String),
}

/// What a ratio of times should be. Whether it is does not make a run fail.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Aim {
    /// So many times what it is measured beside takes, or less.
    AtMost(f64),
    /// So many times as fast, or more.
    TimesAsFast(f64),
}

impl Aim {
    /// True if a measured ratio is as it should be.
    #[must_use]
    pub fn is_met(self, ratio: f64) -> bool {
        match self {
            Self::AtMost(most) => ratio <= most,
            Self::TimesAsFast(times) => ratio * times <= 1.0,
        }
    }
}

/// The values of all rounds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Spread {
    /// The one in the middle.
    pub median: f64,
    /// The smallest.
    pub least: f64,
    /// The largest.
    pub most: f64,
}

impl Spread {
    /// The spread of some values; of none, everything is not a number.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let at = |place: usize| values.get(place).copied().unwrap_or(f64::NAN);
        Self { median: at(values.len() / 2), least: at(0), most: at(values.len().saturating_sub(1)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_has_the_middle_and_both_ends() {
        let spread = Spread::of([5.0, 1.0, 2.0]);
        assert_eq!((spread.least, spread.median, spread.most), (1.0, 2.0, 5.0));
    }

    #[test]
    fn an_aim_is_met_from_the_right_side() {
        assert!(Aim::AtMost(1.25).is_met(1.25) && !Aim::AtMost(1.25).is_met(1.26));
        assert!(Aim::TimesAsFast(5.0).is_met(0.19) && !Aim::TimesAsFast(5.0).is_met(0.21));
    }
}
