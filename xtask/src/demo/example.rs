//! The examples: which there are, and how they become programs for a page.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use xshell::Shell;

use crate::bindings::{self, BindingsTarget};
use crate::progress::note;
use crate::setup::Wasm;

/// One file of `examples/`.
pub(super) struct Example {
    pub(super) name: String,
    /// The first line of its documentation.
    pub(super) sentence: String,
    pub(super) source: String,
}

/// The examples in `folder` by name, or only those in `names`.
///
/// # Errors
///
/// If there is none, a named one is not there, or one does not say in its first `//!` line what it shows.
pub(super) fn find(folder: &Path, names: &[String]) -> Result<Vec<Example>> {
    let mut examples = BTreeMap::new();
    for entry in fs::read_dir(folder).with_context(|| format!("failed to read {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let source =
            fs::read_to_string(&path).with_context(|| format!("failed to read {}", path.display()))?;
        let sentence = sentence(&source).with_context(|| {
            format!("{} does not begin with a `//!` line that says what it shows", path.display())
        })?;
        examples.insert(name.clone(), Example { name, sentence: sentence.to_owned(), source });
    }
    if let Some(unknown) = names.iter().find(|name| !examples.contains_key(*name)) {
        let known: Vec<&str> = examples.keys().map(String::as_str).collect();
        bail!("there is no example {unknown}; there are: {}", known.join(", "));
    }
    let wanted: Vec<Example> =
        examples.into_values().filter(|example| names.is_empty() || names.contains(&example.name)).collect();
    if wanted.is_empty() {
        bail!("there are no examples in {}", folder.display());
    }
    Ok(wanted)
}

fn sentence(source: &str) -> Option<&str> {
    let sentence = source.lines().next()?.strip_prefix("//!")?.trim();
    (!sentence.is_empty()).then_some(sentence)
}

/// Builds the examples and writes each one's module and bindings to a folder of its name below `site`. Gives a
/// sentence on what had to be done.
///
/// # Errors
///
/// If an example does not compile, or its bindings cannot be generated.
pub(super) fn build(shell: &Shell, wasm: &Wasm, examples: &[Example], site: &Path) -> Result<String> {
    let selection = examples.iter().flat_map(|example| ["--example", example.name.as_str()]);
    // Diagnostics go to the terminal as ever; the messages on standard output say where the programs are.
    let messages = wasm
        .cargo(shell, "build")
        .args(["--release", "--message-format", "json-render-diagnostics"])
        .args(selection)
        .quiet()
        .read()?;
    let programs = programs(&messages);
    let mut fresh = 0;
    for example in examples {
        let program = programs.get(&example.name).with_context(|| {
            format!("the example {} was built, but Cargo names no .wasm file for it", example.name)
        })?;
        fresh += usize::from(bind(example, program, &site.join(&example.name))?);
    }
    Ok(format!("{} examples, {fresh} of them new", examples.len()))
}

/// The .wasm file of each example in Cargo's messages.
fn programs(messages: &str) -> BTreeMap<String, PathBuf> {
    let mut programs = BTreeMap::new();
    for message in messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        let is_example = message["target"]["kind"] == serde_json::json!(["example"]);
        let (Some(name), Some(files)) = (message["target"]["name"].as_str(), message["filenames"].as_array())
        else {
            continue;
        };
        let program = files.iter().filter_map(Value::as_str).find(|file| file.ends_with(".wasm"));
        if let (true, Some(program)) = (is_example, program) {
            programs.insert(name.to_owned(), PathBuf::from(program));
        }
    }
    programs
}

/// Generates the bindings, unless those of this very program are there; tells whether it did.
fn bind(example: &Example, program: &Path, folder: &Path) -> Result<bool> {
    let module = fs::read(program).with_context(|| format!("failed to read {}", program.display()))?;
    let mut hasher = DefaultHasher::new();
    hasher.write(&module);
    let stamp = format!("{:016x}", hasher.finish());
    // The stamp is written last, so it stands for complete bindings only.
    let stamp_file = folder.join("stamp");
    if fs::read_to_string(&stamp_file).is_ok_and(|old| old == stamp) {
        return Ok(false);
    }
    note(format_args!("generating the bindings of {}", example.name));
    fs::create_dir_all(folder).with_context(|| format!("failed to create {}", folder.display()))?;
    bindings::generate(program, folder, BindingsTarget::Web)?;
    fs::write(&stamp_file, stamp).with_context(|| format!("failed to write {}", stamp_file.display()))?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_says_what_an_example_shows() {
        assert_eq!(sentence("//! Adds one.\n//!\n//! More.\n"), Some("Adds one."));
        assert_eq!(sentence("//!\nfn main() {}"), None);
        assert_eq!(sentence("fn main() {}"), None);
    }

    #[test]
    fn an_unknown_name_is_an_error_that_lists_the_known() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("fib.rs"), "//! Nested threads.\n").unwrap();
        let error = find(folder.path(), &["fob".to_owned()]).err().unwrap().to_string();
        assert_eq!(error, "there is no example fob; there are: fib");
    }

    #[test]
    fn programs_are_found_in_the_messages_of_cargo() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","target":{"kind":["lib"],"name":"fib"},"filenames":["/x/lib.wasm"]}"#,
            "\n",
            r#"{"reason":"compiler-artifact","target":{"kind":["example"],"name":"fib"},"filenames":["/x/fib.d","/x/fib.wasm"]}"#,
            "\nnot JSON\n",
            r#"{"reason":"build-finished","success":true}"#,
        );
        let expected = BTreeMap::from([("fib".to_owned(), PathBuf::from("/x/fib.wasm"))]);
        assert_eq!(programs(messages), expected);
    }
}
