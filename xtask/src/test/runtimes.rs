//! The integration tests in JavaScript runtimes that are no browsers: those with one body for all targets.

use std::path::Path;
use std::process::Command;

use anyhow::Context as _;

use super::report::Section;
use crate::progress::Step;
use crate::setup::Runtime;

/// Runs the tests in one runtime, by a command that takes more arguments for the runner of tests. `folder`: where the program is.
pub(super) fn run(mut command: Command, runtime: Runtime, folder: &Path) -> anyhow::Result<Section> {
    let step = Step::begin(format!("tests in {runtime}"));
    let mut section = Section::new(runtime.to_string());
    // Others need a page.
    command.args(["--skip", "::web"]);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&path));
    command.env("PATH", std::env::join_paths(folders).context("failed to name the runtime's folder")?);
    if runtime == Runtime::Deno {
        // As modules.
        command.env("WASM_BINDGEN_USE_NODE_EXPERIMENTAL", "1");
    }
    section.run_tests(command, &[])?;
    step.end(format_args!("{} passed, {} failed", section.passed, section.failed));
    Ok(section)
}
