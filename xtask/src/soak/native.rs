//! The program as a process.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use wasm_mt_soak::Round;
use xshell::{Shell, cmd};

use super::{Outcome, PACKAGE, Plan, ROUND};
use crate::workspace;

pub(super) fn run(shell: &Shell, plan: &Plan, time: Duration) -> Result<Outcome> {
    cmd!(shell, "cargo build --quiet --package {PACKAGE}").quiet().run()?;
    let file = format!("soak{}", std::env::consts::EXE_SUFFIX);
    let mut command = Command::new(workspace::target_dir(shell)?.join("debug").join(file));
    command.args(plan.options(plan.first, time, u64::MAX)).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().context("failed to start the soak")?;
    let output = child.stdout.take().context("its output is piped")?;
    let (sender, lines) = channel();
    thread::spawn(move || {
        BufReader::new(output).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
    });
    let mut outcome = Outcome::new("native");
    loop {
        match lines.recv_timeout(ROUND) {
            Ok(line) => {
                let round: Round =
                    serde_json::from_str(&line).with_context(|| format!("not a round: {line}"))?;
                outcome.rounds += 1;
                outcome.leaks.add(&round.gauges);
                outcome.balance = round.balance;
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                child.kill().context("failed to stop the soak")?;
                child.wait().context("failed to wait for the soak")?;
                bail!("round {} did not end within {} s", plan.first + outcome.rounds, ROUND.as_secs());
            }
        }
    }
    let status = child.wait().context("failed to wait for the soak")?;
    ensure!(status.success(), "it ended with {status} in round {}", plan.first + outcome.rounds);
    Ok(outcome)
}
