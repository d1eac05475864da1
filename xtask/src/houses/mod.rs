//! `cargo xtask houses`: the application of `tests/houses` in the toolchains and runtimes of web developers.
//!
//! Each house is a folder with what a user writes, and locked packages of npm. It is copied to the target folder, given what
//! wasm-pack would make of the application, built as its users build it, and opened in a browser, or run. A house of a framework
//! is a Cargo project with a lock file of its own. The application says what it computes: in attributes of its document, and on
//! the console.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use serde_json::json;
use xshell::Shell;

use crate::bindings::BindingsTarget;
use crate::progress::Step;
use crate::setup::{self, Browser, Installed, Wasm};
use crate::web::{Process, Programs, Server, Session, Site};
use crate::workspace;

use list::HOUSES;

mod list;

/// How long a page may take.
const DEADLINE: Duration = Duration::from_secs(60);

/// How often is looked whether a server answers, or a program has ended.
const POLL: Duration = Duration::from_millis(50);

/// What the application notes in every house.
const NOTES: &str = "main;library 42;squares 2470;bytes 1000;nested 1;panic true;afterwards 2;";

/// Options of `cargo xtask houses`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The houses whose names contain one of these; all if none is named.
    names: Vec<String>,
    /// The browsers to open every page in. Unless told, one page is opened in all that can be had, the others in Chromium.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "BROWSER,..")]
    browser: Vec<Browser>,
}

/// Visits the houses, and prints a table.
///
/// # Errors
///
/// If something that all houses need cannot be had. A house that fails is an exit code.
pub(crate) fn run(shell: &Shell, args: &Args) -> Result<ExitCode> {
    let is_wanted = |house: &House| {
        args.names.is_empty() || args.names.iter().any(|name| house.name.contains(name.as_str()))
    };
    ensure!(
        HOUSES.iter().any(is_wanted),
        "no house has such a name; there are {}",
        HOUSES.iter().map(|house| house.name).collect::<Vec<_>>().join("; ")
    );
    let wasm = setup::wasm(shell)?;
    let is_told = !args.browser.is_empty();
    let browsers = setup::browsers(shell, if is_told { &args.browser } else { &Browser::ALL })?;
    if is_told && let Some((browser, cure)) = browsers.missing.first() {
        bail!("{browser} is missing: {cure}");
    }
    let installed = &browsers.installed[..];
    ensure!(!installed.is_empty(), "no browser can be had");
    let browsers_of = |house: &House| if is_told { installed } else { house.browsers(installed) };
    let rows = visit(shell, &wasm, |house| is_wanted(house).then(|| browsers_of(house)))?;
    println!();
    for (name, result) in &rows {
        println!("| {name:52} | {} |", result.as_deref().unwrap_or("FAILED"));
    }
    Ok(if rows.iter().all(|(_, result)| result.is_ok()) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A target, and the `type` of the package.
type Package = (BindingsTarget, Option<&'static str>);

const WEB: Package = (BindingsTarget::Web, Some("module"));
const BUNDLER: Package = (BindingsTarget::Bundler, Some("module"));
const NODEJS: Package = (BindingsTarget::NodejsModule, Some("module"));

/// One way of building and running the application. In its texts `{site}` stands for the site, and `{copy}` for the copy of
/// its folder.
struct House {
    name: &'static str,
    /// Its folder in `tests/houses`. Houses may share one. If it is a Cargo project, it is the application.
    folder: &'static str,
    /// What tells it from others of the folder: mostly the folder of a page.
    site: &'static str,
    /// None if the tool makes it.
    package: Option<Package>,
    /// Where the package of the application goes, in the folder.
    path: &'static str,
    steps: Steps,
    /// Where its page is, with a slash at the end.
    base: &'static str,
    /// The content security policy that its server sends; none if it is empty.
    policy: &'static str,
    /// The application has the feature `bundler`.
    has_feature: bool,
    /// Its page is opened in every browser, not in the first alone.
    is_everywhere: bool,
    /// `cargo xtask test` tries it too.
    is_quick: bool,
}

/// What is done with the folder. Tools are Node.js, Trunk, and those of npm, with their arguments.
enum Steps {
    /// A folder in it is served as it is.
    Static(&'static str),
    /// The tool builds a folder, which is served.
    Build(&'static [&'static str], &'static str),
    /// The tool is a server. Its last argument is to be a port.
    Serve(&'static [&'static str]),
    /// The tool runs the application.
    Run(&'static [&'static str]),
}

/// The names of houses, and that they work, and where.
type Visited = Vec<(&'static str, Result<String>)>;

/// Visits the houses that `cargo xtask test` tries.
///
/// # Errors
///
/// If something that all houses need cannot be had.
pub(crate) fn visit_quick(shell: &Shell, wasm: &Wasm, browsers: &[Installed]) -> Result<Visited> {
    visit(shell, wasm, |house| house.is_quick.then(|| house.browsers(browsers)))
}

/// Visits the houses for which `choose` gives browsers.
fn visit<'a>(
    shell: &Shell,
    wasm: &Wasm,
    choose: impl Fn(&House) -> Option<&'a [Installed]>,
) -> Result<Visited> {
    setup::npm(shell)?;
    let houses = workspace::own_dir(shell, "houses")?;
    let visit = |house: &'static House| {
        let browsers = choose(house)?;
        let step = Step::begin(house.name);
        let result = house.visit(shell, wasm, browsers, &houses);
        step.end(match &result {
            Ok(works) => works.clone(),
            Err(error) => format!("FAILED: {error:#}"),
        });
        Some((house.name, result))
    };
    Ok(HOUSES.iter().filter_map(visit).collect())
}

impl House {
    /// Those in which its page is opened.
    fn browsers<'a>(&self, all: &'a [Installed]) -> &'a [Installed] {
        if self.is_everywhere { all } else { &all[..1] }
    }

    fn visit(&self, shell: &Shell, wasm: &Wasm, browsers: &[Installed], houses: &Path) -> Result<String> {
        let copy = houses.join(self.folder);
        // A build script may write files into its folder, so it is copied afterwards.
        let built =
            self.package.map(|package| anyhow::Ok((self.build(shell, wasm)?, package))).transpose()?;
        furnish(&self.source(), &copy)?;
        if let Some((programs, package)) = built {
            self.pack(&programs, package, &copy)?;
        }
        if copy.join("package.json").is_file() {
            setup::packages(shell, &copy)?;
        }
        let tool = |args: &[&str]| -> Result<Command> {
            let mut command = self.tool(shell, wasm, args[0], &copy)?;
            command.args(args[1..].iter().map(|arg| self.fill(arg, &copy)));
            Ok(command)
        };
        let serve = |built: &str| {
            let mut site = Site::default().folder(self.base, copy.join(self.fill(built, &copy)));
            if !self.policy.is_empty() {
                site = site.header("/", "Content-Security-Policy", self.policy);
            }
            let server = Server::start(site, None)?;
            open(browsers, &server.url(self.base))
        };
        match self.steps {
            Steps::Static(built) => serve(built),
            Steps::Build(args, built) => {
                let output = tool(args)?.output().with_context(|| format!("failed to run {}", args[0]))?;
                let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
                ensure!(output.status.success(), "{} failed:\n{text}", args[0]);
                serve(built)
            }
            Steps::Serve(args) => {
                let port = free_port()?;
                let mut command = tool(args)?;
                command.arg(port.to_string());
                let mut process = Process::start(command)?;
                wait_for(port, &mut process)?;
                open(browsers, &format!("http://127.0.0.1:{port}/"))
            }
            Steps::Run(args) => run_to_end(tool(args)?),
        }
    }

    fn source(&self) -> PathBuf {
        workspace::root().join("tests/houses").join(self.folder)
    }

    fn fill(&self, text: &str, copy: &Path) -> String {
        text.replace("{site}", self.site).replace("{copy}", &copy.to_string_lossy())
    }

    /// A command that starts the tool where it finds what it works on.
    fn tool(&self, shell: &Shell, wasm: &Wasm, name: &str, copy: &Path) -> Result<Command> {
        let mut command = match name {
            // The paths in a Cargo project hold in its own folder, not in the copy.
            "trunk" => {
                let mut trunk = setup::trunk(shell, wasm)?;
                trunk.current_dir(self.source()).env("CARGO_TARGET_DIR", project_dir(shell)?);
                return Ok(trunk);
            }
            "node" => Command::new("node"),
            _ => {
                let mut npx = Command::new("npx");
                npx.args(["--no-install", name]);
                npx.env("DENO_DIR", copy.join("cache")).env("DENO_NO_UPDATE_CHECK", "1");
                npx
            }
        };
        command.current_dir(copy);
        Ok(command)
    }

    /// Builds the application.
    fn build(&self, shell: &Shell, wasm: &Wasm) -> Result<Programs> {
        let manifest = self.source().join("Cargo.toml");
        if manifest.is_file() {
            let (manifest, target_dir) = (manifest.to_string_lossy(), project_dir(shell)?);
            let target_dir = target_dir.to_string_lossy();
            let selection = ["--locked", "--manifest-path", &manifest, "--target-dir", &target_dir];
            return Programs::build(shell, wasm, selection);
        }
        let feature: &[&str] = if self.has_feature { &["--features", "bundler"] } else { &[] };
        Programs::build(shell, wasm, ["--package", "wasm-mt-house"].iter().chain(feature).copied())
    }

    /// Makes what wasm-pack makes: bindings, and what tells npm of them.
    fn pack(&self, programs: &Programs, (target, kind): Package, copy: &Path) -> Result<()> {
        let package = copy.join(self.fill(self.path, copy));
        programs.bind("house", &package, target)?;
        let manifest = json!({
            "name": "house",
            "type": kind.unwrap_or("commonjs"),
            "version": "0.0.0",
            "main": "house.js",
            "sideEffects": ["./house.js", "./snippets/*"],
        });
        Ok(fs_err::write(package.join("package.json"), manifest.to_string())?)
    }
}

/// The target folder of houses that are Cargo projects.
fn project_dir(shell: &Shell) -> Result<PathBuf> {
    workspace::own_dir(shell, "house-projects")
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

/// Opens the page in each browser.
fn open(browsers: &[Installed], url: &str) -> Result<String> {
    for each in browsers {
        open_in(each, url).with_context(|| format!("in {}", each.browser))?;
    }
    let names: Vec<String> = browsers.iter().map(|each| each.browser.to_string()).collect();
    Ok(format!("works in {}", names.join(", ")))
}

fn open_in(browser: &Installed, url: &str) -> Result<()> {
    let session = Session::start(browser)?;
    session.open(url, DEADLINE)?;
    let verdict = session.wait_for_attribute("html", "data-verdict", "", DEADLINE)?;
    let notes = session.execute("return document.documentElement.dataset.notes ?? ''", &[])?;
    let notes = notes.as_str().unwrap_or_default();
    ensure!(verdict.is_some(), "it did not end; it noted {notes:?}");
    ensure!(notes == NOTES, "it noted {notes:?}");
    Ok(())
}

/// Runs the application where there is no document. It ends by itself, and well.
fn run_to_end(mut command: Command) -> Result<String> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut child =
        command.spawn().with_context(|| format!("failed to start {}", command.get_program().display()))?;
    let mut stdout = child.stdout.take().context("its output is piped")?;
    let reader = thread::spawn(move || io::read_to_string(&mut stdout));
    let since = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if since.elapsed() > DEADLINE {
            child.kill()?;
            child.wait()?;
            break None;
        }
        thread::sleep(POLL);
    };
    let said = reader.join().map_err(|_| anyhow!("the reader panicked"))??;
    let notes = said.lines().map(|line| format!("{line};")).collect::<String>();
    ensure!(status.is_some(), "it did not end; it noted {notes:?}");
    ensure!(
        status.is_some_and(|status| status.success()) && notes == NOTES,
        "it noted {notes:?}, {status:?}"
    );
    Ok("works".to_owned())
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The texts of all files below a folder.
    fn read_all(folder: &Path, texts: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                read_all(&path, texts);
            } else {
                texts.extend(fs::read_to_string(&path));
            }
        }
    }

    #[test]
    fn what_readme_tells_users_to_write_is_in_a_house() {
        let root = workspace::root();
        let mut houses = Vec::new();
        read_all(&root.join("tests/houses"), &mut houses);
        let readme = fs::read_to_string(root.join("README.md")).unwrap();
        let readme = readme.replace("app.js", "house.js").replace("<title>app", "<title>house");
        let mut count = 0;
        for opening in ["```html\n", "```js\n", "```rust,ignore\n"] {
            for block in readme.split(opening).skip(1).filter_map(|block| block.split("```").next()) {
                // A first line may name the file.
                let is_name =
                    |line: &&str| ["// ", "<!-- "].iter().any(|mark| line.trim_start().starts_with(mark));
                let lines = block.trim_end().lines().skip_while(is_name);
                let lines: Vec<&str> = lines.map(str::trim_start).collect();
                let has_all = |text: &String| {
                    text.lines()
                        .map(str::trim_start)
                        .collect::<Vec<_>>()
                        .windows(lines.len())
                        .any(|part| part == lines)
                };
                assert!(houses.iter().any(has_all), "no house has this:\n{block}");
                count += 1;
            }
        }
        assert_eq!(count, 5);
    }
}
