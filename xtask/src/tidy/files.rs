//! What the repository holds.

use super::{Fault, Tree};

/// A file with more lines of code is likely two.
const LONG: usize = 400;

/// The changelog has a section for what comes next, or for this version.
pub(super) fn changelog(tree: &Tree) -> Vec<Fault> {
    let headings = ["## [Unreleased]".to_owned(), format!("## [{}]", tree.version)];
    let found = tree.changelog.lines().any(|line| headings.iter().any(|heading| line.starts_with(heading)));
    let fault = || Fault {
        file: "CHANGELOG.md".to_owned(),
        line: 1,
        what: format!("there is no section for {}", tree.version),
        cure: format!("add `{}` and say what changes for users", headings[0]),
    };
    (!found).then(fault).into_iter().collect()
}

/// Git holds what people wrote, not what tools made of it.
pub(super) fn artefacts(tree: &Tree) -> Vec<Fault> {
    let folders = ["target", "pkg", "dist", "node_modules", "wasm-bindgen-test"];
    let endings = [
        ".wasm",
        ".rlib",
        ".rmeta",
        ".o",
        ".so",
        ".a",
        ".dylib",
        ".dll",
        ".exe",
        ".wasm.d.ts",
        "_bg.js",
        ".log",
        ".orig",
        ".rej",
    ];
    let built = |path: &str| {
        let mut parents = path.split('/').rev().skip(1);
        parents.any(|part| folders.contains(&part)) || endings.iter().any(|ending| path.ends_with(ending))
    };
    let fault = |path: &String| Fault {
        file: path.clone(),
        line: 1,
        what: "a built file is tracked".to_owned(),
        cure: "remove it with `git rm --cached`, and name it in .gitignore".to_owned(),
    };
    tree.tracked.iter().filter(|path| built(path)).map(fault).collect()
}

/// Files that have grown long: a hint, not a fault.
pub(super) fn long(tree: &Tree) -> Vec<String> {
    let mut long = Vec::new();
    for file in &tree.sources {
        let lines = file.library.lines().filter(|line| !line.trim().is_empty()).count();
        if lines > LONG {
            long.push(format!("{}: {lines} lines of code; a file under {LONG} is easier to read", file.path));
        }
    }
    long
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changelog_without_this_version_is_a_fault() {
        let with =
            |text: &str| Tree { changelog: text.to_owned(), version: "0.2.0".to_owned(), ..Tree::default() };
        assert_eq!(changelog(&with("# Changelog\n\n## [0.1.0]\n")).len(), 1);
        assert!(changelog(&with("## [Unreleased]\n")).is_empty());
        assert!(changelog(&with("## [0.2.0] - 2026-01-01\n")).is_empty());
    }

    #[test]
    fn built_files_are_found() {
        let tracked =
            ["src/target.rs", "pkg/a.js", "a/b.wasm", "examples/pkg.rs"].map(str::to_owned).to_vec();
        let faults = artefacts(&Tree { tracked, ..Tree::default() });
        assert_eq!(faults.into_iter().map(|fault| fault.file).collect::<Vec<_>>(), ["pkg/a.js", "a/b.wasm"]);
    }
}
