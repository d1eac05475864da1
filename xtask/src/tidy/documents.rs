//! What documents say of the repository: their links, and the chapters of the guide.

use super::{Document, Fault, Tree};

/// The folder of the guide.
const GUIDE: &str = "docs/guide/";
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
            let what = if !is_there {
                format!("the link `{link}` leads to `{path}`, which is not there")
            } else if heading.is_some_and(|heading| !has_heading(heading)) {
                format!("the link `{link}` leads to a heading that `{path}` does not have")
            } else {
                continue;
            };
            let cure = "name what is there, or `git add` it".to_owned();
            faults.push(Fault { file: document.path.clone(), line, what, cure });
        }
    }
    faults
}

/// Each chapter of the guide is in its summary, once, and its code is run.
pub(super) fn chapters(tree: &Tree) -> Vec<Fault> {
    let summary = format!("{GUIDE}SUMMARY.md");
    let listed = tree.documents.iter().find(|document| document.path == summary);
    let listed = listed.map_or("", |document| &document.text);
    let run = tree.sources.iter().find(|file| file.path == "src/guide.rs");
    let run = run.map_or("", |file| &file.text);
    let mut faults = Vec::new();
    for Document { path, .. } in &tree.documents {
        let Some(name) = path.strip_prefix(GUIDE).filter(|name| *name != "SUMMARY.md") else { continue };
        let mut fault = |file: &str, what: String, cure: String| {
            faults.push(Fault { file: file.to_owned(), line: 1, what, cure });
        };
        let times = links_of(listed).filter(|(_, link)| *link == name).count();
        if times != 1 {
            let what = format!("the summary lists the chapter `{name}` {times} times");
            fault(&summary, what, "list each chapter once".to_owned());
        }
        if !run.contains(&format!("\"{name}\"")) {
            let cure = "name it in src/guide.rs".to_owned();
            fault(path, "the code of this chapter is not run".to_owned(), cure);
        }
    }
    faults
}

/// A block of the guide that begins with the path of a file is an excerpt of that file.
pub(super) fn excerpts(tree: &Tree) -> Vec<Fault> {
    let mut faults = Vec::new();
    for document in tree.documents.iter().filter(|document| document.path.starts_with(GUIDE)) {
        for (line, block) in blocks(&document.text) {
            let Some((first, excerpt)) = block.split_once('\n') else { continue };
            let Some(name) = first.strip_prefix("// ").filter(|name| name.ends_with(".rs")) else { continue };
            let path =
                name.strip_prefix("src/").map_or(name.to_owned(), |name| APPLICATION.to_owned() + name);
            let source = tree.sources.iter().find(|file| file.path == path);
            if source.is_none_or(|file| !file.text.contains(excerpt)) {
                faults.push(Fault {
                    file: document.path.clone(),
                    line,
                    what: format!("this is no excerpt of {path}"),
                    cure: "copy the lines of the file, and hide what else the code needs".to_owned(),
                });
            }
        }
    }
    faults
}

/// The links of a document, with their lines. Code has none.
fn links_of(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut is_code = false;
    let lines = text.lines().enumerate().filter(move |(_, line)| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    });
    lines.flat_map(|(number, line)| {
        let ends = line.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        ends.map(move |(link, _)| (number + 1, link))
    })
}

/// The path that a link in `document` leads to, from the root, and the heading; `None` if it leads elsewhere.
fn target<'a>(document: &str, link: &'a str) -> Option<(String, Option<&'a str>)> {
    let (place, heading) =
        link.split_once('#').map_or((link, None), |(place, heading)| (place, Some(heading)));
    if let Some(rest) = place.strip_prefix(HOME) {
        let path = ["/blob/main/", "/tree/main/"].iter().find_map(|view| rest.strip_prefix(view));
        return match path {
            Some(path) => Some((path.to_owned(), heading)),
            None => rest.is_empty().then(|| ("README.md".to_owned(), heading)),
        };
    }
    if place.contains(':') {
        return None;
    }
    if place.is_empty() {
        return Some((document.to_owned(), heading));
    }
    let mut path: Vec<&str> = document.split('/').collect();
    path.pop();
    for part in place.split('/') {
        match part {
            "." => {}
            ".." => drop(path.pop()),
            part => path.push(part),
        }
    }
    Some((path.join("/"), heading))
}

/// The headings of a document, as links name them.
fn headings(text: &str) -> impl Iterator<Item = String> {
    let slug = |heading: &str| -> String {
        let letters = heading.to_lowercase();
        let kept = letters.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    text.lines()
        .filter_map(|line| line.trim_start_matches('#').strip_prefix(' ').filter(|_| line.starts_with('#')))
        .map(slug)
}

/// The Rust blocks of a document without their hidden lines, with the line of their fence.
fn blocks(text: &str) -> Vec<(usize, String)> {
    let mut blocks = Vec::new();
    let mut block: Option<(usize, bool, String)> = None;
    for (number, line) in text.lines().enumerate() {
        let fence = line.trim_start().strip_prefix("```");
        match (&mut block, fence) {
            (None, Some(kind)) => block = Some((number + 1, kind.starts_with("rust"), String::new())),
            (Some(_), Some(_)) => {
                blocks.extend(
                    block.take().filter(|(_, is_rust, _)| *is_rust).map(|(line, _, code)| (line, code)),
                );
            }
            (Some((_, _, code)), None) if line != "#" && !line.starts_with("# ") => {
                *code += line;
                code.push('\n');
            }
            _ => {}
        }
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::super::SourceFile;
    use super::*;

    fn faults(rule: fn(&Tree) -> Vec<Fault>, files: &[(&str, &str)]) -> Vec<String> {
        let mut tree = Tree::default();
        for (path, text) in files {
            tree.tracked.push((*path).to_owned());
            if path.ends_with(".md") {
                tree.documents.push(Document { path: (*path).to_owned(), text: (*text).to_owned() });
            } else {
                tree.sources.push(SourceFile::new(*path, *text));
            }
        }
        rule(&tree)
            .into_iter()
            .map(|fault| format!("{}:{}: {}", fault.file, fault.line, fault.what))
            .collect()
    }

    #[test]
    fn links_lead_to_files_and_headings() {
        let readme = ("README.md", "# A title, `code`\n[a](docs/guide/a.md#b-c) [b](#a-title-code)");
        let text = "## B: c\n[up](../../README.md) [home](https://github.com/wasm-mt/wasm-mt#a-title-code)\n\
                    [tree](https://github.com/wasm-mt/wasm-mt/tree/main/docs) [other](https://example.com/x)";
        assert_eq!(faults(links, &[readme, ("docs/guide/a.md", text)]), [""; 0]);
        let found = faults(links, &[("docs/a.md", "```\n[code](x)\n```\n[b](b.md)\n[c](a.md#c)\n[d](../e)")]);
        assert_eq!(found.len(), 3, "{found:?}");
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
        assert_eq!(found, ["docs/guide/a.md:1: this is no excerpt of examples/mandelbrot/a.rs"]);
    }
}
