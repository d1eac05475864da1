//! The integration tests in browsers, through wasm-bindgen's test runner, which is this program itself.

use std::path::Path;
use std::process::Command;

use anyhow::Context as _;
use xshell::Shell;

use super::output::{Output, TestList};
use super::report::Section;
use super::stream;
use crate::pages::Pages;
use crate::progress::{Step, note};
use crate::setup::{Browser, Installed, Wasm};
use crate::workspace;

/// The limit for one test binary in one browser, in seconds.
const LIMIT: &str = "300";

/// Builds the tests once and runs them in each browser; a section for each.
pub(super) fn run(
    shell: &Shell,
    wasm: &Wasm,
    browsers: &[Installed],
    filter: Option<&str>,
) -> anyhow::Result<Vec<Section>> {
    if browsers.is_empty() {
        return Ok(Vec::new());
    }
    let step = Step::begin("building the tests for the web");
    let command = wasm.cargo(shell, "test").args(["--tests", "--no-run"]);
    let built = stream::run(Command::from(command), |_| {})?;
    step.end(if built { "built" } else { "failed" });
    if !built {
        let mut section = Section::new("web");
        section.fault("the tests do not compile for the web".to_owned());
        return Ok(vec![section]);
    }
    let step = Step::begin("building the pages");
    let pages = Pages::build(shell, wasm);
    step.end(if pages.is_ok() { "built" } else { "failed" });
    let run = |browser| {
        let mut section = run_in(shell, wasm, browser, filter)?;
        match &pages {
            Ok(pages) => run_pages(pages, browser, filter, &mut section),
            Err(error) => section.fault(format!("the pages cannot be built: {error:#}")),
        }
        Ok(section)
    };
    browsers.iter().map(run).collect()
}

/// The page tests: what the runner's own page cannot show.
fn run_pages(pages: &Pages, browser: &Installed, filter: Option<&str>, section: &mut Section) {
    let step = Step::begin(format!("pages in {}", browser.browser));
    let (passed, failed) = (section.passed, section.failed);
    for (name, result) in pages.run(browser, filter) {
        section.check(&name, result);
    }
    step.end(format_args!("{} passed, {} failed", section.passed - passed, section.failed - failed));
}

fn run_in(shell: &Shell, wasm: &Wasm, browser: &Installed, filter: Option<&str>) -> anyhow::Result<Section> {
    let name = browser.browser.to_string();
    let step = Step::begin(format!("tests in {name}"));
    let capabilities = workspace::own_dir(shell, "webdriver")?.join(format!("{name}.json"));
    std::fs::write(&capabilities, browser.capabilities().to_string())
        .with_context(|| format!("failed to write {}", capabilities.display()))?;

    let tests = || -> anyhow::Result<_> {
        let command = wasm.cargo(shell, "test").args(["--tests", "--no-fail-fast", "--config"]);
        Ok(command.arg(runner()?).args(filter))
    };
    let command = tests()?
        .env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", &capabilities)
        .env("WASM_BINDGEN_TEST_TIMEOUT", LIMIT)
        .env("WASM_BINDGEN_TEST_DRIVER_TIMEOUT", "30")
        // Without this the runner's server sends the headers that shared memory needs; we promise to do without.
        .env("WASM_BINDGEN_TEST_NO_ORIGIN_ISOLATION", "1");
    let mut command = wrap(&browser.wrapper, Command::from(command));
    // The runner takes the first driver that is named, whatever browser was meant.
    for other in Browser::ALL {
        command.env_remove(other.driver_variable());
    }
    command.env(browser.browser.driver_variable(), &browser.driver);
    // The runner ends drivers by force, and they leave their browsers' profiles behind.
    let profile =
        tempfile::Builder::new().prefix("wasm-mt-").tempdir().context("failed to create a folder")?;
    command.env("TMPDIR", profile.path()).env("TMP", profile.path());

    let mut section = Section { is_engine: true, ..Section::new(name) };
    let mut output = Output::default();
    let success = stream::run(command, |line| output.line(line))?;
    output.end();
    if !output.unfinished.is_empty() {
        note("a suite has not ended: within which test?");
        let mut list = TestList::default();
        stream::run(Command::from(tests()?.args(["--", "--list"])), |line| list.line(line))?;
        output.name_hung(&list);
    }
    section.add_tests(output, success);
    if section.passed == 0 && filter.is_none() && section.failed == 0 {
        section.fault("no test ran".to_owned());
    }
    step.end(format_args!("{} passed, {} failed", section.passed, section.failed));
    Ok(section)
}

/// Names this program as the target's runner; as a list, since a path may contain spaces.
fn runner() -> anyhow::Result<String> {
    let program = std::env::current_exe().context("failed to find this program's path")?;
    let program = program.to_str().context("this program's path is not Unicode")?;
    Ok(format!("target.{}.runner=[{}, \"wasm-runner\"]", crate::setup::TARGET, serde_json::json!(program)))
}

/// `wrapper program args`, in the same folder and environment.
fn wrap(wrapper: &[impl AsRef<Path>], command: Command) -> Command {
    let Some((first, rest)) = wrapper.split_first() else { return command };
    let mut wrapped = Command::new(first.as_ref());
    wrapped.args(rest.iter().map(AsRef::as_ref)).arg(command.get_program()).args(command.get_args());
    if let Some(dir) = command.get_current_dir() {
        wrapped.current_dir(dir);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => wrapped.env(name, value),
            None => wrapped.env_remove(name),
        };
    }
    wrapped
}
