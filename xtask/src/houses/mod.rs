//! `cargo xtask houses`: the application of `tests/houses` in the toolchains of web developers.
//!
//! Each house is a folder with a bundler's configuration and locked packages of npm. It is copied to the target folder, given
//! what wasm-pack would make of the application, built as its users build it, and opened in a browser. The application writes
//! what it computes into its page.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use xshell::{Shell, cmd};

use crate::bindings::BindingsTarget;
use crate::progress::Step;
use crate::setup::{self, Browser, Installed, Wasm};
use crate::web::{self, Process, Programs, Server, Session, Site};
use crate::workspace;

use list::HOUSES;

mod list;

/// How long a page may take.
const DEADLINE: Duration = Duration::from_secs(60);

/// How often a server is tried that is starting.
const POLL: Duration = Duration::from_millis(50);

/// What the application notes in every house.
const NOTES: &str = "main;library 42;squares 2470;bytes 1000;nested 1;panic true;afterwards 2;";

/// Options of `cargo xtask houses`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The houses whose names contain one of these; all if none is named.
    names: Vec<String>,
}

/// One way of building and serving the application.
struct House {
    name: &'static str,
    /// Its folder in `tests/houses`.
    folder: &'static str,
    target: BindingsTarget,
    /// The application has the feature `bundler`.
    with_feature: bool,
    /// Where the package of the application goes, below the folder.
    package: &'static str,
    /// A tool of npm and its arguments.
    tool: &'static [&'static str],
    serves: Serves,
}

/// How the page comes to the browser.
enum Serves {
    /// The tool builds a folder, which any server can serve.
    Folder(&'static str),
    /// The tool is a server: it listens on the port that stands for `{port}` in its arguments.
    Itself,
}

/// Builds the houses, opens each, and prints a table.
///
/// # Errors
///
/// If something that all houses need cannot be had. A house that fails is an exit code.
pub(crate) fn run(shell: &Shell, args: &Args) -> Result<ExitCode> {
    let wanted = |house: &&House| {
        args.names.is_empty() || args.names.iter().any(|name| house.name.contains(name.as_str()))
    };
    let chosen: Vec<&House> = HOUSES.iter().filter(wanted).collect();
    ensure!(
        !chosen.is_empty(),
        "no house has such a name; there are {}",
        HOUSES.iter().map(|house| house.name).collect::<Vec<_>>().join(", ")
    );
    ensure!(
        cmd!(shell, "npm --version").quiet().ignore_stdout().run().is_ok(),
        "npm is needed: install Node.js 20 or later"
    );
    let wasm = setup::wasm(shell)?;
    let browsers = setup::browsers(shell, &[Browser::Chromium])?;
    let browser = browsers.installed.first().context("Chromium is needed")?;
    let site = workspace::own_dir(shell, "houses")?;
    let mut rows = Vec::new();
    for house in chosen {
        let step = Step::begin(house.name);
        let result = house.visit(shell, &wasm, browser, &site);
        step.end(match &result {
            Ok(()) => "works".to_owned(),
            Err(error) => format!("FAILED: {error:#}"),
        });
        rows.push((house.name, result));
    }
    println!();
    for (name, result) in &rows {
        println!("| {name:40} | {} |", if result.is_ok() { "works" } else { "FAILED" });
    }
    Ok(if rows.iter().all(|(_, result)| result.is_ok()) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl House {
    fn visit(&self, shell: &Shell, wasm: &Wasm, browser: &Installed, houses: &Path) -> Result<()> {
        let folder = houses.join(self.folder);
        furnish(&workspace::root().join("tests/houses").join(self.folder), &folder)?;
        self.pack(shell, wasm, &folder.join(self.package))?;
        let _here = shell.push_dir(&folder);
        if !folder.join("node_modules").is_dir() {
            cmd!(shell, "npm ci --no-audit --no-fund").quiet().run()?;
        }
        match self.serves {
            Serves::Folder(built) => {
                let tool = self.tool;
                cmd!(shell, "npx --no-install {tool...}").quiet().ignore_stdout().run()?;
                let server = Server::start(Site::new(folder.join(built)), None)?;
                open(browser, &server.url("/"))
            }
            Serves::Itself => {
                let port = free_port()?;
                let mut command = Command::new("npx");
                command.arg("--no-install").current_dir(&folder);
                command.args(self.tool.iter().map(|arg| arg.replace("{port}", &port.to_string())));
                let mut process = Process::start(command)?;
                wait_for(port, &mut process)?;
                open(browser, &format!("http://127.0.0.1:{port}/"))
            }
        }
    }

    /// Makes what wasm-pack makes: bindings, and what tells npm of them.
    fn pack(&self, shell: &Shell, wasm: &Wasm, package: &Path) -> Result<()> {
        let mut selection = vec!["--release", "--package", "wasm-mt-house"];
        if self.with_feature {
            selection.extend(["--features", "bundler"]);
        }
        Programs::build(shell, wasm, selection)?.bind("house", package, self.target)?;
        let manifest = json!({
            "name": "house",
            "type": "module",
            "version": "0.0.0",
            "main": "house.js",
            "sideEffects": ["./house.js", "./snippets/*"],
        });
        web::write(&package.join("package.json"), &manifest.to_string())
    }
}

/// Copies what is tracked of a house over what is there of it.
fn furnish(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("failed to create {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("failed to read {}", from.display()))? {
        let from = entry?.path();
        let to = to.join(from.file_name().unwrap_or_default());
        if from.is_dir() {
            furnish(&from, &to)?;
        } else {
            fs::copy(&from, &to).with_context(|| format!("failed to copy {}", from.display()))?;
        }
    }
    Ok(())
}

fn open(browser: &Installed, url: &str) -> Result<()> {
    let session = Session::start(browser)?;
    session.open(url, DEADLINE)?;
    let verdict = session.wait_for_attribute("html", "data-verdict", "", DEADLINE)?;
    let notes = session.execute("return document.documentElement.dataset.notes ?? ''", &[])?;
    let notes = notes.as_str().unwrap_or_default();
    ensure!(verdict.is_some(), "it did not end; it noted {notes:?}");
    ensure!(notes == NOTES, "it noted {notes:?}");
    Ok(())
}

/// A port on which nothing listens now.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("failed to find a free port")?;
    Ok(listener.local_addr()?.port())
}

/// Waits until a server answers.
fn wait_for(port: u16, server: &mut Process) -> Result<()> {
    let since = Instant::now();
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        ensure!(server.is_running()?, "the development server has ended");
        ensure!(since.elapsed() < DEADLINE, "the development server does not listen on port {port}");
        thread::sleep(POLL);
    }
    Ok(())
}
