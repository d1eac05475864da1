//! `cargo xtask bench --only cluster`: a fleet on this machine, beside what its broker takes for a request and its reply.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use fs_err as fs;
use wasm_mt_benches::Measured;
use xshell::{Shell, cmd};

use super::{Args, Run, SPEED, table};
use crate::broker::{Broker, Settings};
use crate::progress::Step;
use crate::workspace;

/// How it is called on the command line.
pub(super) const NAME: &str = "cluster";
const PACKAGE: &str = "wasm-mt-benches-fleet";

/// Measures, prints a table and writes the figures as JSON. An error has the cure, if there is no broker.
pub(super) fn run(shell: &Shell, args: &Args, folder: &Path) -> Result<ExitCode> {
    let broker = Broker::start(shell, Settings::default())?;
    let step = Step::begin("building the benchmark of fleets");
    cmd!(shell, "cargo build --quiet --profile {SPEED} --package {PACKAGE}").quiet().run()?;
    step.end("built");

    let step = Step::begin("measuring fleets");
    let program = workspace::target_dir(shell)?.join(SPEED).join("fleet-bench");
    let options = [format!("url={}", broker.url()), format!("rounds={}", args.rounds)];
    let run: Run<Measured> = super::natively(shell, &program, &options, table::line)?;
    step.end(format_args!("{} figures", run.measured.len()));

    print!("{}", table::of_rates(&run));
    fs::create_dir_all(folder)?;
    let file = folder.join("cluster.json");
    fs::write(&file, serde_json::to_string_pretty(&run)?)?;
    println!("\nthe figures are in {}", file.display());
    Ok(ExitCode::SUCCESS)
}
