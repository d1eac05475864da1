//! How the heads of messages lie in the lane of entries: each value is a fixed number of words of 32 bits.

use std::time::Duration;

use super::WorkerConfig;
use crate::schedule::{Completion, HandleSignal, Site, Strategy, TaskId, TaskKind, TaskOptions, WorkerId};

/// Names no task: numbers begin with one.
pub(super) const NO_TASK: TaskId = TaskId { owner: WorkerId::PAGE, number: 0 };

const STRATEGIES: [Strategy; 3] = [Strategy::Serial, Strategy::Parallel, Strategy::WorkStealing];
const SAID: [HandleSignal; 3] = [HandleSignal::Cancel, HandleSignal::Abort, HandleSignal::Detach];
const VERDICTS: [Completion; 8] = [
    Completion::Answered,
    Completion::Cancelled,
    Completion::TimedOut,
    Completion::Blamed,
    Completion::WorkerLost,
    Completion::NoWorkers,
    Completion::QueueFull,
    Completion::Closed,
];

/// The flags of a task's options.
mod flag {
    pub(super) const ASYNC: usize = 1;
    pub(super) const TIMEOUT: usize = 2;
    pub(super) const DETACHED: usize = 4;
    pub(super) const PINNED: usize = 8;
}

pub(super) fn put_task(words: &mut Vec<usize>, task: TaskId) {
    words.extend([task.owner.0 as usize, task.number as usize]);
}

/// In microseconds. Twice 32 bits, so that it holds centuries.
pub(super) fn put_time(words: &mut Vec<usize>, time: Duration) {
    let micros = time.as_secs().saturating_mul(1_000_000).saturating_add(u64::from(time.subsec_micros()));
    put_micros(words, micros.min(u64::MAX - 1));
}

pub(super) fn put_maybe_time(words: &mut Vec<usize>, time: Option<Duration>) {
    match time {
        Some(time) => put_time(words, time),
        None => put_micros(words, u64::MAX),
    }
}

fn put_micros(words: &mut Vec<usize>, micros: u64) {
    words.extend([micros as u32 as usize, (micros >> 32) as u32 as usize]);
}

pub(super) fn put_terms(words: &mut Vec<usize>, options: TaskOptions) {
    let TaskOptions { site, kind, timeout, retries, detached, pinned } = options;
    let mut flags = 0;
    for (is_set, flag) in [
        (kind == TaskKind::Async, flag::ASYNC),
        (timeout.is_some(), flag::TIMEOUT),
        (detached, flag::DETACHED),
        (pinned, flag::PINNED),
    ] {
        flags |= if is_set { flag } else { 0 };
    }
    words.extend([site.0 as usize, flags, retries as usize]);
    if let Some(timeout) = timeout {
        put_time(words, timeout);
    }
}

pub(super) fn put_duty(words: &mut Vec<usize>, config: WorkerConfig) {
    let WorkerConfig { worker, strategy, threads, watched } = config;
    words.extend([worker.0 as usize, place(&STRATEGIES, strategy), threads as usize, usize::from(watched)]);
}

pub(super) fn put_verdict(words: &mut Vec<usize>, completion: Completion) {
    words.push(place(&VERDICTS, completion));
}

pub(super) fn put_signal(words: &mut Vec<usize>, signal: HandleSignal) {
    words.push(place(&SAID, signal));
}

fn place<T: PartialEq>(all: &[T], one: T) -> usize {
    all.iter().position(|each| *each == one).expect("all are listed")
}

/// Reads what was put, in the same order. `None`: it is not there.
pub(super) struct Words {
    words: Vec<usize>,
    at: usize,
}

impl Words {
    pub(super) fn new(words: Vec<usize>) -> Self {
        Self { words, at: 0 }
    }

    pub(super) fn next(&mut self) -> Option<usize> {
        let word = self.words.get(self.at).copied()?;
        self.at += 1;
        Some(word)
    }

    pub(super) fn number(&mut self) -> Option<u32> {
        self.next()?.try_into().ok()
    }

    /// The entries of a body.
    pub(super) fn take(&mut self, count: usize) -> Option<Vec<usize>> {
        let taken = self.words.get(self.at..self.at.checked_add(count)?)?.to_vec();
        self.at += count;
        Some(taken)
    }

    pub(super) fn task(&mut self) -> Option<TaskId> {
        Some(TaskId { owner: WorkerId(self.number()?), number: self.number()? })
    }

    pub(super) fn time(&mut self) -> Option<Duration> {
        self.micros().map(Duration::from_micros)
    }

    pub(super) fn maybe_time(&mut self) -> Option<Option<Duration>> {
        let micros = self.micros()?;
        Some((micros != u64::MAX).then(|| Duration::from_micros(micros)))
    }

    fn micros(&mut self) -> Option<u64> {
        let (low, high) = (self.number()?, self.number()?);
        Some(u64::from(low) | u64::from(high) << 32)
    }

    pub(super) fn options(&mut self) -> Option<TaskOptions> {
        let (site, flags, retries) = (Site(self.next()? as u64), self.next()?, self.number()?);
        let has = |flag| flags & flag != 0;
        Some(TaskOptions {
            site,
            kind: if has(flag::ASYNC) { TaskKind::Async } else { TaskKind::Sync },
            timeout: if has(flag::TIMEOUT) { Some(self.time()?) } else { None },
            retries,
            detached: has(flag::DETACHED),
            pinned: has(flag::PINNED),
        })
    }

    pub(super) fn config(&mut self) -> Option<WorkerConfig> {
        Some(WorkerConfig {
            worker: WorkerId(self.number()?),
            strategy: *STRATEGIES.get(self.next()?)?,
            threads: self.number()?,
            watched: self.next()? != 0,
        })
    }

    pub(super) fn completion(&mut self) -> Option<Completion> {
        VERDICTS.get(self.next()?).copied()
    }

    pub(super) fn signal(&mut self) -> Option<HandleSignal> {
        SAID.get(self.next()?).copied()
    }
}
