//! What tasks of all processes write down, in one file.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{env, process, thread};

/// A file of lines.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct Notes(PathBuf);

impl Notes {
    pub(crate) fn new() -> Self {
        static LAST: AtomicU32 = AtomicU32::new(0);
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("wasm-mt-fleet-{}-{number}.notes", process::id()));
        fs::write(&path, "").unwrap();
        Self(path)
    }

    /// Those of another process.
    pub(crate) fn named(path: &str) -> Self {
        Self(path.into())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Appends a line, at once for all to see.
    pub(crate) fn write(&self, line: &str) {
        let mut file = OpenOptions::new().append(true).open(&self.0).unwrap();
        file.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        fs::read_to_string(&self.0).unwrap().lines().map(str::to_owned).collect()
    }

    /// Waits for so many lines.
    pub(crate) fn wait_for(&self, count: usize) -> Vec<String> {
        let since = Instant::now();
        loop {
            let lines = self.lines();
            if lines.len() >= count {
                return lines;
            }
            assert!(since.elapsed() < Duration::from_secs(30), "{} of {count} lines: {lines:?}", lines.len());
            // sleep: a file tells nobody that it has grown
            thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn remove(&self) {
        drop(fs::remove_file(&self.0));
    }
}
