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
use crate::progress::{Step, note};
use crate::setup::{self, Installed, Wasm};
use crate::web::{Programs, Server, Site};
use crate::workspace;

/// Files of packages of npm, and what they are called on the page.
const SCRIPTS: [(&str, &str); 2] = [
    ("comlink/dist/umd/comlink.min.js", "comlink.js"),
    ("workerpool/dist/workerpool.min.js", "workerpool.js"),
];

/// Its threads share a memory, which takes a nightly compiler and a standard library that was built for it.
const RAYON: &str = "wasm-bindgen-rayon";
/// What the memory of its program is to be, for rustc.
const SHARED_MEMORY: &str = "-Ctarget-feature=+atomics,+bulk-memory,+mutable-globals -Clink-args=--shared-memory \
    -Clink-args=--import-memory -Clink-args=--max-memory=1073741824 -Clink-args=--export=__wasm_init_tls \
    -Clink-args=--export=__tls_size -Clink-args=--export=__tls_align -Clink-args=--export=__tls_base";

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

    // Threads share a memory only on a page that is isolated.
    let isolated = Site::new(&site).header("/", "Cross-Origin-Opener-Policy", "same-origin").header(
        "/",
        "Cross-Origin-Embedder-Policy",
        "require-corp",
    );
    let server = Server::start(isolated, None)?;
    let runs: Vec<Run<Cell>> = super::measure(shell, &server, "examples/peers", browsers, args, table::cell)?;
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
        let cargo = wasm.cargo(shell, "build");
        size::build_peer(shell, cargo, peer, &bin, SPEED)?.bind(&bin, site, BindingsTarget::Web)?;
    }
    let has_rayon = has_std_source(shell);
    if has_rayon {
        build_rayon(shell, site)?;
    } else {
        note(format_args!(
            "without {RAYON}; `rustup toolchain install nightly --component rust-src` brings what it needs"
        ));
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

/// Whether a nightly compiler is here that can build its standard library.
fn has_std_source(shell: &Shell) -> bool {
    let installed =
        cmd!(shell, "rustup component list --toolchain nightly --installed").quiet().ignore_stderr().read();
    installed.is_ok_and(|components| components.lines().any(|component| component == "rust-src"))
}

fn build_rayon(shell: &Shell, site: &Path) -> Result<()> {
    let bin = format!("{RAYON}-bench");
    let cargo =
        cmd!(shell, "cargo +nightly build --target wasm32-unknown-unknown -Zbuild-std=std,panic_abort");
    let built = size::build_peer(shell, cargo.env("RUSTFLAGS", SHARED_MEMORY), RAYON, &bin, SPEED)?;
    built.bind(&bin, site, BindingsTarget::Web)?;
    Ok(())
}
