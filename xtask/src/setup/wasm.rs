//! A compiler for `wasm32-unknown-unknown`.
//!
//! The toolchain in use is taken if it has the target. Else `rustup` is asked for it. Where that fails, Debian's own
//! toolchain is a way without rustup's servers ([`super::debian`]).

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use xshell::{Cmd, Shell, cmd};

use super::{debian, rustup};
use crate::progress::note;

/// The target that browsers run.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// Setting this to `rustup` or `debian` allows only that way to a toolchain.
const CHOICE: &str = "WASM_MT_TOOLCHAIN";

/// A toolchain that builds for [`TARGET`].
#[derive(Clone, Debug)]
pub(crate) struct Wasm {
    pub(super) cargo: PathBuf,
    /// What takes the sub-command `clippy`.
    pub(super) clippy: PathBuf,
    pub(super) env: Vec<(&'static str, PathBuf)>,
}

impl Wasm {
    /// `cargo <subcommand> --target wasm32-unknown-unknown` with the environment that this toolchain needs.
    ///
    /// The command runs where the shell is: the root of the workspace.
    pub(crate) fn cargo<'a>(&self, shell: &'a Shell, subcommand: &str) -> Cmd<'a> {
        let program = if subcommand == "clippy" { &self.clippy } else { &self.cargo };
        cmd!(shell, "{program} {subcommand} --target {TARGET}")
            .envs(self.env.iter().cloned())
            // Nothing here reads it, and every page would carry it: it is two thirds of a module.
            .env("CARGO_PROFILE_DEV_DEBUG", "none")
    }

    /// What the compiler says of its version.
    pub(crate) fn compiler(&self, shell: &Shell) -> anyhow::Result<String> {
        let rustc = self.program("RUSTC").unwrap_or_else(|| PathBuf::from("rustc"));
        Ok(cmd!(shell, "{rustc} --version").quiet().read()?)
    }

    /// What this toolchain needs such a variable to name: `RUSTC`, `RUSTDOC`.
    pub(crate) fn program(&self, variable: &str) -> Option<PathBuf> {
        self.env.iter().find(|(name, _)| *name == variable).map(|(_, path)| path.clone())
    }

    /// The toolchain that runs this program.
    fn active() -> Self {
        let cargo = std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from);
        Self { clippy: cargo.clone(), cargo, env: Vec::new() }
    }
}

/// Ensures a toolchain for wasm32.
/// Fails if no way leads to a toolchain; the text names the ways.
pub(crate) fn wasm(shell: &Shell) -> anyhow::Result<Wasm> {
    let choice = std::env::var(CHOICE).unwrap_or_default();
    if choice != "debian" {
        if active_has_target(shell) {
            return Ok(Wasm::active());
        }
        // What was built before is at hand; rustup would have to ask the network again.
        if choice != "rustup"
            && let Some(wasm) = debian::ready(shell)?
        {
            return Ok(wasm);
        }
        match from_rustup(shell) {
            Ok(wasm) => return Ok(wasm),
            Err(error) if choice == "rustup" => return Err(error),
            Err(error) => note(format_args!("rustup could not install the target: {error:#}")),
        }
    }
    debian::build(shell).with_context(|| {
        format!("no compiler for {TARGET}: make `rustup target add {TARGET}` work, or run as root on Debian")
    })
}

/// True if the active compiler's sysroot has a standard library for the target.
fn active_has_target(shell: &Shell) -> bool {
    let libraries =
        cmd!(shell, "rustc --print target-libdir --target {TARGET}").quiet().ignore_stderr().read();
    libraries.is_ok_and(|dir| debian::has_std(dir.as_ref()))
}

fn from_rustup(shell: &Shell) -> anyhow::Result<Wasm> {
    rustup::add_target(shell, TARGET)?;
    if !active_has_target(shell) {
        bail!("`rustup target add` succeeded, but rustc does not have the target");
    }
    Ok(Wasm::active())
}
