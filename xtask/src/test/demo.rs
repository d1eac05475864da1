//! The examples, as `cargo xtask demo --headless` runs them: all pass, and one that was spoiled does not.

use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use xshell::Shell;

use super::report::Section;
use crate::progress::{Step, note};
use crate::setup::Installed;

/// Runs the examples in every browser. What the spoiled ones test is not the browser, so the first one will do.
pub(super) fn run(shell: &Shell, browsers: &[Installed]) -> Section {
    let mut section = Section::new("examples");
    let step = Step::begin("the examples");
    for browser in browsers {
        section.check(&format!("every example passes in {}", browser.browser), passes(shell, browser));
    }
    if let Some(browser) = browsers.first() {
        // The comparison of the two pictures is what is tested: the worker's is spoiled on its way.
        let flipped = spoiled_fails(shell, browser, "flipped_pixel.js", "parallel", "differ");
        section.check("one flipped pixel of the Julia set fails", flipped);
        let lost = spoiled_fails(shell, browser, "lost_bar.js", "executors", "bars were drawn");
        section.check("a timeline that lacks one bar fails", lost);
    }
    step.end(format_args!("{} passed, {} failed", section.passed, section.failed));
    section
}

fn passes(shell: &Shell, browser: &Installed) -> Result<()> {
    let (success, output) = demo(shell, browser, &[])?;
    ensure!(success, "`cargo xtask demo --headless` failed:\n{output}");
    Ok(())
}

/// Runs an example with a script that spoils it: it fails, and says why.
fn spoiled_fails(shell: &Shell, browser: &Installed, script: &str, example: &str, why: &str) -> Result<()> {
    let script = format!("xtask/src/test/{script}");
    let (success, output) = demo(shell, browser, &["--inject", &script, example])?;
    if success {
        bail!("`cargo xtask demo --headless` passed with {script}:\n{output}");
    }
    ensure!(output.contains(why), "it failed for another reason:\n{output}");
    Ok(())
}

/// Runs this program's `demo --headless`; gives whether it passed, and what it said.
fn demo(shell: &Shell, browser: &Installed, args: &[&str]) -> Result<(bool, String)> {
    let program = std::env::current_exe().context("failed to find this program")?;
    let name = browser.browser.to_string();
    note(format_args!("demo --headless --browser {name} {}", args.join(" ")));
    let output = Command::new(program)
        .args(["demo", "--headless", "--browser", &name])
        .args(args)
        .current_dir(shell.current_dir())
        .output()
        .context("failed to run the demo")?;
    let text = [output.stdout, output.stderr].concat();
    Ok((output.status.success(), String::from_utf8_lossy(&text).into_owned()))
}
