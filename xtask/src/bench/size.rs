//! What a program weighs: its module and its glue, as they are and as a server would send them.
//!
//! The names of functions are left out. They are there for debuggers; a release for users drops them, by `strip = true` or
//! by `wasm-opt`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::Serialize;
use xshell::{Shell, cmd};

use crate::progress::note;
use crate::setup;
use crate::workspace;

/// The release of the npm package `binaryen` that `wasm-opt` is taken from where there is none on `PATH`.
const BINARYEN: &str = "binaryen@132.0.0";

/// How many bytes a file has.
#[derive(Debug, Serialize)]
pub(super) struct Weight {
    pub(super) what: String,
    pub(super) raw: usize,
    /// After `gzip -9`.
    pub(super) gzip: usize,
}

/// Weighs the program `name` in `folder`, also after `wasm-opt -Oz` where that can be had.
///
/// # Errors
///
/// If a file cannot be read or compressed.
pub(super) fn weigh(shell: &Shell, folder: &Path, name: &str) -> Result<Vec<Weight>> {
    let module = folder.join(format!("{name}_bg.wasm"));
    let nameless = folder.join(format!("{name}_nameless.wasm"));
    let bytes = fs::read(&module).with_context(|| format!("failed to read {}", module.display()))?;
    let bytes = without_names(&bytes).with_context(|| format!("{} is no module", module.display()))?;
    fs::write(&nameless, bytes).with_context(|| format!("failed to write {}", nameless.display()))?;
    let script = folder.join(format!("{name}.js"));
    let mut weights = vec![file(shell, "JavaScript", &script)?, file(shell, "module", &nameless)?];
    match wasm_opt(shell) {
        Ok(wasm_opt) => {
            let smaller = folder.join(format!("{name}_oz.wasm"));
            cmd!(shell, "{wasm_opt} -Oz --all-features {nameless} -o {smaller}").quiet().run()?;
            weights.push(file(shell, "module after wasm-opt -Oz", &smaller)?);
        }
        Err(error) => note(format_args!("no wasm-opt: {error:#}")),
    }
    Ok(weights)
}

fn file(shell: &Shell, what: &str, path: &Path) -> Result<Weight> {
    let raw = fs::read(path).with_context(|| format!("failed to read {}", path.display()))?.len();
    let gzip = cmd!(shell, "gzip -9 -c {path}").quiet().output()?.stdout.len();
    Ok(Weight { what: what.to_owned(), raw, gzip })
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
