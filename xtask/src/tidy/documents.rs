//! What documents say of the repository: their links, and the chapters of the guide.

use std::sync::LazyLock;

use regex::Regex;
use url::Url;

use super::{Document, Fault, SourceFile, Tree};

/// The folder of the guide.
const GUIDE: &str = "docs/guide/";
/// Which chapters' code is run, or compiled if it needs more than one process.
const LISTS: [&str; 2] = ["src/guide.rs", "cluster/src/guide.rs"];
/// What the guide builds: its `src/` stands here.
const APPLICATION: &str = "examples/mandelbrot/";
/// The repository as links name it.
const HOME: &str = "https://github.com/wasm-mt/wasm-mt";

/// Links lead to files that are there, and to headings that are in them.
pub(super) fn links(tree: &Tree) -> Vec<Fault> {
    // Where this is no git checkout, it is not known what is there.
    if tree.tracked.is_empty() {
        return Vec::new();
    }
    let mut faults = Vec::new();
    for document in &tree.documents {
        for (line, link) in links_of(&document.text) {
            let Some((path, heading)) = target(&document.path, link) else { continue };
            let folder = format!("{}/", path.trim_end_matches('/'));
            let is_there = tree.tracked.iter().any(|file| *file == path || file.starts_with(&folder));
            let has_heading = |heading: &str| {
                let found = tree.documents.iter().find(|document| document.path == path);
                found.is_none_or(|document| headings(&document.text).any(|found| found == heading))
            };
            if !is_there {
                let what = format!("the link `{link}` leads to `{path}`, which is not there or not in git");
                faults.push(Fault::new(&document.path, line, what));
            } else if heading.is_some_and(|heading| !has_heading(&heading)) {
                let what = format!("the link `{link}` leads to a heading that `{path}` does not have");
                faults.push(Fault::new(&document.path, line, what));
            }
        }
    }
    faults
}

/// Each chapter of the guide is in its summary, once, and its code is run.
pub(super) fn chapters(tree: &Tree) -> Vec<Fault> {
    let summary = format!("{GUIDE}SUMMARY.md");
    let listed = tree.documents.iter().find(|document| document.path == summary);
    let listed = listed.map_or("", |document| &document.text);
    let runs: Vec<_> = tree.sources.iter().filter(|file| LISTS.contains(&file.path.as_str())).collect();
    let mut faults = Vec::new();
    for Document { path, .. } in &tree.documents {
        let Some(name) = path.strip_prefix(GUIDE).filter(|name| *name != "SUMMARY.md") else { continue };
        let times = links_of(listed).filter(|(_, link)| *link == name).count();
        if times != 1 {
            let what = format!("the summary lists the chapter `{name}` {times} times; list each once");
            faults.push(Fault::new(&summary, 1, what));
        }
        let quoted = format!("\"{name}\"");
        if !runs.iter().any(|file| file.text.contains(&quoted)) {
            faults.push(Fault::new(path, 1, "the code of this chapter is not run; name it in src/guide.rs"));
        }
    }
    faults
}

/// A block of the guide that begins with the path of a file is an excerpt of that file.
pub(super) fn excerpts(tree: &Tree) -> Vec<Fault> {
    let block = Regex::new(r"(?ms)^```rust[^\n]*\n// (\S+\.rs)\n(.*?)^```").expect("it is well formed");
    let hidden = Regex::new(r"(?m)^#( .*)?\n").expect("it is well formed");
    let mut faults = Vec::new();
    for Document { path, text } in tree.documents.iter().filter(|document| document.path.starts_with(GUIDE)) {
        for found in block.captures_iter(text) {
            let source = found[1]
                .strip_prefix("src/")
                .map_or(found[1].to_owned(), |name| format!("{APPLICATION}{name}"));
            let is_excerpt = |file: &SourceFile| {
                file.path == source && file.text.contains(&*hidden.replace_all(&found[2], ""))
            };
            if !tree.sources.iter().any(is_excerpt) {
                let line = text[..found.get_match().start()].matches('\n').count() + 1;
                let what = format!(
                    "this is no excerpt of {source}; copy its lines, and hide what else the code needs"
                );
                faults.push(Fault::new(path, line, what));
            }
        }
    }
    faults
}

/// The links of a document, with their lines. Code has none.
fn links_of(text: &str) -> impl Iterator<Item = (usize, &str)> {
    static LINK: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?ms)^ *```.*?^ *```|\]\(([^)\n]*)\)").expect("it is well formed"));

    let links = LINK.captures_iter(text).filter_map(|found| found.get(1));
    links.map(|link| (text[..link.start()].matches('\n').count() + 1, link.as_str()))
}

/// The path that a link in `document` leads to, from the root, and the heading; `None` if it leads elsewhere.
fn target(document: &str, link: &str) -> Option<(String, Option<String>)> {
    let url = Url::parse(&format!("{HOME}/blob/main/{document}")).and_then(|base| base.join(link)).ok()?;
    let heading = url.fragment().map(str::to_owned);
    let place = url.as_str().split('#').next().and_then(|place| place.strip_prefix(HOME));
    let views = ["/blob/main/", "/tree/main/"];
    match place.map(|place| (place, views.iter().find_map(|view| place.strip_prefix(view)))) {
        Some((_, Some(path))) => Some((path.to_owned(), heading)),
        Some(("", None)) => Some(("README.md".to_owned(), heading)),
        // Relative, and out of the repository.
        _ => (!link.contains(':')).then(|| (link.to_owned(), None)),
    }
}

/// The headings of a document, as links name them.
fn headings(text: &str) -> impl Iterator<Item = String> {
    let headings = text
        .lines()
        .filter_map(|line| line.trim_start_matches('#').strip_prefix(' ').filter(|_| line.starts_with('#')));
    headings.map(|heading| {
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.collect::<String>().to_lowercase().replace(' ', "-")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(rule: fn(&Tree) -> Vec<Fault>, files: &[(&str, &str)]) -> Vec<String> {
        rule(&Tree::of(files)).iter().map(Fault::to_string).collect()
    }

    #[test]
    fn links_lead_to_files_and_headings() {
        let readme = ("README.md", "# A title, `code`\n[a](docs/guide/a.md#b-c) [b](#a-title-code)");
        let text = "## B: c\n[up](../../README.md) [home](https://github.com/wasm-mt/wasm-mt#a-title-code)\n\
                    [tree](https://github.com/wasm-mt/wasm-mt/tree/main/docs) [other](https://example.com/x)";
        assert_eq!(faults(links, &[readme, ("docs/guide/a.md", text)]), [""; 0]);
        let found = faults(
            links,
            &[("docs/a.md", "```\n[code](x)\n```\n[b](b.md)\n[c](a.md#c)\n[d](../e)\n[f](../../README.md)")],
        );
        assert_eq!(found.len(), 4, "{found:?}");
        assert!(found[0].starts_with("docs/a.md:4:") && found[0].contains("docs/b.md"), "{found:?}");
        assert!(found[1].contains("a heading"), "{found:?}");
    }

    #[test]
    fn a_chapter_is_listed_once_and_run() {
        let summary = ("docs/guide/SUMMARY.md", "- [A](a.md)\n- [B](b.md)\n- [B](b.md)");
        let run = ("src/guide.rs", "chapters! { a: \"a.md\"; b: \"b.md\"; }");
        let [a, b, c] = ["docs/guide/a.md", "docs/guide/b.md", "docs/guide/c.md"].map(|path| (path, ""));
        assert_eq!(faults(chapters, &[summary, run, a]), [""; 0]);
        let found = faults(chapters, &[summary, run, a, b, c]);
        assert!(found[0].contains("`b.md` 2 times") && found[1].contains("`c.md` 0 times"), "{found:?}");
        assert!(found[2].starts_with("docs/guide/c.md:1: the code"), "{found:?}");
    }

    #[test]
    fn an_excerpt_is_what_its_file_holds() {
        let source = ("examples/mandelbrot/a.rs", "use b;\n\nfn a() {}\n\n#[test]\nfn c() {}\n");
        let block = |code: &str| format!("```rust\n// src/a.rs\n# mod a {{\n{code}\n# }}\n```\n");
        let [same, other] = ["fn a() {}\n\n#[test]", "fn a() {}\n#[test]"].map(block);
        assert_eq!(faults(excerpts, &[source, ("docs/guide/a.md", &same)]), [""; 0]);
        let found = faults(excerpts, &[source, ("docs/guide/a.md", &other)]);
        assert_eq!(found.len(), 1);
        assert!(
            found[0].starts_with("docs/guide/a.md:1: this is no excerpt of examples/mandelbrot/a.rs"),
            "{found:?}"
        );
    }
}
