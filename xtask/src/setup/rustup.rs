//! What rustup installs: the target, and the tools that a minimal profile lacks.

use std::process::Command;
use std::time::Duration;

use anyhow::bail;
use xshell::{Shell, cmd};

use super::apt::which;
use crate::progress::{note, run_logged};

/// Each download is some 10 MB; a mirror that stalls must not take the whole run with it.
const LIMIT: Duration = Duration::from_secs(180);

/// Adds a target to the toolchain that runs this program.
pub(super) fn add_target(shell: &Shell, target: &str) -> anyhow::Result<()> {
    note(format_args!("installing the compiler's library for the web (rustup target add {target})"));
    rustup(shell, &["target", "add", target])
}

/// Ensures rustfmt and clippy.
pub(crate) fn linters(shell: &Shell) -> anyhow::Result<()> {
    for (tool, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
        let is_there =
            cmd!(shell, "cargo {tool} --version").quiet().ignore_stdout().ignore_stderr().run().is_ok();
        if !is_there {
            note(format_args!("installing {component} (rustup component add {component})"));
            rustup(shell, &["component", "add", component])?;
        }
    }
    Ok(())
}

fn rustup(shell: &Shell, args: &[&str]) -> anyhow::Result<()> {
    if which("rustup").is_none() {
        bail!("there is no rustup");
    }
    let mut command = Command::new("rustup");
    command.args(args);
    run_logged(shell, command, &format!("rustup-{}", args[0]), LIMIT)
}
