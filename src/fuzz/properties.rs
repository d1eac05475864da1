//! Random inputs.

use std::panic;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestCaseError};

use super::{CountingAllocator, allocator, read, seeds};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

#[test]
fn what_is_written_is_read() {
    for seed in seeds() {
        assert!(read(&seed), "{seed:?}");
    }
}

#[test]
fn memory_is_counted() {
    assert_eq!(allocator::most_taken(|| drop((vec![0_u8; 1000], vec![0_u64; 100]))), 1800);
    let grown = || {
        let mut numbers = Vec::<u8>::with_capacity(100);
        numbers.reserve_exact(1000);
    };
    assert_eq!(allocator::most_taken(grown), 1100, "both are there for a moment");
}

/// Any lanes.
fn any_packet() -> impl Strategy<Value = Vec<u8>> {
    // Most lengths are small.
    let byte = any::<u16>().prop_map(|random| (random >> 8) as u8 >> (random & 7));
    let lanes = vec(byte, 0..40);
    (any::<u8>(), lanes).prop_map(|(reader, lanes)| [vec![reader, 0], lanes].concat())
}

/// What was written, with changes.
fn changed_packet() -> impl Strategy<Value = Vec<u8>> {
    let changes = vec(any::<[u8; 3]>(), 1..6);
    (any::<[u8; 2]>(), changes).prop_map(|(start, changes)| [start.to_vec(), changes.concat()].concat())
}

fn config(cases: u32) -> ProptestConfig {
    // The usual generator takes longer than what is tested, in a build that is not optimized.
    ProptestConfig { rng_algorithm: RngAlgorithm::XorShift, ..ProptestConfig::with_cases(cases) }
}

/// Reads an input. A panic is caught, so that the input is made smaller and shown.
fn try_read(input: &[u8]) -> Result<(), TestCaseError> {
    let read = panic::catch_unwind(|| read(input));
    read.map(drop).map_err(|_| TestCaseError::fail("see the panic above"))
}

proptest! {
    #![proptest_config(config(30_000))]

    #[test]
    fn any_packet_is_read_or_refused(input in any_packet()) {
        try_read(&input)?;
    }
}

proptest! {
    #![proptest_config(config(70_000))]

    #[test]
    fn a_packet_that_was_changed_is_read_or_refused(input in changed_packet()) {
        try_read(&input)?;
    }
}
