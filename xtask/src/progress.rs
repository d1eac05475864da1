//! What the commands say about their progress.

use std::cell::RefCell;
use std::ffi::OsStr;
use std::fmt::Display;
use std::panic::resume_unwind;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use fs_err::{self as fs, File};
use xshell::Shell;

use crate::workspace;

/// How often a long command says that it is still at work.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// One step of a command: says what begins, and how long it took.
pub(crate) struct Step {
    name: String,
    start: Instant,
}

impl Step {
    /// Prints `==> name`.
    pub(crate) fn begin(name: impl Into<String>) -> Self {
        let name = name.into();
        show(format_args!("==> {name}"));
        Self { name, start: Instant::now() }
    }

    /// Prints how the step ended and the time it took.
    pub(crate) fn end(self, verdict: impl Display) {
        let seconds = self.start.elapsed().as_secs_f64();
        show(format_args!("    {}: {verdict} ({seconds:.1} s)", self.name));
    }

    /// Does something as one step.
    pub(crate) fn run<T>(name: impl Into<String>, act: impl FnOnce() -> Result<T>) -> Result<T> {
        let step = Self::begin(name);
        let result = act();
        step.end(if result.is_ok() { "done" } else { "FAILED" });
        result
    }
}

/// Prints a line that belongs to the current step.
pub(crate) fn note(line: impl Display) {
    show(format_args!("    {line}"));
}

thread_local! {
    /// What this thread shows when another has shown all of its own.
    static LATER: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Prints a line.
pub(crate) fn show(line: impl Display) {
    LATER.with_borrow_mut(|later| match later {
        Some(lines) => lines.push(line.to_string()),
        None => println!("{line}"),
    });
}

/// Does two things at the same time. What the second shows is printed after what the first does.
pub(crate) fn at_once<A, B: Send>(first: impl FnOnce() -> A, second: impl FnOnce() -> B + Send) -> (A, B) {
    thread::scope(|scope| {
        let second = scope.spawn(|| {
            LATER.set(Some(Vec::new()));
            let result = second();
            (result, LATER.take().unwrap_or_default())
        });
        let first = first();
        let (second, lines) = second.join().unwrap_or_else(|panic| resume_unwind(panic));
        lines.iter().for_each(show);
        (first, second)
    })
}

/// Runs a long, talkative command with its output in a log file, and prints a sign of life now and then. Fails if the command
/// cannot be started, fails, or is not done after `limit`; the text ends with the log's last lines.
pub(crate) fn run_logged(shell: &Shell, command: Command, name: &str, limit: Duration) -> Result<()> {
    let log = workspace::own_dir(shell, "logs")?.join(format!("{name}.log"));
    log_to(&log, command, limit)
}

fn log_to(log: &Path, mut command: Command, limit: Duration) -> Result<()> {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let what = words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ");
    let file = File::create(log)?;
    let copy = file.try_clone()?;
    command.stdin(Stdio::null()).stdout(file.into_file()).stderr(copy.into_file());
    let mut child = command.spawn().with_context(|| format!("failed to start `{what}`"))?;
    let start = Instant::now();
    let mut next_sign = SIGN_OF_LIFE;
    let end = || format!("the end of {}:\n{}", log.display(), tail(log, 15));
    loop {
        if let Some(status) = child.try_wait()? {
            ensure!(status.success(), "`{what}` failed ({status}); {}", end());
            return Ok(());
        }
        if start.elapsed() > limit {
            child.kill().with_context(|| format!("failed to stop `{what}`"))?;
            child.wait()?;
            bail!("`{what}` was not done after {} s; {}", limit.as_secs(), end());
        }
        if start.elapsed() > next_sign {
            note(format_args!("{:3} s: {}", start.elapsed().as_secs(), tail(log, 1)));
            next_sign += SIGN_OF_LIFE;
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// The last `count` lines of a file that have something in them; empty if it cannot be read.
pub(crate) fn tail(file: &Path, count: usize) -> String {
    let bytes = fs::read(file).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

/// A command for tests: what `sh` makes of `script`.
#[cfg(test)]
pub(crate) fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_command_shows_the_end_of_its_log() {
        let log = tempfile::NamedTempFile::new().unwrap();
        let command = shell("echo first; echo last >&2; exit 3");
        let error = log_to(log.path(), command, Duration::from_secs(20)).unwrap_err().to_string();
        assert!(error.contains("first\nlast"), "{error}");
    }

    #[test]
    fn a_command_past_its_limit_is_stopped() {
        let log = tempfile::NamedTempFile::new().unwrap();
        let error = log_to(log.path(), shell("exec sleep 60"), Duration::from_millis(100)).unwrap_err();
        assert!(error.to_string().contains("not done"), "{error}");
    }
}
