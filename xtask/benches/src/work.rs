//! What tasks compute. It stands alone: programs of other libraries include this file.

/// How many tasks of unequal length there are.
pub const TASKS: usize = 64;

/// The longest of them is so many times as long as the shortest.
const SKEW: f64 = 100.0;

const SEED: u32 = 1;

/// The costs of tasks from the shortest to the longest, by equal factors, shuffled.
#[must_use]
pub fn skewed(shortest: f64) -> Vec<f64> {
    let cost = |place: usize| shortest * SKEW.powf(place as f64 / (TASKS - 1) as f64);
    let mut costs: Vec<f64> = (0..TASKS).map(cost).collect();
    let mut random = SEED;
    for place in (1..TASKS).rev() {
        random = scramble(random);
        costs.swap(place, random as usize % (place + 1));
    }
    costs
}

/// Work that cannot be shortened: every step needs the one before.
///
/// A function of its own on every way, since browsers change from quickly compiled to well compiled code when a function
/// is called, not within its loops.
#[must_use]
#[inline(never)]
pub fn compute(steps: u32) -> u32 {
    (0..steps).fold(steps | 1, |x, _| scramble(x))
}

fn scramble(mut x: u32) -> u32 {
    x ^= x << 13;
    x ^= x >> 17;
    x ^ x << 5
}

/// Slow on purpose.
#[must_use]
pub fn fib(n: u32) -> u64 {
    if n < 2 { n.into() } else { fib(n - 1) + fib(n - 2) }
}
