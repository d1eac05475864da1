//! Processes that end with the value that owns them.
//!
//! A driver starts a browser, and a browser starts a dozen processes more. Each driver therefore leads a process
//! group of its own: ending the group ends all of them and nothing else. An interrupt (Ctrl-C, or a polite `kill`)
//! would skip destructors, so [`end_all_on_interrupt`] ends the groups that are still registered.

use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result};

/// Groups that run now, by the id of their leader.
static RUNNING: Mutex<Vec<u32>> = Mutex::new(Vec::new());

fn running() -> MutexGuard<'static, Vec<u32>> {
    // The list is whole between any two statements that hold the lock.
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A child process and everything it starts in its group; dropping it ends them.
pub(super) struct Process {
    child: Child,
}

impl Process {
    /// Starts `command` as the leader of a group, with no input and with its output thrown away.
    ///
    /// # Errors
    ///
    /// If the program cannot be started.
    pub(super) fn start(mut command: Command) -> Result<Process> {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let name = command.get_program().to_string_lossy().into_owned();
        let mut groups = running();
        let child = command.spawn().with_context(|| format!("failed to start {name}"))?;
        groups.push(child.id());
        Ok(Process { child })
    }

    /// Whether the leader still runs.
    ///
    /// # Errors
    ///
    /// If the system does not tell.
    pub(super) fn is_running(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let leader = self.child.id();
        group::end(&[leader]);
        // By now the leader is gone; where there are no groups this is what ends it. An error says that it was reaped.
        self.child.kill().ok();
        self.child.wait().ok();
        running().retain(|&running| running != leader);
    }
}

/// From now on an interrupt ends every registered group before it ends this program.
///
/// # Errors
///
/// If the system refuses the signal handlers.
pub(crate) fn end_all_on_interrupt() -> Result<()> {
    group::on_interrupt(|| group::end(&running()))
}

#[cfg(unix)]
mod group {
    use std::thread;
    use std::time::{Duration, Instant};

    use anyhow::Result;
    use rustix::process::{Pid, Signal, WaitOptions, kill_process_group, test_kill_process_group, waitpid};
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    /// How long a group may take to end by itself before it is killed.
    const GRACE: Duration = Duration::from_secs(3);

    /// Asks the groups to end, waits until they have, and kills those that do not.
    pub(super) fn end(leaders: &[u32]) {
        let mut groups: Vec<Pid> =
            leaders.iter().filter_map(|&leader| Pid::from_raw(i32::try_from(leader).ok()?)).collect();
        for (signal, grace) in [(Signal::TERM, GRACE), (Signal::KILL, GRACE)] {
            let since = Instant::now();
            // A group that cannot be signalled has ended.
            groups.retain(|&group| kill_process_group(group, signal).is_ok());
            while !groups.is_empty() && since.elapsed() < grace {
                thread::sleep(Duration::from_millis(10));
                groups.retain(|&group| {
                    // A leader that has ended counts as a member until it is reaped.
                    waitpid(Some(group), WaitOptions::NOHANG).ok();
                    test_kill_process_group(group).is_ok()
                });
            }
        }
    }

    pub(super) fn on_interrupt(act: impl Fn() + Send + 'static) -> Result<()> {
        let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
        thread::spawn(move || {
            if let Some(signal) = signals.forever().next() {
                act();
                std::process::exit(128 + signal);
            }
        });
        Ok(())
    }
}

#[cfg(not(unix))]
mod group {
    /// There are no groups here: the leader is killed by its owner, and a driver ends its browser when its session
    /// is deleted.
    pub(super) fn end(_leaders: &[u32]) {}

    pub(super) fn on_interrupt(_act: impl Fn() + Send + 'static) -> anyhow::Result<()> {
        Ok(())
    }
}
