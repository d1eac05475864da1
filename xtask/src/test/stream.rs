//! Runs a command, shows its output and reads it line by line.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::progress::show;

/// A command that says nothing for so long hangs. Cargo prints each package, and the browser runner has a limit of its own.
const SILENCE: Duration = Duration::from_secs(15 * 60);

/// Runs a command, passes on its output as it comes, and hands each line to `line`. True if it succeeded.
/// Fails if the command cannot be started, or hangs; it is killed then.
pub(super) fn run(command: Command, line: impl FnMut(&str)) -> anyhow::Result<bool> {
    run_within(SILENCE, command, line)
}

fn run_within(silence: Duration, mut command: Command, mut line: impl FnMut(&str)) -> anyhow::Result<bool> {
    let what = command.get_program().display().to_string();
    // One pipe for both streams: Cargo names the suites on one and the tests report on the other, and their order counts.
    let (reader, writer) = std::io::pipe().context("failed to create a pipe")?;
    let copy = writer.try_clone().context("failed to share a pipe")?;
    command.stdin(Stdio::null()).stdout(writer).stderr(copy);
    let mut child = command.spawn().with_context(|| format!("failed to start `{what}`"))?;
    // The command holds the pipe's writing ends; with them the end of the output would never come.
    drop(command);

    let (sender, lines) = channel();
    std::thread::spawn(move || {
        let mut reader = BufReader::new(reader);
        let mut bytes = Vec::new();
        while reader.read_until(b'\n', &mut bytes).is_ok_and(|count| count > 0) {
            let text = String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']).to_owned();
            bytes.clear();
            if sender.send(text).is_err() {
                break;
            }
        }
    });
    loop {
        match lines.recv_timeout(silence) {
            Ok(text) => {
                show(&text);
                line(&text);
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                child.kill().with_context(|| format!("failed to stop `{what}`"))?;
                child.wait().with_context(|| format!("failed to wait for `{what}`"))?;
                bail!("`{what}` said nothing for {} s and was stopped", silence.as_secs());
            }
        }
    }
    Ok(child.wait().with_context(|| format!("failed to wait for `{what}`"))?.success())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::shell;

    #[test]
    fn both_streams_arrive_in_order() {
        let mut lines = Vec::new();
        let script = "echo a; echo b >&2; echo c; exit 1";
        let success = run(shell(script), |line| lines.push(line.to_owned())).unwrap();
        assert!(!success);
        assert_eq!(lines, ["a", "b", "c"]);
    }

    #[test]
    fn a_silent_command_is_stopped() {
        let error = run_within(Duration::from_millis(50), shell("exec sleep 60"), |_| {}).unwrap_err();
        assert!(error.to_string().contains("said nothing"), "{error}");
    }
}
