//! JavaScript runtimes that are no browsers.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use fs_err as fs;
use xshell::{Shell, cmd};

use super::apt;
use super::apt::which;
use crate::progress::note;
use crate::workspace;

/// A runtime that the tests run in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Runtime {
    Node,
    Deno,
}

impl Runtime {
    /// All of them, in the order in which they run.
    pub(crate) const ALL: [Self; 2] = [Self::Node, Self::Deno];

    /// Makes sure of it, and gives the folder of the program `node` that wasm-bindgen's test runner is to find first.
    /// An error has the cure.
    pub(crate) fn ensure(self, shell: &Shell) -> anyhow::Result<PathBuf> {
        npm(shell)?;
        match self {
            Self::Node => Ok(which("node").context("npm is there, but no node")?.with_file_name("")),
            Self::Deno => deno(shell),
        }
    }
}

impl fmt::Display for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Node => "node",
            Self::Deno => "deno",
        })
    }
}

/// Makes sure of Node.js and its package manager.
/// Fails too if they are too old.
pub(crate) fn npm(shell: &Shell) -> anyhow::Result<()> {
    const OLDEST: u32 = 20;

    if which("npm").is_none() || which("node").is_none() {
        apt::install(shell, &["nodejs", "npm"])
            .with_context(|| format!("install Node.js {OLDEST} or later, and npm"))?;
    }
    let version = cmd!(shell, "node --version").quiet().read()?;
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse().ok());
    ensure!(
        major.is_some_and(|major: u32| major >= OLDEST),
        "this is Node.js {version}; install {OLDEST} or later"
    );
    Ok(())
}

/// Installs the locked packages of a folder under `tests/houses` into the copy of it, if that was not done.
pub(crate) fn packages(shell: &Shell, copy: &Path) -> anyhow::Result<()> {
    let (lock, done) = (copy.join("package-lock.json"), copy.join("node_modules/.locked"));
    let wanted = fs::read(&lock)?;
    if fs::read(&done).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    note(format_args!("installing packages of npm in {}", copy.display()));
    let _there = shell.push_dir(copy);
    cmd!(shell, "npm ci --no-audit --no-fund --loglevel error").quiet().run()?;
    Ok(fs::write(&done, wanted)?)
}

/// Deno comes from npm. Under the name of Node.js the runner finds it: its own way to call Deno fails since version 2.
fn deno(shell: &Shell) -> anyhow::Result<PathBuf> {
    let folder = workspace::own_dir(shell, "deno")?;
    let source = workspace::root().join("tests/houses/deno");
    for file in ["package.json", "package-lock.json", "node"] {
        fs::copy(source.join(file), folder.join(file))?;
    }
    packages(shell, &folder)?;
    Ok(folder)
}
