//! The program on pages.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use fs_err as fs;
use serde::Deserialize;
use serde_json::json;
use wasm_mt_soak::Round;
use xshell::Shell;

use super::{Outcome, PACKAGE, Plan, ROUND};
use crate::bindings::BindingsTarget;
use crate::setup::{Browser, Installed, Wasm};
use crate::web::{Programs, Server, Session, Site};
use crate::workspace;

/// How often the page is asked whether a round is over.
const POLL: Duration = Duration::from_millis(100);

pub(super) fn serve(shell: &Shell, wasm: &Wasm) -> Result<Server> {
    let folder = workspace::own_dir(shell, "soak")?;
    Programs::build(shell, wasm, ["--package", PACKAGE])?.bind("soak", &folder, BindingsTarget::Web)?;
    fs::write(folder.join("index.html"), include_str!("../../soak/index.html"))?;
    fs::write(folder.join("page.js"), include_str!("../../soak/page.js"))?;
    Server::start(Site::new(&folder), None)
}

/// How many workers a page may start before it is loaded anew: Chromium has room for little more than a hundred instances,
/// and those that have ended count for a while.
fn most_workers(browser: Browser) -> u64 {
    match browser {
        Browser::Chromium => 60,
        Browser::Firefox | Browser::Webkit => 300,
    }
}

pub(super) fn run(server: &Server, browser: &Installed, plan: &Plan, time: Duration) -> Result<Outcome> {
    let since = Instant::now();
    let mut outcome = Outcome::new(browser.browser.to_string());
    // The first page is loaded in any case.
    while outcome.rounds == 0 || since.elapsed() < time {
        let rest = time.saturating_sub(since.elapsed());
        let options = plan.options(plan.first + outcome.rounds, rest, most_workers(browser.browser));
        let session = Session::start(browser)?;
        session.open(&server.url(&format!("/?{}", options.join("&"))), ROUND)?;
        outcome.leaks.begin();
        let balance = follow(&session, browser.browser, plan, &mut outcome)?;
        outcome.balance.add(&balance);
        if !outcome.balance.faults.is_empty() {
            break;
        }
    }
    Ok(outcome)
}

/// What the page says.
#[derive(Deserialize)]
struct Record {
    rounds: Vec<String>,
    end: Option<String>,
    errors: Vec<String>,
}

/// Follows a page to its end.
fn follow(
    session: &Session,
    browser: Browser,
    plan: &Plan,
    outcome: &mut Outcome,
) -> Result<wasm_mt_soak::Balance> {
    let mut balance = wasm_mt_soak::Balance::default();
    let mut since = Instant::now();
    loop {
        let script = "return { rounds: soak.rounds.splice(0), end: soak.end, errors: soak.errors }";
        let record: Record = session.get(script)?;
        let number = plan.first + outcome.rounds;
        for line in &record.rounds {
            let round: Round = serde_json::from_str(line)?;
            let mut gauges = round.gauges;
            gauges.extend(look(session, browser)?);
            outcome.rounds += 1;
            outcome.leaks.add(&gauges);
            balance = round.balance;
            session.execute("soak.resume()", &[])?;
            since = Instant::now();
        }
        match record.end.as_deref() {
            Some("") => return Ok(balance),
            Some(end) => bail!("the page ended in round {number}: {end}; {}", record.errors.join("; ")),
            None if since.elapsed() > ROUND => {
                bail!("round {number} did not end within {} s; {}", ROUND.as_secs(), record.errors.join("; "))
            }
            None => thread::sleep(POLL),
        }
    }
}

/// What the browser tells of the page from outside. Only Chromium does: the others' drivers have no such command.
fn look(session: &Session, browser: Browser) -> Result<Vec<(String, u64)>> {
    if browser != Browser::Chromium {
        return Ok(Vec::new());
    }
    session.devtools("HeapProfiler.enable", &json!({}))?;
    session.devtools("HeapProfiler.collectGarbage", &json!({}))?;
    let heap = session.devtools("Runtime.getHeapUsage", &json!({}))?;
    let counters = session.devtools("Memory.getDOMCounters", &json!({}))?;
    let kilobytes = heap["usedSize"].as_f64().unwrap_or_default() as u64 / 1024;
    let listeners = counters["jsEventListeners"].as_u64().unwrap_or_default();
    Ok(vec![("JavaScript heap KiB".to_owned(), kilobytes), ("listeners".to_owned(), listeners)])
}
