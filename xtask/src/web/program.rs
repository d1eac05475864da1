//! Programs for pages: Cargo builds them, the bindings generator makes them loadable.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use fs_err as fs;
use serde_json::Value;
use xshell::{Cmd, Shell};

use crate::bindings::{self, BindingsTarget};
use crate::setup::Wasm;

/// Programs that were built: their .wasm files by name.
pub(crate) struct Programs(BTreeMap<String, PathBuf>);

impl Programs {
    /// Builds what `selection`, arguments of `cargo build`, names.
    pub(crate) fn build<'a>(
        shell: &Shell,
        wasm: &Wasm,
        selection: impl IntoIterator<Item = &'a str>,
    ) -> Result<Programs> {
        Programs::build_by(wasm.cargo(shell, "build").args(selection))
    }

    /// Builds by a command that runs `cargo build`.
    pub(crate) fn build_by(command: Cmd<'_>) -> Result<Programs> {
        // Diagnostics go to the terminal as ever; the messages on standard output say where the programs are.
        let command = command.args(["--message-format", "json-render-diagnostics"]);
        Ok(Programs::read(&command.quiet().read()?))
    }

    /// The programs in Cargo's messages.
    fn read(messages: &str) -> Programs {
        let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let program = |message: Value| {
            let kind = message["target"]["kind"][0].as_str()?;
            let name = message["target"]["name"].as_str()?;
            let files = message["filenames"].as_array()?;
            let file = files.iter().filter_map(Value::as_str).find(|file| file.ends_with(".wasm"))?;
            ["bin", "example"].contains(&kind).then(|| (name.to_owned(), PathBuf::from(file)))
        };
        Programs(messages.filter_map(program).collect())
    }

    /// Generates the bindings of the program `name` into `folder`, unless those of this very program are there; tells
    /// whether it did.
    pub(crate) fn bind(&self, name: &str, folder: &Path, target: BindingsTarget) -> Result<bool> {
        self.bind_with(name, folder, target, &[])
    }

    /// As [`bind`](Self::bind), with more options for the generator.
    pub(crate) fn bind_with(
        &self,
        name: &str,
        folder: &Path,
        target: BindingsTarget,
        options: &[&str],
    ) -> Result<bool> {
        let program = self.0.get(name).with_context(|| format!("Cargo names no .wasm file for {name}"))?;
        let mut hasher = DefaultHasher::new();
        hasher.write(&fs::read(program)?);
        let stamp = format!("{target:?} {options:?} {:016x}", hasher.finish());
        // The stamp is written last, so it stands for complete bindings only.
        let stamp_file = folder.join(format!("{name}.stamp"));
        if fs::read_to_string(&stamp_file).is_ok_and(|old| old == stamp) {
            return Ok(false);
        }
        fs::create_dir_all(folder)?;
        bindings::generate(program, folder, target, options)?;
        fs::write(&stamp_file, &stamp)?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_in_the_messages_of_cargo() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","target":{"kind":["cdylib"],"name":"fib"},"filenames":["lib.wasm"]}"#,
            "\n",
            r#"{"reason":"compiler-artifact","target":{"kind":["example"],"name":"fib"},"filenames":["fib.d","fib.wasm"]}"#,
            "\nnot JSON\n",
            r#"{"reason":"build-finished","success":true}"#,
        );
        let expected = BTreeMap::from([("fib".to_owned(), PathBuf::from("fib.wasm"))]);
        assert_eq!(Programs::read(messages).0, expected);
    }
}
