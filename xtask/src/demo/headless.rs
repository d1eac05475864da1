//! Looks at every page in real browsers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use super::example::Example;
use crate::progress::{Step, note};
use crate::setup::Installed;
use crate::web::{Server, Session};

/// A screenshot is no higher than this, in pixels; what follows is the source.
const MOST_HEIGHT: u64 = 2200;

/// What to look at, and how.
pub(super) struct Visit<'a> {
    pub(super) server: &'a Server,
    pub(super) examples: &'a [Example],
    /// The folder for screenshots.
    pub(super) pictures: PathBuf,
    /// How long an example may run.
    pub(super) deadline: Duration,
    /// How wide a page is.
    pub(super) width: u32,
}

/// Opens every page in every browser; fails, as an exit code, if an example does.
///
/// # Errors
///
/// If a folder for screenshots cannot be made.
pub(super) fn run(visit: &Visit<'_>, browsers: &[Installed]) -> Result<ExitCode> {
    let mut failures = Vec::new();
    for browser in browsers {
        let name = format!("{:?}", browser.browser).to_lowercase();
        let folder = visit.pictures.join(&name);
        fs::create_dir_all(&folder).with_context(|| format!("failed to create {}", folder.display()))?;
        let step = Step::begin(format!("running the examples in {name}"));
        let before = failures.len();
        for example in visit.examples {
            // Each example gets a browser of its own: one that hangs or leaves threads behind spoils no other.
            if let Err(error) = visit_page(visit, browser, example, &folder) {
                note(format_args!("{}: FAILED: {error:#}", example.name));
                failures.push(format!("{} in {name}", example.name));
            }
        }
        let failed = failures.len() - before;
        step.end(format_args!("{} passed, {failed} failed", visit.examples.len() - failed));
    }
    if failures.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("error: failed: {}", failures.join(", "));
    Ok(ExitCode::FAILURE)
}

fn visit_page(visit: &Visit<'_>, browser: &Installed, example: &Example, folder: &Path) -> Result<()> {
    let session = Session::start(browser)?;
    session.resize(visit.width, 900)?;
    let since = Instant::now();
    session.open(&visit.server.url(&format!("/{}/", example.name)), visit.deadline)?;
    let rest = visit.deadline.saturating_sub(since.elapsed());
    let verdict = session.wait_for_attribute("#verdict", "data-verdict", "running", rest)?;
    let output = session.texts("#output > p")?;
    let picture = folder.join(format!("{}.png", example.name));
    photograph(&session, visit.width, &picture)?;
    let time = session.texts("#elapsed")?.concat();

    note(format_args!(
        "{}: {} after {time}; {}",
        example.name,
        verdict.as_deref().unwrap_or("still running"),
        picture.display()
    ));
    for line in output.iter().flat_map(|text| text.lines()) {
        note(format_args!("  | {line}"));
    }
    match verdict.as_deref() {
        Some("passed") => Ok(()),
        Some(_) => bail!("the example ended with an error"),
        None => bail!("it did not end within {} s", visit.deadline.as_secs()),
    }
}

/// Writes a picture of the whole page, as far as it is not all source.
fn photograph(session: &Session, width: u32, file: &Path) -> Result<()> {
    let height = session.execute("return document.documentElement.scrollHeight", &[])?;
    let height = height.as_u64().unwrap_or(0).clamp(600, MOST_HEIGHT);
    session.resize(width, u32::try_from(height)?)?;
    let picture = session.screenshot()?;
    ensure!(picture.starts_with(b"\x89PNG"), "the screenshot is not a PNG file");
    fs::write(file, picture).with_context(|| format!("failed to write {}", file.display()))
}
