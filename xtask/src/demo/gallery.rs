//! The pages: an index, and one page per example. Their parts are ordinary files in `xtask/gallery/`.

use std::path::Path;

use anyhow::{Result, ensure};
use fs_err as fs;

use super::example::Example;
use super::highlight;

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

/// The name of an example's picture in its folder.
pub(super) const PICTURE: &str = "picture.png";

/// Writes the gallery of `examples` to `site`, where their programs already are, and their pictures, if there are any. `inject`
/// is a script that runs in each example's page before everything else.
pub(super) fn write(site: &Path, examples: &[Example], inject: Option<&str>) -> Result<()> {
    let script = if inject.is_some() { "<script src=\"../inject.js\"></script>" } else { "" };
    fs::write(site.join("inject.js"), inject.unwrap_or_default())?;
    let (mut entries, mut old) = (String::new(), String::new());
    for example in examples {
        let (name, sentence, source) =
            (escape(&example.name), escape(&example.sentence), coloured(&example.source));
        let native = match example.sentence.ends_with(WEB_ONLY) {
            true => String::new(),
            false => format!(" It runs natively as well: <code>cargo run --example {name}</code>"),
        };
        let folder = site.join(&example.name);
        let picture = match folder.join(PICTURE).is_file() {
            true => format!("<img src=\"{name}/{PICTURE}\" alt=\"\" loading=\"lazy\">"),
            false => String::new(),
        };
        let values = [
            ("picture", picture.as_str()),
            ("name", &name),
            ("sentence", &sentence),
            ("source", &source),
            ("native", &native),
            ("inject", script),
        ];
        if example.is_old() { &mut old } else { &mut entries }.push_str(&fill(ENTRY, &values));
        fs::write(folder.join("index.html"), fill(EXAMPLE, &values))?;
        fs::write(folder.join(format!("{}.rs", example.name)), &example.source)?;
    }
    let hidden = if old.is_empty() { " hidden" } else { "" };
    let lists = [("examples", entries.trim_end()), ("old", old.trim_end()), ("hidden", hidden)];
    fs::write(site.join("index.html"), fill(INDEX, &lists))?;
    for (name, text) in SHARED {
        fs::write(site.join(name), text)?;
    }
    Ok(())
}

/// Copies the gallery to a folder that any host can serve, below any path.
/// Fails if there is something in the folder.
pub(super) fn export(site: &Path, examples: &[Example], folder: &Path) -> Result<()> {
    let is_vacant = fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none());
    ensure!(is_vacant, "{} is not empty; name another folder, or remove it", folder.display());
    let copy = |file: &str| -> Result<()> {
        let (from, to) = (site.join(file), folder.join(file));
        fs::create_dir_all(to.parent().unwrap_or(folder)).and_then(|()| fs::copy(&from, &to))?;
        Ok(())
    };
    for Example { name, .. } in examples {
        let files =
            [format!("{name}.js"), format!("{name}_bg.wasm"), format!("{name}.rs"), "index.html".to_owned()];
        files.iter().try_for_each(|file| copy(&format!("{name}/{file}")))?;
        if site.join(name).join(PICTURE).is_file() {
            copy(&format!("{name}/{PICTURE}"))?;
        }
    }
    SHARED.iter().map(|(name, _)| *name).chain(["index.html"]).try_for_each(copy)
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

/// Rust source in HTML, with a class on each part that has a colour.
fn coloured(source: &str) -> String {
    let element = |part: &highlight::Part<'_>| match (part.class, escape(part.text)) {
        (Some(class), text) => format!("<span class=\"{class}\">{text}</span>"),
        (None, text) => text,
    };
    highlight::parts(source).iter().map(element).collect()
}

/// `text` as it is written in HTML, between tags and in quoted attributes.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_source_that_looks_like_html_or_a_template_is_shown_as_it_is() {
        let site = tempfile::tempdir().unwrap();
        fs::create_dir(site.path().join("odd")).unwrap();
        let source = "//! A & B\nfn main() { println!(\"<b>{{name}}</b>\") }\n";
        let example = Example { name: "odd".into(), sentence: "A & B".into(), source: source.into() };
        write(site.path(), &[example], None).unwrap();
        let page = fs::read_to_string(site.path().join("odd/index.html")).unwrap();
        let string = "<span class=\"string\">&quot;&lt;b&gt;{{name}}&lt;/b&gt;&quot;</span>";
        assert!(page.contains(&format!("<span class=\"macro\">println</span>!({string})")), "{page}");
        assert!(page.contains("<p>A &amp; B</p>"), "{page}");
        assert!(page.contains("cargo run --example odd"), "{page}");
        assert_eq!(fs::read_to_string(site.path().join("odd/odd.rs")).unwrap(), source);
        let index = fs::read_to_string(site.path().join("index.html")).unwrap();
        assert!(index.contains("href=\"odd/odd.rs\""), "{index}");
    }

    const STYLE: &str = include_str!("../../gallery/style.css");

    #[test]
    fn each_part_of_a_source_has_a_colour() {
        let html = coloured("#[a]\nstruct B<'c>; // d\nconst LIMIT: u8 = f!(1, \"g\", 'h');");
        let classes: Vec<&str> =
            html.split("class=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        for class in &classes {
            assert!(STYLE.contains(&format!(".source .{class}")), "{class}");
        }
        let all = ["attribute", "keyword", "type", "char", "comment"];
        assert_eq!(classes, [&all[..], &["keyword", "macro", "number", "string", "char"]].concat());
    }

    /// The relative luminance of a colour in hexadecimal digits, as WCAG defines it.
    fn luminance(digits: &str) -> f64 {
        let width = digits.len() / 3;
        let parts = (0..3).map(|place| {
            let value = u8::from_str_radix(&digits[place * width..][..width], 16).unwrap();
            let part = f64::from(value) / if width == 1 { 15.0 } else { 255.0 };
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        parts.zip([0.2126, 0.7152, 0.0722]).map(|(part, weight)| part * weight).sum()
    }

    #[test]
    fn colours_can_be_read_on_either_ground_in_light_and_in_darkness() {
        let (light, dark) = STYLE.split_once("@media (prefers-color-scheme: dark)").unwrap();
        for mode in [light, dark] {
            let colours: BTreeMap<&str, f64> = mode
                .lines()
                .filter_map(|line| line.trim().strip_prefix("--")?.strip_suffix(';')?.split_once(": #"))
                .map(|(name, digits)| (name, luminance(digits)))
                .collect();
            let is_text = |name: &str| !["ground", "raised", "line"].contains(&name);
            for (name, colour) in colours.iter().filter(|(name, _)| is_text(name)) {
                for ground in ["ground", "raised"] {
                    let (one, other) = (colour + 0.05, colours[ground] + 0.05);
                    let contrast = (one / other).max(other / one);
                    assert!(contrast >= 4.5, "{name} on {ground}: {contrast}");
                }
            }
            assert_eq!(colours.len(), 12);
        }
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

    #[test]
    fn a_gallery_is_exported_whole_and_over_nothing() {
        let (site, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let example = Example { name: "new".into(), sentence: "New.".into(), source: String::new() };
        let inside = site.path().join("new");
        fs::create_dir(&inside).unwrap();
        for file in ["new.js", "new_bg.wasm", "new.stamp", PICTURE] {
            fs::write(inside.join(file), file).unwrap();
        }
        let examples = [example];
        write(site.path(), &examples, None).unwrap();
        export(site.path(), &examples, folder.path()).unwrap();
        let index = fs::read_to_string(folder.path().join("index.html")).unwrap();
        assert!(index.contains("src=\"new/picture.png\"") && !index.contains("=\"/"), "{index}");
        for file in ["index.html", "new.js", "new.rs", "new_bg.wasm", PICTURE] {
            assert!(folder.path().join("new").join(file).is_file(), "{file}");
        }
        assert!(!folder.path().join("new/new.stamp").exists());
        let error = export(site.path(), &examples, folder.path()).unwrap_err().to_string();
        assert!(error.contains("not empty"), "{error}");
    }
}
