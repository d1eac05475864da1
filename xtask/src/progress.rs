//! What the commands say about their progress.

use std::fmt::Display;
use std::time::{Duration, Instant};

/// One step of a command: says what begins, and how long it took.
pub(crate) struct Step {
    name: String,
    start: Instant,
}

impl Step {
    /// Prints `==> name`.
    pub(crate) fn begin(name: impl Into<String>) -> Self {
        let name = name.into();
        println!("==> {name}");
        Self { name, start: Instant::now() }
    }

    /// Prints how the step ended and the time it took.
    pub(crate) fn end(self, verdict: impl Display) -> Duration {
        let time = self.start.elapsed();
        println!("    {}: {verdict} ({:.1} s)", self.name, time.as_secs_f64());
        time
    }
}

/// Prints a line that belongs to the current step.
pub(crate) fn note(line: impl Display) {
    println!("    {line}");
}
