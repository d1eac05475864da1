//! The checks that need no run: formatting, lints, the rules of the house, documentation, the public API.

use std::process::Command;

use anyhow::bail;
use xshell::{Shell, cmd};

use super::report::Section;
use super::stream;
use crate::api::{self, Comparison, Face};
use crate::progress::{Step, note};
use crate::setup::Wasm;
use crate::tidy;

/// Selects the library without its features.
const BARE: [&str; 4] = ["--package", "wasm-mt", "--lib", "--no-default-features"];

/// Runs all checks; without a toolchain for the web, those for it are left out.
pub(super) fn run(shell: &Shell, wasm: Option<&Wasm>) -> anyhow::Result<Section> {
    let mut section = Section::new("checks");
    let step = Step::begin("tidy");
    let verdicts = tidy::check(shell)?;
    let faults: usize = verdicts.iter().map(|verdict| verdict.faults.len()).sum();
    verdicts.iter().flat_map(|verdict| &verdict.faults).for_each(note);
    step.end(format_args!("{} rules, {faults} faults", verdicts.len()));
    for verdict in &verdicts {
        section.check(verdict.rule, if verdict.faults.is_empty() { Ok(()) } else { failed() });
    }
    let strict = ["--", "-D", "warnings"];
    let mut check = |name: &str, command: xshell::Cmd<'_>| -> anyhow::Result<()> {
        let step = Step::begin(name);
        let success = stream::run(Command::from(command), |_| {})?;
        step.end(if success { "passed" } else { "FAILED" });
        section.check(name, if success { Ok(()) } else { failed() });
        Ok(())
    };
    check("fmt", cmd!(shell, "cargo fmt --all --check"))?;
    check("clippy", cmd!(shell, "cargo clippy --workspace --all-targets").args(strict))?;
    check("clippy without features", cmd!(shell, "cargo clippy").args(BARE).args(strict))?;
    check("doc", cmd!(shell, "cargo doc --workspace --no-deps").env("RUSTDOCFLAGS", "-D warnings"))?;
    if let Some(wasm) = wasm {
        // These two are for this machine only.
        let packages = ["--workspace", "--exclude", "xtask", "--exclude", "wasm-mt-native-tests"];
        let clippy = wasm.cargo(shell, "clippy").args(packages).arg("--all-targets").args(strict);
        check("clippy for the web", clippy)?;
        let clippy = wasm.cargo(shell, "clippy").args(BARE).args(strict);
        check("clippy for the web, without features", clippy)?;
        // These two share a folder: the whole documentation is to stay in it.
        for (name, selection) in
            [("doc for the web, without features", &BARE[..]), ("doc for the web", &packages)]
        {
            let doc = wasm.cargo(shell, "doc").args(selection).arg("--no-deps");
            check(name, doc.env("RUSTDOCFLAGS", "-D warnings"))?;
        }
    }
    for face in Face::all(wasm) {
        let name = format!("public API, {}", face.name());
        let step = Step::begin(&name);
        match api::check(shell, &face) {
            Ok(Comparison::NotRun(why)) => {
                step.end("not run");
                section.skip(&name, &why);
            }
            result => {
                step.end(if result.is_ok() { "passed" } else { "FAILED" });
                section.check(&name, result.map(drop));
            }
        }
    }
    Ok(section)
}

fn failed() -> anyhow::Result<()> {
    bail!("see its output above")
}
