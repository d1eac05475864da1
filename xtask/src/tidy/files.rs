//! What the repository holds.

use super::{Fault, SourceFile, Tree};

/// A file with more lines of code is likely two.
const LONG: usize = 400;

/// The changelog has a section for what comes next, or for this version.
pub(super) fn changelog(tree: &Tree) -> Vec<Fault> {
    let headings = ["## [Unreleased]".to_owned(), format!("## [{}]", tree.version)];
    let found = tree.changelog.lines().any(|line| headings.iter().any(|heading| line.starts_with(heading)));
    let what = format!("there is no section for {}; add `{}`", tree.version, headings[0]);
    (!found).then(|| Fault::new("CHANGELOG.md", 1, what)).into_iter().collect()
}

/// Git holds what people wrote, not what tools made of it: that is named in .gitignore.
pub(super) fn artefacts(tree: &Tree) -> Vec<Fault> {
    let what = "this is tracked, and named in .gitignore; remove it with `git rm --cached`";
    tree.ignored.iter().map(|path| Fault::new(path, 1, what)).collect()
}

/// A file of Rust that no other names as a module is compiled nowhere, and its tests run nowhere.
pub(super) fn lost(tree: &Tree) -> Vec<Fault> {
    let has = |path: &str| tree.sources.iter().any(|file| file.path == path);
    let is_module = |file: &&SourceFile| match file.path.split('/').collect::<Vec<_>>()[..] {
        [.., "lib.rs" | "main.rs"] => false,
        ["tests", suite, _, ..] => has(&format!("tests/{suite}/main.rs")),
        [folder, ..] => folder == "src",
        [] => false,
    };
    let mut faults = Vec::new();
    for file in tree.sources.iter().filter(is_module) {
        let module = file.path.trim_end_matches("/mod.rs").trim_end_matches(".rs");
        let (folder, name) = module.rsplit_once('/').unwrap_or_default();
        let parents = ["/mod.rs", ".rs", "/lib.rs", "/main.rs"].map(|end| format!("{folder}{end}"));
        let is_named = tree
            .sources
            .iter()
            .any(|file| parents.contains(&file.path) && file.code.contains(&format!("mod {name};")));
        if !is_named {
            faults.push(Fault::new(&file.path, 1, "this is part of no program; name it in a `mod`"));
        }
    }
    faults
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
    fn a_file_that_no_other_names_is_lost() {
        let files = [
            ("tests/it/main.rs", "mod a;\nmod b;"),
            ("tests/it/a.rs", "mod c; // mod e;"),
            ("tests/it/a/c.rs", ""),
            ("tests/it/b/mod.rs", "mod d;"),
            ("tests/it/b/d.rs", ""),
            ("tests/it/a/e.rs", ""),
            ("tests/it/f.rs", ""),
            ("src/lib.rs", ""),
            ("src/g/mod.rs", ""),
        ];
        let found = lost(&Tree::of(&files)).into_iter().map(|fault| fault.file).collect::<Vec<_>>();
        assert_eq!(found, ["tests/it/a/e.rs", "tests/it/f.rs", "src/g/mod.rs"]);
    }
}
