//! What a benchmark gives: figures of ours beside those of the floor, the same work done without this library.

use serde::{Deserialize, Serialize};

/// One benchmark, measured. Written by the program as a line of JSON, read by `cargo xtask bench`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Measured {
    /// What was measured.
    pub name: String,
    /// Milliseconds per operation with this library.
    pub ours: Spread,
    /// What the floor is.
    pub beside: String,
    /// Milliseconds per operation of the floor.
    pub floor: Spread,
    /// Ours to the floor within one round.
    pub ratio: Spread,
    /// How many rounds there were.
    pub rounds: usize,
    /// How many operations one side did in a round.
    pub operations: u32,
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
}
