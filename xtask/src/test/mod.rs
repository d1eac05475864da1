//! `cargo xtask test`: everything that must hold, natively and in every browser.
//!
//! A run is a list of sections (checks, native, one per engine). Each counts what passed and failed, no section stops the
//! next, and the last line is the sum of all. Beyond the verdicts of the tests, a run compares *which* tests ran: a test
//! that was lost in one engine, or on one target, fails the run ([`coverage`]).

use std::process::ExitCode;

use xshell::Shell;

use crate::bench::size;
use crate::houses;
use crate::progress::{Step, note};
use crate::setup::{self, Browser, Browsers, Installed, Runtime, Wasm};
use coverage::Declared;
use engines::Engine;
use report::{Report, Section};

mod checks;
mod coverage;
mod demo;
mod engines;
mod native;
mod output;
mod report;
mod runtimes;
mod soak;
mod stream;

/// Options of `cargo xtask test`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Where to test, without the checks. By default everywhere, in all browsers and runtimes that are installed or can be; one that
    /// is named here and cannot be had fails the run.
    #[arg(long, value_delimiter = ',', value_name = "PLATFORM,..")]
    #[arg(value_parser = ["native", "chromium", "firefox", "webkit", "node", "deno"])]
    on: Vec<String>,

    /// Runs only tests whose name contains this, and leaves out the checks (formatting, lints, documentation).
    #[arg(long, value_name = "NAME")]
    filter: Option<String>,
}

impl Args {
    fn includes(&self, platform: impl ToString) -> bool {
        self.on.is_empty() || self.on.contains(&platform.to_string())
    }

    /// True if everything is to run: the checks too.
    fn is_whole(&self) -> bool {
        self.filter.is_none() && self.on.is_empty()
    }
}

/// Runs everything and prints the report; the exit code says if all passed.
pub(crate) fn run(shell: &Shell, args: &Args) -> ExitCode {
    match run_all(shell, args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            // Whoever reads the last line alone must not take this for a pass.
            println!("0 passed, 1 failed");
            ExitCode::FAILURE
        }
    }
}

fn run_all(shell: &Shell, args: &Args) -> anyhow::Result<bool> {
    let filter = args.filter.as_deref();
    let step = Step::begin("set-up");
    if args.is_whole()
        && let Err(error) = setup::linters(shell)
    {
        note(format_args!("warning: {error:#}"));
    }
    let wasm = setup::wasm(shell).inspect_err(|error| note(format_args!("{error:#}")));
    let wanted: Vec<_> = Browser::ALL.into_iter().filter(|browser| args.includes(browser)).collect();
    let browsers = setup::browsers(shell, &wanted)?;
    let only_pages = filter.is_some_and(engines::names_pages);
    let mut report = Report::default();
    let mut runtimes = Vec::new();
    for runtime in Runtime::ALL.into_iter().filter(|runtime| args.includes(runtime) && !only_pages) {
        match runtime.ensure(shell) {
            Ok(folder) => runtimes.push((runtime, folder)),
            Err(error) if args.on.is_empty() => report.not_run.push(format!("{runtime}: {error:#}")),
            Err(error) => report.add(fault(&runtime.to_string(), format!("{error:#}"))),
        }
    }
    step.end("done");

    let mut declared = Declared::default();
    if args.is_whole() {
        report.add(checks::run(shell, wasm.as_ref().ok())?);
    }
    if args.includes("native") && !only_pages {
        report.add(native::run(shell, filter)?);
    }
    let mut engines: Vec<_> = browsers.installed.iter().map(Engine::Browser).collect();
    engines.extend(runtimes.iter().map(|(runtime, folder)| Engine::Runtime(*runtime, folder)));
    match &wasm {
        Ok(_) if engines.is_empty() => {}
        Ok(wasm) => match engines::build_tests(shell, wasm, filter) {
            Ok(built) => {
                declared = built;
                for section in engines::run(shell, wasm, &engines, &declared, filter)? {
                    report.add(section);
                }
                if args.is_whole() && !browsers.installed.is_empty() {
                    report.add(demo::run(shell, &browsers.installed));
                    report.add(visit_houses(shell, wasm, &browsers.installed));
                }
            }
            Err(error) => report.add(fault("web", format!("{error:#}"))),
        },
        Err(error) => report.add(fault("web", format!("nothing was tested for the web: {error:#}"))),
    }
    if args.is_whole()
        && let Ok(wasm) = &wasm
    {
        report.add(weigh(shell, wasm));
    }
    if args.is_whole() {
        report.add(soak::run(shell, wasm.as_ref().ok(), &browsers.installed));
    }
    account_for_missing(&mut report, browsers, !args.on.is_empty());
    report.shared = coverage::check(&mut report.sections, &declared, filter);

    Ok(report.print())
}

/// What small programs weigh.
fn weigh(shell: &Shell, wasm: &Wasm) -> Section {
    let mut section = Section::new("sizes");
    match size::check(shell, wasm) {
        Ok(verdicts) => verdicts.into_iter().for_each(|(name, verdict)| section.check(name, verdict)),
        Err(error) => section.fault(format!("{error:#}")),
    }
    section
}

/// The application of `tests/houses` where it is quick to build.
fn visit_houses(shell: &Shell, wasm: &Wasm, browsers: &[Installed]) -> Section {
    let mut section = Section::new("houses");
    match houses::visit_quick(shell, wasm, browsers) {
        Ok(results) => results.into_iter().for_each(|(name, result)| section.check(name, result.map(drop))),
        Err(error) => section.fault(format!("{error:#}")),
    }
    section
}

/// Nothing ran there.
fn fault(section: &str, what: String) -> Section {
    let mut section = Section::new(section);
    section.fault(what);
    section
}

/// A browser that could not be had is named; it is a fault if it was asked for, or if there is no other.
fn account_for_missing(report: &mut Report, browsers: Browsers, asked_for: bool) {
    for (browser, cure) in browsers.missing {
        if asked_for || browsers.installed.is_empty() {
            report.add(fault(&browser.to_string(), cure));
        } else {
            report.not_run.push(format!("{browser}: {cure}"));
        }
    }
}
