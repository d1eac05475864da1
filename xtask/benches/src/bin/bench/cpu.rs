//! Tasks that only compute, spread over two workers in several ways, beside what no way can be faster than.
//!
//! The bound is measured in each round: one worker does the work of all tasks in one piece, and that of the longest alone.
//! Two workers need half of the first at least, and not less than the second. How near to it this machine comes at all is told by
//! a split that knows all costs beforehand and sends each worker one task.

use futures::future::{try_join, try_join_all};
use wasm_mt::{Error, Executor, ExecutorExt, Pool, RemoteHandle, Strategy, Thread, remote};
use wasm_mt_benches::work::{TASKS, compute, skewed};
use wasm_mt_benches::{Aim, Turns};

use crate::room;
use crate::turns::Comparison;

/// Milliseconds of each task, where all are equal.
const EQUAL: f64 = 4.0;
/// Milliseconds of the shortest task, where they are not.
const SHORTEST: f64 = 0.2;

/// How tasks get to workers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// All in one task on one worker.
    OneWorker,
    Pool(Strategy),
    /// The first half to one worker and the rest to the other, before anything has run.
    Halves,
    /// One task for each worker, split by the costs.
    KnownCosts,
}

impl Way {
    const ALL: [Self; 6] = [
        Self::OneWorker,
        Self::Pool(Strategy::Serial),
        Self::Pool(Strategy::Parallel),
        Self::Pool(Strategy::WorkStealing),
        Self::Halves,
        Self::KnownCosts,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::OneWorker => "one worker, in one task",
            Self::Pool(Strategy::Serial) => "serial",
            Self::Pool(Strategy::Parallel) => "parallel",
            Self::Pool(_) => "work-stealing",
            Self::Halves => "split into halves beforehand",
            Self::KnownCosts => "split by known costs, in two tasks",
        }
    }
}

pub(crate) async fn measure(turns: &Turns) -> Result<(), Error> {
    let workers = Workers::start().await?;
    let speed = workers.speed().await?;
    let steps = |costs: Vec<f64>| costs.into_iter().map(|cost| (cost * speed) as u32).collect::<Vec<_>>();
    for (name, tasks, aim) in [
        ("64 equal CPU tasks", steps(vec![EQUAL; TASKS]), None),
        ("64 skewed CPU tasks", steps(skewed(SHORTEST)), Some(Aim::AtMost(1.08))),
    ] {
        let mut times = Way::ALL.map(|_| Vec::new());
        for round in 0..turns.rounds(9) {
            let mut taken = [0.0; Way::ALL.len()];
            // Nobody comes always behind the same one.
            for place in 0..Way::ALL.len() {
                let place = (place + round) % Way::ALL.len();
                taken[place] = workers.take(Way::ALL[place], &tasks).await?;
            }
            let longest = workers.alone(tasks.iter().max().copied().into_iter().collect()).await?;
            let bound = (taken[0] / 2.0).max(longest);
            times.iter_mut().zip(taken).for_each(|(times, taken)| times.push((taken, bound)));
        }
        for (way, times) in Way::ALL.into_iter().zip(times) {
            let name = format!("{name}: {}", way.name());
            let aim = aim.filter(|_| way == Way::Pool(Strategy::WorkStealing));
            Comparison { name: &name, beside: "the bound, max(sum / 2, longest)", aim }.tell(1, &times);
        }
    }
    Ok(())
}

struct Workers {
    threads: [Thread; 2],
    pools: [(Strategy, Pool); 3],
}

impl Workers {
    async fn start() -> Result<Self, Error> {
        let pool = |strategy| (strategy, Pool::builder().strategy(strategy).threads(2).build());
        let strategies = [Strategy::Serial, Strategy::Parallel, Strategy::WorkStealing];
        let workers = Self { threads: [Thread::new(), Thread::new()], pools: strategies.map(pool) };
        try_join_all(workers.pools.iter().map(|(_, pool)| pool.ready())).await?;
        try_join_all(workers.threads.iter().map(Thread::ready)).await?;
        Ok(workers)
    }

    /// Steps of [`compute`] in a millisecond. Warms every worker up, too.
    async fn speed(&self) -> Result<f64, Error> {
        const LONG: f64 = 50.0;
        let mut steps = 1 << 16;
        while self.alone(vec![steps]).await? < LONG {
            steps *= 2;
        }
        // The fastest of some: whatever else the machine does must not make the tasks short.
        let mut time = f64::INFINITY;
        for _ in 0..5 {
            time = time.min(self.alone(vec![steps]).await?);
        }
        for way in Way::ALL {
            self.take(way, &[steps / 64; TASKS]).await?;
        }
        Ok(f64::from(steps) / time)
    }

    /// The milliseconds of tasks in one piece on one worker.
    async fn alone(&self, tasks: Vec<u32>) -> Result<f64, Error> {
        let start = room::now();
        in_one(&self.threads[0], tasks).await?;
        Ok(room::now() - start)
    }

    /// The milliseconds until all tasks have their result.
    async fn take(&self, way: Way, tasks: &[u32]) -> Result<f64, Error> {
        let [one, other] = &self.threads;
        let each = |executor: &dyn Executor, tasks: &[u32]| {
            try_join_all(
                tasks.iter().copied().map(|steps| executor.spawn_remote(remote!(move || compute(steps)))),
            )
        };
        let start = room::now();
        match way {
            Way::OneWorker => return self.alone(tasks.to_vec()).await,
            Way::Pool(strategy) => {
                let pool = self.pools.iter().find(|(of, _)| *of == strategy);
                let (_, pool) = pool.expect("there is a pool for every strategy");
                each(pool, tasks).await?;
            }
            Way::Halves => {
                let (first, second) = tasks.split_at(tasks.len() / 2);
                try_join(each(one, first), each(other, second)).await?;
            }
            Way::KnownCosts => {
                let [first, second] = by_costs(tasks);
                try_join(in_one(one, first), in_one(other, second)).await?;
            }
        }
        Ok(room::now() - start)
    }
}

fn in_one(thread: &Thread, tasks: Vec<u32>) -> RemoteHandle<u32> {
    thread.spawn_remote(remote!(move || tasks.into_iter().fold(0, |all: u32, steps| all ^ compute(steps))))
}

/// Two parts of about the same cost: the longest first, each to the part that has less.
fn by_costs(tasks: &[u32]) -> [Vec<u32>; 2] {
    let mut tasks = tasks.to_vec();
    tasks.sort_unstable();
    let (mut parts, mut costs) = ([Vec::new(), Vec::new()], [0_u64; 2]);
    for task in tasks.into_iter().rev() {
        let part = usize::from(costs[1] < costs[0]);
        parts[part].push(task);
        costs[part] += u64::from(task);
    }
    parts
}
