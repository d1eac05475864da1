//! The tests on this machine: unit, integration, documentation, and what must not compile.

use std::process::Command;

use xshell::{Shell, cmd};

use super::output::Output;
use super::report::Section;
use super::stream;
use crate::progress::Step;

pub(super) fn run(shell: &Shell, filter: Option<&str>) -> anyhow::Result<Section> {
    let step = Step::begin("native tests");
    let mut section = Section::new("native");
    let mut output = Output::default();
    let command = cmd!(shell, "cargo test --workspace --no-fail-fast").args(filter);
    let success = stream::run(Command::from(command), |line| output.line(line))?;
    output.end();
    section.add_tests(output, success);
    step.end(format_args!("{} passed, {} failed", section.passed, section.failed));
    Ok(section)
}
