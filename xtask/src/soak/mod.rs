//! `cargo xtask soak`: random tasks with random faults, for minutes, natively and in browsers.
//!
//! The program is that of the package in `xtask/soak/`. Here it is started, as often as a page must be loaded anew, and
//! judged: each task must have ended once, as it should, and what an engine tells of its memory, its threads and its
//! listeners must not grow from round to round ([`leaks`]).

use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail};
use wasm_mt_soak::Balance;
use xshell::Shell;

use crate::progress::{Step, note};
use crate::setup::{self, Browser, Installed};
use crate::web::Server;

use leaks::Leaks;

mod browser;
mod leaks;
mod native;
mod table;

const PACKAGE: &str = "wasm-mt-soak";
/// A round that takes longer has stopped: its program gives up what is late after half a minute.
const ROUND: Duration = Duration::from_secs(120);

/// Options of `cargo xtask soak`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// How many minutes each target is tried.
    #[arg(long, value_name = "N", default_value_t = 1.0)]
    minutes: f64,
    /// Where: `native` and browsers. All that can be had, unless told.
    #[arg(long, value_delimiter = ',', value_name = "TARGET,..")]
    #[arg(value_parser = ["native", "chromium", "firefox", "webkit"])]
    browser: Vec<String>,
    /// Repeats the plan of another run; one is chosen and printed, unless told.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// The number of the first round: with the seed, it repeats that round.
    #[arg(long, value_name = "N", default_value_t = 0)]
    round: u64,
    /// The kinds of tasks to draw from, as the table names them; without it all that the library is to pass.
    #[arg(long, value_delimiter = ',', value_name = "KIND,..")]
    only: Vec<String>,
}

impl Args {
    fn wants(&self, target: &str) -> bool {
        self.browser.is_empty() || self.browser.iter().any(|wanted| wanted == target)
    }
}

/// What the program is to do.
pub(crate) struct Plan {
    seed: u64,
    /// The number of the first round.
    first: u64,
    only: String,
}

impl Plan {
    /// The plan with this seed, or with one that the clock chooses.
    pub(crate) fn new(seed: Option<u64>) -> Plan {
        // Short enough to be typed.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_millis() as u64);
        Plan { seed: seed.unwrap_or(now % 1_000_000), first: 0, only: String::new() }
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// The options of a program that begins no round after so long, nor when it has started so many workers.
    fn options(&self, first: u64, time: Duration, workers: u64) -> [String; 5] {
        [
            format!("seed={}", self.seed),
            format!("first={first}"),
            format!("seconds={}", time.as_secs()),
            format!("workers={workers}"),
            format!("only={}", self.only),
        ]
    }
}

/// What was found on one target.
pub(crate) struct Outcome {
    target: String,
    rounds: u64,
    balance: Balance,
    leaks: Leaks,
}

impl Outcome {
    fn new(target: impl Into<String>) -> Outcome {
        Outcome { target: target.into(), rounds: 0, balance: Balance::default(), leaks: Leaks::default() }
    }

    /// What is wrong, a line for each.
    fn faults(&self) -> Vec<String> {
        let mut faults = self.balance.faults.clone();
        if !self.balance.is_even() && faults.is_empty() {
            faults.push("not each task has ended once".to_owned());
        }
        if self.balance.spawned == 0 {
            faults.push("nothing was tried".to_owned());
        }
        faults.extend(self.leaks.faults());
        faults
    }

    /// Prints the table. An error has the faults.
    pub(crate) fn judge(&self) -> Result<()> {
        print!("{}", table::of(self));
        let faults = self.faults();
        if !faults.is_empty() {
            bail!("{}", faults.join("\n"));
        }
        Ok(())
    }
}

/// Tries every target in turn; the exit code says if nothing was wrong.
/// Fails if something cannot be built, or a browser that was asked for is missing.
pub(crate) fn run(shell: &Shell, args: &Args) -> Result<ExitCode> {
    let wanted = Browser::ALL.into_iter().filter(|browser| args.wants(&browser.to_string()));
    let browsers = setup::browsers(shell, &wanted.collect::<Vec<_>>())?;
    let browsers = if args.browser.is_empty() { browsers.installed } else { browsers.complete()? };
    let plan = Plan { first: args.round, only: args.only.join(","), ..Plan::new(args.seed) };
    let time = Duration::from_secs_f64(60.0 * args.minutes);
    let mut failed = Vec::new();
    let mut judge = |target: &str, outcome: Result<Outcome>| {
        if let Err(error) = outcome.and_then(|outcome| outcome.judge()) {
            eprintln!("FAILED {target}, seed {}: {error:#}", plan.seed);
            failed.push(target.to_owned());
        }
    };
    note(format_args!("the seed is {}", plan.seed));
    if args.wants("native") {
        judge("native", natively(shell, &plan, time));
    }
    if !browsers.is_empty() {
        let server = serve(shell, &setup::wasm(shell)?)?;
        for browser in &browsers {
            judge(&browser.browser.to_string(), in_browser(&server, browser, &plan, time));
        }
    }
    if failed.is_empty() {
        println!("nothing was lost, and nothing leaks");
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("error: failed: {}; `--seed {}` repeats the plan", failed.join(", "), plan.seed);
    Ok(ExitCode::FAILURE)
}

/// Runs the program natively for a while.
pub(crate) fn natively(shell: &Shell, plan: &Plan, time: Duration) -> Result<Outcome> {
    Step::run("soaking natively", || native::run(shell, plan, time))
}

/// Builds the program for browsers, and serves it.
pub(crate) fn serve(shell: &Shell, wasm: &setup::Wasm) -> Result<Server> {
    Step::run("building the soak for the web", || browser::serve(shell, wasm))
}

/// Runs the program in a browser for a while.
pub(crate) fn in_browser(
    server: &Server,
    browser: &Installed,
    plan: &Plan,
    time: Duration,
) -> Result<Outcome> {
    let name = format!("soaking in {}", browser.browser);
    Step::run(name, || browser::run(server, browser, plan, time))
}
