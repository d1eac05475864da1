//! What the table measures.

use std::time::Duration;

use super::{Deed, Dice, Library, Network, Outcome, Script, Step, World};
use crate::schedule::{Config, Strategy, TaskKind};

/// Tasks that are submitted at once.
#[derive(Clone, Debug)]
pub(super) struct Workload {
    pub(super) name: &'static str,
    library: Library,
    roots: Vec<usize>,
}

impl Workload {
    fn flat(name: &'static str, kind: TaskKind, tasks: impl IntoIterator<Item = Vec<Step>>) -> Self {
        let mut library = Library::default();
        let roots = tasks.into_iter().map(|steps| library.add(Script::new(1, kind, steps))).collect();
        Self { name, library, roots }
    }

    pub(super) fn equal() -> Self {
        let tasks = (0..64).map(|_| vec![Step::Run(Duration::from_millis(4))]);
        Self::flat("64 tasks of 4 ms", TaskKind::Sync, tasks)
    }

    /// From 0.2 to 20 ms, each cost as likely as its double.
    pub(super) fn skewed(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let tasks =
            (0..64).map(|_| vec![Step::Run(Duration::from_micros(200).mul_f64(100f64.powf(dice.unit())))]);
        Self::flat("64 tasks of 0.2 to 20 ms", TaskKind::Sync, tasks.collect::<Vec<_>>())
    }

    pub(super) fn tiny(name: &'static str, tasks: usize) -> Self {
        let mut dice = Dice(7);
        let us = Duration::from_micros;
        let tasks = (0..tasks).map(|_| vec![Step::Run(dice.between(us(1), us(5)))]);
        Self::flat(name, TaskKind::Sync, tasks.collect::<Vec<_>>())
    }

    /// A tree as of `fib(24)` with a cut-off at 12: each task makes two and awaits them.
    pub(super) fn fork_join() -> Self {
        let mut library = Library::default();
        let leaf = |library: &mut Library, n: i32| {
            // fib(12) takes about 1 us.
            let time = Duration::from_micros(400).mul_f64(1.618f64.powi(n - 12));
            library.add(Script::new(2, TaskKind::Sync, vec![Step::Run(time)]))
        };
        let mut pair = (leaf(&mut library, 11), leaf(&mut library, 12));
        for _ in 13..=24 {
            let spawn = |script| Step::Spawn { script, detached: false };
            let us = Duration::from_micros;
            let steps = vec![Step::Run(us(3)), spawn(pair.1), spawn(pair.0), Step::Join, Step::Run(us(2))];
            pair = (pair.1, library.add(Script::new(3, TaskKind::Async, steps)));
        }
        Self { name: "a fork-join tree, leaves of 0.3 ms", library, roots: vec![pair.1] }
    }

    /// One task makes 64 others and goes on for 30 ms before it awaits them.
    pub(super) fn burst() -> Self {
        let mut library = Library::default();
        let child = library.add(Script::new(1, TaskKind::Sync, vec![Step::Run(Duration::from_millis(2))]));
        let mut steps = vec![Step::Spawn { script: child, detached: false }; 64];
        steps.extend([Step::Run(Duration::from_millis(30)), Step::Join]);
        let root = library.add(Script::new(2, TaskKind::Async, steps));
        Self { name: "64 children of 2 ms by a busy parent", library, roots: vec![root] }
    }

    /// Tasks that await a timer of 5 ms between two bursts of 20 us.
    pub(super) fn waiting() -> Self {
        let run = Step::Run(Duration::from_micros(20));
        let tasks = (0..1_000).map(|_| vec![run, Step::Wait(Duration::from_millis(5)), run]);
        Self::flat("1,000 tasks that wait 5 ms", TaskKind::Async, tasks)
    }

    /// The least time in which so many workers can do it, were messages free.
    pub(super) fn bound(&self, workers: usize) -> Duration {
        let costs = self.roots.iter().map(|root| self.library.work_and_span(*root));
        let (work, span) = costs
            .fold((Duration::ZERO, Duration::ZERO), |(work, span), cost| (work + cost.0, span.max(cost.1)));
        span.max(work / u32::try_from(workers).unwrap_or(u32::MAX))
    }

    pub(super) fn run(&self, strategy: Strategy, workers: usize) -> Outcome {
        self.run_by(Network::measured().tick, strategy, workers)
    }

    /// Runs it with clocks of this step.
    pub(super) fn run_by(&self, tick: Duration, strategy: Strategy, workers: usize) -> Outcome {
        let config = Config { threads: workers, tick, ..Config::default() };
        let network = Network { tick, ..Network::measured() };
        let mut world = World::new(strategy, config, network, self.library.clone(), 1);
        for script in &self.roots {
            world.plan(Duration::ZERO, Deed::Submit { script: *script, bounded: false });
        }
        world.run()
    }
}
