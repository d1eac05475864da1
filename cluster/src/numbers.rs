//! Maps of what was numbered one after another.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Neighbours lie side by side, so who goes through them in their order finds them in the cache. The numbers MUST be a client's own: whoever
/// else chose them could have all of them in one place.
pub(crate) type NumberMap<T> = HashMap<u64, T, BuildHasherDefault<NumberHasher>>;

#[derive(Default)]
pub(crate) struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn write(&mut self, _: &[u8]) {
        unreachable!("only numbers are hashed");
    }

    fn write_u64(&mut self, number: u64) {
        // The lowest bits choose the place, the topmost tell those apart that have the same.
        self.0 = number ^ number << 57;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_has_its_value() {
        let mut squares = NumberMap::default();
        let numbers = || (0..100_000).chain(u64::MAX - 1000..=u64::MAX);
        numbers().for_each(|n| assert_eq!(squares.insert(n, n.wrapping_mul(n)), None));
        numbers().step_by(2).for_each(|n| assert_eq!(squares.remove(&n), Some(n.wrapping_mul(n))));
        assert_eq!(squares.len(), numbers().count() / 2);
        assert!(squares.iter().all(|(n, square)| *square == n.wrapping_mul(*n)));
    }
}
