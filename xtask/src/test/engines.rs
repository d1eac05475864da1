//! The integration tests in engines, through wasm-bindgen's test runner, which is this program itself.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, ensure};
use fs_err as fs;
use xshell::Shell;

use super::coverage::{Declared, TestPage};
use super::output::TestList;
use super::report::Section;
use super::{runtimes, stream};
use crate::pages::Pages;
use crate::progress::{Step, at_once};
use crate::setup::{Browser, Installed, Runtime, Wasm};
use crate::workspace;

/// The limit for one test binary on one page, in seconds.
const LIMIT: &str = "300";

/// Where tests for the web run.
#[derive(Clone, Copy)]
pub(super) enum Engine<'a> {
    Browser(&'a Installed),
    /// With the folder of the program that runs them.
    Runtime(Runtime, &'a Path),
}

/// Runs the tests, which were built, in each engine; a section for each. Two engines run at a time: most tests wait for something
/// to happen.
pub(super) fn run(
    shell: &Shell,
    wasm: &Wasm,
    engines: &[Engine<'_>],
    declared: &Declared,
    filter: Option<&str>,
) -> anyhow::Result<Vec<Section>> {
    let only_pages = filter.is_some_and(names_pages);
    let pages = engines.iter().any(|engine| matches!(engine, Engine::Browser(_))).then(|| {
        let step = Step::begin("building the pages");
        let pages = Pages::build(shell, wasm);
        step.end(if pages.is_ok() { "built" } else { "failed" });
        pages
    });
    let run = |shell: &Shell, engine: Engine<'_>| match engine {
        Engine::Runtime(runtime, folder) => {
            let command = wasm.cargo(shell, "test").args(["--tests", "--no-fail-fast", "--config"]);
            runtimes::run(Command::from(command.arg(runner()?).arg("--").args(filter)), runtime, folder)
        }
        Engine::Browser(browser) => {
            let mut section = Section { is_engine: true, ..Section::new(browser.browser.to_string()) };
            if !only_pages {
                run_in(shell, wasm, browser, declared, filter, &mut section)?;
            }
            match &pages {
                Some(Ok(pages)) => run_pages(pages, browser, filter, &mut section),
                Some(Err(error)) => section.fault(format!("the pages cannot be built: {error:#}")),
                None => {}
            }
            Ok(section)
        }
    };
    let next = AtomicUsize::new(0);
    let lane = || -> anyhow::Result<Vec<_>> {
        let shell = Shell::new()?;
        shell.change_dir(workspace::root());
        let mut sections = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(engine) = engines.get(place) else { return Ok(sections) };
            sections.push((place, run(&shell, *engine)?));
        }
    };
    let (first, second) = at_once(lane, lane);
    let mut sections = [first?, second?].concat();
    sections.sort_by_key(|(place, _)| *place);
    Ok(sections.into_iter().map(|(_, section)| section).collect())
}

/// True if only page tests are meant.
pub(super) fn names_pages(filter: &str) -> bool {
    filter.starts_with("pages::")
}

/// Builds the tests for the web, and lists them: none if only page tests are meant.
pub(super) fn build_tests(shell: &Shell, wasm: &Wasm, filter: Option<&str>) -> anyhow::Result<Declared> {
    let mut list = TestList::default();
    if !filter.is_some_and(names_pages) {
        let step = Step::begin("building the tests for the web");
        let command = wasm.cargo(shell, "test").args(["--tests", "--config"]).arg(runner()?);
        let built = stream::run(Command::from(command.args(["--", "--list"])), |line| list.line(line))?;
        step.end(format_args!("{} tests", list.tests.len()));
        ensure!(built, "the tests do not compile for the web");
    }
    Ok(Declared(list.tests))
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

/// Runs all suites on a page each; of some, groups of tests have a page each.
fn run_in(
    shell: &Shell,
    wasm: &Wasm,
    browser: &Installed,
    declared: &Declared,
    filter: Option<&str>,
    section: &mut Section,
) -> anyhow::Result<()> {
    let name = browser.browser.to_string();
    let step = Step::begin(format!("tests in {name}"));
    let capabilities = workspace::own_dir(shell, "webdriver")?.join(format!("{name}.json"));
    fs::write(&capabilities, browser.capabilities().to_string())?;

    for Selection { suites, args, page } in selections(declared, filter) {
        let command = wasm.cargo(shell, "test").args(&suites).args(["--no-fail-fast", "--config"]);
        let command = command
            .arg(runner()?)
            .arg("--")
            .args(&args)
            .env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", &capabilities)
            .env("WASM_BINDGEN_USE_BROWSER", "1")
            .env("WASM_BINDGEN_TEST_TIMEOUT", LIMIT)
            .env("WASM_BINDGEN_TEST_DRIVER_TIMEOUT", "30")
            // Without this the runner's server sends the headers that shared memory needs; we promise to do without.
            .env("WASM_BINDGEN_TEST_NO_ORIGIN_ISOLATION", "1");
        let due: Vec<&String> = declared.wanted(filter).filter(|test| TestPage::of(test) == page).collect();
        run_selection(browser, Command::from(command), &due, section)?;
    }
    if section.passed == 0 && filter.is_none() && section.failed == 0 {
        section.fault("no test ran".to_owned());
    }
    step.end(format_args!("{} passed, {} failed", section.passed, section.failed));
    Ok(())
}

/// Runs one selection. `due`: its tests.
fn run_selection(
    browser: &Installed,
    command: Command,
    due: &[&String],
    section: &mut Section,
) -> anyhow::Result<()> {
    let mut command = wrap(&browser.wrapper, command);
    // The runner takes the first driver that is named, whatever browser was meant.
    for other in Browser::ALL {
        command.env_remove(other.driver_variable());
    }
    command.env(browser.browser.driver_variable(), &browser.driver);
    // The runner ends drivers by force, and they leave their browsers' profiles behind.
    let profile =
        tempfile::Builder::new().prefix("wasm-mt-").tempdir().context("failed to create a folder")?;
    command.env("TMPDIR", profile.path()).env("TMP", profile.path());
    section.run_tests(command, due)
}

/// What one call of Cargo runs.
#[derive(Debug, PartialEq, Eq)]
struct Selection {
    /// For Cargo.
    suites: Vec<String>,
    /// For the runner of tests.
    args: Vec<String>,
    page: Option<TestPage>,
}

/// First all tests without a page of their own, then each page with a test that is wanted.
fn selections(declared: &Declared, filter: Option<&str>) -> Vec<Selection> {
    let pages = declared.pages(None);
    let args = |wanted: Option<&TestPage>| {
        let is_near = |page: &&TestPage| wanted.is_none_or(|wanted| wanted.suite == page.suite);
        let others = pages.iter().filter(is_near).filter(|page| Some(*page) != wanted);
        let skips = others.flat_map(|page| ["--skip".to_owned(), page.prefix()]);
        // Without a filter, what has no page has run.
        let first = filter.map(str::to_owned).or_else(|| wanted.map(TestPage::prefix));
        first.into_iter().chain(skips).collect()
    };
    let all = Selection { suites: vec!["--tests".to_owned()], args: args(None), page: None };
    let of_page = |page: TestPage| {
        let (suites, args) = (vec!["--test".to_owned(), page.suite.clone()], args(Some(&page)));
        Selection { suites, args, page: Some(page) }
    };
    std::iter::once(all).chain(declared.pages(filter).into_iter().map(of_page)).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn args(filter: Option<&str>) -> Vec<String> {
        let tests = ["it::run::one", "matrix::page_1::one", "matrix::page_2::two", "matrix::page_2::three"];
        let tests = tests.into_iter().chain(["it::page_1::four::web"]).map(str::to_owned).collect();
        let selections = selections(&Declared(tests), filter);
        selections.into_iter().map(|one| [one.suites, one.args].concat().join(" ")).collect()
    }

    #[test]
    fn each_page_is_run_by_itself_and_once() {
        assert_eq!(
            args(None),
            [
                "--tests --skip page_1:: --skip page_1:: --skip page_2::",
                "--test it page_1::",
                "--test matrix page_1:: --skip page_2::",
                "--test matrix page_2:: --skip page_1::",
            ]
        );
    }

    #[test]
    fn pages_without_a_test_that_is_wanted_are_left_out() {
        assert_eq!(
            args(Some("three")),
            [
                "--tests three --skip page_1:: --skip page_1:: --skip page_2::",
                "--test matrix three --skip page_1::"
            ]
        );
    }
}
