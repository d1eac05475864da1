//! The project's own commands. `cargo xtask demo` and `cargo xtask test` do everything from a bare machine on;
//! each prints what it does.
//!
//! Nothing here needs a tool that is not built from `Cargo.lock` or found by [`setup`]: the bindings generator and the
//! browser test runner are libraries linked into this program ([`bindings`]), so they are always at the right version.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xshell::Shell;

mod api;
mod bench;
mod bindings;
mod broker;
mod demo;
mod houses;
mod miri;
mod pages;
mod progress;
mod setup;
mod soak;
mod source;
mod test;
mod tidy;
mod web;
mod workspace;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Commands for working on wasm-mt")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Builds all examples for the web and serves them with a gallery page.
    Demo(demo::Args),
    /// Runs all checks and all tests, natively and in browsers.
    Test(test::Args),
    /// Measures what the library weighs and costs, beside what the platform itself takes.
    Bench(bench::Args),
    /// Tries random tasks with random faults for minutes, natively and in browsers.
    Soak(soak::Args),
    /// Builds an application in the toolchains of web developers, and opens it in a browser.
    Houses(houses::Args),
    /// Starts a NATS server with JetStream, for trying out programs that need one, and outages.
    Nats(broker::Args),
    /// Runs the unit tests of tasks, messages and the schedule in Miri, if it is installed.
    Miri,
    /// Checks the rules of the house: imports, unsafe code, the changelog, and the like.
    Tidy,
    /// Compares the public API with tests/api.
    Api(api::Args),
    /// Runs a test binary in a browser; Cargo calls this.
    #[command(hide = true, disable_help_flag = true)]
    WasmRunner {
        /// The test binary and what follows it.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Generates bindings; Trunk calls this.
    #[command(hide = true, disable_help_flag = true)]
    WasmBindgen {
        /// What wasm-bindgen's own program takes.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
}

fn main() -> ExitCode {
    let result = match std::env::var_os(api::RUSTDOC) {
        Some(real) => api::run_rustdoc(&real),
        None => run(Cli::parse()),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    let shell = Shell::new()?;
    shell.change_dir(workspace::root());
    match cli.command {
        Command::Demo(args) => demo::run(&shell, &args),
        Command::Test(args) => Ok(test::run(&shell, &args)),
        Command::Bench(args) => bench::run(&shell, &args),
        Command::Soak(args) => soak::run(&shell, &args),
        Command::Houses(args) => houses::run(&shell, &args),
        Command::Nats(args) => broker::run(&shell, &args),
        Command::Miri => miri::run(&shell),
        Command::Tidy => tidy::run(&shell),
        Command::Api(args) => api::run(&shell, &args),
        Command::WasmRunner { args } => bindings::run_tests(args),
        Command::WasmBindgen { args } => bindings::run_generator(args).map(|()| ExitCode::SUCCESS),
    }
}
