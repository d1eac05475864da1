//! Looks at every page in real browsers.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use fs_err as fs;

use super::example::Example;
use crate::progress::{Step, note};
use crate::setup::Installed;
use crate::web::{Server, Session};

/// A screenshot is no higher than this, in pixels; what follows is the source.
const MOST_HEIGHT: u32 = 2200;

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

/// Opens every page in every browser; fails, as an exit code, if a page does.
pub(super) fn run(visit: &Visit<'_>, browsers: &[Installed]) -> Result<ExitCode> {
    let mut failures = Vec::new();
    for browser in browsers {
        let name = browser.browser.to_string();
        let pictures = visit.pictures.join(&name);
        // Pictures of an earlier run would look like results of this one.
        fs::remove_dir_all(&pictures).ok();
        fs::create_dir_all(&pictures)?;
        let step = Step::begin(format!("running the examples in {name}"));
        let pages = Pages { visit, browser, pictures };
        let before = failures.len();
        let index = std::iter::once(("index", pages.index()));
        let examples = visit.examples.iter().map(|example| (example.name.as_str(), pages.example(example)));
        for (page, outcome) in index.chain(examples) {
            match outcome {
                Ok(time) => note(format_args!("{page}: passed after {time}")),
                Err(error) => {
                    note(format_args!("{page}: FAILED: {error:#}"));
                    failures.push(format!("{page} in {name}"));
                }
            }
        }
        let failed = failures.len() - before;
        let passed = visit.examples.len() + 1 - failed;
        step.end(format_args!(
            "{passed} passed, {failed} failed; screenshots in {}",
            pages.pictures.display()
        ));
    }
    if failures.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("error: failed: {}", failures.join(", "));
    Ok(ExitCode::FAILURE)
}

/// The pages in one browser.
struct Pages<'a> {
    visit: &'a Visit<'a>,
    browser: &'a Installed,
    pictures: PathBuf,
}

impl Pages<'_> {
    /// Opens a page in a browser of its own: one that hangs or leaves threads behind spoils no other.
    fn open(&self, path: &str) -> Result<Session> {
        let session = Session::start(self.browser)?;
        session.resize(self.visit.width, 900)?;
        session.open(&self.visit.server.url(path), self.visit.deadline)?;
        Ok(session)
    }

    /// The index lists every example.
    fn index(&self) -> Result<String> {
        let since = Instant::now();
        let session = self.open("/")?;
        let listed = session.texts("main h3")?;
        ensure!(
            self.visit.examples.iter().all(|example| listed.contains(&example.name)),
            "the index lists only {}",
            listed.join(", ")
        );
        self.photograph(&session, "index")?;
        Ok(format!("{:.2} s", since.elapsed().as_secs_f64()))
    }

    /// Runs an example, prints its output, and gives the time it took, as its page shows it.
    fn example(&self, example: &Example) -> Result<String> {
        let since = Instant::now();
        let late = || format!("it did not end within {} s", self.visit.deadline.as_secs());
        let session = self.open(&format!("/{}/", example.name))?;
        let rest = self.visit.deadline.saturating_sub(since.elapsed());
        let verdict =
            session.wait_for_attribute("#verdict", "data-verdict", "running", rest).with_context(late)?;
        for line in session.texts("#output > p")?.iter().flat_map(|text| text.lines()) {
            note(format_args!("  | {line}"));
        }
        self.photograph(&session, &example.name)?;
        match verdict.with_context(late)?.as_str() {
            "passed" => Ok(session.texts("#elapsed")?.concat()),
            verdict => bail!("the page says: {verdict}"),
        }
    }

    /// Writes a picture of the whole page, as far as it is not all source.
    fn photograph(&self, session: &Session, name: &str) -> Result<()> {
        let height: u32 = session.get("return document.documentElement.scrollHeight")?;
        session.resize(self.visit.width, height.clamp(600, MOST_HEIGHT))?;
        let picture = session.screenshot()?;
        ensure!(picture.starts_with(b"\x89PNG"), "the screenshot is not a PNG file");
        let file = self.pictures.join(format!("{name}.png"));
        Ok(fs::write(&file, picture)?)
    }
}
