//! Processes that end with the value that owns them.
//!
//! A driver starts a browser, and a browser starts a dozen processes more. Each driver therefore leads a process
//! group of its own: ending the group ends all of them and nothing else. An interrupt (Ctrl-C, or a polite `kill`)
//! would skip destructors, so the first process brings a handler that ends the groups that are still registered.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use anyhow::{Context as _, Result};
use fs_err as fs;
use tempfile::TempDir;

/// Groups that run now, by the id of their leader, and their folders.
static RUNNING: Mutex<Vec<(u32, PathBuf)>> = Mutex::new(Vec::new());

fn running() -> MutexGuard<'static, Vec<(u32, PathBuf)>> {
    // The list is whole between any two statements that hold the lock.
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A child process and everything it starts in its group, with a folder for their temporary files; dropping it ends
/// the ones and removes the other.
pub(crate) struct Process {
    child: Child,
    _folder: TempDir,
}

impl Process {
    /// Starts `command` as the leader of a group, with no input and with its output thrown away.
    ///
    /// Drivers make profiles in the folder for temporary files. Given one of its own, nothing is left behind even if
    /// the browser had to be killed.
    pub(crate) fn start(mut command: Command) -> Result<Process> {
        end_all_on_interrupt()?;
        let folder = tempfile::Builder::new().prefix("wasm-mt-").tempdir()?;
        command.env("TMPDIR", folder.path()).env("TMP", folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let name = command.get_program().to_string_lossy().into_owned();
        let mut groups = running();
        let child = command.spawn().with_context(|| format!("failed to start {name}"))?;
        groups.push((child.id(), folder.path().to_owned()));
        Ok(Process { child, _folder: folder })
    }

    /// Whether the leader still runs.
    pub(crate) fn is_running(&mut self) -> Result<bool> {
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
        running().retain(|(running, _)| *running != leader);
    }
}

/// From now on an interrupt ends every registered group and removes its folder before it ends this program.
fn end_all_on_interrupt() -> Result<()> {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    if INSTALLED.get().is_some() {
        return Ok(());
    }
    group::on_interrupt(|| {
        let running = running();
        let leaders: Vec<u32> = running.iter().map(|&(leader, _)| leader).collect();
        group::end(&leaders);
        for (_, folder) in running.iter() {
            // What cannot be removed lies among other temporary files.
            fs::remove_dir_all(folder).ok();
        }
    })?;
    // Another thread may have been first; then there are two handlers, which does no harm.
    INSTALLED.set(()).ok();
    Ok(())
}

#[cfg(unix)]
mod group {
    use std::thread;
    use std::time::{Duration, Instant};

    use anyhow::Result;
    use rustix::process::{Pid, Signal, WaitOptions, kill_process_group, test_kill_process_group, waitpid};
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    /// How long a leader may take to end by itself before it is killed.
    const GRACE: Duration = Duration::from_secs(3);
    /// How long its descendants may take after that. It is short because those that have ended still count as members
    /// until the system's first process reaps them, which takes it seconds in some containers.
    const LAST_WORDS: Duration = Duration::from_millis(300);

    /// Asks the groups to end, gives them time for it, and kills what is left.
    pub(super) fn end(leaders: &[u32]) {
        let mut groups: Vec<Pid> =
            leaders.iter().filter_map(|&leader| Pid::from_raw(i32::try_from(leader).ok()?)).collect();
        // A group that cannot be signalled has ended.
        groups.retain(|&group| kill_process_group(group, Signal::TERM).is_ok());
        let mut leaders = groups.clone();
        wait(GRACE, || {
            // An error says that this leader was reaped already.
            leaders.retain(|&leader| matches!(waitpid(Some(leader), WaitOptions::NOHANG), Ok(None)));
            leaders.is_empty()
        });
        wait(LAST_WORDS, || {
            groups.retain(|&group| test_kill_process_group(group).is_ok());
            groups.is_empty()
        });
        for group in groups {
            kill_process_group(group, Signal::KILL).ok();
        }
    }

    fn wait(most: Duration, mut is_over: impl FnMut() -> bool) {
        let since = Instant::now();
        while !is_over() && since.elapsed() < most {
            thread::sleep(Duration::from_millis(10));
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

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_process_leaves_neither_a_folder_nor_an_entry() {
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 600 & wait"]);
        let mut process = Process::start(command).unwrap();
        assert!(process.is_running().unwrap());
        let (leader, folder) = running().iter().find(|(id, _)| *id == process.child.id()).cloned().unwrap();
        assert!(folder.is_dir());
        drop(process);
        assert!(!folder.exists());
        assert!(running().iter().all(|(id, _)| *id != leader));
    }

    #[test]
    fn a_process_that_ends_by_itself_is_seen_to_have_ended() {
        let mut process = Process::start(Command::new("true")).unwrap();
        process.child.wait().unwrap();
        assert!(!process.is_running().unwrap());
    }
}
