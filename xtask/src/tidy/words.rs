//! Where a word may stand.

use super::{Fault, SourceFile, Tree};
use crate::source::{Token, end_of_group, tokens};

/// Files with unsafe code, each reviewed block by block. To add one, explain in its module docs what the code relies on.
const UNSAFE: [&str; 5] = [
    // Calls an entry that came from another instance of the same module.
    "src/task/entry.rs",
    // Makes references of addresses that came from another instance of the same module.
    "src/platform/address.rs",
    // Takes a function whose address came from the page.
    "src/platform/web/setup.rs",
    // Counts what tests allocate.
    "src/fuzz/allocator.rs",
    // Does by hand what the first two do.
    "examples/how_it_works.rs",
];

/// Files of the library that may tell targets apart.
const SEAM: [&str; 2] = ["src/lib.rs", "src/platform/mod.rs"];

/// Bindings to JavaScript stay in the platform's web room, `compat`, and `js.rs`.
pub(super) fn javascript(tree: &Tree) -> Vec<Fault> {
    let words = ["web_sys", "js_sys", "wasm_bindgen", "wasm_bindgen_futures"];
    let allowed = ["src/platform/web/", "src/compat/", "src/compat.rs", "src/js.rs", "src/js/"];
    library(tree, &allowed, |tokens, place| {
        words
            .contains(&tokens[place].text)
            .then(|| format!("`{}` outside the web's rooms", tokens[place].text))
    })
    .with_cure("ask for it at the seam, src/platform/mod.rs")
}

/// Threads of the system are the native platform's business.
pub(super) fn threads(tree: &Tree) -> Vec<Fault> {
    library(tree, &["src/platform/native/"], |tokens, place| {
        let names = |offset: usize, text| {
            tokens.get(place + offset).is_some_and(|token: &Token<'_>| token.text == text)
        };
        // A thread-local's key is no thread, and the thread that asks whether it panics is there.
        let is_harmless = names(3, "::") && (names(4, "LocalKey") || names(4, "panicking"));
        let direct = names(0, "std") && names(1, "::") && names(2, "thread") && !is_harmless;
        let listed = names(0, "std") && names(1, "::") && names(2, "{") && {
            let end = end_of_group(tokens, place + 2);
            tokens[place..end].iter().any(|token| token.text == "thread")
        };
        (direct || listed).then(|| "`std::thread` outside the native platform".to_owned())
    })
    .with_cure("ask for it at the seam, src/platform/mod.rs; it must work on the web too")
}

/// `cfg(target_family)` and its kin stand at the seam. An attribute that only quiets a lint on one target may stand anywhere.
pub(super) fn targets(tree: &Tree) -> Vec<Fault> {
    library(tree, &SEAM, |tokens, place| {
        let word = tokens[place].text;
        (["target_family", "target_arch"].contains(&word) && !is_about_lints(tokens, place))
            .then(|| format!("`{word}` outside the seam"))
    })
    .with_cure("let both rooms of the platform offer it, and use it without looking at the target")
}

/// True within `cfg_attr(.., expect(..))`.
fn is_about_lints(tokens: &[Token<'_>], place: usize) -> bool {
    let opening = tokens[..place].iter().rposition(|token| ["cfg_attr", "cfg"].contains(&token.text));
    let Some(opening) = opening.filter(|opening| tokens[*opening].text == "cfg_attr") else { return false };
    let group = &tokens[opening..end_of_group(tokens, opening + 1)];
    group.len() > place - opening && group.iter().any(|token| token.text == "expect")
}

/// `unsafe` stands only in files that are listed here.
pub(super) fn unsafe_code(tree: &Tree) -> Vec<Fault> {
    let find = |tokens: &[Token<'_>], place: usize| {
        (tokens[place].text == "unsafe").then(|| "`unsafe` in a file that is not listed for it".to_owned())
    };
    let files = tree.sources.iter().filter(|file| !UNSAFE.contains(&file.path.as_str()));
    scan(files.map(|file| (file, file.code.as_str())), find)
        .with_cure("do it without, or enter the file in UNSAFE, in xtask/src/tidy/words.rs")
}

/// Tests await what happens; a pause is too short on a busy machine and too long on every other.
///
/// A test of `sleep` itself, or one in which a task takes its time, says so: `// sleep: why`.
pub(super) fn sleeps(tree: &Tree) -> Vec<Fault> {
    let mut faults = Vec::new();
    for file in tree.sources.iter().filter(|file| file.path.starts_with("tests/")) {
        let reasons: Vec<usize> = file
            .text
            .lines()
            .enumerate()
            .filter(|(_, line)| line.contains("// sleep: "))
            .map(|(n, _)| n + 1)
            .collect();
        let found = scan(std::iter::once((file, file.code.as_str())), |tokens, place| {
            let call =
                tokens[place].text == "sleep" && tokens.get(place + 1).is_some_and(|token| token.text == "(");
            call.then(|| "a test that sleeps".to_owned())
        });
        let excused = |fault: &Fault| reasons.contains(&fault.line) || reasons.contains(&(fault.line - 1));
        faults.extend(found.into_iter().filter(|fault| !excused(fault)));
    }
    faults.with_cure("await the event itself, or say why not on this line or the one before: `// sleep: ..`")
}

trait WithCure {
    fn with_cure(self, cure: &str) -> Self;
}

impl WithCure for Vec<Fault> {
    fn with_cure(mut self, cure: &str) -> Self {
        self.iter_mut().for_each(|fault| cure.clone_into(&mut fault.cure));
        self
    }
}

/// Faults in the library's files, tests and the allowed paths aside.
fn library(
    tree: &Tree,
    allowed: &[&str],
    find: impl Fn(&[Token<'_>], usize) -> Option<String>,
) -> Vec<Fault> {
    let files = tree.sources.iter().filter(|file| {
        file.path.starts_with("src/") && !allowed.iter().any(|path| file.path.starts_with(path))
    });
    scan(files.map(|file| (file, file.library.as_str())), find)
}

/// Asks about every word of every file.
fn scan<'a>(
    files: impl Iterator<Item = (&'a SourceFile, &'a str)>,
    find: impl Fn(&[Token<'_>], usize) -> Option<String>,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (file, code) in files {
        let tokens = tokens(code);
        for place in 0..tokens.len() {
            if let Some(what) = find(&tokens, place) {
                faults.push(Fault {
                    file: file.path.clone(),
                    line: tokens[place].line,
                    what,
                    cure: String::new(),
                });
            }
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(rule: fn(&Tree) -> Vec<Fault>, path: &str, text: &str) -> Vec<usize> {
        let tree = Tree { sources: vec![SourceFile::new(path, text)], ..Tree::default() };
        rule(&tree).into_iter().map(|fault| fault.line).collect()
    }

    #[test]
    fn javascript_is_found_outside_its_rooms() {
        let text = "// js_sys\nuse js_sys::Array;";
        assert_eq!(lines(javascript, "src/task/job.rs", text), [2]);
        assert!(lines(javascript, "src/platform/web/port.rs", text).is_empty());
        assert!(lines(javascript, "tests/it/run.rs", text).is_empty());
    }

    #[test]
    fn threads_are_found_in_lists_too() {
        assert_eq!(
            lines(threads, "src/supervisor/mod.rs", "use std::thread;\nuse std::{fmt, thread::spawn};"),
            [1, 2]
        );
        assert!(
            lines(
                threads,
                "src/supervisor/mod.rs",
                "use crate::thread;\nuse std::{fmt, io};\nuse std::thread::LocalKey;"
            )
            .is_empty()
        );
    }

    #[test]
    fn targets_are_told_apart_at_the_seam_only() {
        let text =
            "#[cfg(target_family = \"wasm\")]\nmod a;\nfn f() { if cfg!(target_arch = \"wasm32\") {} }";
        assert_eq!(lines(targets, "src/run.rs", text), [1, 3]);
        assert!(lines(targets, "src/platform/mod.rs", text).is_empty());
        let lint = "#[cfg_attr(not(target_family = \"wasm\"), expect(dead_code, reason = \"\"))]";
        assert!(lines(targets, "src/run.rs", lint).is_empty());
        assert_eq!(
            lines(targets, "src/run.rs", "#[cfg_attr(target_family = \"wasm\", path = \"\")]").len(),
            1
        );
    }

    #[test]
    fn unsafe_code_needs_its_place() {
        assert_eq!(lines(unsafe_code, "src/run.rs", "#![deny(unsafe_code)]\nunsafe { x() }"), [2]);
        assert!(lines(unsafe_code, "src/task/entry.rs", "unsafe { x() }").is_empty());
    }

    #[test]
    fn sleeps_need_a_reason() {
        let text = "sleep(1);\n// sleep: it is what is tested\nsleep(2);\nfn sleepy() {}\nsleep(3); // sleep: a slow task";
        assert_eq!(lines(sleeps, "tests/it/run.rs", text), [1]);
    }
}
