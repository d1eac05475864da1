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

/// The leader of a group. None once the group was killed: its number may then be that of another.
type Group = Arc<Mutex<Option<Box<dyn ChildWrapper>>>>;

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
    _folder: Arc<TempDir>,
}

impl Process {
    /// Starts `command` as the leader of a group, with no input and with its output thrown away.
    ///
    /// Drivers make profiles in the folder for temporary files. Given one of its own, nothing is left behind even if
    /// the browser had to be killed.
    pub(crate) fn start(command: Command) -> Result<Process> {
        Process::start_in(command, Arc::new(tempfile::Builder::new().prefix("wasm-mt-").tempdir()?))
    }

    /// As [`Process::start`], in a folder that the caller may keep: for a process that is to find its files again
    /// when it is started anew.
    pub(crate) fn start_in(mut command: Command, folder: Arc<TempDir>) -> Result<Process> {
        end_all_on_interrupt()?;
        command.env("TMPDIR", folder.path()).env("TMP", folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let name = command.get_program().to_string_lossy().into_owned();
        let mut command = CommandWrap::from(command);
        #[cfg(unix)]
        command.wrap(process_wrap::std::ProcessGroup::leader());
        let mut running = lock(&RUNNING);
        let child = command.spawn().with_context(|| format!("failed to start {name}"))?;
        let group = Arc::new(Mutex::new(Some(child)));
        running.push((Arc::clone(&group), folder.path().to_owned()));
        Ok(Process { group, _folder: folder })
    }

    /// Whether the leader still runs.
    pub(crate) fn is_running(&mut self) -> Result<bool> {
        lock(&self.group).as_mut().map_or(Ok(false), |leader| Ok(leader.try_wait()?.is_none()))
    }

    /// Ends the group as a crash would: nobody in it is asked, or can save anything. Does nothing if it has ended.
    ///
    /// The folder stays as long as this value, and an interrupt removes it.
    pub(crate) fn kill(&mut self) {
        if let Some(mut leader) = lock(&self.group).take() {
            // An error says that nothing is left.
            leader.kill().ok();
        }
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
    let mut group = lock(group);
    let Some(leader) = group.as_mut() else { return };
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
    fn what_a_killed_process_wrote_is_there_for_the_next_in_its_folder() {
        let folder = Arc::new(TempDir::new().unwrap());
        let file = folder.path().join("file");
        let wait_for = |length: u64| {
            let since = Instant::now();
            while fs_err::metadata(&file).map_or(0, |file| file.len()) < length {
                assert!(since.elapsed() < Duration::from_secs(20), "nothing was written");
                thread::sleep(Duration::from_millis(5));
            }
        };
        // Who asks it politely is not heard.
        let script = "trap '' TERM; echo 1 >> $TMPDIR/file; while :; do sleep 600; done";
        let mut first = Process::start_in(crate::progress::shell(script), Arc::clone(&folder)).unwrap();
        wait_for(2);
        let since = Instant::now();
        first.kill();
        assert!(since.elapsed() < GRACE, "it was asked first");
        assert!(!first.is_running().unwrap());
        first.kill();
        let mut second = Process::start_in(crate::progress::shell(script), folder).unwrap();
        wait_for(4);
        drop(first);
        assert!(second.is_running().unwrap());
        second.kill();
        drop(second);
        assert!(!file.exists());
    }

    #[test]
    fn a_process_that_ends_by_itself_is_seen_to_have_ended() {
        let mut process = Process::start(Command::new("true")).unwrap();
        lock(&process.group).as_mut().unwrap().wait().unwrap();
        assert!(!process.is_running().unwrap());
        process.kill();
        assert!(!process.is_running().unwrap());
    }
}
