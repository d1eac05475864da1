//! `cargo xtask miri`: the unit tests of what handles bytes and pointers, run by Miri, which finds undefined behaviour.

use std::process::ExitCode;

use anyhow::Result;
use xshell::{Shell, cmd};

/// The modules whose unit tests are run.
const MODULES: [&str; 3] = ["schedule::", "task::", "wire::"];

/// Runs the tests; without Miri it says how to have it, and that is no failure.
pub(crate) fn run(shell: &Shell) -> Result<ExitCode> {
    let is_there =
        cmd!(shell, "cargo +nightly miri --version").quiet().ignore_stdout().ignore_stderr().run().is_ok();
    if !is_there {
        println!("skipped: there is no Miri; `rustup toolchain install nightly --component miri,rust-src`");
        return Ok(ExitCode::SUCCESS);
    }
    let tests = cmd!(shell, "cargo +nightly miri test --lib --").args(MODULES);
    // The simulator's tests measure schedules, which are safe code.
    let tests = tests.args(["--skip", "schedule::simulator"]);
    // The tests look at the clock.
    let passed = tests.env("MIRIFLAGS", "-Zmiri-disable-isolation").run().is_ok();
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
