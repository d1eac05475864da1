//! What programs weigh: their modules and their glue, as they are and as a server would send them. Beside ours are the smallest
//! ones of libraries of this kind, built in the same way.
//!
//! The names of functions are left out. They are there for debuggers; a release for users drops them, by `strip = true` or
//! by `wasm-opt`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::Serialize;
use xshell::{Shell, cmd};

use crate::bindings::BindingsTarget;
use crate::progress::note;
use crate::setup::{self, Wasm};
use crate::web::Programs;
use crate::workspace;

/// The release of the npm package `binaryen` that `wasm-opt` is taken from where there is none on `PATH`.
const BINARYEN: &str = "binaryen@132.0.0";

/// Programs of the package of benchmarks.
const OURS: [(&str, &str); 3] = [
    ("noop", "wasm-mt, a `Thread`"),
    ("pool", "wasm-mt, the pool of the program"),
    ("everything", "wasm-mt, most of what it has"),
];

/// Programs in `xtask/benches/peers`, which are named after their libraries.
const PEERS: [&str; 2] = ["gloo-worker", "wasmworker"];

/// A program, and its parts.
#[derive(Debug, Serialize)]
pub(super) struct Program {
    pub(super) name: String,
    pub(super) glue: Weight,
    pub(super) module: Weight,
    /// After `wasm-opt -Oz`, where that can be had.
    pub(super) smaller: Option<Weight>,
}

/// How many bytes a file has.
#[derive(Debug, Serialize)]
pub(super) struct Weight {
    pub(super) raw: usize,
    /// After `gzip -9`.
    pub(super) gzip: usize,
}

/// Builds programs into `folder` and weighs them.
///
/// # Errors
///
/// If one cannot be built, or its files cannot be read or compressed.
pub(super) fn weigh_all(shell: &Shell, wasm: &Wasm, folder: &Path) -> Result<Vec<Program>> {
    let wasm_opt = wasm_opt(shell).inspect_err(|error| note(format_args!("no wasm-opt: {error:#}"))).ok();
    let mut programs = Vec::new();
    for (bin, name) in OURS {
        let selection = ["--release", "--package", super::PACKAGE, "--bin", bin];
        Programs::build(shell, wasm, selection)?.bind(bin, folder, BindingsTarget::Web)?;
        programs.push(weigh(shell, folder, bin, name, wasm_opt.as_deref())?);
    }
    let target_dir = workspace::own_dir(shell, "peers")?;
    for bin in PEERS {
        let manifest = workspace::root().join("xtask/benches/peers").join(bin).join("Cargo.toml");
        let (manifest, target_dir) = (manifest.to_string_lossy(), target_dir.to_string_lossy());
        let selection = ["--release", "--locked", "--manifest-path", &manifest, "--target-dir", &target_dir];
        Programs::build(shell, wasm, selection)?.bind(bin, folder, BindingsTarget::Web)?;
        programs.push(weigh(shell, folder, bin, bin, wasm_opt.as_deref())?);
    }
    Ok(programs)
}

/// Weighs the files of a program.
fn weigh(shell: &Shell, folder: &Path, bin: &str, name: &str, wasm_opt: Option<&Path>) -> Result<Program> {
    let module = folder.join(format!("{bin}_bg.wasm"));
    let nameless = folder.join(format!("{bin}_nameless.wasm"));
    let bytes = fs::read(&module).with_context(|| format!("failed to read {}", module.display()))?;
    let bytes = without_names(&bytes).with_context(|| format!("{} is no module", module.display()))?;
    fs::write(&nameless, bytes).with_context(|| format!("failed to write {}", nameless.display()))?;
    let mut smaller = None;
    if let Some(wasm_opt) = wasm_opt {
        let file = folder.join(format!("{bin}_oz.wasm"));
        cmd!(shell, "{wasm_opt} -Oz --all-features {nameless} -o {file}").quiet().run()?;
        smaller = Some(weight(shell, &file)?);
    }
    Ok(Program {
        name: name.to_owned(),
        glue: weight(shell, &folder.join(format!("{bin}.js")))?,
        module: weight(shell, &nameless)?,
        smaller,
    })
}

fn weight(shell: &Shell, path: &Path) -> Result<Weight> {
    let raw = fs::read(path).with_context(|| format!("failed to read {}", path.display()))?.len();
    let gzip = cmd!(shell, "gzip -9 -c {path}").quiet().output()?.stdout.len();
    Ok(Weight { raw, gzip })
}

/// A module without its section of names; `None` if it is no module.
fn without_names(module: &[u8]) -> Option<Vec<u8>> {
    const HEADER: usize = 8;
    const CUSTOM: u8 = 0;

    let (header, mut rest) = module.split_at_checked(HEADER)?;
    let mut kept = header.to_vec();
    while let [kind, behind @ ..] = rest {
        let (length, behind) = number(behind)?;
        let (content, behind) = behind.split_at_checked(length)?;
        let is_names = *kind == CUSTOM && content.starts_with(b"\x04name");
        if !is_names {
            kept.extend_from_slice(&rest[..rest.len() - behind.len()]);
        }
        rest = behind;
    }
    Some(kept)
}

/// A number in LEB128, and what follows it.
fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let length = bytes.iter().position(|byte| byte & 0x80 == 0)? + 1;
    let (digits, rest) = bytes.split_at(length);
    let value = digits.iter().rev().fold(0, |value, digit| value << 7 | usize::from(digit & 0x7f));
    Some((value, rest))
}

/// `wasm-opt`, from `PATH` or else from npm.
fn wasm_opt(shell: &Shell) -> Result<PathBuf> {
    if let Some(found) = setup::which("wasm-opt") {
        return Ok(found);
    }
    let folder = workspace::own_dir(shell, "tools")?.join("binaryen");
    let program = folder.join("node_modules/.bin/wasm-opt");
    if !program.is_file() {
        note(format_args!("installing {BINARYEN} by npm, once"));
        fs::create_dir_all(&folder)?;
        let install = cmd!(shell, "npm install --no-audit --no-fund --prefix {folder} {BINARYEN}");
        install.quiet().ignore_stdout().run().context("install wasm-opt, or npm")?;
    }
    Ok(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_names_are_left_out() {
        let header = b"\0asm\x01\0\0\0".as_slice();
        let (code, names) = (b"\x0a\x82\0ab".as_slice(), b"\0\x07\x04namexy".as_slice());
        let other = b"\0\x05\x04more".as_slice();
        let module = [header, code, names, other].concat();
        assert_eq!(without_names(&module).unwrap(), [header, code, other].concat());
    }

    #[test]
    fn what_is_cut_off_is_no_module() {
        assert_eq!(without_names(b"\0asm\x01\0\0\0\x0a\x05abc"), None);
    }
}
