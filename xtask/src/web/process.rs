//! Processes that end with the value that owns them.
//!
//! A driver starts a browser, and a browser starts a dozen processes more. Each driver therefore leads a process
//! group of its own: ending the group ends all of them and nothing else. An interrupt (Ctrl-C, or a polite `kill`)
//! would skip destructors, so the first process brings a handler that ends the groups that are still registered.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use process_wrap::std::{ChildWrapper, CommandWrap};
use tempfile::TempDir;

/// How long a leader may take to end by itself before its group is killed.
const GRACE: Duration = Duration::from_secs(3);

type Group = Arc<Mutex<Box<dyn ChildWrapper>>>;

/// Groups that run now, and their folders.
static RUNNING: Mutex<Vec<(Group, PathBuf)>> = Mutex::new(Vec::new());

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is in it is whole between any two statements that hold the lock.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A child process and everything it starts in its group, with a folder for their temporary files; dropping it ends
/// the ones and removes the other.
pub(crate) struct Process {
    group: Group,
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
        let name = command.get_program().to_string_lossy().into_owned();
        let mut command = CommandWrap::from(command);
        #[cfg(unix)]
        command.wrap(process_wrap::std::ProcessGroup::leader());
        let mut running = lock(&RUNNING);
        let child = command.spawn().with_context(|| format!("failed to start {name}"))?;
        let group = Arc::new(Mutex::new(child));
        running.push((Arc::clone(&group), folder.path().to_owned()));
        Ok(Process { group, _folder: folder })
    }

    /// Whether the leader still runs.
    pub(crate) fn is_running(&mut self) -> Result<bool> {
        Ok(lock(&self.group).try_wait()?.is_none())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        end(&self.group);
        lock(&RUNNING).retain(|(running, _)| !Arc::ptr_eq(running, &self.group));
    }
}

/// Asks the leader to end, gives it time for that, and kills what is left of its group.
fn end(group: &Group) {
    let mut leader = lock(group);
    #[cfg(unix)]
    let is_asked = leader.signal(signal_hook::consts::SIGTERM).is_ok();
    #[cfg(not(unix))]
    let is_asked = false;
    let since = Instant::now();
    while is_asked && matches!(leader.try_wait(), Ok(None)) && since.elapsed() < GRACE {
        thread::sleep(Duration::from_millis(10));
    }
    // An error says that nothing is left.
    leader.kill().ok();
}

/// From now on an interrupt ends every registered group and removes its folder before it ends this program.
#[cfg(unix)]
fn end_all_on_interrupt() -> Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

    static INSTALLED: Mutex<bool> = Mutex::new(false);

    let mut is_installed = lock(&INSTALLED);
    if !*is_installed {
        let mut signals = signal_hook::iterator::Signals::new([SIGHUP, SIGINT, SIGTERM])?;
        thread::spawn(move || {
            let Some(signal) = signals.forever().next() else { return };
            for (group, folder) in lock(&RUNNING).iter() {
                end(group);
                // What cannot be removed lies among other temporary files.
                fs_err::remove_dir_all(folder).ok();
            }
            std::process::exit(128 + signal);
        });
        *is_installed = true;
    }
    Ok(())
}

/// Here are no groups: a driver ends its browser when its session is deleted.
#[cfg(not(unix))]
fn end_all_on_interrupt() -> Result<()> {
    Ok(())
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
        let is_it = |(group, _): &&(Group, PathBuf)| Arc::ptr_eq(group, &process.group);
        let (group, folder) = lock(&RUNNING).iter().find(is_it).cloned().unwrap();
        assert!(folder.is_dir());
        drop(process);
        assert!(!folder.exists());
        assert!(lock(&RUNNING).iter().all(|(running, _)| !Arc::ptr_eq(running, &group)));
    }

    #[test]
    fn a_process_that_ends_by_itself_is_seen_to_have_ended() {
        let mut process = Process::start(Command::new("true")).unwrap();
        lock(&process.group).wait().unwrap();
        assert!(!process.is_running().unwrap());
    }
}
