//! What programs weigh: their modules and their glue, as they are and as a server would send them. Beside ours are the smallest
//! ones of libraries of this kind, built in the same way.
//!
//! The names of functions are left out. They are there for debuggers; a release for users drops them, by `strip = true` or
//! by `wasm-opt`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use fs_err as fs;
use serde::Serialize;
use xshell::{Cmd, Shell, cmd};

use crate::bindings::BindingsTarget;
use crate::progress::note;
use crate::setup::{self, Wasm};
use crate::web::Programs;
use crate::workspace;

/// The release of the npm package `binaryen` that `wasm-opt` is taken from where there is none on `PATH`.
const BINARYEN: &str = "binaryen@132.0.0";

/// What rustc writes into modules; by its name, since all that binaryen knows is more than browsers do.
const FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// A program of the package of benchmarks, and what its files may weigh, by `gzip -9`.
struct Ours {
    bin: &'static str,
    name: &'static str,
    glue: usize,
    module: usize,
}

/// The limits are a few percent above what the programs weigh: lower them with that.
const OURS: [Ours; 3] = [
    Ours { bin: "noop", name: "wasm-mt, a `Thread`", glue: 4_800, module: 92_000 },
    Ours { bin: "pool", name: "wasm-mt, the pool of the program", glue: 4_800, module: 93_600 },
    Ours { bin: "everything", name: "wasm-mt, most of what it has", glue: 5_600, module: 133_500 },
];

/// Programs in `xtask/benches/peers`, which are named after their libraries.
pub(super) const PEERS: [&str; 2] = ["gloo-worker", "wasmworker"];

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
pub(super) fn weigh_all(shell: &Shell, wasm: &Wasm, folder: &Path) -> Result<Vec<Program>> {
    let wasm_opt = wasm_opt(shell).inspect_err(|error| note(format_args!("no wasm-opt: {error:#}"))).ok();
    let mut programs = Vec::new();
    for program in &OURS {
        programs.push(program.weigh(shell, wasm, folder, wasm_opt.as_deref())?);
    }
    for peer in PEERS {
        let built = build_peer(shell, wasm.cargo(shell, "build"), peer, peer, "release")?;
        programs.push(weigh(shell, &built, (peer, peer), folder, wasm_opt.as_deref())?);
    }
    Ok(programs)
}

/// Builds a program of another library, by a command that runs `cargo build`.
pub(super) fn build_peer(
    shell: &Shell,
    cargo: Cmd<'_>,
    peer: &str,
    bin: &str,
    profile: &str,
) -> Result<Programs> {
    let manifest = workspace::root().join("xtask/benches/peers").join(peer).join("Cargo.toml");
    let target_dir = workspace::own_dir(shell, "peers")?;
    let place = cargo.arg("--manifest-path").arg(manifest).arg("--target-dir").arg(target_dir);
    Programs::build_by(place.args(["--locked", "--profile", profile, "--bin", bin]))
}

/// Weighs our programs; the verdict on each names what is too heavy.
pub(crate) fn check(shell: &Shell, wasm: &Wasm) -> Result<Vec<(&'static str, Result<()>)>> {
    let folder = workspace::own_dir(shell, "sizes")?;
    let check = |program: &Ours| {
        let weighed = program.weigh(shell, wasm, &folder, None);
        (program.name, weighed.and_then(|Program { glue, module, .. }| program.judge(&glue, &module)))
    };
    Ok(OURS.iter().map(check).collect())
}

impl Ours {
    fn weigh(&self, shell: &Shell, wasm: &Wasm, folder: &Path, wasm_opt: Option<&Path>) -> Result<Program> {
        let selection = ["--release", "--package", super::PACKAGE, "--bin", self.bin];
        let built = Programs::build(shell, wasm, selection)?;
        weigh(shell, &built, (self.bin, self.name), folder, wasm_opt)
    }

    fn judge(&self, glue: &Weight, module: &Weight) -> Result<()> {
        for (what, weight, limit) in [("module", module, self.module), ("JavaScript", glue, self.glue)] {
            let bytes = weight.gzip;
            note(format_args!("{}: {what}, {bytes} bytes of at most {limit}", self.name));
            ensure!(
                bytes <= limit,
                "the {what} has {bytes} bytes, more than {limit}: find out what they are"
            );
        }
        Ok(())
    }
}

/// Weighs the files of a program.
fn weigh(
    shell: &Shell,
    programs: &Programs,
    (bin, name): (&str, &str),
    folder: &Path,
    wasm_opt: Option<&Path>,
) -> Result<Program> {
    programs.bind_with(bin, folder, BindingsTarget::Web, &["--remove-name-section"])?;
    let module = folder.join(format!("{bin}_bg.wasm"));
    let mut smaller = None;
    if let Some(wasm_opt) = wasm_opt {
        let file = folder.join(format!("{bin}_oz.wasm"));
        cmd!(shell, "{wasm_opt} -Oz {FEATURES...} {module} -o {file}").quiet().run()?;
        smaller = Some(weight(shell, &file)?);
    }
    let glue = weight(shell, &folder.join(format!("{bin}.js")))?;
    Ok(Program { name: name.to_owned(), glue, module: weight(shell, &module)?, smaller })
}

fn weight(shell: &Shell, path: &Path) -> Result<Weight> {
    let raw = fs::read(path)?.len();
    let gzip = cmd!(shell, "gzip -9 -c {path}").quiet().output()?.stdout.len();
    Ok(Weight { raw, gzip })
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
    fn a_program_that_is_too_heavy_is_named_with_its_bytes() {
        let ours = Ours { bin: "bin", name: "name", glue: 10, module: 20 };
        let weight = |gzip| Weight { raw: 100, gzip };
        assert!(ours.judge(&weight(10), &weight(20)).is_ok());
        let heavy = ours.judge(&weight(10), &weight(21)).unwrap_err().to_string();
        assert!(heavy.contains("module") && heavy.contains("21 bytes") && heavy.contains("20"), "{heavy}");
        let heavy = ours.judge(&weight(11), &weight(20)).unwrap_err().to_string();
        assert!(heavy.contains("JavaScript") && heavy.contains("11 bytes"), "{heavy}");
    }
}
