//! Which tests ran where.
//!
//! The binaries for the web list their tests. Engines run one and the same binary, so each MUST run all of them. A test with one
//! body for all targets (`remote_test!`) MUST run natively and in every engine and runtime. One that is for one target only
//! says so by the end of its name, `::web` (`web_test!`), `::javascript` (`javascript_test!`) or `::native` (`native_test!`);
//! what is none of these MUST be on both sides.

use std::collections::BTreeSet;

use super::output::Outcome;
use super::report::Section;

/// The tests for the web, by `suite::path`, in the order of their binaries.
#[derive(Debug, Default)]
pub(super) struct Declared(pub(super) Vec<String>);

/// Tests that are run in a browser on a page of their own: those of a module `page_N` at the root of a suite.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TestPage {
    pub(super) suite: String,
    module: String,
}

impl TestPage {
    /// The page of a test.
    pub(super) fn of(name: &str) -> Option<Self> {
        let mut parts = name.split("::");
        let (suite, module) = (parts.next()?, parts.next()?);
        let number = module.strip_prefix("page_")?;
        let is_page = number.bytes().all(|byte| byte.is_ascii_digit()) && parts.next().is_some();
        is_page.then(|| Self { suite: suite.to_owned(), module: module.to_owned() })
    }

    /// What the names of its tests begin with.
    pub(super) fn prefix(&self) -> String {
        format!("{}::", self.module)
    }
}

impl Declared {
    /// The tests whose name contains `filter`.
    pub(super) fn wanted(&self, filter: Option<&str>) -> impl DoubleEndedIterator<Item = &String> {
        let is_wanted = move |name: &&String| {
            filter.is_none_or(|filter| name.split_once("::").is_some_and(|(_, path)| path.contains(filter)))
        };
        self.0.iter().filter(is_wanted)
    }

    /// The pages with a test whose name contains `filter`.
    pub(super) fn pages(&self, filter: Option<&str>) -> BTreeSet<TestPage> {
        self.wanted(filter).filter_map(|name| TestPage::of(name)).collect()
    }
}

/// Adds a fault for every test that is missing somewhere; the answer is how many tests with one body were looked for.
///
/// Sections without any test are left alone: their fault is known.
pub(super) fn check(sections: &mut [Section], declared: &Declared, filter: Option<&str>) -> usize {
    let is_shared = |name: &&String| !["::web", "::javascript"].iter().any(|end| name.ends_with(end));
    let shared: BTreeSet<&String> = declared.wanted(filter).filter(is_shared).collect();
    let suites: BTreeSet<_> =
        declared.0.iter().filter_map(|name| name.split_once("::")).map(|(suite, _)| suite).collect();
    for section in sections.iter_mut().filter(|section| !section.tests.is_empty()) {
        let is_due = |name: &&String| section.is_engine || shared.contains(name);
        let missing =
            declared.wanted(filter).filter(|name| is_due(name) && !section.tests.contains_key(*name));
        let mut faults: Vec<String> = missing.map(|name| format!("{name} did not run here")).collect();
        let is_of_the_web =
            |name: &str| name.split_once("::").is_some_and(|(suite, _)| suites.contains(suite));
        let stray = section
            .tests
            .keys()
            .filter(|name| is_of_the_web(name) && !declared.0.contains(name) && !name.ends_with("::native"));
        faults.extend(stray.map(|name| format!("{name} is not among the tests for the web")));
        faults.into_iter().for_each(|fault| section.fault(fault));
    }
    ignored_alike(sections, &shared);
    let nothing_ran = sections.iter().all(|section| section.passed + section.failed + section.ignored == 0);
    if let (Some(section), Some(filter), true) = (sections.first_mut(), filter, nothing_ran) {
        section.fault(format!("no test's name contains `{filter}`"));
    }
    shared.len()
}

/// A shared test that is ignored in one place MUST be ignored in all.
fn ignored_alike(sections: &mut [Section], shared: &BTreeSet<&String>) {
    for name in shared {
        let ignored =
            |section: &Section| section.tests.get(*name).map(|outcome| *outcome == Outcome::Ignored);
        if sections.iter().any(|section| ignored(section) == Some(false)) {
            for section in sections.iter_mut().filter(|section| ignored(section) == Some(true)) {
                section.fault(format!("{name} is ignored here and not elsewhere"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Outcome::{Ignored, Passed};

    #[test]
    fn pages_are_modules_of_that_name_with_tests() {
        let page = |name| TestPage::of(name).map(|page| page.prefix());
        assert_eq!(page("matrix::page_12::group_1").as_deref(), Some("page_12::"));
        for other in
            ["it::page::one", "it::page_one::one", "it::run::page_1", "it::page_1", "it::run::page_1::one"]
        {
            assert_eq!(page(other), None, "{other}");
        }
    }

    fn section(name: &str, is_engine: bool, tests: &[(&str, Outcome)]) -> Section {
        let tests = tests.iter().map(|(name, outcome)| ((*name).to_owned(), *outcome)).collect();
        Section { is_engine, tests, ..Section::new(name) }
    }

    /// What is wrong if these tests are for the web.
    fn faults(declared: &[&str], mut sections: Vec<Section>) -> Vec<String> {
        check(&mut sections, &Declared(declared.iter().map(|name| (*name).to_owned()).collect()), None);
        let faults = |section: &Section| {
            assert_eq!(section.failed, section.faults.len());
            section.faults.iter().map(|fault| format!("{}: {fault}", section.name)).collect::<Vec<_>>()
        };
        sections.iter().flat_map(faults).collect()
    }

    #[test]
    fn a_shared_test_missing_in_one_place_is_a_fault() {
        let both = [("it::a", Passed), ("it::b", Passed)];
        let (one, other) = (&both[..1], &both[1..]);
        let sections = vec![
            section("native", false, one),
            section("node", false, &both),
            section("webkit", true, other),
        ];
        let found = faults(&["it::a", "it::b"], sections);
        assert_eq!(found, ["native: it::b did not run here", "webkit: it::a did not run here"]);
    }

    #[test]
    fn a_test_for_the_web_runs_in_every_engine() {
        let both = [("it::a", Passed), ("it::b::web", Passed)];
        let sections = vec![
            section("native", false, &both[..1]),
            section("chromium", true, &both),
            section("firefox", true, &both[..1]),
        ];
        assert_eq!(faults(&["it::a", "it::b::web"], sections), ["firefox: it::b::web did not run here"]);
    }

    #[test]
    fn a_test_that_is_native_only_says_so() {
        let tests = [("it::a", Passed), ("it::b::native", Passed), ("it::c", Passed), ("unit::d", Passed)];
        let found = faults(&["it::a"], vec![section("native", false, &tests)]);
        assert_eq!(found, ["native: it::c is not among the tests for the web"]);
    }

    #[test]
    fn a_test_ignored_in_one_place_is_a_fault() {
        let sections = vec![
            section("native", false, &[("it::a", Passed)]),
            section("webkit", true, &[("it::a", Ignored)]),
        ];
        assert_eq!(faults(&["it::a"], sections), ["webkit: it::a is ignored here and not elsewhere"]);
    }
}
