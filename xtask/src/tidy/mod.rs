//! `cargo xtask tidy`: the rules of the house, each with its cure.
//!
//! The rules are about words, not meaning, so that anyone can foresee their verdict: who may import whom ([`imports`]),
//! what things are called ([`names`]), where a word may stand ([`words`]), what the repository holds ([`files`]), and what its
//! documents say of it ([`documents`]). They run as tests too.

use std::fmt;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use fs_err as fs;
use xshell::{Shell, cmd};

use crate::progress::note;
use crate::source::{blank, without_tests};
use crate::workspace;

mod documents;
mod files;
mod imports;
mod modules;
mod names;
mod reader;
mod words;

use modules::Modules;

/// A place where a rule is broken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    file: String,
    line: usize,
    /// What is wrong, and the cure.
    what: String,
}

impl Fault {
    fn new(file: impl Into<String>, line: usize, what: impl Into<String>) -> Self {
        Self { file: file.into(), line, what: what.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}

/// A Rust file, with its path from the root in `/`.
#[derive(Debug)]
struct SourceFile {
    path: String,
    text: String,
    /// The text with comments and literals blanked.
    code: String,
    /// The code without test modules.
    library: String,
}

impl SourceFile {
    fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let code = blank(&text);
        Self { path: path.into(), library: without_tests(&code), code, text }
    }
}

/// A document for people, with its path from the root in `/`.
#[derive(Debug)]
struct Document {
    path: String,
    text: String,
}

/// What the rules look at.
#[derive(Debug, Default)]
struct Tree {
    sources: Vec<SourceFile>,
    modules: Modules,
    documents: Vec<Document>,
    /// Paths that git knows; none where this is no git checkout.
    tracked: Vec<String>,
    /// Those of them that .gitignore names.
    ignored: Vec<String>,
    changelog: String,
    version: String,
}

/// A rule finds faults in the tree.
type Rule = fn(&Tree) -> Vec<Fault>;

const RULES: [(&str, Rule); 15] = [
    ("imports run one way", imports::one_way),
    ("no arrow runs back inside a room", imports::no_way_back),
    ("one name is one thing", names::one_thing),
    ("names are made of the words of the house", names::words),
    ("JavaScript stays in its rooms", words::javascript),
    ("threads are the platform's", words::threads),
    ("targets differ at the seam", words::targets),
    ("unsafe code is where it is reviewed", words::unsafe_code),
    ("tests await events", words::sleeps),
    ("the changelog knows this version", files::changelog),
    ("nothing that was built is tracked", files::artefacts),
    ("each file is part of a program", files::lost),
    ("links lead to what is there", documents::links),
    ("chapters of the guide are listed and run", documents::chapters),
    ("excerpts are what their files hold", documents::excerpts),
];

/// What a rule came to.
pub(crate) struct Verdict {
    pub(crate) rule: &'static str,
    pub(crate) faults: Vec<Fault>,
}

/// Checks all rules.
pub(crate) fn check(shell: &Shell) -> anyhow::Result<Vec<Verdict>> {
    let tree = read(shell, workspace::root())?;
    for long in files::long(&tree) {
        note(format_args!("warning: {long}"));
    }
    Ok(RULES.iter().map(|(rule, find)| Verdict { rule, faults: find(&tree) }).collect())
}

/// `cargo xtask tidy`.
pub(crate) fn run(shell: &Shell) -> anyhow::Result<ExitCode> {
    let verdicts = check(shell)?;
    let faults: Vec<&Fault> = verdicts.iter().flat_map(|verdict| &verdict.faults).collect();
    for fault in &faults {
        println!("{fault}");
    }
    println!("{} rules, {} faults", verdicts.len(), faults.len());
    Ok(if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn read(shell: &Shell, root: &Path) -> anyhow::Result<Tree> {
    let mut tree = Tree::default();
    for folder in ["src", "macros", "compat", "cluster", "xtask", "tests", "examples"] {
        read_sources(root, &root.join(folder), &mut tree.sources)?;
    }
    tree.sources.sort_by(|a, b| a.path.cmp(&b.path));
    tree.modules = Modules::read(&tree.sources)?;
    // Where this is no git checkout, nothing is tracked.
    let list = |options: &[&str]| -> Vec<String> {
        let files = cmd!(shell, "git ls-files").args(options).quiet().ignore_stderr().read();
        files.unwrap_or_default().lines().map(str::to_owned).collect()
    };
    tree.tracked = list(&[]);
    tree.ignored = list(&["--cached", "--ignored", "--exclude-standard"]);
    for path in tree.tracked.iter().filter(|path| path.ends_with(".md")) {
        // One that was deleted is tracked until that is committed.
        if let Ok(text) = fs::read_to_string(root.join(path)) {
            tree.documents.push(Document { path: path.clone(), text });
        }
    }
    tree.changelog = fs::read_to_string(root.join("CHANGELOG.md"))?;
    let manifest = fs::read_to_string(root.join("Cargo.toml"))?;
    let version = manifest.lines().find_map(|line| line.strip_prefix("version = \"")?.strip_suffix('"'));
    tree.version = version.context("Cargo.toml names no version")?.to_owned();
    Ok(tree)
}

fn read_sources(root: &Path, folder: &Path, sources: &mut Vec<SourceFile>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            read_sources(root, &path, sources)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            sources.push(SourceFile::new(name, fs::read_to_string(&path)?));
        }
    }
    Ok(())
}

#[cfg(test)]
impl Tree {
    /// A tree of these files, which git tracks.
    fn of(files: &[(&str, &str)]) -> Self {
        let mut tree = Self::default();
        for (path, text) in files {
            tree.tracked.push((*path).to_owned());
            if path.ends_with(".md") {
                tree.documents.push(Document { path: (*path).to_owned(), text: (*text).to_owned() });
            } else {
                tree.sources.push(SourceFile::new(*path, *text));
            }
        }
        tree.modules = Modules::read(&tree.sources).unwrap();
        tree
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_repository_is_tidy() {
        let shell = Shell::new().unwrap();
        shell.change_dir(workspace::root());
        let verdicts = check(&shell).unwrap();
        let faults: Vec<String> =
            verdicts.iter().flat_map(|verdict| &verdict.faults).map(Fault::to_string).collect();
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }
}
