//! Packages of the system, where we may install them: Debian and its kin, as root.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::bail;
use xshell::{Shell, cmd};

use crate::progress::{note, run_logged};

/// Enough for a browser over a slow line.
const LIMIT: Duration = Duration::from_secs(15 * 60);

/// True if this user may do everything; Chromium then needs to run without its sandbox.
pub(crate) fn is_root(shell: &Shell) -> bool {
    cmd!(shell, "id -u").quiet().ignore_stderr().read().is_ok_and(|id| id == "0")
}

/// The command that a person types to install these packages.
pub(crate) fn command(packages: &[&str]) -> String {
    format!("sudo apt-get install --no-install-recommends {}", packages.join(" "))
}

/// Installs packages, after `apt-get update` if they are not known or not found.
/// Fails where this is not Debian, not root, or `apt-get` fails. Nothing that is installed is ever removed.
pub(crate) fn install(shell: &Shell, packages: &[&str]) -> anyhow::Result<()> {
    if which("apt-get").is_none() {
        bail!("this system has no apt-get");
    }
    if !is_root(shell) {
        bail!("installing needs root");
    }
    note(format_args!("installing {} (apt-get)", packages.join(", ")));
    if run(shell, "install", packages).is_ok() {
        return Ok(());
    }
    note("updating the list of packages (apt-get update)");
    // A repository of no interest here may be out of reach, which fails the update as a whole.
    if let Err(error) = run(shell, "update", &[]) {
        note(format_args!("warning: {error:#}"));
    }
    run(shell, "install", packages)
}

fn run(shell: &Shell, verb: &str, packages: &[&str]) -> anyhow::Result<()> {
    let mut command = Command::new("apt-get");
    command
        .env("DEBIAN_FRONTEND", "noninteractive")
        .args(["-y", "--no-install-recommends", "--no-remove", "-o", "DPkg::Lock::Timeout=300"])
        .arg(verb)
        .args(packages);
    run_logged(shell, command, &format!("apt-{verb}"), LIMIT)
}

/// Where a program is on PATH.
pub(crate) fn which(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(program)).find(|file| file.is_file())
}
