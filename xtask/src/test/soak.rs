//! A minute of `cargo xtask soak`, shared by all targets.

use std::time::Duration;

use anyhow::{Context as _, Result};
use xshell::Shell;

use super::report::Section;
use crate::progress::note;
use crate::setup::{Installed, Wasm};
use crate::soak::{self, Outcome, Plan};

/// How long all targets are tried together.
const TIME: Duration = Duration::from_secs(60);

/// Tries each target; a check for each.
pub(super) fn run(shell: &Shell, wasm: Option<&Wasm>, browsers: &[Installed]) -> Section {
    let mut section = Section::new("soak");
    let plan = Plan::new(None);
    let time = TIME / (1 + browsers.len() as u32);
    note(format_args!("the soak's seed is {}", plan.seed()));
    let mut judge = |target: &str, outcome: Result<Outcome>| {
        let judged = outcome.and_then(|outcome| outcome.judge());
        let again = || format!("`cargo xtask soak --browser {target} --seed {}` repeats it", plan.seed());
        section.check(target, judged.with_context(again));
    };
    judge("native", soak::natively(shell, &plan, time));
    if let (Some(wasm), false) = (wasm, browsers.is_empty()) {
        match soak::serve(shell, wasm) {
            Ok(server) => {
                for browser in browsers {
                    let outcome = soak::in_browser(&server, browser, &plan, time);
                    judge(&browser.browser.to_string(), outcome);
                }
            }
            Err(error) => section.fault(format!("the soak cannot be built for the web: {error:#}")),
        }
    }
    section
}
