//! Drives the very code of the schedule with simulated workers, messages and time.
//!
//! A discrete-event simulation: the page and each worker is a thread of its own with an inbox; a packet takes time to
//! post, to travel and to read; a task takes the thread that runs it. Workers do not share cores, so what comes out is what
//! the schedule and the messages cost, not what the machine is short of. All chance comes from one seed.
//!
//! It prints the table of ARCHITECTURE (`cargo test --release schedule -- --ignored --nocapture makespans`), and the
//! property tests run on it: a run gives the record of every task.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::time::Duration;

mod page;
mod record;
mod script;
mod table;
mod worker;
mod workload;

use self::page::PageSide;
pub(crate) use self::record::{Record, Records};
pub(crate) use self::script::{Dice, Library, Script, Step};
use self::worker::WorkerSide;
use crate::schedule::{Config, PageEvent, Strategy, TaskId, TaskKind, TaskOptions, WorkerId};

/// What messages and the event loop cost.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    /// From post to arrival, evenly between these.
    pub(crate) latency: (Duration, Duration),
    /// To post or to read a packet.
    pub(crate) packet: Duration,
    /// To write or to read an item of it.
    pub(crate) item: Duration,
    /// A turn of the worker's event loop.
    pub(crate) turn: Duration,
    /// From the request to the greeting.
    pub(crate) boot: (Duration, Duration),
    /// The step of the workers' clocks.
    pub(crate) tick: Duration,
    /// From the loss of a worker until its page notices it.
    pub(crate) witness: Duration,
}

impl Network {
    /// As measured in browsers: a wake-up takes 25 to 60 us, eight messages in flight cost 10 to 13 us per pair, 64 tasks
    /// in one message 0.3 us each.
    pub(crate) fn measured() -> Self {
        let us = Duration::from_micros;
        Self {
            latency: (us(25), us(60)),
            packet: us(3),
            item: Duration::from_nanos(300),
            turn: us(5),
            boot: (Duration::ZERO, Duration::ZERO),
            tick: us(5),
            witness: us(2_000),
        }
    }
}

/// What crosses.
#[derive(Clone, Debug)]
enum ToWorker {
    Run { task: TaskId, options: TaskOptions },
    Stop { task: TaskId },
    ReportRequest,
    StealRequest { idle: u32 },
    Completed { task: TaskId },
}

/// What is done to the page from outside.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Deed {
    /// Submits a task; it is known by its place in the list of deeds.
    Submit {
        script: usize,
        bounded: bool,
    },
    /// Drops the handle of the n-th submitted task, or has it aborted.
    Cancel {
        nth: usize,
        abort: bool,
    },
    /// Kills one of the workers that are there. `shown`: the page learns which of its tasks had not begun.
    Kill {
        nth: usize,
        shown: bool,
    },
    Close,
}

#[derive(Debug)]
enum Occasion {
    Deed(Deed),
    /// A packet from a worker, which was alive when it was posted.
    PageGets {
        worker: WorkerId,
        sent: Duration,
        events: Vec<PageEvent>,
    },
    PageTurn,
    PageWakes,
    WorkerGets {
        worker: WorkerId,
        messages: Vec<ToWorker>,
    },
    WorkerReady {
        worker: WorkerId,
    },
    WorkerTurn {
        worker: WorkerId,
    },
    WorkerStep {
        worker: WorkerId,
    },
    /// A task of the worker may have reached its limit.
    WorkerRings {
        worker: WorkerId,
    },
    /// A task's timer has run down.
    Resume {
        worker: WorkerId,
        task: TaskId,
    },
}

/// What is yet to happen, the earliest first; what happens at the same time, in the order of its planning.
#[derive(Debug, Default)]
struct Agenda {
    heap: BinaryHeap<Reverse<(Duration, u64)>>,
    occasions: HashMap<u64, Occasion>,
    last: u64,
}

impl Agenda {
    fn plan(&mut self, at: Duration, occasion: Occasion) {
        self.last += 1;
        self.heap.push(Reverse((at, self.last)));
        self.occasions.insert(self.last, occasion);
    }

    fn next(&mut self) -> Option<(Duration, Occasion)> {
        let Reverse((at, number)) = self.heap.pop()?;
        Some((at, self.occasions.remove(&number)?))
    }
}

/// What all sides share.
#[derive(Debug)]
struct Scene {
    library: Library,
    network: Network,
    dice: Dice,
    agenda: Agenda,
    records: Records,
    strategy: Strategy,
    config: Config,
    /// When the last packet of each channel arrives: none overtakes another.
    arrivals: BTreeMap<(WorkerId, bool), Duration>,
}

impl Scene {
    /// When a packet arrives that is posted now.
    fn arrival(&mut self, worker: WorkerId, to_page: bool, sent: Duration) -> Duration {
        let (least, most) = self.network.latency;
        let last = self.arrivals.entry((worker, to_page)).or_default();
        *last = (*last).max(sent + self.dice.between(least, most));
        *last
    }
}

/// A run of the simulation.
#[derive(Debug)]
pub(crate) struct World {
    scene: Scene,
    page: PageSide,
    workers: BTreeMap<WorkerId, WorkerSide>,
}

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) records: Records,
    /// When the last task of the page was answered.
    pub(crate) makespan: Duration,
    /// Packets that crossed, in both directions.
    pub(crate) packets: usize,
    /// Tasks that migrated from a worker.
    pub(crate) returned: usize,
    pub(crate) closed: bool,
    /// The most tasks that were queued after any event.
    pub(crate) most_queued: usize,
}

impl World {
    pub(crate) fn new(
        strategy: Strategy,
        config: Config,
        network: Network,
        library: Library,
        seed: u64,
    ) -> Self {
        let scene = Scene {
            library,
            network,
            dice: Dice(seed),
            agenda: Agenda::default(),
            records: Records::default(),
            strategy,
            config,
            arrivals: BTreeMap::new(),
        };
        Self { scene, page: PageSide::new(), workers: BTreeMap::new() }
    }

    /// Plans a deed.
    pub(crate) fn plan(&mut self, at: Duration, deed: Deed) {
        self.scene.agenda.plan(at, Occasion::Deed(deed));
    }

    /// Runs until nothing is left to happen.
    pub(crate) fn run(mut self) -> Outcome {
        self.page.open(&mut self.scene, &mut self.workers);
        while let Some((now, occasion)) = self.scene.agenda.next() {
            self.happen(now, occasion);
        }
        Outcome {
            makespan: self.page.last_answer,
            packets: self.page.packets,
            returned: self.page.returned,
            closed: self.page.closed,
            most_queued: self.page.most_queued,
            records: self.scene.records,
        }
    }

    fn happen(&mut self, now: Duration, occasion: Occasion) {
        let Self { scene, page, workers } = self;
        match occasion {
            Occasion::Deed(Deed::Kill { nth, shown }) => {
                let ids = workers.keys().copied().collect::<Vec<_>>();
                if let Some(id) = ids.get(nth % ids.len().max(1)) {
                    let worker = workers.remove(id).expect("it is in the list");
                    scene.records.end_worker(*id, now);
                    let begun = shown.then(|| worker.begun());
                    let lost = PageEvent::Lost { worker: *id, culprit: None, begun };
                    let at = scene.arrival(*id, true, now + scene.network.witness);
                    scene.agenda.plan(
                        at,
                        Occasion::PageGets { worker: *id, sent: Duration::ZERO, events: vec![lost] },
                    );
                }
            }
            Occasion::Deed(deed) => page.plan(now, scene, page::Input::Deed(deed)),
            Occasion::PageGets { worker, sent, events } => {
                // What was posted after its end was not posted.
                if scene.records.alive_at(worker, sent) && !page.terminated.contains(&worker) {
                    page.plan(now, scene, page::Input::Packet(events));
                }
            }
            Occasion::PageWakes => page.plan(now, scene, page::Input::Wake),
            Occasion::PageTurn => page.turn(now, scene, workers),
            Occasion::WorkerReady { worker } => {
                if let Some(side) = workers.get_mut(&worker) {
                    side.greet(now, scene);
                }
            }
            Occasion::WorkerGets { worker, messages } => {
                if let Some(side) = workers.get_mut(&worker) {
                    side.get(now, messages, scene);
                }
            }
            Occasion::WorkerTurn { worker } => {
                if let Some(side) = workers.get_mut(&worker) {
                    side.turn(now, scene);
                }
            }
            Occasion::WorkerStep { worker } => {
                if let Some(side) = workers.get_mut(&worker) {
                    side.step(now, scene);
                }
            }
            Occasion::WorkerRings { worker } => {
                if let Some(side) = workers.get_mut(&worker) {
                    side.plan(now, scene);
                }
            }
            Occasion::Resume { worker, task } => {
                if let Some(side) = workers.get_mut(&worker) {
                    side.resume(now, task, scene);
                }
            }
        }
    }
}

/// True for a script that awaits nothing.
fn is_sync(options: &TaskOptions) -> bool {
    options.kind == TaskKind::Sync
}
