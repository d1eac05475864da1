//! `cargo xtask api`: the public API as text, so that a review sees every change of it. The library has a file for each target, and one for
//! the web without `compat`; the fleet, which is native only, has one.
//!
//! The text is made from what rustdoc knows, in a format that changes with the compiler. So it is compared only with the
//! compiler that the files were made with ([`COMPILER`]); with any other it is not run, and the report says so.
//!
//! Automatic traits such as `Send` are in the text, because losing one breaks programs. What every type has is not, nor
//! what no program on stable Rust can name; and of an item that has several paths the details stand at the first.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, bail};
use fs_err as fs;
use xshell::{Shell, cmd};

use crate::progress::note;
use crate::setup::{self, TARGET, Wasm};
use crate::workspace;

/// What the files are made with. `public-api` in xtask/Cargo.toml must be of the version that reads its format.
const COMPILER: &str = "1.95.";

/// Where this is set, Cargo has started this program as its rustdoc; the value is the real one.
pub(crate) const RUSTDOC: &str = "WASM_MT_RUSTDOC";

/// Traits of the compiler's own.
const UNSTABLE: [&str; 3] =
    ["core::marker::Freeze for", "core::marker::StructuralPartialEq for", "core::marker::UnsafeUnpin for"];

/// Options of `cargo xtask api`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Writes what the API is now into the files.
    #[arg(long)]
    bless: bool,
}

/// A crate whose API is pinned, on one target and with some features. Natively the feature `compat` has no effect.
pub(crate) struct Face<'a> {
    pub(crate) name: &'static str,
    package: &'static str,
    features: &'static [&'static str],
    /// The toolchain; none for the native one.
    wasm: Option<&'a Wasm>,
}

impl<'a> Face<'a> {
    /// All that can be had; without a toolchain for the web, the native ones.
    pub(crate) fn all(wasm: Option<&'a Wasm>) -> Vec<Self> {
        const LIBRARY: &str = "wasm-mt";
        const ALL: &[&str] = &["--features", "described,transport"];
        const WITHOUT_COMPAT: &[&str] = &["--no-default-features", "--features", "described"];

        let face = |name, package, features| Self { name, package, features, wasm: None };
        let mut faces =
            vec![face("native", LIBRARY, ALL), face("fleet", "wasm-mt-nats", &["--all-features"])];
        if wasm.is_some() {
            faces.push(Self { wasm, ..face("web", LIBRARY, ALL) });
            faces.push(Self { wasm, ..face("web-without-compat", LIBRARY, WITHOUT_COMPAT) });
        }
        faces
    }

    /// What programs call the crate.
    fn library(&self) -> String {
        self.package.replace('-', "_")
    }

    fn recorded(&self) -> PathBuf {
        workspace::root().join("tests/api").join(self.name).with_extension("txt")
    }

    fn compiler(&self, shell: &Shell) -> anyhow::Result<String> {
        match self.wasm {
            Some(wasm) => wasm.compiler(shell),
            None => Ok(cmd!(shell, "rustc --version").quiet().read()?),
        }
    }

    /// The API as it is now.
    fn text(&self, shell: &Shell) -> anyhow::Result<String> {
        // What rustdoc writes has a folder of its own, since Cargo removes what was written by other options; dependencies
        // are those of all other builds.
        let folder = workspace::own_dir(shell, "api")?;
        let written = format!("doc/{}.json", self.library());
        let file = folder.join(self.wasm.map_or("", |_| TARGET)).join(written);
        // What stands there may be the API of another face.
        shell.remove_path(&file)?;
        // The rustdoc that Cargo would start.
        let own = self.wasm.and_then(|wasm| wasm.program("RUSTDOC")).map(OsString::from);
        let rustdoc = own.or_else(|| std::env::var_os("RUSTDOC")).unwrap_or_else(|| "rustdoc".into());
        let command = match self.wasm {
            Some(wasm) => wasm.cargo(shell, "rustdoc"),
            None => cmd!(shell, "cargo rustdoc"),
        };
        command
            .args(self.features)
            .args(["--quiet", "--package", self.package, "--lib", "--target-dir"])
            .arg(&folder)
            .args(["--", "-Z", "unstable-options", "--output-format", "json"])
            .env("CARGO_BUILD_BUILD_DIR", workspace::target_dir(shell)?)
            .env("RUSTDOC", std::env::current_exe()?)
            .env(RUSTDOC, rustdoc)
            .quiet()
            .run()?;
        let api = public_api::Builder::from_rustdoc_json(&file).omit_blanket_impls(true).build()?;
        let mut seen = BTreeSet::new();
        let lines = api.items().map(|item| format!("{item}\n"));
        let is_named = |line: &String| !UNSTABLE.iter().any(|name| line.contains(name));
        Ok(lines.filter(|line| is_named(line) && seen.insert(line.clone())).collect())
    }
}

/// What a comparison came to.
pub(crate) enum Comparison {
    Equal,
    /// Holds the reason.
    NotRun(String),
}

/// Compares the API with its file, and prints what differs. Without the compiler for it this is not run.
/// Fails if they differ, or if rustdoc fails.
pub(crate) fn check(shell: &Shell, face: &Face<'_>) -> anyhow::Result<Comparison> {
    let compiler = face.compiler(shell)?;
    if !is_recorded(&compiler) {
        let why = format!("it is compared with rustc {COMPILER}x of rust-lang.org, this is {compiler}");
        return Ok(Comparison::NotRun(why));
    }
    let (recorded, found) = (face.recorded(), workspace::own_dir(shell, "api")?.join("found.txt"));
    let text = face.text(shell)?;
    if fs::read_to_string(&recorded).is_ok_and(|recorded| recorded == text) {
        return Ok(Comparison::Equal);
    }
    fs::write(&found, text)?;
    let changes = cmd!(shell, "git diff --no-index --no-color --unified=0 {recorded} {found}");
    let changes = changes.quiet().ignore_status().read()?;
    // What precedes is about the files.
    changes.lines().skip(4).filter(|line| !line.starts_with("@@")).for_each(note);
    bail!("it differs from tests/api/{}.txt; if it should, run `cargo xtask api --bless`", face.name);
}

/// `cargo xtask api`.
pub(crate) fn run(shell: &Shell, args: &Args) -> anyhow::Result<ExitCode> {
    let wasm = setup::wasm(shell)?;
    let mut code = ExitCode::SUCCESS;
    for face in Face::all(Some(&wasm)) {
        println!("{}:", face.name);
        if args.bless {
            let (compiler, file) = (face.compiler(shell)?, face.recorded());
            if !is_recorded(&compiler) {
                bail!("the files are made with rustc {COMPILER}x of rust-lang.org, this is {compiler}");
            }
            fs::create_dir_all(file.parent().context("the file is in a folder")?)?;
            fs::write(&file, face.text(shell)?)?;
        } else {
            match check(shell, &face) {
                Ok(Comparison::Equal) => {}
                Ok(Comparison::NotRun(why)) => note(format_args!("not run: {why}")),
                Err(error) => {
                    note(format_args!("{error:#}"));
                    code = ExitCode::FAILURE;
                }
            }
        }
    }
    Ok(code)
}

/// Runs rustdoc for Cargo, and allows it unstable options. If Cargo had the variable for that, it would build all anew whose
/// build scripts look at it.
pub(crate) fn run_rustdoc(real: &OsStr) -> anyhow::Result<ExitCode> {
    let status = Command::new(real).args(std::env::args_os().skip(1)).env("RUSTC_BOOTSTRAP", "1").status();
    let status = status.with_context(|| format!("failed to start {}", real.display()))?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// True if the files were made with this compiler, as it gives its version. Debian's, which has changes of its own, is
/// built from an archive.
fn is_recorded(compiler: &str) -> bool {
    let number = compiler.split_whitespace().nth(1).unwrap_or_default();
    number.starts_with(COMPILER) && !number.contains('-') && !compiler.contains("source tarball")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(file: &str) -> String {
        fs::read_to_string(workspace::root().join("tests/api").join(file)).unwrap()
    }

    #[test]
    fn each_file_is_of_its_crate() {
        for face in Face::all(None) {
            let text = fs::read_to_string(face.recorded()).unwrap();
            assert_eq!(text.lines().next(), Some(&*format!("pub mod {}", face.library())), "{}", face.name);
        }
    }

    /// A new version of them breaks no program.
    #[test]
    fn a_fleet_shows_nothing_of_the_crates_that_reach_its_broker() {
        let text = read("fleet.txt");
        for name in ["async_nats", "bytes", "postcard", "tokio"] {
            assert!(!text.contains(&format!("{name}::")), "{name}");
        }
    }

    #[test]
    fn without_compat_no_name_of_0_1_is_left() {
        let names = [
            "compat",
            "WasmMt",
            "ThreadExt",
            "ThreadPool",
            "MtClosure",
            "MtAsyncClosure",
            "utils",
            "and_init",
        ];
        let (with, without) = (read("web.txt"), read("web-without-compat.txt"));
        for name in names {
            assert!(with.contains(name) && !without.contains(name), "{name}");
        }
        assert!(
            without.lines().all(|line| with.lines().any(|other| other == line)),
            "`compat` only adds names"
        );
    }

    #[test]
    fn only_one_compiler_is_compared_with() {
        assert!(is_recorded("rustc 1.95.0 (59807616e 2026-04-14)"));
        assert!(!is_recorded("rustc 1.96.0 (59807616e 2026-06-14)"));
        assert!(!is_recorded("rustc 1.95.0-nightly (59807616e 2026-02-14)"));
        assert!(!is_recorded("rustc 1.95.0 (59807616e 2026-04-14) (built from a source tarball)"));
        assert!(!is_recorded(""));
    }
}
