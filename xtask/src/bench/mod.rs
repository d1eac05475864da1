//! `cargo xtask bench`: what the library weighs and what it costs, each beside its floor.
//!
//! The floor is the same work done without this library, measured by the same program in the same run: in a browser by
//! plain JavaScript on the same page, natively by the standard library. Only ratios mean something on another machine.
//! Nothing here fails because something is slow. The programs are those of the package in `xtask/benches/`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::builder::PossibleValuesParser;
use clap::error::ErrorKind;
use fs_err as fs;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use wasm_mt_benches::{Benchmark, Measured, ROUNDS};
use xshell::{Shell, cmd};

use crate::bindings::BindingsTarget;
use crate::progress::{Step, note};
use crate::setup::{self, Browser, Installed, Wasm};
use crate::web::{Programs, Server, Session, Site};
use crate::workspace;

use size::Program;

mod cluster;
mod peers;
mod picture;
pub(crate) mod size;
mod table;

const PACKAGE: &str = "wasm-mt-benches";
/// The profile for what is measured in time: optimised as a release is unless its program says otherwise. What is weighed is
/// optimised for size.
const SPEED: &str = "speed";

/// The work in plain JavaScript.
const FLOOR: &str = include_str!("../../benches/floor.js");
/// A script of pages that records what their programs print.
const HARNESS: &str = include_str!("../../pages/harness.js");

/// Options of `cargo xtask bench`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The browsers to measure in.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "BROWSER,..", default_value = "chromium")]
    browser: Vec<Browser>,
    /// How many rounds the round trip has; slower benchmarks have fewer, in proportion.
    #[arg(long, value_name = "N", default_value_t = ROUNDS)]
    rounds: usize,
    /// The benchmarks to run; all but `cluster` unless told. That one is alone, and needs a NATS server, as `cargo xtask nats` does.
    #[arg(long, value_delimiter = ',', value_name = "NAME,..", value_parser = PossibleValuesParser::new(names()))]
    only: Vec<String>,
    /// Weighs programs, and measures no times.
    #[arg(long, conflicts_with_all = ["browser", "rounds", "only"])]
    sizes: bool,
    /// Measures wasm-mt beside other libraries of its kind, and neither beside its floor nor in weight.
    ///
    /// All do the same work with two workers each, in turns: on one page comlink, gloo-worker, wasmworker and workerpool, and
    /// plain JavaScript, natively futures, rayon and tokio, and bare threads. Of `--only` it knows round-trip, tiny-tasks,
    /// transfer, cpu-tasks, and natively fork-join. wasm-bindgen-rayon, whose threads share a memory, is on the page too where a
    /// nightly compiler with the source of std is.
    #[arg(long, conflicts_with = "sizes")]
    peers: bool,
    /// Draws the pictures of what `--peers` has measured before, beside its file of figures, and measures nothing.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["browser", "rounds", "only", "sizes", "peers"])]
    draw: Option<PathBuf>,
}

impl Args {
    /// Refuses options that do not go together and that clap, which looks at each value alone, lets through.
    fn check(&self) -> Result<(), clap::Error> {
        let known = Benchmark::OF_PEERS.map(Benchmark::name);
        let unknown = self.only.iter().find(|name| self.peers && !known.contains(&name.as_str()));
        let fault = match unknown {
            Some(name) => {
                format!("`--peers` does not know '{name}'; of `--only` it knows {}", known.join(", "))
            }
            None if self.is_cluster() && self.only.len() > 1 => {
                format!("'{}' is measured alone; give the others to another run", cluster::NAME)
            }
            None => return Ok(()),
        };
        let mut command = <Self as clap::Args>::augment_args(clap::Command::new("cargo xtask bench"));
        Err(command.error(ErrorKind::InvalidValue, fault))
    }

    fn is_cluster(&self) -> bool {
        self.only.iter().any(|name| name == cluster::NAME)
    }

    /// What the program is told.
    fn options(&self) -> [String; 2] {
        [format!("rounds={}", self.rounds), format!("only={}", self.only.join(","))]
    }
}

/// What `--only` knows.
fn names() -> impl Iterator<Item = &'static str> {
    Benchmark::ALL.map(Benchmark::name).into_iter().chain([cluster::NAME])
}

/// Everything that was measured.
#[derive(Serialize)]
struct Report {
    sizes: Vec<Program>,
    runs: Vec<Run<Measured>>,
}

/// The figures of one platform.
#[derive(Serialize, Deserialize)]
struct Run<M> {
    platform: String,
    /// What runs it, in its own words.
    engine: String,
    /// How many threads can run at once, as far as the platform tells.
    concurrency: u64,
    measured: Vec<M>,
}

/// Measures, prints a table and writes the figures as JSON.
/// Never fails because of a time.
pub(crate) fn run(shell: &Shell, args: &Args) -> Result<ExitCode> {
    args.check().unwrap_or_else(|error| error.exit());
    if let Some(figures) = &args.draw {
        return peers::draw(figures);
    }
    let folder = workspace::target_dir(shell)?.join("bench");
    if args.is_cluster() {
        return cluster::run(shell, args, &folder);
    }
    if args.sizes {
        let sizes = weigh(shell, &setup::wasm(shell)?, &folder)?;
        return print(&Report { sizes, runs: Vec::new() }, &folder.join("sizes.json"));
    }
    // Before the builds: a browser that is missing should be known at once.
    let browsers = setup::browsers(shell, &args.browser)?.complete()?;
    let wasm = setup::wasm(shell)?;
    if args.peers {
        return peers::run(shell, &wasm, &browsers, args, &folder.join("peers"));
    }

    let step = Step::begin("building the benchmarks, for the web and natively");
    let site = folder.join("site");
    let bench = ["--profile", SPEED, "--package", PACKAGE, "--bin", "bench"];
    Programs::build(shell, &wasm, bench)?.bind("bench", &site, BindingsTarget::Web)?;
    for (name, text) in [
        ("index.html", include_str!("../../benches/index.html")),
        ("floor.js", FLOOR),
        ("harness.js", HARNESS),
    ] {
        fs::write(site.join(name), text)?;
    }
    cmd!(shell, "cargo build --quiet {bench...}").quiet().run()?;
    step.end("built");

    let sizes = weigh(shell, &wasm, &folder)?;
    let server = Server::start(Site::new(&site), None)?;
    let runs = measure(shell, &server, "bench", &browsers, args, table::line)?;
    print(&Report { sizes, runs }, &folder.join("bench.json"))
}

/// Measures in all browsers and natively; says each figure in a line as it comes.
fn measure<M: DeserializeOwned>(
    shell: &Shell,
    server: &Server,
    program: &str,
    browsers: &[Installed],
    args: &Args,
    line: fn(&M) -> String,
) -> Result<Vec<Run<M>>> {
    let mut runs = Vec::new();
    for browser in browsers {
        let step = Step::begin(format!("measuring in {}", browser.browser));
        let run = in_browser(server, browser, args)?;
        run.measured.iter().for_each(|each| note(line(each)));
        step.end(format_args!("{} figures", run.measured.len()));
        runs.push(run);
    }
    let step = Step::begin("measuring natively");
    let program =
        workspace::target_dir(shell)?.join(SPEED).join(format!("{program}{}", std::env::consts::EXE_SUFFIX));
    let run = natively(shell, &program, &args.options(), line)?;
    step.end(format_args!("{} figures", run.measured.len()));
    runs.push(run);
    Ok(runs)
}

/// Measures with a program of this machine; says each figure in a line.
fn natively<M: DeserializeOwned>(
    shell: &Shell,
    program: &Path,
    options: &[String],
    line: fn(&M) -> String,
) -> Result<Run<M>> {
    let measured: Vec<M> = read(&cmd!(shell, "{program} {options...}").quiet().read()?)?;
    measured.iter().for_each(|each| note(line(each)));
    Ok(Run {
        platform: "native".to_owned(),
        engine: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        concurrency: thread::available_parallelism().map_or(1, |count| count.get() as u64),
        measured,
    })
}

fn weigh(shell: &Shell, wasm: &Wasm, folder: &Path) -> Result<Vec<Program>> {
    Step::run("weighing programs", || size::weigh_all(shell, wasm, &folder.join("sizes")))
}

/// Prints what was measured, and writes it to a file.
fn print(report: &Report, file: &Path) -> Result<ExitCode> {
    print!("\n{}", table::of(report));
    fs::write(file, serde_json::to_string_pretty(report)?)?;
    println!("\nthe figures are in {}", file.display());
    Ok(ExitCode::SUCCESS)
}

/// Opens the page of benchmarks and waits for its end.
fn in_browser<M: DeserializeOwned>(server: &Server, browser: &Installed, args: &Args) -> Result<Run<M>> {
    // Several times what a quiet machine takes: only a page that has stopped is to be given up.
    let deadline = Duration::from_secs(120 + 30 * args.rounds as u64);
    let session = Session::start(browser)?;
    session.open(&server.url(&format!("/?{}", args.options().join("&"))), deadline)?;
    let verdict = session.wait_for_attribute("html", "data-verdict", "running", deadline)?;
    let output: String = session.get("return document.documentElement.dataset.output ?? ''")?;
    match verdict.as_deref() {
        Some("ended") => Ok(Run {
            platform: browser.browser.to_string(),
            engine: session.get("return navigator.userAgent")?,
            concurrency: session.get("return navigator.hardwareConcurrency")?,
            measured: read(&output)?,
        }),
        Some(verdict) => bail!("the page is {verdict}: {output}"),
        None => bail!("the page did not end within {} s: {output}", deadline.as_secs()),
    }
}

/// The figures that a program printed, one a line.
fn read<M: DeserializeOwned>(output: &str) -> Result<Vec<M>> {
    let figures = output.lines().map(|line| {
        serde_json::from_str(line).with_context(|| format!("the program printed no benchmark: {line}"))
    });
    figures.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_prints_is_read() {
        let line = r#"{"name":"a","ours":{"median":2.0,"least":1.0,"most":3.0},"beside":"b","floor":{"median":1.0,
            "least":1.0,"most":1.0},"ratio":{"median":2.0,"least":1.0,"most":3.0},"aim":{"AtMost":1.5},"rounds":3,"operations":8}"#;
        let measured = read::<Measured>(&line.replace('\n', "")).unwrap();
        assert_eq!((measured[0].name.as_str(), measured[0].operations), ("a", 8));
    }

    #[test]
    fn peers_are_asked_only_for_what_they_do() {
        #[derive(clap::Parser)]
        struct Cli {
            #[command(flatten)]
            args: Args,
        }
        let check = |line: &str| {
            let line = line.split(' ');
            <Cli as clap::Parser>::try_parse_from(line).and_then(|cli| cli.args.check())
        };
        assert!(check("bench --peers --only round-trip,fork-join").is_ok());
        assert!(check("bench --only julia").is_ok());
        assert!(check("bench --only cluster").is_ok());
        let fault = check("bench --only julia,cluster").unwrap_err().to_string();
        assert!(fault.contains("'cluster' is measured alone"), "{fault}");
        let fault = check("bench --peers --only round-trip,julia").unwrap_err().to_string();
        assert!(fault.contains("'julia'") && fault.contains("cpu-tasks, fork-join"), "{fault}");
    }

    #[test]
    fn a_program_that_says_something_else_has_failed() {
        let error = read::<Measured>("Error: no worker").unwrap_err().to_string();
        assert!(error.contains("no worker"), "{error}");
    }
}
