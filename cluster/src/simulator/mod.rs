//! Drives the very code of a client and of nodes with simulated messages, workers and time.
//!
//! A discrete-event simulation: the client and each node do one thing at a time, and the broker does one thing to its stream at a time;
//! a message takes time to make, to travel to the broker and on, and to read; each worker has a core of its own. What comes out is what
//! the rules and the network cost: how much is sent at a time, how much is asked for and when.
//!
//! It prints the table of ARCHITECTURE (`cargo test --release -p wasm-mt-nats -- --ignored --nocapture fleet_makespans`).

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::time::Duration;

mod client;
mod node;
mod table;

use self::client::ClientSide;
use self::node::NodeSide;
use crate::ledger::{BatchNumber, TaskNumber};

/// What messages cost, as measured on one machine: everything is awaited but the network.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Network {
    /// From a process to the broker, or back.
    pub(crate) latency: Duration,
    /// The client publishes a batch, and reads that the broker has it.
    pub(crate) publish: Duration,
    /// A process reads a message, and writes its reply.
    pub(crate) message: Duration,
    /// The broker does something to its stream.
    pub(crate) stream: Duration,
    /// What the client does for a task: half when it sends it, half when it reads its answer.
    pub(crate) client_task: Duration,
    /// A node reads a task, starts it, and writes its answer.
    pub(crate) node_task: Duration,
}

impl Network {
    pub(crate) fn new(latency: Duration) -> Self {
        let us = Duration::from_micros;
        Self {
            latency,
            publish: us(8),
            message: us(5),
            stream: us(4),
            client_task: Duration::from_nanos(1500),
            node_task: us(2),
        }
    }
}

/// What a client gets.
#[derive(Debug)]
enum ToClient {
    /// The broker has the batch.
    Stored {
        sent: Duration,
    },
    Claim {
        node: usize,
        batch: BatchNumber,
    },
    Answers {
        node: usize,
        tasks: Vec<TaskNumber>,
        ran: Vec<(BatchNumber, Duration)>,
    },
    /// All nodes say that they are there.
    Beats,
}

/// What a node gets.
#[derive(Debug)]
enum ToNode {
    /// From the broker's stream.
    Batch(Message),
    Granted {
        batch: BatchNumber,
        tasks: Vec<TaskNumber>,
    },
    Gone {
        batch: BatchNumber,
    },
    /// The broker does not deliver it again.
    Taken {
        batch: BatchNumber,
    },
    /// The client has the answers.
    Arrived,
    /// A task of it has ended.
    Ended {
        batch: BatchNumber,
        task: TaskNumber,
    },
}

/// A batch in the stream.
#[derive(Clone, Copy, Debug)]
struct Message {
    batch: BatchNumber,
    /// As in [`crate::message::Batch`].
    nanos: u64,
    tasks: usize,
}

#[derive(Debug)]
enum Occasion {
    ClientGets(ToClient),
    ClientTurn,
    NodeGets(usize, ToNode),
    Publish { message: Message, sent: Duration },
    Pull { node: usize, count: usize },
    Ack { node: usize, batch: BatchNumber },
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

/// The part of the broker that stores batches.
#[derive(Debug, Default)]
struct Stream {
    free: Duration,
    messages: VecDeque<Message>,
    /// Nodes that wait for one.
    pulls: VecDeque<usize>,
}

/// What all sides share.
#[derive(Debug)]
struct Scene {
    network: Network,
    agenda: Agenda,
    /// How long each task runs.
    tasks: Vec<Duration>,
    messages: usize,
}

impl Scene {
    /// Sends a message from one process to another, by the broker.
    fn send(&mut self, at: Duration, occasion: Occasion) {
        self.messages += 1;
        self.agenda.plan(at + 2 * self.network.latency, occasion);
    }

    /// Sends a message to the broker's stream.
    fn tell_stream(&mut self, at: Duration, occasion: Occasion) {
        self.messages += 1;
        self.agenda.plan(at + self.network.latency, occasion);
    }
}

/// A client and its fleet.
#[derive(Debug)]
pub(crate) struct World {
    scene: Scene,
    client: ClientSide,
    nodes: Vec<NodeSide>,
    stream: Stream,
}

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) makespan: Duration,
    pub(crate) messages: usize,
}

impl World {
    pub(crate) fn new(network: Network, tasks: Vec<Duration>, nodes: usize, workers: usize) -> Self {
        let scene = Scene { network, agenda: Agenda::default(), tasks, messages: 0 };
        let nodes = (0..nodes).map(|id| NodeSide::new(id, workers)).collect();
        Self { scene, client: ClientSide::new(), nodes, stream: Stream::default() }
    }

    /// Runs until all tasks are answered.
    pub(crate) fn run(mut self) -> Outcome {
        let (scene, workers) = (&mut self.scene, self.nodes[0].workers);
        self.client.open(scene, self.nodes.len(), workers);
        self.nodes.iter_mut().for_each(|node| node.ask(Duration::ZERO, scene));
        while self.client.answered < self.scene.tasks.len() {
            let (now, occasion) = self.scene.agenda.next().expect("nothing happens any more: it hangs");
            self.happen(now, occasion);
        }
        Outcome { makespan: self.client.free, messages: self.scene.messages }
    }

    fn happen(&mut self, now: Duration, occasion: Occasion) {
        let Self { scene, client, nodes, stream } = self;
        match occasion {
            Occasion::ClientGets(message) => client.get(now, message, scene),
            Occasion::ClientTurn => client.turn(now, scene),
            Occasion::NodeGets(node, message) => nodes[node].get(now, message, scene),
            Occasion::Publish { message, sent } => {
                let done = stream.work(now, scene);
                stream.messages.push_back(message);
                scene
                    .agenda
                    .plan(done + scene.network.latency, Occasion::ClientGets(ToClient::Stored { sent }));
                stream.deliver(done, scene);
            }
            Occasion::Pull { node, count } => {
                let done = stream.work(now, scene);
                stream.pulls.extend(std::iter::repeat_n(node, count));
                stream.deliver(done, scene);
            }
            Occasion::Ack { node, batch } => {
                let done = stream.work(now, scene) + scene.network.latency;
                scene.agenda.plan(done, Occasion::NodeGets(node, ToNode::Taken { batch }));
            }
        }
    }
}

impl Stream {
    fn work(&mut self, now: Duration, scene: &Scene) -> Duration {
        self.free = self.free.max(now) + scene.network.stream;
        self.free
    }

    fn deliver(&mut self, now: Duration, scene: &mut Scene) {
        while let (Some(_), Some(_)) = (self.messages.front(), self.pulls.front()) {
            let (message, node) = (self.messages.pop_front(), self.pulls.pop_front());
            let (message, node) = (message.expect("there is one"), node.expect("there is one"));
            scene.messages += 1;
            scene.agenda.plan(now + scene.network.latency, Occasion::NodeGets(node, ToNode::Batch(message)));
        }
    }
}
