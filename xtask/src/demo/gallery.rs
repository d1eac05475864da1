//! The pages: an index, and one page per example. Their parts are ordinary files in `xtask/gallery/`.

use std::path::Path;

use anyhow::Result;

use super::example::Example;
use crate::web;

const INDEX: &str = include_str!("../../gallery/index.html");
const ENTRY: &str = include_str!("../../gallery/entry.html");
const EXAMPLE: &str = include_str!("../../gallery/example.html");

/// So ends the sentence of an example that does nothing natively.
const WEB_ONLY: &str = "Web only.";

/// Files that every page shares.
const SHARED: [(&str, &str); 3] = [
    ("page.js", include_str!("../../gallery/page.js")),
    ("style.css", include_str!("../../gallery/style.css")),
    ("icon.svg", include_str!("../../gallery/icon.svg")),
];

/// Writes the gallery of `examples` to `site`, where their programs already are. `inject` is a script that runs in each
/// example's page before everything else.
///
/// # Errors
///
/// If a file cannot be written.
pub(super) fn write(site: &Path, examples: &[Example], inject: Option<&str>) -> Result<()> {
    let script = if inject.is_some() { "<script src=\"../inject.js\"></script>" } else { "" };
    web::write(&site.join("inject.js"), inject.unwrap_or_default())?;
    let mut entries = String::new();
    for example in examples {
        let (name, sentence, source) =
            (escape(&example.name), escape(&example.sentence), escape(&example.source));
        let native = match example.sentence.ends_with(WEB_ONLY) {
            true => String::new(),
            false => format!(" It runs natively as well: <code>cargo run --example {name}</code>"),
        };
        let values = [
            ("name", name.as_str()),
            ("sentence", &sentence),
            ("source", &source),
            ("native", &native),
            ("inject", script),
        ];
        entries += &fill(ENTRY, &values);
        let folder = site.join(&example.name);
        web::write(&folder.join("index.html"), &fill(EXAMPLE, &values))?;
        web::write(&folder.join(format!("{}.rs", example.name)), &example.source)?;
    }
    web::write(&site.join("index.html"), &fill(INDEX, &[("examples", entries.trim_end())]))?;
    for (name, text) in SHARED {
        web::write(&site.join(name), text)?;
    }
    Ok(())
}

/// `template` with each `{{key}}` replaced. One pass: what is put in is not looked at again.
///
/// # Panics
///
/// If the template holds a key that has no value.
fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut parts = template.split("{{");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (key, rest) = part.split_once("}}").expect("templates close what they open");
        let value = values.iter().find(|(name, _)| *name == key);
        text += value.unwrap_or_else(|| panic!("a template holds an unknown key: {key}")).1;
        text += rest;
    }
    text
}

/// `text` as it is written in HTML, between tags and in quoted attributes.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_source_that_looks_like_html_or_a_template_is_shown_as_it_is() {
        let site = tempfile::tempdir().unwrap();
        fs::create_dir(site.path().join("odd")).unwrap();
        let source = "//! A & B\nfn main() { println!(\"<b>{{name}}</b>\") }\n";
        let example = Example { name: "odd".into(), sentence: "A & B".into(), source: source.into() };
        write(site.path(), &[example], None).unwrap();
        let page = fs::read_to_string(site.path().join("odd/index.html")).unwrap();
        assert!(page.contains("println!(&quot;&lt;b&gt;{{name}}&lt;/b&gt;&quot;)"), "{page}");
        assert!(page.contains("<p>A &amp; B</p>"), "{page}");
        assert!(page.contains("cargo run --example odd"), "{page}");
        assert_eq!(fs::read_to_string(site.path().join("odd/odd.rs")).unwrap(), source);
        let index = fs::read_to_string(site.path().join("index.html")).unwrap();
        assert!(index.contains("href=\"odd/odd.rs\""), "{index}");
    }

    #[test]
    fn an_example_for_the_web_only_is_not_said_to_run_natively() {
        let site = tempfile::tempdir().unwrap();
        fs::create_dir(site.path().join("old")).unwrap();
        let example =
            Example { name: "old".into(), sentence: "Old. Web only.".into(), source: String::new() };
        write(site.path(), &[example], None).unwrap();
        let page = fs::read_to_string(site.path().join("old/index.html")).unwrap();
        assert!(!page.contains("cargo run"), "{page}");
    }
}
