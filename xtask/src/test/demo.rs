//! The examples, as `cargo xtask demo --headless` runs them: all pass, and a wrong result does not.

use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use xshell::Shell;

use super::report::Section;
use crate::progress::{Step, note};
use crate::setup::Installed;

/// Runs the examples in every browser. What the flipped pixel tests is not the browser, so the first one will do.
pub(super) fn run(shell: &Shell, browsers: &[Installed]) -> Section {
    let mut section = Section::new("examples");
    let step = Step::begin("the examples");
    for browser in browsers {
        section.check(&format!("every example passes in {}", browser.browser), passes(shell, browser));
    }
    if let Some(browser) = browsers.first() {
        section.check("one flipped pixel of the Julia set fails", flipped_pixel_fails(shell, browser));
    }
    step.end(format_args!("{} passed, {} failed", section.passed, section.failed));
    section
}

fn passes(shell: &Shell, browser: &Installed) -> Result<()> {
    let (success, output) = demo(shell, browser, &[])?;
    ensure!(success, "`cargo xtask demo --headless` failed:\n{output}");
    Ok(())
}

/// The comparison of the two pictures is what is tested: the worker's is spoiled on its way.
fn flipped_pixel_fails(shell: &Shell, browser: &Installed) -> Result<()> {
    let (success, output) =
        demo(shell, browser, &["--inject", "xtask/src/test/flipped_pixel.js", "parallel"])?;
    if success {
        bail!("`cargo xtask demo --headless` passed with a spoiled picture:\n{output}");
    }
    ensure!(output.contains("differ"), "it failed for another reason:\n{output}");
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
