//! What a run found, and the table at its end.

use std::collections::BTreeMap;
use std::process::Command;

use super::output::{Outcome, Output};
use super::stream;
use crate::progress::Step;

/// The results of one part of a run: the checks, the native tests, or one engine.
#[derive(Clone, Debug, Default)]
pub(super) struct Section {
    pub(super) name: String,
    pub(super) passed: usize,
    pub(super) failed: usize,
    pub(super) ignored: usize,
    /// True if the tests ran in a browser.
    pub(super) is_engine: bool,
    /// What each test that was seen came to, by `suite::path`.
    pub(super) tests: BTreeMap<String, Outcome>,
    /// What failed, in words.
    pub(super) faults: Vec<String>,
    /// The checks that were not run, and why.
    pub(super) not_run: Vec<String>,
}

impl Section {
    pub(super) fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Counts something that failed.
    pub(super) fn fault(&mut self, what: String) {
        self.failed += 1;
        self.faults.push(what);
    }

    /// Counts a check that passed or did not.
    pub(super) fn check(&mut self, name: &str, result: anyhow::Result<()>) {
        match result {
            Ok(()) => self.passed += 1,
            Err(error) => self.fault(format!("{name}: {error:#}")),
        }
    }

    /// Runs a check as a step, and counts it.
    pub(super) fn run(&mut self, name: &str, check: impl FnOnce() -> anyhow::Result<()>) {
        let step = Step::begin(name);
        let result = check();
        step.end(if result.is_ok() { "passed" } else { "FAILED" });
        self.check(name, result);
    }

    /// Counts a check that was not run.
    pub(super) fn skip(&mut self, name: &str, why: &str) {
        self.ignored += 1;
        self.not_run.push(format!("{name}: {why}"));
    }

    /// Runs `cargo test`, and counts what it prints. `due`: the tests that are to run, where they run one after the other.
    pub(super) fn run_tests(&mut self, command: Command, due: &[&String]) -> anyhow::Result<()> {
        let mut output = Output::default();
        let success = stream::run(command, |line| output.line(line))?;
        output.end();
        output.name_hung(due);
        let before = self.failed;
        self.passed += output.passed;
        self.failed += output.failed;
        self.ignored += output.ignored;
        let failed = output.tests.iter().filter(|(_, outcome)| **outcome == Outcome::Failed);
        self.faults.extend(failed.map(|(name, _)| name.clone()));
        self.tests.extend(output.tests);
        for (suite, hung) in output.unfinished {
            let within = hung.map_or(String::new(), |test| format!(", within {test}"));
            self.fault(format!("{suite}: ended without a result{within}"));
        }
        if !success && self.failed == before {
            self.fault("cargo test failed before any test did".to_owned());
        }
        Ok(())
    }
}

/// A whole run.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) sections: Vec<Section>,
    /// The engines that were left out, and how to get them.
    pub(super) not_run: Vec<String>,
    /// How many tests have one body for all targets.
    pub(super) shared: usize,
}

impl Report {
    pub(super) fn add(&mut self, section: Section) {
        self.sections.push(section);
    }

    /// Prints the table; the last line is the sum. True if nothing failed.
    pub(super) fn print(&self) -> bool {
        println!();
        for section in &self.sections {
            for fault in &section.faults {
                println!("FAILED {}: {fault}", section.name);
            }
        }
        println!("{:10} {:>7} {:>7} {:>8}", "", "passed", "failed", "ignored");
        for Section { name, passed, failed, ignored, .. } in &self.sections {
            println!("{name:10} {passed:>7} {failed:>7} {ignored:>8}");
        }
        if self.shared > 0 {
            println!("{} tests have one body for all targets", self.shared);
        }
        for section in &self.sections {
            for check in &section.not_run {
                println!("not run {}: {check}", section.name);
            }
        }
        for engine in &self.not_run {
            println!("not run {engine}");
        }
        let passed: usize = self.sections.iter().map(|section| section.passed).sum();
        let failed: usize = self.sections.iter().map(|section| section.failed).sum();
        println!("{passed} passed, {failed} failed");
        failed == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_that_was_not_run_has_not_passed() {
        let mut section = Section::new("checks");
        section.skip("public API", "the compiler is another");
        assert_eq!((section.passed, section.failed, section.ignored), (0, 0, 1));
        assert_eq!(section.not_run, ["public API: the compiler is another"]);
    }
}
