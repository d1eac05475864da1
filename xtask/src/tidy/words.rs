//! Where a word may stand.

use regex::Regex;

use super::{Fault, SourceFile, Tree};

/// Files with unsafe code, each reviewed block by block. To add one, explain in its module docs what the code relies on.
const UNSAFE: [&str; 10] = [
    // Casts sequences of numbers whose types it has compared.
    "src/task/codec/bulk.rs",
    // Calls an entry that came from another instance of the same module.
    "src/task/actor/entry.rs",
    "src/task/entry.rs",
    // Makes references of addresses that came from another instance of the same module.
    "src/platform/address.rs",
    // Takes a function whose address came from the page.
    "src/platform/web/setup.rs",
    // Counts what tests allocate.
    "src/fuzz/allocator.rs",
    // Does by hand what the first two do.
    "examples/how_it_works.rs",
    // Let a program say by itself which build it is; a test does.
    "src/transport/seal.rs",
    "cluster/src/config.rs",
    "tests/it/transport/mod.rs",
];

/// Bindings to JavaScript stay in the platform's web room, `compat`, and `js.rs`.
pub(super) fn javascript(tree: &Tree) -> Vec<Fault> {
    let rooms = ["src/platform/web/", "src/compat/", "src/js.rs"];
    let words = r"\b(?:web_sys|js_sys|wasm_bindgen|wasm_bindgen_futures)\b";
    library(
        tree,
        &rooms,
        words,
        "JavaScript outside the web's rooms; ask for it at the seam, src/platform/mod.rs",
    )
}

/// Threads of the system are the native platform's business. A thread-local's key is no thread, and the thread that asks whether
/// it panics is there.
pub(super) fn threads(tree: &Tree) -> Vec<Fault> {
    let words = r"\bstd::(?:thread\b(::LocalKey|::panicking)?|\{[^;]*\bthread\b)";
    let what = "`std::thread` outside the native platform; ask for it at the seam, src/platform/mod.rs";
    library(tree, &["src/platform/native/"], words, what)
}

/// `cfg(target_family)` and its kin stand at the seam. An attribute that only quiets a lint on one target may stand anywhere.
pub(super) fn targets(tree: &Tree) -> Vec<Fault> {
    let words = r"\btarget_(?:family|arch)\b|(cfg_attr\([^#;]*,\s*expect\()";
    let what =
        "a target outside the seam; let both rooms of the platform offer it, and do not look at the target";
    library(tree, &["src/lib.rs", "src/platform/mod.rs"], words, what)
}

/// `unsafe` stands only in files that are listed here.
pub(super) fn unsafe_code(tree: &Tree) -> Vec<Fault> {
    let files = tree.sources.iter().filter(|file| !UNSAFE.contains(&file.path.as_str()));
    let what = "`unsafe` in a file that is not listed for it; do it without, or enter the file in UNSAFE";
    find(files.map(|file| (file, file.code.as_str())), r"\bunsafe\b", what)
}

/// Tests await what happens; a pause is too short on a busy machine and too long on every other.
///
/// A test of `sleep` itself, or one in which a task takes its time, says so: `// sleep: why`.
pub(super) fn sleeps(tree: &Tree) -> Vec<Fault> {
    let tests = tree.sources.iter().filter(|file| file.path.starts_with("tests/"));
    let what =
        "a test that sleeps; await the event, or say why not on this line or the one before: `// sleep: ..`";
    let mut faults = find(tests.map(|file| (file, file.code.as_str())), r"\bsleep\(", what);
    faults.retain(|fault| {
        let file = tree.sources.iter().find(|file| file.path == fault.file);
        let lines: Vec<&str> = file.map_or("", |file| &file.text).lines().take(fault.line).collect();
        !lines.iter().rev().take(2).any(|line| line.contains("// sleep: "))
    });
    faults
}

/// Faults in the library's files, tests and the allowed paths aside.
fn library(tree: &Tree, allowed: &[&str], words: &str, what: &str) -> Vec<Fault> {
    let files = tree.sources.iter().filter(|file| {
        file.path.starts_with("src/") && !allowed.iter().any(|path| file.path.starts_with(path))
    });
    find(files.map(|file| (file, file.library.as_str())), words, what)
}

/// Where these words stand in code. What the expression's group matches is harmless.
fn find<'a>(files: impl Iterator<Item = (&'a SourceFile, &'a str)>, words: &str, what: &str) -> Vec<Fault> {
    let words = Regex::new(words).expect("the expressions of this file are well formed");
    let mut faults = Vec::new();
    for (file, code) in files {
        for found in words.captures_iter(code).filter(|found| found.get(1).is_none()) {
            let line = code[..found.get_match().start()].matches('\n').count() + 1;
            faults.push(Fault::new(&file.path, line, what));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(rule: fn(&Tree) -> Vec<Fault>, path: &str, text: &str) -> Vec<usize> {
        rule(&Tree::of(&[(path, text)])).into_iter().map(|fault| fault.line).collect()
    }

    #[test]
    fn javascript_is_found_outside_its_rooms() {
        let text = "// js_sys\nuse js_sys::Array;";
        assert_eq!(lines(javascript, "src/task/job.rs", text), [2]);
        assert_eq!(lines(javascript, "src/platform/web/port.rs", text), [0; 0]);
        assert_eq!(lines(javascript, "tests/it/run.rs", text), [0; 0]);
    }

    #[test]
    fn threads_are_found_in_lists_too() {
        let text = "use std::thread;\nuse std::{fmt, thread::spawn};\nuse std::{\n    fmt,\n    thread,\n};";
        assert_eq!(lines(threads, "src/supervisor/mod.rs", text), [1, 2, 3]);
        let text = "use crate::thread;\nuse std::{fmt, io};\nuse std::thread::LocalKey;";
        assert_eq!(lines(threads, "src/supervisor/mod.rs", text), [0; 0]);
    }

    #[test]
    fn targets_are_told_apart_at_the_seam_only() {
        let text =
            "#[cfg(target_family = \"wasm\")]\nmod a;\nfn f() { if cfg!(target_arch = \"wasm32\") {} }";
        assert_eq!(lines(targets, "src/run.rs", text), [1, 3]);
        assert_eq!(lines(targets, "src/platform/mod.rs", text), [0; 0]);
        let lint = "#[cfg_attr(not(target_family = \"wasm\"), expect(dead_code, reason = \"\"))]\nfn f() {}";
        assert_eq!(lines(targets, "src/run.rs", lint), [0; 0]);
        let path = "#[cfg_attr(target_family = \"wasm\", path = \"\")]\nmod a;";
        assert_eq!(lines(targets, "src/run.rs", path), [1]);
    }

    #[test]
    fn unsafe_code_needs_its_place() {
        assert_eq!(lines(unsafe_code, "src/run.rs", "#![deny(unsafe_code)]\nunsafe fn x() {}"), [2]);
        assert_eq!(lines(unsafe_code, "src/task/entry.rs", "unsafe fn x() {}"), [0; 0]);
    }

    #[test]
    fn sleeps_need_a_reason() {
        let text = "sleep(1);\n// sleep: it is what is tested\nsleep(2);\nfn sleepy() {}\nsleep(3); // sleep: a slow task";
        assert_eq!(lines(sleeps, "tests/it/run.rs", text), [1]);
    }
}
