//! `cargo xtask demo`: the examples as pages.
//!
//! Build ([`example`]), write the pages ([`gallery`]), serve them, and either leave the looking to somebody or look
//! at each in real browsers ([`headless`]). What was built before is not built again: Cargo knows for the programs,
//! a stamp for their bindings.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, ensure};
use xshell::Shell;

use crate::progress::{Step, note};
use crate::setup::{self, Browser, Installed};
use crate::web::{Server, Site};
use crate::workspace;

mod example;
mod gallery;
mod headless;
mod highlight;

/// How wide a page is in the pictures of the gallery, in pixels: they are shown small.
const PICTURE_WIDTH: u32 = 600;

/// Options of `cargo xtask demo`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The examples to build and show; all of them if none is named.
    names: Vec<String>,
    /// The port of the server on 127.0.0.1; the system chooses one if none is given.
    #[arg(long)]
    port: Option<u16>,
    /// Opens the gallery in the browser of this desktop.
    #[arg(long)]
    open: bool,
    /// Writes the gallery to a folder that any static host can serve, with a picture of each example as Chromium shows it.
    #[arg(long, value_name = "DIR", conflicts_with = "headless")]
    export: Option<PathBuf>,
    /// Opens every page in real browsers, prints output and verdicts, takes screenshots, and ends.
    #[arg(long)]
    headless: bool,
    /// The browsers for `--headless`.
    #[arg(long, value_delimiter = ',', default_value = "chromium", requires = "headless")]
    #[arg(value_parser = ["chromium", "firefox", "webkit", "all"])]
    browser: Vec<String>,
    /// How long an example may run under `--headless`, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, requires = "headless")]
    timeout: u64,
    /// How wide the page is under `--headless`, in pixels.
    #[arg(long, value_name = "PIXELS", default_value_t = 1100, requires = "headless")]
    width: u32,
    /// A script to run in each example's page before the program: for tests of the gallery, which break something.
    #[arg(long, value_name = "FILE", hide = true, requires = "headless")]
    inject: Option<PathBuf>,
}

/// Builds, serves and shows the examples.
/// An example that fails is an exit code.
pub(crate) fn run(shell: &Shell, args: &Args) -> Result<ExitCode> {
    // Before the build: a browser that is missing should be known at once.
    let browsers = match (&args.export, args.headless) {
        (Some(_), _) => browsers(shell, &["chromium".to_owned()])?,
        (None, true) => browsers(shell, &args.browser)?,
        (None, false) => Vec::new(),
    };
    let wasm = setup::wasm(shell)?;
    let folder = workspace::target_dir(shell)?.join("demo");
    let site = folder.join("site");

    let step = Step::begin("building the examples for the web");
    let examples = example::find(&shell.current_dir().join("examples"), &args.names)?;
    let built = example::build(shell, &wasm, &examples, &site)?;
    let inject = args.inject.as_ref().map(|file| shell.read_file(file)).transpose()?;
    gallery::write(&site, &examples, inject.as_deref())?;
    step.end(built);

    let server = Server::start(Site::new(&site), args.port)?;
    let address = server.url("/");
    if args.headless || args.export.is_some() {
        let visit = headless::Visit {
            server: &server,
            examples: &examples,
            pictures: folder.join("screenshots"),
            deadline: Duration::from_secs(args.timeout),
            width: if args.export.is_some() { PICTURE_WIDTH } else { args.width },
        };
        let code = headless::run(&visit, &browsers)?;
        let Some(export) = &args.export else { return Ok(code) };
        ensure!(code == ExitCode::SUCCESS, "examples that fail are not exported");
        for example in &examples {
            let picture = visit.pictures.join(format!("chromium/{}.png", example.name));
            shell.copy_file(picture, site.join(&example.name).join(gallery::PICTURE))?;
        }
        gallery::write(&site, &examples, None)?;
        gallery::export(&site, &examples, export)?;
        note(format_args!("the gallery is in {}", export.display()));
        return Ok(code);
    }
    println!("==> the gallery is at {address} until you press Ctrl-C");
    if args.open
        && let Err(error) = open::that_detached(&address)
    {
        note(format_args!("failed to open a browser: {error}; open the address by hand"));
    }
    loop {
        std::thread::park();
    }
}

/// The chosen browsers, ready to be driven: `all` are those that can be had.
fn browsers(shell: &Shell, chosen: &[String]) -> Result<Vec<Installed>> {
    let has = |name: &str| chosen.iter().any(|chosen| chosen == name);
    let wanted = Browser::ALL.into_iter().filter(|browser| has("all") || has(&browser.to_string()));
    let found = setup::browsers(shell, &wanted.collect::<Vec<_>>())?;
    if has("all") && !found.installed.is_empty() { Ok(found.installed) } else { found.complete() }
}
