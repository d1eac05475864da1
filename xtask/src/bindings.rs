//! `wasm-bindgen-cli` as a library: the bindings generator, and the runner of browser tests.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, bail};

use crate::workspace;

/// The kind of JavaScript that is generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BindingsTarget {
    /// An ES module that a page imports.
    Web,
    /// A classic script that defines the global `wasm_bindgen`.
    NoModules,
    /// Modules for a bundler, which makes a module of the `.wasm` file too.
    Bundler,
    /// A `CommonJS` module for Node.js.
    Nodejs,
    /// An ES module for Node.js.
    NodejsModule,
    Deno,
    /// A module that imports the `.wasm` file as a module that is compiled and not instantiated.
    Module,
}

/// Generates `<name>.js` and `<name>_bg.wasm` from a module that Cargo built.
///
/// # Errors
///
/// Fails if the generator is not of the version in `Cargo.lock`, or if it rejects the module.
pub(crate) fn generate(wasm_file: &Path, out_dir: &Path, target: BindingsTarget) -> anyhow::Result<()> {
    let lock = workspace::root().join("Cargo.lock");
    let text =
        std::fs::read_to_string(&lock).with_context(|| format!("failed to read {}", lock.display()))?;
    check_versions(&text)?;
    let target = match target {
        BindingsTarget::Web => "web",
        BindingsTarget::NoModules => "no-modules",
        BindingsTarget::Bundler => "bundler",
        BindingsTarget::Nodejs => "nodejs",
        BindingsTarget::NodejsModule => "experimental-nodejs-module",
        BindingsTarget::Deno => "deno",
        BindingsTarget::Module => "module",
    };
    let args = [wasm_file.as_os_str(), "--target".as_ref(), target.as_ref(), "--no-typescript".as_ref()];
    run_generator(args.into_iter().chain(["--out-dir".as_ref(), out_dir.as_os_str()]))
        .with_context(|| format!("failed to generate bindings for {}", wasm_file.display()))
}

/// Runs the generator as its own program would.
pub(crate) fn run_generator<T: Into<OsString> + Clone>(
    args: impl IntoIterator<Item = T>,
) -> anyhow::Result<()> {
    let args = args.into_iter().map(Into::into);
    wasm_bindgen_cli::wasm_bindgen::run_cli_with_args(
        [OsString::from("wasm-bindgen")].into_iter().chain(args),
    )
}

/// Runs one test binary as wasm-bindgen's own runner would; `args` begin with the file.
pub(crate) fn run_tests(args: Vec<String>) -> anyhow::Result<ExitCode> {
    let program = std::iter::once("wasm-bindgen-test-runner".to_owned());
    wasm_bindgen_cli::wasm_bindgen_test_runner::run_cli_with_args(program.chain(args))?;
    Ok(ExitCode::SUCCESS)
}

/// Checks that generator and library are of one version.
pub(crate) fn check_lock() -> anyhow::Result<()> {
    let lock = workspace::root().join("Cargo.lock");
    let text =
        std::fs::read_to_string(&lock).with_context(|| format!("failed to read {}", lock.display()))?;
    check_versions(&text)
}

/// The bindings generator only understands modules of its own release.
fn check_versions(lock: &str) -> anyhow::Result<()> {
    let library = locked_version(lock, "wasm-bindgen").context("Cargo.lock has no wasm-bindgen")?;
    let generator = locked_version(lock, "wasm-bindgen-cli").context("Cargo.lock has no wasm-bindgen-cli")?;
    if library != generator {
        bail!(
            "wasm-bindgen is {library} and wasm-bindgen-cli is {generator}, but they must be equal: \
             write `wasm-bindgen-cli = {{ version = \"={library}\", .. }}` in xtask/Cargo.toml"
        );
    }
    Ok(())
}

/// The version of the first package with this name in a lock file.
fn locked_version<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name);
    lines.nth(1)?.strip_prefix("version = \"")?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(library: &str, generator: &str) -> String {
        format!(
            "[[package]]\nname = \"wasm-bindgen\"\nversion = \"{library}\"\n\n\
             [[package]]\nname = \"wasm-bindgen-cli\"\nversion = \"{generator}\"\n"
        )
    }

    #[test]
    fn equal_versions_pass() {
        check_versions(&lock("0.2.130", "0.2.130")).unwrap();
    }

    #[test]
    fn other_versions_name_the_cure() {
        let error = check_versions(&lock("0.2.131", "0.2.130")).unwrap_err().to_string();
        assert!(error.contains("version = \"=0.2.131\""), "{error}");
    }
}
