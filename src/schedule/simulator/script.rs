//! What simulated tasks do.

use std::collections::HashMap;
use std::time::Duration;

use crate::schedule::{Site, TaskKind, TaskOptions};

/// One thing that a task does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// Takes the thread.
    Run(Duration),
    /// Makes a task by the script of this number, and lets its handle go if `detached`.
    Spawn { script: usize, detached: bool },
    /// Drops the handle of the task that it made first, of those it holds.
    Drop,
    /// Awaits all tasks that it holds handles of.
    Join,
    /// Runs the task that it made last, of those it holds, within itself, if that may be.
    RunChild,
    /// Awaits a timer.
    Wait(Duration),
}

/// What a task does, from first to last.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    pub(crate) options: TaskOptions,
    pub(crate) steps: Vec<Step>,
}

impl Script {
    pub(crate) fn new(site: u64, kind: TaskKind, steps: Vec<Step>) -> Self {
        let options = TaskOptions::new(Site(site), kind);
        Self { options, steps }
    }
}

/// Scripts that refer to one another by number: children before parents.
#[derive(Clone, Debug, Default)]
pub(crate) struct Library {
    pub(crate) scripts: Vec<Script>,
}

impl Library {
    pub(crate) fn add(&mut self, script: Script) -> usize {
        self.scripts.push(script);
        self.scripts.len() - 1
    }

    /// The thread time of a task and all it makes, and the longest chain of it that cannot overlap.
    pub(crate) fn work_and_span(&self, script: usize) -> (Duration, Duration) {
        self.measure(script, &mut HashMap::new())
    }

    fn measure(
        &self,
        script: usize,
        known: &mut HashMap<usize, (Duration, Duration)>,
    ) -> (Duration, Duration) {
        if let Some(known) = known.get(&script) {
            return *known;
        }
        let (mut work, mut span, mut children) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
        for step in &self.scripts[script].steps {
            match *step {
                Step::Run(time) => {
                    work += time;
                    span += time;
                }
                Step::Wait(time) => span += time,
                Step::Spawn { script, .. } => {
                    let (child_work, child_span) = self.measure(script, known);
                    work += child_work;
                    children = children.max(span + child_span);
                }
                Step::Join => span = span.max(children),
                Step::Drop | Step::RunChild => {}
            }
        }
        known.insert(script, (work, span.max(children)));
        (work, span.max(children))
    }
}

/// Random numbers that are the same in every run: `SplitMix64`.
#[derive(Clone, Debug)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Evenly in `0..1`.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.roll() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub(crate) fn between(&mut self, least: Duration, most: Duration) -> Duration {
        least + (most - least).mul_f64(self.unit())
    }
}
