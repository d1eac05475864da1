//! Reads what `cargo test` prints, natively and through the browser test runner.
//!
//! Counts are taken from the `test result:` lines. Names are taken from the `test .. ok` lines, and serve to compare which
//! tests ran where: a line that other output tore apart loses a name, never a count.

use std::collections::BTreeMap;

/// What a test came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Passed,
    Failed,
    Ignored,
}

/// What has been read so far.
#[derive(Debug, Default)]
pub(super) struct Output {
    pub(super) passed: usize,
    pub(super) failed: usize,
    pub(super) ignored: usize,
    /// By `suite::path`; a suite is a test binary, named without Cargo's hash.
    pub(super) tests: BTreeMap<String, Outcome>,
    /// Suites that printed no result: killed, hung, or never loaded. With the test that hung, where that is known.
    pub(super) unfinished: Vec<(String, Option<String>)>,
    suite: Option<Suite>,
}

#[derive(Debug)]
struct Suite {
    name: String,
    is_doc: bool,
    finished: bool,
    /// A test whose verdict stands on a later line, because it printed something itself.
    pending: Option<String>,
}

impl Output {
    /// Takes one line.
    pub(super) fn line(&mut self, line: &str) {
        if let Some(name) = suite_of(line) {
            self.begin(name, false);
        } else if let Some(name) = line.strip_prefix("   Doc-tests ") {
            self.begin(format!("doc {name}"), true);
        } else if let Some(suite) = &mut self.suite {
            if let Some(counts) = line.strip_prefix("test result: ") {
                suite.finished = true;
                self.passed += count(counts, "passed");
                self.failed += count(counts, "failed");
                self.ignored += count(counts, "ignored");
            } else if line == "no tests to run!" {
                suite.finished = true;
            } else if let Some((name, verdict)) =
                line.strip_prefix("test ").and_then(|s| s.split_once(" ... "))
            {
                // The tests of what must not compile print lines of the same shape, with the path of a file.
                if suite.is_doc || !name.contains('/') {
                    let name = format!("{}::{}", suite.name, name.trim_end_matches(" - should panic"));
                    match outcome(verdict) {
                        Some(outcome) => drop(self.tests.insert(name, outcome)),
                        None => suite.pending = Some(name),
                    }
                }
            } else if let (Some(outcome), true) = (outcome(line), suite.pending.is_some()) {
                self.tests.extend(suite.pending.take().map(|name| (name, outcome)));
            }
        }
    }

    /// Takes the end of the output.
    pub(super) fn end(&mut self) {
        if let Some(suite) = self.suite.take().filter(|suite| !suite.finished) {
            self.unfinished.push((suite.name, None));
        }
    }

    /// Names the test in which each unfinished suite stopped, of those that were to run. The browser runner runs one test at a
    /// time, and begins with the last of its list.
    pub(super) fn name_hung(&mut self, tests: &[&String]) {
        for (suite, hung) in &mut self.unfinished {
            let prefix = format!("{suite}::");
            let mut of_suite = tests.iter().rev().filter(|test| test.starts_with(&prefix));
            *hung = of_suite.find(|test| !self.tests.contains_key(**test)).map(|test| (*test).clone());
        }
    }

    fn begin(&mut self, name: String, is_doc: bool) {
        self.end();
        self.suite = Some(Suite { name, is_doc, finished: false, pending: None });
    }
}

/// What `cargo test -- --list` prints: the tests in the order of their binaries, by `suite::path`.
#[derive(Debug, Default)]
pub(super) struct TestList {
    pub(super) tests: Vec<String>,
    suite: String,
}

impl TestList {
    /// Takes one line.
    pub(super) fn line(&mut self, line: &str) {
        if let Some(suite) = suite_of(line) {
            self.suite = suite;
        } else if let Some(name) = line.strip_suffix(": test") {
            self.tests.push(format!("{}::{name}", self.suite));
        }
    }
}

/// `     Running tests/run.rs (target/debug/deps/run-0123456789abcdef)` begins the suite `run`.
fn suite_of(line: &str) -> Option<String> {
    let (_, path) = line.strip_prefix("     Running ")?.strip_suffix(')')?.split_once(" (")?;
    let file = path.rsplit(['/', '\\']).next()?;
    let stem = file.split_once('.').map_or(file, |(stem, _)| stem);
    Some(stem.rsplit_once('-').map_or(stem, |(name, _)| name).to_owned())
}

fn outcome(verdict: &str) -> Option<Outcome> {
    // A time or a reason may follow: `ok <0.5s>`, `ignored, needs a display`.
    match verdict.split([' ', ',']).next()? {
        "ok" => Some(Outcome::Passed),
        "FAILED" | "FAIL" => Some(Outcome::Failed),
        "ignored" => Some(Outcome::Ignored),
        _ => None,
    }
}

/// The number before a word in `ok. 2 passed; 0 failed; 1 ignored; ..`.
fn count(counts: &str, what: &str) -> usize {
    let part = counts.split([';', '.']).map(str::trim).find_map(|part| part.strip_suffix(what));
    part.and_then(|number| number.trim().parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Output {
        let mut output = Output::default();
        text.lines().for_each(|line| output.line(line));
        output.end();
        output
    }

    #[test]
    fn counts_and_names_are_read() {
        let output = read(
            "     Running tests/run.rs (target/debug/deps/run-0123456789abcdef)\n\
             \n\
             running 3 tests\n\
             test inner::skipped ... ignored, needs more\n\
             test top - should panic ... ok\n\
             test wrong ... FAILED\n\
             \n\
             test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s\n\
                Doc-tests wasm_mt\n\
             test src/lib.rs - (line 3) ... ok\n\
             test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s\n"
                .replace("             ", "")
                .as_str(),
        );
        assert_eq!((output.passed, output.failed, output.ignored), (2, 1, 1));
        assert_eq!(output.tests["run::inner::skipped"], Outcome::Ignored);
        assert_eq!(output.tests["run::top"], Outcome::Passed);
        assert_eq!(output.tests["run::wrong"], Outcome::Failed);
        assert!(output.unfinished.is_empty());
    }

    #[test]
    fn a_suite_that_stops_midway_is_unfinished() {
        let output = read(
            "     Running tests/a.rs (d/a-00.wasm)\ntest x ... ok\n     Running tests/b.rs (d/b-00.wasm)\nno tests to run!\n",
        );
        assert_eq!(output.unfinished, [("a".to_owned(), None)]);
    }

    #[test]
    fn the_test_in_which_a_suite_stopped_is_named() {
        let mut output = read("     Running tests/it/main.rs (d/it-00.wasm)\ntest c ... ok\n");
        let mut list = TestList::default();
        "     Running tests/it/main.rs (d/it-00.wasm)\na: test\nm::b: test\nc: test\n     Running tests/z.rs (d/z-00.wasm)\nd: test\n"
            .lines()
            .for_each(|line| list.line(line));
        output.name_hung(&list.tests.iter().collect::<Vec<_>>());
        assert_eq!(output.unfinished, [("it".to_owned(), Some("it::m::b".to_owned()))]);
    }

    #[test]
    fn a_verdict_after_other_output_is_found() {
        let output = read(
            "     Running tests/ui.rs (d/ui-00)\ntest ui ... \n\ntest tests/ui/a.rs ... ok\n\nok\ntest result: ok. 1 passed; 0 failed;\n",
        );
        assert_eq!(output.tests.into_iter().collect::<Vec<_>>(), [("ui::ui".to_owned(), Outcome::Passed)]);
    }

    #[test]
    fn words_of_the_browser_runner_begin_no_suite() {
        assert_eq!(suite_of("Running headless tests in Chrome on `http://127.0.0.1:1/` (x)"), None);
    }
}
