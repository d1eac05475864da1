//! `cargo xtask test`: everything that must hold, natively and in every browser.
//!
//! A run is a list of sections (checks, native, one per engine). Each counts what passed and failed, no section stops the
//! next, and the last line is the sum of all. Beyond the verdicts of the tests, a run compares *which* tests ran: a test
//! that was lost in one engine, or on one target, fails the run ([`coverage`]).

use std::process::ExitCode;

use anyhow::Context as _;
use xshell::Shell;

use crate::progress::{Step, note};
use crate::setup::{self, Browser, Browsers};
use report::{Report, Section};

mod checks;
mod coverage;
mod demo;
mod engines;
mod native;
mod output;
mod report;
mod soak;
mod stream;

/// Options of `cargo xtask test`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The browsers to test in. By default those that are installed or can be; one that is named here and cannot be
    /// had fails the run.
    #[arg(long, value_delimiter = ',', value_name = "BROWSER,..")]
    browser: Vec<Wanted>,

    /// Runs only tests whose name contains this, and leaves out the checks (formatting, lints, documentation).
    #[arg(long, value_name = "NAME")]
    filter: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Wanted {
    Chromium,
    Firefox,
    Webkit,
    All,
}

impl Args {
    fn browsers(&self) -> Vec<Browser> {
        let everything = self.browser.is_empty() || self.browser.contains(&Wanted::All);
        let wanted = |browser: &Browser| {
            self.browser.contains(&match browser {
                Browser::Chromium => Wanted::Chromium,
                Browser::Firefox => Wanted::Firefox,
                Browser::Webkit => Wanted::Webkit,
            })
        };
        Browser::ALL.into_iter().filter(|browser| everything || wanted(browser)).collect()
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
    if filter.is_none()
        && let Err(error) = setup::linters(shell)
    {
        note(format_args!("warning: {error:#}"));
    }
    let wasm = setup::wasm(shell).inspect_err(|error| note(format_args!("{error:#}")));
    let browsers = setup::browsers(shell, &args.browsers())?;
    step.end("done");

    let declared = coverage::declared(crate::workspace::root()).context("failed to read the tests")?;
    let mut report = Report::default();
    if filter.is_none() {
        report.add(checks::run(shell, wasm.as_ref().ok())?);
    }
    if !filter.is_some_and(engines::names_pages) {
        report.add(native::run(shell, filter)?);
    }
    match &wasm {
        Ok(wasm) => {
            for section in engines::run(shell, wasm, &browsers.installed, &declared, filter)? {
                report.add(section);
            }
            if filter.is_none() && !browsers.installed.is_empty() {
                report.add(demo::run(shell, &browsers.installed));
            }
        }
        Err(error) => {
            let mut section = Section::new("web");
            section.fault(format!("nothing was tested in a browser: {error:#}"));
            report.add(section);
        }
    }
    if filter.is_none() {
        report.add(soak::run(shell, wasm.as_ref().ok(), &browsers.installed));
    }
    account_for_missing(&mut report, &browsers, !args.browser.is_empty());
    report.shared = coverage::check(&mut report.sections, &declared, filter);

    Ok(report.print())
}

/// A browser that could not be had is named; it is a fault if it was asked for, or if there is no other.
fn account_for_missing(report: &mut Report, browsers: &Browsers, asked_for: bool) {
    if asked_for || browsers.installed.is_empty() {
        for missing in &browsers.missing {
            let mut section = Section::new(missing.browser.to_string());
            section.fault(missing.cure.clone());
            report.add(section);
        }
    } else {
        let missing = browsers.missing.iter().map(|missing| format!("{}: {}", missing.browser, missing.cure));
        report.not_run.extend(missing);
    }
}
