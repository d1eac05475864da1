//! A client: its loop drives the [`Ledger`] with what comes from the program, from nodes and from the broker.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use async_nats::{Event, Subscriber};
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use tokio::sync::mpsc;
use tokio::task::yield_now;
use tokio::time::{MissedTickBehavior, interval};
use wasm_mt::Error;

mod batches;
mod handles;
mod nodes;
mod publisher;
mod requests;

use self::batches::Sent;
use self::handles::Pending;
use crate::cluster::Shared;
use crate::config::{Config, HEARTBEATS};
use crate::connection::Connection;
use crate::ledger::{Action, Attempt, BatchNumber, Ledger, Limits, TaskNumber, TaskSignal};
use crate::link::{Link, Seen};
use crate::message::{NodeId, PeerId, PeerState};
use crate::numbers::NumberMap;
use crate::objects::Objects;
use crate::stored::Stored;

/// How long a client that ends may take for its last messages.
pub(crate) const FAREWELL: Duration = Duration::from_secs(2);
/// No more bytes of calls go together, though more would fit: a node begins when it has all.
const MESSAGE: usize = 256 * 1024;
/// So many messages are read before the program is served again.
const MOST_REQUESTS: usize = 256;

/// Whose tasks they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Program,
    /// Tasks of a node's tasks.
    Children,
}

/// What has come of something that takes time.
enum Done {
    Published {
        batch: BatchNumber,
        sequence: u64,
        stored: Option<(TaskNumber, String)>,
        /// `None`: it was sent more than once, and has waited for the broker to have room.
        round_trip: Option<Duration>,
    },
    Unpublished {
        batch: BatchNumber,
        error: Error,
    },
    Told {
        node: NodeId,
        failed: Vec<(TaskNumber, TaskSignal)>,
    },
    Fetched {
        task: TaskNumber,
        from: Attempt,
        answer: Result<Vec<u8>, Error>,
    },
    Looked {
        batch: BatchNumber,
        stored: Stored,
    },
    Nothing,
}

pub(crate) struct Driver {
    connection: Connection,
    subject: String,
    /// So long a call may be in a message, in bytes.
    longest: usize,
    objects: Objects,
    events: mpsc::UnboundedReceiver<Event>,
    requests: Subscriber,
    beats: Subscriber,
    builds: Subscriber,
    shared: Arc<Shared>,
    ledger: Ledger,
    pending: NumberMap<Pending>,
    sent: HashMap<BatchNumber, Sent>,
    /// What nodes are to know, and have not been sent.
    signals: HashMap<NodeId, Vec<(TaskNumber, TaskSignal)>>,
    telling: HashSet<NodeId>,
    /// When a node of another build was heard last.
    other_build: Option<Instant>,
    running: FuturesUnordered<BoxFuture<'static, Done>>,
    /// Sends what needs no answer, in order.
    out: mpsc::UnboundedSender<(String, Bytes)>,
    began: Instant,
    heartbeat: Duration,
    config: Config,
    link: Link,
}

impl Driver {
    pub(crate) async fn new(
        config: &Config,
        kind: Kind,
        connection: Connection,
        events: mpsc::UnboundedReceiver<Event>,
        shared: Arc<Shared>,
    ) -> Result<Self, Error> {
        let id = PeerId::new();
        let names = &connection.names;
        let subject = if kind == Kind::Program { names.tasks() } else { names.children() };
        let stream = connection.stream().await?;
        let longest = connection.max_message().min(room(stream.cached_info().config.max_bytes));
        let objects = connection.objects().await?;
        let requests = connection.subscribe(names.peer(id)).await?;
        let beats = connection.subscribe(names.node_beats()).await?;
        let builds = connection.subscribe(names.node_builds()).await?;
        connection.settle().await;
        let limits = Limits {
            in_flight: config.max_in_flight,
            message: MESSAGE.min(longest),
            silence: config.silence,
            no_node: config.start_timeout,
        };
        let (out, outgoing) = mpsc::unbounded_channel();
        tokio::spawn(send_all(connection.client.clone(), outgoing));
        Ok(Self {
            subject,
            longest,
            objects,
            events,
            requests,
            beats,
            builds,
            shared,
            ledger: Ledger::new(id, limits, Duration::ZERO),
            pending: NumberMap::default(),
            sent: HashMap::new(),
            signals: HashMap::new(),
            telling: HashSet::new(),
            other_build: None,
            running: FuturesUnordered::new(),
            out,
            began: Instant::now(),
            heartbeat: config.heartbeat,
            config: config.clone(),
            link: Link::new(),
            connection,
        })
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Runs until the last handle of the client is gone.
    pub(crate) async fn run(mut self) {
        let shared = self.shared.clone();
        let mut ticks = interval(self.heartbeat);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last_tick = Instant::now();
        self.beat();
        loop {
            tokio::select! {
                () = shared.wake.notified() => {}
                () = yield_now(), if self.ledger.has_more() => {}
                Some(request) = self.requests.next() => self.request(&request),
                Some(beat) = self.beats.next() => self.hear(&beat),
                Some(build) = self.builds.next() => self.hear_build(&build.payload),
                Some(done) = self.running.next() => self.done(done),
                Some(event) = self.events.recv() => self.happened(&event),
                _ = ticks.tick() => {
                    // A process that was stopped, or a machine that slept, has heard nobody.
                    if last_tick.elapsed() > HEARTBEATS * self.heartbeat {
                        self.ledger.forgive(self.now());
                    }
                    last_tick = Instant::now();
                    self.tick();
                }
            }
            // What has come meanwhile is done before anything is gathered.
            for _ in 0..MOST_REQUESTS {
                let Some(Some(request)) = self.requests.next().now_or_never() else { break };
                self.request(&request);
            }
            if self.serve_handles() {
                return self.end().await;
            }
            self.act();
        }
    }

    /// Does what the ledger says.
    fn act(&mut self) {
        let actions = self.ledger.take_actions();
        // Who learns that a node was lost finds that it is gone.
        self.shared.concurrency.store(self.ledger.concurrency(), Ordering::Relaxed);
        let nodes = self.ledger.nodes();
        self.shared.nodes.send_if_modified(|known| std::mem::replace(known, nodes) != nodes);
        for action in actions {
            match action {
                Action::Publish { batch, tasks, retried } => self.publish(batch, &tasks, retried),
                Action::Lose { task, node } => self.lose(task, node),
                Action::Refuse { task } => self.refuse(task),
                Action::Tell { node, task, signal } => {
                    self.signals.entry(node).or_default().push((task, signal));
                }
            }
        }
        self.tell_all();
    }

    fn done(&mut self, done: Done) {
        match done {
            Done::Published { batch, sequence, stored, round_trip } => {
                if let Some(round_trip) = round_trip {
                    self.ledger.replied(round_trip);
                }
                self.published(batch, sequence, stored);
            }
            Done::Unpublished { batch, error } => self.unpublished(batch, &error),
            Done::Told { node, failed } => self.told(node, failed),
            Done::Fetched { task, from, answer } => match answer {
                Ok(answer) => self.answer(task, from, &answer),
                Err(error) => self.fail(task, &error),
            },
            Done::Looked { batch, stored } => self.looked(batch, stored),
            Done::Nothing => {}
        }
    }

    fn happened(&mut self, event: &Event) {
        if self.link.happened(event, Seen::of(&self.connection.client)) {
            self.came_back();
        }
    }

    /// The broker is there again, and may have lost what it had.
    fn came_back(&mut self) {
        self.ledger.forgive(self.now());
        self.beat();
        self.look_soon();
        self.connection.prepare_beside(Duration::ZERO);
    }

    fn tick(&mut self) {
        if self.link.look(Seen::of(&self.connection.client)) {
            self.came_back();
        }
        if !self.link.is_connected() {
            return;
        }
        self.ledger.tick(self.now());
        self.beat();
        self.look_for_unclaimed();
    }

    /// Sends what needs no answer.
    fn send(&self, subject: String, payload: Bytes) {
        self.out.send((subject, payload)).unwrap_or(());
    }

    /// The last handle is gone: so is what was not answered.
    async fn end(mut self) {
        let (submitted, _) = self.shared.requests().end();
        submitted.into_iter().for_each(|submitted| submitted.reply.fail(Error::closed()));
        let mut stored = Vec::new();
        for (_, entry) in std::mem::take(&mut self.pending) {
            entry.reply.fail(Error::closed());
            stored.extend(entry.stored);
        }
        let beat = self.sealed_beat(PeerState::Gone);
        // If that fails, nodes find out by themselves.
        drop(self.connection.client.publish(self.connection.names.client_beats(), beat).await);
        self.connection.settle().await;
        for name in stored {
            drop(self.objects.delete(&name).await);
        }
    }
}

/// However it ends, nobody waits for what was given to it.
impl Drop for Driver {
    fn drop(&mut self) {
        let (submitted, closers) = self.shared.requests().end();
        drop((submitted, closers));
    }
}

/// So many bytes of a stream that holds so many are for one message: several are to fit. An administrator may have made one without a
/// limit, which says -1.
fn room(stored: i64) -> usize {
    match usize::try_from(stored) {
        Ok(stored @ 1..) => stored / 8,
        _ => usize::MAX,
    }
}

async fn send_all(client: async_nats::Client, mut outgoing: mpsc::UnboundedReceiver<(String, Bytes)>) {
    while let Some((subject, payload)) = outgoing.recv().await {
        // If one cannot be sent, the next may be.
        drop(client.publish(subject, payload).await);
    }
}
