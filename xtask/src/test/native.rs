//! The tests on this machine: unit, integration, documentation, and what must not compile.

use std::process::Command;

use xshell::{Shell, cmd};

use super::report::Section;
use crate::progress::Step;
use crate::setup;

/// Where the tests of fleets find their broker.
const BROKER: &str = "WASM_MT_NATS_SERVER";

pub(super) fn run(shell: &Shell, filter: Option<&str>) -> anyhow::Result<Section> {
    let mut section = Section::new("native");
    let broker = setup::nats_server(shell);
    let step = Step::begin("native tests");
    let mut command = Command::from(cmd!(shell, "cargo test --workspace --no-fail-fast").args(filter));
    match &broker {
        Ok(program) => drop(command.env(BROKER, program)),
        Err(error) => section.skip("fleet", &format!("{error:#}")),
    }
    section.run_tests(command, &[])?;
    step.end(format_args!("{} passed, {} failed", section.passed, section.failed));
    Ok(section)
}
