//! The examples: which there are, and how they become programs for a page.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use fs_err as fs;
use xshell::Shell;

use crate::bindings::BindingsTarget;
use crate::progress::note;
use crate::setup::Wasm;
use crate::web::Programs;

/// One file of `examples/`.
pub(super) struct Example {
    pub(super) name: String,
    /// The first line of its documentation.
    pub(super) sentence: String,
    pub(super) source: String,
}

impl Example {
    /// True if it shows that programs of 0.1 still run.
    pub(super) fn is_old(&self) -> bool {
        ["of wasm-mt 0.1:", "of wasm-mt-pool 0.1:"].iter().any(|old| self.sentence.contains(old))
    }

    /// The tour comes first, what is old last.
    fn place(&self) -> (bool, bool, &str) {
        (self.is_old(), self.name != "tour", &self.name)
    }
}

/// The examples in `folder` in the order in which they are shown, or only those in `names`.
/// Fails if there is none, a named one is not there, or one does not say in its first `//!` line what it shows.
pub(super) fn find(folder: &Path, names: &[String]) -> Result<Vec<Example>> {
    let mut examples = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let source = fs::read_to_string(&path)?;
        let sentence = sentence(&source).with_context(|| {
            format!("{} does not begin with a `//!` line that says what it shows", path.display())
        })?;
        examples.insert(name.clone(), Example { name, sentence: sentence.to_owned(), source });
    }
    if let Some(unknown) = names.iter().find(|name| !examples.contains_key(*name)) {
        let known: Vec<&str> = examples.keys().map(String::as_str).collect();
        bail!("there is no example {unknown}; there are: {}", known.join(", "));
    }
    let mut wanted: Vec<Example> =
        examples.into_values().filter(|example| names.is_empty() || names.contains(&example.name)).collect();
    if wanted.is_empty() {
        bail!("there are no examples in {}", folder.display());
    }
    wanted.sort_by(|one, other| one.place().cmp(&other.place()));
    Ok(wanted)
}

fn sentence(source: &str) -> Option<&str> {
    let sentence = source.lines().next()?.strip_prefix("//!")?.trim();
    (!sentence.is_empty()).then_some(sentence)
}

/// Builds the examples and writes each one's module and bindings to a folder of its name below `site`. Gives a
/// sentence on what had to be done.
pub(super) fn build(shell: &Shell, wasm: &Wasm, examples: &[Example], site: &Path) -> Result<String> {
    let selection = examples.iter().flat_map(|example| ["--example", &example.name]);
    let programs = Programs::build(shell, wasm, ["--release"].into_iter().chain(selection))?;
    let mut fresh = 0;
    for Example { name, .. } in examples {
        if programs.bind(name, &site.join(name), BindingsTarget::Web)? {
            note(format_args!("generated the bindings of {name}"));
            fresh += 1;
        }
    }
    Ok(format!("{} examples, {fresh} of them new", examples.len()))
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
}
