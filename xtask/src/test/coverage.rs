//! Which tests ran where.
//!
//! Engines run one and the same binary, so they MUST run the same tests. A test with one body for all targets
//! (`remote_test!`) MUST run natively and in every engine, one for the web (`web_test!`) in every engine. A file of tests
//! that nothing includes would run nowhere, so every file beside a suite's root MUST belong to it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::output::Outcome;
use super::report::Section;
use crate::source::{Token, blank, end_of_group, tokens};

/// What the files under `tests/` say.
#[derive(Debug, Default)]
pub(super) struct Declared {
    /// The tests with one body for all targets, by `suite::path`.
    pub(super) shared: BTreeSet<String>,
    /// The tests for the web only.
    pub(super) web: BTreeSet<String>,
    /// Files that belong to no suite.
    pub(super) lost: Vec<String>,
}

/// Tests that are run in a browser on a page of their own: those of a module `page_N` at the root of a suite.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TestPage {
    pub(super) suite: String,
    module: String,
}

impl TestPage {
    /// The page of a test.
    fn of(name: &str) -> Option<Self> {
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
    /// The pages with a test whose name contains `filter`.
    pub(super) fn pages(&self, filter: Option<&str>) -> BTreeSet<TestPage> {
        let wanted = self.shared.iter().chain(&self.web).filter(|name| is_wanted(name, filter));
        wanted.filter_map(|name| TestPage::of(name)).collect()
    }
}

/// True if the path of a test in its suite contains `filter`.
fn is_wanted(name: &str, filter: Option<&str>) -> bool {
    filter.is_none_or(|filter| name.split_once("::").is_some_and(|(_, path)| path.contains(filter)))
}

/// Reads the suites of the integration tests: `tests/x.rs` and `tests/x/main.rs`.
///
/// # Errors
///
/// Fails if a file cannot be read.
pub(super) fn declared(root: &Path) -> anyhow::Result<Declared> {
    let mut declared = Declared::default();
    let folder = root.join("tests");
    if !folder.is_dir() {
        return Ok(declared);
    }
    for path in entries(&folder)? {
        let Some(suite) = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()) else { continue };
        if path.extension().is_some_and(|extension| extension == "rs") {
            let mut reached = Reached::default();
            reached.read(&path, &folder, &suite, true)?;
            declared.shared.extend(reached.shared);
            declared.web.extend(reached.web);
        } else if path.join("main.rs").is_file() {
            let mut reached = Reached::default();
            reached.read(&path.join("main.rs"), &path, &suite, true)?;
            declared.shared.extend(reached.shared);
            declared.web.extend(reached.web);
            let lost = sources(&path)?.into_iter().filter(|file| !reached.files.contains(file));
            declared
                .lost
                .extend(lost.map(|file| file.strip_prefix(root).unwrap_or(&file).display().to_string()));
        }
    }
    Ok(declared)
}

fn entries(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("failed to read {}", folder.display()))?;
    entries.map(|entry| Ok(entry?.path())).collect()
}

fn sources(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in entries(folder)? {
        if path.is_dir() {
            found.extend(sources(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    Ok(found)
}

/// What belongs to one suite.
#[derive(Debug, Default)]
struct Reached {
    shared: BTreeSet<String>,
    web: BTreeSet<String>,
    files: BTreeSet<PathBuf>,
}

impl Reached {
    /// Reads a file as the module `path`; its own modules' files are in `folder`.
    fn read(&mut self, file: &Path, folder: &Path, path: &str, for_all_targets: bool) -> anyhow::Result<()> {
        self.files.insert(file.to_owned());
        let text = fs::read_to_string(file).with_context(|| format!("failed to read {}", file.display()))?;
        let code = blank(&text);
        let found = scan(&tokens(&code), path);
        if for_all_targets {
            self.shared.extend(found.tests);
        }
        self.web.extend(found.web_tests);
        for module in found.modules {
            let inner = folder.join(&module.name);
            let files = [folder.join(format!("{}.rs", module.name)), inner.join("mod.rs")];
            // A module with a `#[path]` has no file here; the compiler knows better than we do.
            if let Some(file) = files.into_iter().find(|file| file.is_file()) {
                let path = format!("{path}::{}", module.name);
                self.read(&file, &inner, &path, for_all_targets && module.for_all_targets)?;
            }
        }
        Ok(())
    }
}

#[derive(Debug, Default)]
struct Found {
    tests: Vec<String>,
    web_tests: Vec<String>,
    modules: Vec<Module>,
}

/// A module with a file of its own.
#[derive(Debug, PartialEq, Eq)]
struct Module {
    name: String,
    for_all_targets: bool,
}

/// Finds the shared tests of a file, and the modules that have files of their own.
fn scan(tokens: &[Token<'_>], path: &str) -> Found {
    let mut found = Found::default();
    scan_items(tokens, path, true, &mut found);
    found
}

fn scan_items(tokens: &[Token<'_>], path: &str, mut for_all_targets: bool, found: &mut Found) {
    let text = |place: usize| tokens.get(place).map_or("", |token| token.text);
    let mut place = 0;
    while place < tokens.len() {
        if text(place) == "#" && text(place + 1) == "!" && is_for_one_target(&tokens[place + 2..]) {
            // This attribute is about the whole file, or the whole module.
            for_all_targets = false;
            place = end_of_group(tokens, place + 2);
        } else if text(place) == "#" && text(place + 1) == "[" && is_for_one_target(&tokens[place + 1..]) {
            let item = end_of_group(tokens, place + 1);
            place = end_of_item(tokens, item);
            scan_items(&tokens[item..place], path, false, found);
        } else if text(place) == "mod" && text(place + 2) == ";" {
            found.modules.push(Module { name: text(place + 1).to_owned(), for_all_targets });
            place += 3;
        } else if text(place) == "mod" && text(place + 2) == "{" {
            let end = end_of_group(tokens, place + 2);
            let path = format!("{path}::{}", text(place + 1));
            scan_items(&tokens[place + 3..end - 1], &path, for_all_targets, found);
            place = end;
        } else if text(place) == "macro_rules" && text(place + 1) == "!" {
            // It makes tests of what it is given.
            place = end_of_group(tokens, place + 3);
        } else if text(place) == "remote_test" && text(place + 1) == "!" {
            let end = end_of_group(tokens, place + 2);
            if for_all_targets {
                let names = functions(&tokens[place + 3..end - 1]);
                found.tests.extend(names.map(|name| format!("{path}::{name}")));
            }
            place = end;
        } else if text(place) == "web_test" && text(place + 1) == "!" {
            let end = end_of_group(tokens, place + 2);
            let names = functions(&tokens[place + 3..end - 1]);
            found.web_tests.extend(names.map(|name| format!("{path}::{name}")));
            place = end;
        } else {
            place += 1;
        }
    }
}

/// True if the attribute at the start is a `cfg` about the target.
fn is_for_one_target(attribute: &[Token<'_>]) -> bool {
    let group = &attribute[..end_of_group(attribute, 0)];
    group.get(1).is_some_and(|token| token.text == "cfg")
        && group.iter().any(|token| token.text == "target_family")
}

/// The place after the item that begins at `place`: after its first braces, or its semicolon.
fn end_of_item(tokens: &[Token<'_>], place: usize) -> usize {
    let end = tokens[place..].iter().position(|token| ["{", ";"].contains(&token.text));
    match end.map(|end| place + end) {
        Some(end) if tokens[end].text == "{" => end_of_group(tokens, end),
        Some(end) => end + 1,
        None => tokens.len(),
    }
}

/// The names of the functions in a list of functions.
fn functions<'a>(tokens: &'a [Token<'a>]) -> impl Iterator<Item = &'a str> {
    let mut place = 0;
    std::iter::from_fn(move || {
        while place < tokens.len() {
            if tokens[place].text == "fn" {
                let name = tokens.get(place + 1)?.text;
                place = end_of_item(tokens, place);
                return Some(name);
            }
            place += 1;
        }
        None
    })
}

/// Adds a fault for every test that is missing somewhere; the answer is how many shared tests were looked for.
///
/// Sections without any test are left alone: their fault is known.
pub(super) fn check(sections: &mut [Section], declared: &Declared, filter: Option<&str>) -> usize {
    let of_filter = |tests: &BTreeSet<String>| -> BTreeSet<String> {
        tests.iter().filter(|name| is_wanted(name, filter)).cloned().collect()
    };
    let (shared, web) = (of_filter(&declared.shared), of_filter(&declared.web));
    let mut anywhere: BTreeMap<String, String> = BTreeMap::new();
    for section in sections.iter().filter(|section| section.is_engine) {
        anywhere.extend(section.tests.keys().map(|name| (name.clone(), section.name.clone())));
    }
    for section in sections.iter_mut().filter(|section| !section.tests.is_empty()) {
        let declared = |name: &String| shared.contains(name) || section.is_engine && web.contains(name);
        let mut missing: BTreeSet<String> = shared
            .union(&web)
            .filter(|name| declared(name) && !section.tests.contains_key(*name))
            .map(|name| format!("{name} did not run here"))
            .collect();
        if section.is_engine {
            let elsewhere =
                anywhere.iter().filter(|(name, _)| !section.tests.contains_key(*name) && !declared(name));
            missing.extend(elsewhere.map(|(name, other)| format!("{name} ran in {other} and not here")));
        }
        missing.into_iter().for_each(|fault| section.fault(fault));
    }
    ignored_alike(sections, &shared);
    let nothing_ran = sections.iter().all(|section| section.passed + section.failed + section.ignored == 0);
    if let Some(section) = sections.first_mut() {
        match filter {
            Some(filter) if nothing_ran => section.fault(format!("no test's name contains `{filter}`")),
            Some(_) => {}
            None => {
                let lost = declared.lost.iter();
                lost.for_each(|file| section.fault(format!("{file} belongs to no test: name it in a `mod`")));
            }
        }
    }
    shared.len()
}

/// A shared test that is ignored in one place MUST be ignored in all.
fn ignored_alike(sections: &mut [Section], shared: &BTreeSet<String>) {
    for name in shared {
        let ignored = |section: &Section| section.tests.get(name).map(|outcome| *outcome == Outcome::Ignored);
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

    fn found(text: &str) -> Found {
        let code = blank(text);
        scan(&tokens(&code), "it::run")
    }

    #[test]
    fn shared_tests_and_modules_are_found() {
        let found = found(
            "#[macro_use]\nmod common;\nremote_test! {\n    /// fn no()\n    async fn one() { fn inner() {} }\n    #[ignore]\n    \
             async fn two() {}\n}\nmod deep { remote_test!(async fn three() {}); }\n#[cfg(target_family = \"wasm\")]\nmod web;\n\
             #[cfg(not(target_family = \"wasm\"))]\nremote_test! { async fn four() {} }\n\
             macro_rules! tests { ($name:ident) => { web_test! { async fn $name() {} } } }\n\
             #[cfg(target_family = \"wasm\")]\nweb_test! { async fn five() { fn inner() {} } }\n",
        );
        assert_eq!(found.web_tests, ["it::run::five"]);
        assert_eq!(found.tests, ["it::run::one", "it::run::two", "it::run::deep::three"]);
        let modules: Vec<_> =
            found.modules.iter().map(|module| (module.name.as_str(), module.for_all_targets)).collect();
        assert_eq!(modules, [("common", true), ("web", false)]);
    }

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

    #[test]
    fn a_file_for_one_target_shares_nothing() {
        assert!(
            found("#![cfg(target_family = \"wasm\")]\nremote_test! { async fn one() {} }").tests.is_empty()
        );
    }

    fn section(name: &str, is_engine: bool, tests: &[(&str, Outcome)]) -> Section {
        let tests = tests.iter().map(|(name, outcome)| ((*name).to_owned(), *outcome)).collect();
        Section { is_engine, tests, ..Section::new(name) }
    }

    fn faults(sections: &mut [Section], shared: &[&str]) -> Vec<String> {
        let declared = Declared {
            shared: shared.iter().map(|name| (*name).to_owned()).collect(),
            ..Declared::default()
        };
        check(sections, &declared, None);
        sections
            .iter()
            .flat_map(|section| section.faults.iter().map(|fault| format!("{}: {fault}", section.name)))
            .collect()
    }

    #[test]
    fn a_shared_test_missing_in_one_place_is_a_fault() {
        use Outcome::Passed;
        let both = [("it::a", Passed), ("it::b", Passed)];
        let mut sections = [
            section("native", false, &both),
            section("chromium", true, &both),
            section("webkit", true, &both[..1]),
        ];
        assert_eq!(faults(&mut sections, &["it::a", "it::b"]), ["webkit: it::b did not run here"]);
        assert_eq!(sections[2].failed, 1);
    }

    #[test]
    fn a_test_for_the_web_that_runs_in_no_engine_is_a_fault() {
        let ran = [("it::a", Outcome::Passed)];
        let mut sections = [section("native", false, &ran), section("chromium", true, &ran)];
        let declared = Declared { web: ["it::web".to_owned()].into(), ..Declared::default() };
        check(&mut sections, &declared, None);
        assert!(sections[0].faults.is_empty());
        assert_eq!(sections[1].faults, ["it::web did not run here"]);
    }

    #[test]
    fn engines_run_the_same_tests() {
        use Outcome::Passed;
        let mut sections = [
            section("native", false, &[("unit::x", Passed)]),
            section("chromium", true, &[("it::a", Passed), ("it::web", Passed)]),
            section("firefox", true, &[("it::a", Passed)]),
        ];
        assert_eq!(faults(&mut sections, &[]), ["firefox: it::web ran in chromium and not here"]);
    }

    #[test]
    fn a_test_ignored_in_one_place_is_a_fault() {
        let mut sections = [
            section("native", false, &[("it::a", Outcome::Passed)]),
            section("webkit", true, &[("it::a", Outcome::Ignored)]),
        ];
        assert_eq!(faults(&mut sections, &["it::a"]), ["webkit: it::a is ignored here and not elsewhere"]);
    }
}
