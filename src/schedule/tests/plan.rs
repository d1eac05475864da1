//! Runs made by chance, with faults.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

use crate::schedule::simulator::{Deed, Library, Network, Outcome, Script, Step, World};
use crate::schedule::{Config, Strategy as Spread, TaskId, TaskKind, WorkerId};

/// No task of a plan takes so long, but for those that never end.
pub(super) const ENDLESS: Duration = Duration::from_secs(100);

/// What may happen in a run.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Allowed {
    /// Tasks that make tasks.
    pub(super) nesting: bool,
    /// Handles that are dropped, on the page and in tasks.
    pub(super) cancels: bool,
    /// Workers that are lost.
    pub(super) kills: bool,
    /// Tasks that run for ever under a timeout, and that run again.
    pub(super) timeouts: bool,
    pub(super) close: bool,
}

impl Allowed {
    pub(super) const ALL: Self =
        Self { nesting: true, cancels: true, kills: true, timeouts: true, close: true };
}

/// A run that was thought up.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) strategy: Spread,
    pub(super) threads: usize,
    pub(super) max_queue: Option<usize>,
    pub(super) library: Library,
    pub(super) deeds: Vec<(Duration, Deed)>,
    pub(super) slowest: Duration,
    pub(super) seed: u64,
}

impl Plan {
    pub(super) fn run(&self) -> Outcome {
        let us = Duration::from_micros;
        let network = Network {
            latency: (us(1), self.slowest),
            boot: (us(1), self.slowest * 3),
            witness: self.slowest,
            ..Network::measured()
        };
        let config = Config {
            threads: self.threads,
            max_queue: self.max_queue,
            grace: Duration::from_millis(20),
            ..Config::default()
        };
        let mut world = World::new(self.strategy, config, network, self.library.clone(), self.seed);
        for (at, deed) in &self.deeds {
            world.plan(*at, *deed);
        }
        world.run()
    }

    /// The name of the n-th submitted task.
    pub(super) fn root(nth: usize) -> TaskId {
        TaskId { maker: WorkerId::PAGE, number: u32::try_from(nth + 1).expect("there are few") }
    }
}

fn time(most_us: u64) -> impl Strategy<Value = Duration> {
    // Short ones as often as long ones.
    prop_oneof![0..10u64, 0..most_us.max(11)].prop_map(Duration::from_micros)
}

/// What it does, for how long, which script that stands before it makes, and whether the handle is let go.
type StepDraft = (u8, Duration, usize, bool);
/// What it does, whether it is synchronous, whether it has a timeout, and how often it may run again.
type ScriptDraft = (Vec<StepDraft>, bool, u8, u32);

fn step(allowed: Allowed) -> impl Strategy<Value = StepDraft> {
    (0..if allowed.nesting { 8u8 } else { 3 }, time(3_000), 0..100usize, any::<bool>())
}

fn script(allowed: Allowed) -> impl Strategy<Value = ScriptDraft> {
    (vec(step(allowed), 0..6), any::<bool>(), 0..8u8, 0..3u32)
}

fn library(allowed: Allowed) -> impl Strategy<Value = Library> {
    vec(script(allowed), 1..6).prop_map(move |drafts| {
        let mut library = Library::default();
        for (number, (drafts, sync, limit, retries)) in drafts.into_iter().enumerate() {
            let mut steps = Vec::new();
            for (choice, time, child, detached) in drafts {
                match (choice, sync) {
                    (0 | 1, _) | (2, true) => steps.push(Step::Run(time)),
                    (2, false) => steps.push(Step::Wait(time)),
                    (3, _) if allowed.cancels => steps.push(Step::Drop),
                    (4, false) => steps.push(Step::Join),
                    (5, false) => steps.push(Step::RunChild),
                    // What it makes and runs within itself has ended before it.
                    (4 | 5, true)
                        if number > 0 && library.scripts[child % number].options.kind == TaskKind::Sync =>
                    {
                        steps.push(Step::Spawn { script: child % number, detached: false });
                        steps.push(Step::RunChild);
                    }
                    // The handles of a synchronous task are dropped at its end, which cancels.
                    _ if number > 0 && (!sync || detached || allowed.cancels) => {
                        steps.push(Step::Spawn { script: child % number, detached });
                    }
                    _ => {}
                }
            }
            if !allowed.cancels && !sync {
                steps.push(Step::Join);
            }
            let kind = if sync { TaskKind::Sync } else { TaskKind::Async };
            let mut script = Script::new(number as u64, kind, steps);
            if allowed.timeouts {
                script.options.retries = retries.saturating_sub(1);
                match limit {
                    0 => script.options.timeout = Some(ENDLESS),
                    1 => {
                        script.options.timeout = Some(Duration::from_millis(1));
                        script.steps.push(Step::Run(ENDLESS * 10));
                    }
                    2 => script.options.timeout = Some(Duration::from_millis(1)),
                    _ => {}
                }
            }
            library.add(script);
        }
        library
    })
}

/// A run in which only what is allowed happens.
pub(super) fn plans(allowed: Allowed) -> impl Strategy<Value = Plan> {
    let strategy = prop_oneof![Just(Spread::Serial), Just(Spread::Parallel), Just(Spread::WorkStealing)];
    let limits = (1..5usize, prop_oneof![Just(None), Just(Some(0)), Just(Some(1)), Just(Some(3))]);
    let world = (prop_oneof![Just(2u64), Just(60), Just(3_000)], any::<u64>());
    let submits = vec((time(5_000), 0..100usize, any::<bool>()), 1..16);
    let cancels = vec((time(20_000), 0..100usize, any::<bool>()), 0..if allowed.cancels { 6 } else { 1 });
    let kills = vec((time(20_000), 0..100usize, any::<bool>()), 0..if allowed.kills { 4 } else { 1 });
    let close = time(20_000);
    (strategy, limits, world, library(allowed), submits, cancels, kills, close).prop_map(
        move |(strategy, (threads, max_queue), (slowest, seed), library, submits, cancels, kills, close)| {
            let mut deeds = Vec::new();
            let mut submits = submits;
            submits.sort_by_key(|(at, ..)| *at);
            for (at, script, bounded) in submits {
                let bounded = bounded && max_queue.is_some();
                deeds.push((at, Deed::Submit { script: script % library.scripts.len(), bounded }));
            }
            deeds.extend(cancels.into_iter().map(|(at, nth, abort)| (at, Deed::Cancel { nth, abort })));
            deeds.extend(kills.into_iter().map(|(at, nth, shown)| (at, Deed::Kill { nth, shown })));
            if allowed.close {
                deeds.push((close, Deed::Close));
            }
            let slowest = Duration::from_micros(slowest);
            Plan { strategy, threads, max_queue, library, deeds, slowest, seed }
        },
    )
}
