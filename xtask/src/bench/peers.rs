//! `cargo xtask bench --peers`: other libraries do the same work, on the same page or in the same process.
//!
//! Those in Rust are programs of their own, since each has workers that run its program. Those in JavaScript come from npm.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use fs_err as fs;
use wasm_mt_benches::{Benchmark, Cell};
use xshell::{Shell, cmd};

use super::{Args, FLOOR, HARNESS, PACKAGE, Run, SPEED, picture, size, table};
use crate::bindings::BindingsTarget;
use crate::progress::Step;
use crate::setup::{self, Installed, Wasm};
use crate::web::Programs;
use crate::workspace;

/// Files of packages of npm, and what they are called on the page.
const SCRIPTS: [(&str, &str); 2] = [
    ("comlink/dist/umd/comlink.min.js", "comlink.js"),
    ("workerpool/dist/workerpool.min.js", "workerpool.js"),
];

/// Measures, prints a table for each platform, and writes the figures as JSON and as pictures to `folder`.
pub(super) fn run(
    shell: &Shell,
    wasm: &Wasm,
    browsers: &[Installed],
    args: &Args,
    folder: &Path,
) -> Result<ExitCode> {
    let step = Step::begin("building the programs of all libraries");
    let site = folder.join("site");
    build(shell, wasm, &site)?;
    step.end("built");

    let runs: Vec<Run<Cell>> = super::measure(shell, &site, "examples/peers", browsers, args, table::cell)?;
    runs.iter().for_each(|run| print!("{}", table::of_peers(run)));
    let file = folder.join("peers.json");
    fs::write(&file, serde_json::to_string_pretty(&runs)?)?;
    println!("\nthe figures are in {}", file.display());
    draw(&file)
}

/// Draws the figures in a file: a picture for each workload, beside it.
pub(super) fn draw(figures: &Path) -> Result<ExitCode> {
    let runs: Vec<Run<Cell>> = serde_json::from_str(&fs::read_to_string(figures)?)
        .with_context(|| format!("{} has no figures of `--peers`", figures.display()))?;
    for benchmark in Benchmark::OF_PEERS {
        if let Some(picture) = picture::of(benchmark, &runs) {
            let file = figures.with_file_name(format!("{}.svg", benchmark.name()));
            fs::write(&file, picture.to_string())?;
            println!("{}: a picture is in {}", benchmark.workload(), file.display());
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Makes a site of everything that the page loads, and the program that measures natively.
fn build(shell: &Shell, wasm: &Wasm, site: &Path) -> Result<()> {
    let peers = ["--profile", SPEED, "--package", PACKAGE, "--example", "peers"];
    Programs::build(shell, wasm, peers)?.bind("peers", site, BindingsTarget::Web)?;
    cmd!(shell, "cargo build --quiet {peers...}").quiet().run()?;

    for peer in size::PEERS {
        let bin = format!("{peer}-bench");
        size::build_peer(shell, wasm, peer, &bin, SPEED)?.bind(&bin, site, BindingsTarget::Web)?;
    }

    setup::npm(shell)?;
    let packages = workspace::own_dir(shell, "npm-peers")?;
    let source = workspace::root().join("xtask/benches/peers/npm");
    for file in ["package.json", "package-lock.json"] {
        fs::copy(source.join(file), packages.join(file))?;
    }
    setup::packages(shell, &packages)?;
    for (file, name) in SCRIPTS {
        fs::copy(packages.join("node_modules").join(file), site.join(name))?;
    }
    for (name, text) in [
        ("index.html", include_str!("../../benches/peers.html")),
        ("floor.js", FLOOR),
        ("libraries.js", include_str!("../../benches/libraries.js")),
        ("harness.js", HARNESS),
    ] {
        fs::write(site.join(name), text)?;
    }
    Ok(())
}
