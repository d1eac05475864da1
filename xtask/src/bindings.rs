//! `wasm-bindgen-cli` as a library: the bindings generator, and the runner of browser tests.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::ValueEnum as _;

/// The kind of JavaScript that is generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
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
    #[value(name = "experimental-nodejs-module")]
    NodejsModule,
    Deno,
    /// A module that imports the `.wasm` file as a module that is compiled and not instantiated.
    Module,
}

/// Generates `<name>.js` and `<name>_bg.wasm` from a module that Cargo built. `options`: more for the generator.
pub(crate) fn generate(
    wasm_file: &Path,
    out_dir: &Path,
    target: BindingsTarget,
    options: &[&str],
) -> anyhow::Result<()> {
    let target = target.to_possible_value().context("each target has a name")?;
    let target = target.get_name();
    let (file, folder) = (wasm_file.as_os_str(), out_dir.as_os_str());
    let args = [
        file,
        "--target".as_ref(),
        target.as_ref(),
        "--no-typescript".as_ref(),
        "--out-dir".as_ref(),
        folder,
    ];
    run_generator(args.into_iter().chain(options.iter().map(AsRef::as_ref)))
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
