//! The tests on this machine: unit, integration, documentation, and what must not compile.

use std::process::Command;

use xshell::{Shell, cmd};

use super::report::Section;
use crate::progress::Step;

pub(super) fn run(shell: &Shell, filter: Option<&str>) -> anyhow::Result<Section> {
    let step = Step::begin("native tests");
    let mut section = Section::new("native");
    let command = cmd!(shell, "cargo test --workspace --no-fail-fast").args(filter);
    section.run_tests(Command::from(command), &[])?;
    step.end(format_args!("{} passed, {} failed", section.passed, section.failed));
    Ok(section)
}
