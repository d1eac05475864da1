//! The checks that need no run: formatting, lints, the rules of the house, documentation, the public API.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use fs_err as fs;
use xshell::{Cmd, Shell, cmd};

use super::report::Section;
use super::stream;
use crate::api::{self, Comparison, Face};
use crate::progress::{Step, note};
use crate::setup::{TARGET, Wasm};
use crate::{tidy, workspace};

/// Selects the library without its features.
const BARE: [&str; 4] = ["--package", "wasm-mt", "--lib", "--no-default-features"];

/// The crates that are published, and are for both targets.
const PUBLISHED: [&str; 6] =
    ["--package", "wasm-mt-macros", "--package", "wasm-mt", "--package", "wasm-mt-pool"];

/// Has packages unpacked and compiled anew. For one name and version Cargo does so once, whatever they hold now.
fn forget_packages(shell: &Shell) -> anyhow::Result<()> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")));
    for registry in home.iter().flat_map(|home| entries(&home.join("registry/src"))) {
        // That of a packing has no host in its name.
        if registry.file_name().is_some_and(|name| name.to_string_lossy().starts_with('-')) {
            remove_ours(&registry)?;
        }
    }
    let target = workspace::target_dir(shell)?;
    remove_ours(&target.join("debug/.fingerprint"))?;
    remove_ours(&target.join(TARGET).join("debug/.fingerprint"))
}

fn remove_ours(folder: &Path) -> anyhow::Result<()> {
    let is_ours =
        |entry: &PathBuf| entry.file_name().is_some_and(|name| name.to_string_lossy().starts_with("wasm-mt"));
    entries(folder).iter().filter(|entry| is_ours(entry)).try_for_each(|entry| Ok(fs::remove_dir_all(entry)?))
}

/// What is in a folder, if that is there.
fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect()
}

/// Runs all checks; without a toolchain for the web, those for it are left out.
pub(super) fn run(shell: &Shell, wasm: Option<&Wasm>) -> anyhow::Result<Section> {
    let mut section = Section::new("checks");
    let step = Step::begin("tidy");
    let verdicts = tidy::check(shell)?;
    let faults: usize = verdicts.iter().map(|verdict| verdict.faults.len()).sum();
    verdicts.iter().flat_map(|verdict| &verdict.faults).for_each(note);
    step.end(format_args!("{} rules, {faults} faults", verdicts.len()));
    for verdict in &verdicts {
        section.check(verdict.rule, succeeded(verdict.faults.is_empty()));
    }
    let strict = ["--", "-D", "warnings"];
    let mut check = |name: &str, command: Cmd<'_>| section.run(name, || succeed(command));
    check("fmt", cmd!(shell, "cargo fmt --all --check"));
    check("clippy", cmd!(shell, "cargo clippy --workspace --all-targets").args(strict));
    check("clippy without features", cmd!(shell, "cargo clippy").args(BARE).args(strict));
    check("doc", cmd!(shell, "cargo doc --workspace --no-deps").env("RUSTDOCFLAGS", "-D warnings"));
    if let Some(wasm) = wasm {
        // These are for this machine only.
        let native = ["xtask", "wasm-mt-native-tests", "wasm-mt-nats", "wasm-mt-benches-fleet"];
        let packages: Vec<_> =
            ["--workspace"].into_iter().chain(native.iter().flat_map(|name| ["--exclude", name])).collect();
        let clippy = wasm.cargo(shell, "clippy").args(&packages).arg("--all-targets").args(strict);
        check("clippy for the web", clippy);
        let clippy = wasm.cargo(shell, "clippy").args(BARE).args(strict);
        check("clippy for the web, without features", clippy);
        // These two share a folder: the whole documentation is to stay in it.
        for (name, selection) in
            [("doc for the web, without features", &BARE[..]), ("doc for the web", &packages[..])]
        {
            let doc = wasm.cargo(shell, "doc").args(selection).arg("--no-deps");
            check(name, doc.env("RUSTDOCFLAGS", "-D warnings"));
        }
    }
    // As they are published, and compiled from that.
    forget_packages(shell)?;
    let natively = PUBLISHED.into_iter().chain(["--package", "wasm-mt-nats"]);
    check("packages", cmd!(shell, "cargo package --allow-dirty --quiet").args(natively));
    if let Some(wasm) = wasm {
        let package = wasm.cargo(shell, "package").args(["--allow-dirty", "--quiet"]).args(PUBLISHED);
        check("packages for the web", package);
    }
    oldest_compiler(shell, &mut section)?;
    // The database of advisories is on the network.
    if is_there(cmd!(shell, "cargo deny --version")) {
        section.run("dependencies", || {
            succeed(cmd!(shell, "cargo deny --workspace check licenses bans sources"))
        });
    } else {
        section.skip("dependencies", "`cargo install cargo-deny`");
    }
    for face in Face::all(wasm) {
        let name = format!("public API, {}", face.name);
        match Step::run(&name, || api::check(shell, &face)) {
            Ok(Comparison::NotRun(why)) => section.skip(&name, &why),
            result => section.check(&name, result.map(drop)),
        }
    }
    Ok(section)
}

/// The oldest compiler that is promised compiles the library, where it is installed.
fn oldest_compiler(shell: &Shell, section: &mut Section) -> anyhow::Result<()> {
    let manifest = shell.read_file("Cargo.toml")?;
    let version = manifest.lines().find_map(|line| line.strip_prefix("rust-version = \"")?.strip_suffix('"'));
    let version = version.context("Cargo.toml promises no compiler")?;
    let name = format!("Rust {version}");
    let toolchain = format!("+{version}");
    if !is_there(cmd!(shell, "cargo {toolchain} --version")) {
        section.skip(&name, &format!("`rustup toolchain install {version} --profile minimal`"));
        return Ok(());
    }
    // Its artefacts are no use to the other compiler.
    let folder = workspace::own_dir(shell, "oldest")?;
    let command =
        cmd!(shell, "cargo {toolchain} check --package wasm-mt --all-features --target-dir {folder}");
    // Cargo has set this to the compiler in use.
    section.run(&name, || succeed(command.env_remove("RUSTUP_TOOLCHAIN").env_remove("RUSTC")));
    Ok(())
}

fn is_there(command: Cmd<'_>) -> bool {
    command.quiet().ignore_stdout().ignore_stderr().run().is_ok()
}

fn succeed(command: Cmd<'_>) -> anyhow::Result<()> {
    succeeded(stream::run(Command::from(command), |_| {})?)
}

fn succeeded(success: bool) -> anyhow::Result<()> {
    ensure!(success, "see its output above");
    Ok(())
}
