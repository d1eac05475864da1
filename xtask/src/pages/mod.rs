//! Page tests: a program gets onto a page in many ways, and its workers must find their way from each.
//!
//! The test runner's own page is one such way. Here are the others: policies, odd addresses, both kinds of bindings, and
//! what can be missing ([`scenario`]). The programs are those of the package in `xtask/pages/`; the page tells them by
//! its address what to do, and records what they print and how they end.

use std::time::Duration;

use anyhow::{Context as _, Result};
use fs_err as fs;
use serde::Deserialize;
use xshell::Shell;

use crate::bindings::BindingsTarget;
use crate::setup::{Installed, Wasm};
use crate::web::{Programs, Server, Session, Site};
use crate::workspace;

use scenario::{SCENARIOS, Scenario};

mod scenario;

/// How long a page may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// The pages, built and served.
pub(crate) struct Pages {
    server: Server,
}

/// What a page records of its programs.
#[derive(Debug, Deserialize)]
struct Record {
    /// `ended`, `broken` by an error that nobody took, or still `running`.
    verdict: String,
    output: String,
    /// How each program ended, as JSON: `null` or the text of its error.
    errors: String,
    /// How often a `main` ran.
    mains: String,
    /// Whether the engine has Trusted Types.
    types: String,
}

impl Pages {
    /// Builds the programs, writes the pages and serves them.
    pub(crate) fn build(shell: &Shell, wasm: &Wasm) -> Result<Pages> {
        let folder = workspace::own_dir(shell, "pages")?;
        let programs = Programs::build(shell, wasm, ["--package", "wasm-mt-pages"])?;
        for target in [BindingsTarget::Web, BindingsTarget::NoModules, BindingsTarget::Bundler] {
            for program in ["app", "other", "ported", "visited"] {
                programs.bind(program, &folder.join(format!("{target:?}")), target)?;
            }
        }
        fs::write(folder.join("harness.js"), include_str!("../../pages/harness.js"))?;
        fs::write(folder.join("elsewhere.html"), "<!doctype html>\n<title>elsewhere</title>\n")?;
        // Workers let go of their locks before the answer: on this machine it would come as soon as they are told.
        let mut site = Site::new(&folder).slow("/elsewhere.html", Duration::from_secs(1));
        for scenario in SCENARIOS {
            site = scenario.write(&folder)?.serve(site, &folder);
        }
        Ok(Pages { server: Server::start(site, None)? })
    }

    /// Opens every page whose name, as a test, contains `filter`, and says how each went.
    pub(crate) fn run(&self, browser: &Installed, filter: Option<&str>) -> Vec<(String, Result<()>)> {
        let chosen = SCENARIOS.iter().filter(|page| filter.is_none_or(|part| page.test().contains(part)));
        // One window for all, as long as it answers.
        let mut session = None;
        let mut visit = |scenario: &Scenario| {
            let window = match session.take() {
                Some(window) => window,
                None => Session::start(browser)?,
            };
            let record = self.visit(&window, scenario)?;
            session = Some(window);
            scenario.check(&record)
        };
        chosen.map(|scenario| (scenario.test(), visit(scenario))).collect()
    }

    fn visit(&self, session: &Session, scenario: &Scenario) -> Result<Record> {
        session.open(&self.server.url(&scenario.address()), DEADLINE)?;
        if scenario.leaves {
            session.wait_for_attribute("html", "data-leaving", "no", DEADLINE)?;
            session.open(&self.server.url("/elsewhere.html"), DEADLINE)?;
            session.back(DEADLINE)?;
        }
        session.wait_for_attribute("html", "data-verdict", "running", DEADLINE)?;
        let record = session.get("return { ...document.documentElement.dataset }");
        record.context("the page recorded nothing: is its harness blocked?")
    }
}
