//! `cargo xtask demo`.

use std::process::ExitCode;

use xshell::Shell;

/// Options of `cargo xtask demo`.
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_shell: &Shell, _args: &Args) -> anyhow::Result<ExitCode> {
    anyhow::bail!("`cargo xtask demo` is not there yet")
}
