//! The broker of fleets: the program `nats-server`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use xshell::Shell;

use super::apt;

const PROGRAM: &str = "nats-server";
const PACKAGES: [&str; 1] = ["nats-server"];

/// Debian has it among the programs of the administrator, which are not on everybody's PATH.
const ADMIN: &str = "/usr/sbin";

/// Makes sure of the program, and says where it is. An error has the cure.
pub(crate) fn nats_server(shell: &Shell) -> Result<PathBuf> {
    if let Some(program) = find_nats_server() {
        return Ok(program);
    }
    apt::install(shell, &PACKAGES).with_context(|| {
        let command = apt::command(&PACKAGES);
        format!("install the broker {PROGRAM} so that it is on PATH (on Debian: `{command}`)")
    })?;
    find_nats_server().with_context(|| format!("{PROGRAM} was installed, but is not on PATH"))
}

/// Where the program is, if it is there already.
pub(crate) fn find_nats_server() -> Option<PathBuf> {
    apt::which(PROGRAM).or_else(|| Some(Path::new(ADMIN).join(PROGRAM)).filter(|file| file.is_file()))
}
