//! The loop of a client: it drives the [`Ledger`] with the broker's messages.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::object_store::ObjectStore;
use async_nats::jetstream::stream::Stream;
use async_nats::{Event, Message, Subscriber};
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc;
use tokio::task::yield_now;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use wasm_mt::Error;
use wasm_mt::transport::Reply;

use crate::cluster::{Shared, Submitted};
use crate::config::Config;
use crate::connection::Connection;
use crate::ledger::{Action, Again, Attempt, BatchNumber, Claim, Ledger, Limits, TaskNumber, TaskSignal};
use crate::message::{
    self, Batch, Beat, Blob, Body, ClientId, ClientReply, NodeId, Numbered, PeerId, PeerState, Role,
    ToClient, ToNode,
};
use crate::numbers::NumberMap;

/// How long a client that ends may take for its last messages.
pub(crate) const FAREWELL: Duration = Duration::from_secs(2);
/// No more bytes of calls go together, though more would fit: a node begins when it has all.
const MESSAGE: usize = 256 * 1024;
/// So many messages are read before the program is served again.
const MOST_REQUESTS: usize = 256;
/// As `UNCLAIMED`, when the broker was away.
const SOON: Duration = Duration::from_secs(1);
/// The longest wait before something is tried again.
const BACKOFF: Duration = Duration::from_secs(1);
/// After so long without a claim, the broker is asked whether it still has the message.
const UNCLAIMED: Duration = Duration::from_secs(10);

/// Whose tasks they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Program,
    /// Tasks of a node's tasks.
    Children,
}

/// A task that has not ended.
struct Pending {
    /// `None` once nobody may need it again.
    call: Option<Bytes>,
    /// `None`: nobody wants the answer.
    reply: Option<Reply>,
    site: u64,
    retries: u32,
    /// The object that holds its call.
    stored: Option<String>,
}

/// A batch that was sent.
struct Sent {
    since: Instant,
    /// Where it is in the stream, once the broker has said so.
    sequence: Option<u64>,
    site: u64,
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
        is_there: bool,
    },
    Nothing,
}

pub(crate) struct Driver {
    connection: Connection,
    subject: String,
    /// So long a call may be in a message, in bytes.
    longest: usize,
    stream: Stream,
    objects: ObjectStore,
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
    other_builds: HashSet<Bytes>,
    running: FuturesUnordered<BoxFuture<'static, Done>>,
    /// Sends what needs no answer, in order.
    out: mpsc::UnboundedSender<(String, Bytes)>,
    began: Instant,
    heartbeat: Duration,
    config: Config,
    is_connected: bool,
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
        let stream = connection.stream(config).await?;
        // Several messages are to fit into the stream.
        let room = usize::try_from(stream.cached_info().config.max_bytes / 8).unwrap_or(usize::MAX);
        let longest = connection.max_message().min(room);
        let objects = connection.objects(config).await?;
        let subscribe = async |subject: String| {
            let subscribed = connection.client.subscribe(subject).await;
            subscribed
                .map_err(|error| Error::other(format!("the connection to the broker has ended: {error}")))
        };
        let requests = subscribe(names.peer(id)).await?;
        let beats = subscribe(names.node_beats()).await?;
        let builds = subscribe(names.builds()).await?;
        connection.settle().await;
        let limits = Limits {
            in_flight: config.max_in_flight,
            message: MESSAGE.min(longest),
            silence: config.silence_limit(),
            no_node: config.start_timeout,
        };
        let (out, outgoing) = mpsc::unbounded_channel();
        tokio::spawn(send_all(connection.client.clone(), outgoing));
        Ok(Self {
            subject,
            longest,
            stream,
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
            other_builds: HashSet::new(),
            running: FuturesUnordered::new(),
            out,
            began: Instant::now(),
            heartbeat: config.heartbeat,
            config: config.clone(),
            is_connected: true,
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
        self.beat(PeerState::Here);
        loop {
            tokio::select! {
                () = shared.wake.notified() => {}
                () = yield_now(), if self.ledger.has_more() => {}
                Some(request) = self.requests.next() => self.request(&request),
                Some(beat) = self.beats.next() => self.hear(&beat),
                Some(build) = self.builds.next() => self.hear_build(build.payload),
                Some(done) = self.running.next() => self.done(done),
                Some(event) = self.events.recv() => self.happened(&event),
                _ = ticks.tick() => {
                    // A process that was stopped, or a machine that slept, has heard nobody.
                    if last_tick.elapsed() > 3 * self.heartbeat {
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

    /// Takes what the program requests. True if it has gone.
    fn serve_handles(&mut self) -> bool {
        let (submitted, signals) = {
            let mut requests = self.shared.requests();
            if requests.is_dropped {
                return true;
            }
            (std::mem::take(&mut requests.submitted), std::mem::take(&mut requests.signals))
        };
        for Submitted { number, task, call, reply } in submitted {
            let (site, retries) = (task.site, task.retries);
            let entry = Pending { call: Some(call.into()), reply: Some(reply), site, retries, stored: None };
            self.pending.insert(number, entry);
            self.ledger.submit(number, task);
        }
        for (number, signal) in signals {
            if let (TaskSignal::Detach, Some(entry)) = (signal, self.pending.get_mut(&number)) {
                entry.reply = None;
            }
            if self.ledger.signal(number, signal) {
                let reply = self.finish(number);
                if signal == TaskSignal::Abort {
                    reply.into_iter().for_each(|reply| reply.fail(Error::cancelled()));
                }
            }
        }
        false
    }

    /// The task has ended: gives what its answer is for.
    fn finish(&mut self, number: TaskNumber) -> Option<Reply> {
        let entry = self.pending.remove(&number)?;
        if let Some(name) = entry.stored {
            self.delete(name);
        }
        self.shared.ended(1);
        entry.reply
    }

    fn delete(&self, name: String) {
        let objects = self.objects.clone();
        let delete = async move {
            // What is left the broker forgets in time.
            drop(objects.delete(&name).await);
            Done::Nothing
        };
        self.running.push(delete.boxed());
    }

    fn act(&mut self) {
        let actions = self.ledger.take_actions();
        // Who learns that a node was lost finds that it is gone.
        self.shared.concurrency.store(self.ledger.concurrency(), Ordering::Relaxed);
        let nodes = self.ledger.nodes();
        self.shared.nodes.send_if_modified(|known| std::mem::replace(known, nodes) != nodes);
        for action in actions {
            match action {
                Action::Publish { batch, tasks, retried } => self.publish(batch, &tasks, retried),
                Action::Lose { task, node } => {
                    let reply = self.finish(task);
                    let cause = format!("the node {node} of the fleet was lost under it");
                    reply.into_iter().for_each(|reply| reply.lose(cause.clone()));
                }
                Action::Refuse { task } => {
                    let error = self.no_node();
                    let reply = self.finish(task);
                    reply.into_iter().for_each(|reply| reply.fail(error.clone()));
                }
                Action::Tell { node, task, signal } => {
                    self.signals.entry(node).or_default().push((task, signal));
                }
            }
        }
        let nodes: Vec<_> =
            self.signals.keys().filter(|node| !self.telling.contains(*node)).copied().collect();
        nodes.into_iter().for_each(|node| self.tell(node));
    }

    fn no_node(&self) -> Error {
        let seconds = self.config.start_timeout.as_secs();
        let others = match self.other_builds.len() {
            0 => String::new(),
            _ => "; nodes of another build are there, and take no tasks of this one".to_owned(),
        };
        Error::other(format!(
            "no node of the fleet was there for {seconds} s{others}; start this very executable as a node on some machine"
        ))
    }

    fn publish(&mut self, batch: BatchNumber, tasks: &[TaskNumber], retried: bool) {
        let limit = self.longest;
        let mut site = 0;
        let mut calls = Vec::with_capacity(tasks.len());
        let mut large = None;
        for number in tasks {
            let Some(Pending { call: Some(call), site: own, .. }) = self.pending.get(number) else {
                continue;
            };
            site = *own;
            // One that is too long is alone.
            if call.len() > limit {
                large = Some((*number, call.clone()));
            }
            calls.push((*number, Body::Here(Blob(call))));
        }
        let nanos = self.ledger.cost(site).map_or(0, |cost| cost.as_nanos() as u64 * calls.len() as u64);
        self.sent.insert(batch, Sent { since: Instant::now(), sequence: None, site });
        let client = self.ledger.id;
        let publisher = Publisher {
            connection: self.connection.clone(),
            config: self.config.clone(),
            subject: self.subject.clone(),
            id: message_id(client, batch),
            batch,
        };
        let seal = &self.connection.seal;
        if let Some((number, call)) = large {
            let name = format!("{client}-call-{number}-{batch}");
            let body = Body::Stored(&name);
            let head = Batch { client, number: batch, retried, nanos, calls: vec![(number, body)] };
            let payload = message::write(seal, &head);
            let objects = self.objects.clone();
            let publish = async move {
                match put(&objects, &name, &call).await {
                    Ok(()) => publisher.publish(payload, Some((number, name))).await,
                    Err(error) => Done::Unpublished { batch, error },
                }
            };
            self.running.push(publish.boxed());
        } else {
            let payload = message::write(seal, &Batch { client, number: batch, retried, nanos, calls });
            self.running.push(publisher.publish(payload, None).boxed());
        }
    }

    /// Tells a node what it is to know.
    fn tell(&mut self, node: NodeId) {
        let Some(signals) = self.signals.remove(&node) else { return };
        self.telling.insert(node);
        /// What has not arrived after so long is said again, if the node is still there.
        const TELL: Duration = Duration::from_secs(5);

        let (connection, client, since) = (self.connection.clone(), self.ledger.id, Instant::now());
        let tell = async move {
            let told =
                message::ask::<()>(&connection, client, node, ToNode { signals: signals.clone() }, || {
                    since.elapsed() > TELL
                })
                .await;
            Done::Told { node, failed: if told.is_some() { Vec::new() } else { signals } }
        };
        self.running.push(tell.boxed());
    }

    fn done(&mut self, done: Done) {
        match done {
            Done::Published { batch, sequence, stored, round_trip } => {
                if let Some(round_trip) = round_trip {
                    self.ledger.replied(round_trip);
                }
                if let Some(sent) = self.sent.get_mut(&batch) {
                    sent.sequence = Some(sequence);
                    sent.since = Instant::now();
                }
                if let Some((task, name)) = stored {
                    match self.pending.get_mut(&task) {
                        Some(entry) => entry.stored = Some(name),
                        None => self.delete(name),
                    }
                }
            }
            Done::Unpublished { batch, error } => {
                self.ledger.tasks_of(batch).into_iter().for_each(|task| self.fail(task, &error));
                self.sent.remove(&batch);
            }
            Done::Told { node, failed } => {
                self.telling.remove(&node);
                // One that is lost needs to know nothing.
                if !failed.is_empty() && self.ledger.is_there(node) {
                    let later = self.signals.insert(node, failed).unwrap_or_default();
                    self.signals.entry(node).or_default().extend(later);
                }
            }
            Done::Fetched { task, from, answer } => match answer {
                Ok(answer) => self.answer(task, from, &answer),
                Err(error) => self.fail(task, &error),
            },
            Done::Looked { batch, is_there } => {
                if !is_there {
                    self.ledger.send_again(batch);
                    self.sent.remove(&batch);
                } else if let Some(sent) = self.sent.get_mut(&batch) {
                    sent.since = Instant::now();
                }
            }
            Done::Nothing => {}
        }
    }

    /// A node asks for something, or answers.
    fn request(&mut self, request: &Message) {
        let Some(reply_to) = request.reply.clone() else { return };
        let seal = self.connection.seal.clone();
        // What is not sealed is of nobody's.
        let Ok(asked) = message::read::<Numbered<ToClient<'_>>>(&seal, &request.payload) else { return };
        let Numbered { from: node, number, message } = asked;
        let reply = match message {
            ToClient::Claim { workers, batch } => self.claim(node, workers, batch),
            ToClient::Lost => {
                self.ledger.left(node);
                ClientReply::Taken
            }
            ToClient::Answers { answers, ran } => {
                self.ledger.heard(node, self.now());
                for (batch, task, body) in answers {
                    match body {
                        Body::Here(Blob(answer)) => self.answer(task, (batch, node), answer),
                        Body::Stored(name) => self.fetch(task, (batch, node), name.to_owned()),
                        Body::Failed(error) => self.fail(task, &error),
                    }
                }
                for ran in ran {
                    if let Some(sent) = self.sent.remove(&ran.batch) {
                        self.ledger.learn(sent.site, Duration::from_nanos(ran.nanos));
                    }
                }
                ClientReply::Taken
            }
        };
        let reply = message::write(&seal, &Numbered { from: node, number, message: reply });
        self.out.send((reply_to.to_string(), reply)).unwrap_or(());
    }

    fn claim(&mut self, node: NodeId, workers: u32, batch: BatchNumber) -> ClientReply {
        match self.ledger.claim(batch, node, workers as usize, self.now()) {
            Claim::Granted(tasks) => {
                for task in &tasks {
                    if let Some(entry) = self.pending.get_mut(task).filter(|entry| entry.retries == 0) {
                        entry.call = None;
                    }
                }
                let detached = tasks.iter().copied().filter(|task| self.ledger.is_detached(*task)).collect();
                ClientReply::Granted { tasks, detached }
            }
            Claim::Held => ClientReply::Held,
            Claim::Gone => ClientReply::Gone,
        }
    }

    fn answer(&mut self, task: TaskNumber, from: Attempt, answer: &[u8]) {
        let Some(entry) = self.pending.get(&task) else { return };
        let lost = entry
            .reply
            .as_ref()
            .filter(|_| entry.retries > 0)
            .and_then(|reply| reply.error_in(answer).ok()?);
        let is_lost = lost.is_some_and(|error| error.is_worker_lost());
        if is_lost && self.ledger.try_again(task, from) != Again::Never {
            return;
        }
        if !self.ledger.answered(task) {
            return;
        }
        let Some(reply) = self.finish(task) else { return };
        // A peer that has the secret gives it as the answer to this task: there will be no other.
        if let Err((reply, error)) = reply.answer(answer) {
            reply.fail(error);
        }
    }

    fn fail(&mut self, task: TaskNumber, error: &Error) {
        if self.ledger.answered(task) {
            let reply = self.finish(task);
            reply.into_iter().for_each(|reply| reply.fail(error.clone()));
        }
    }

    fn fetch(&self, task: TaskNumber, from: Attempt, name: String) {
        let objects = self.objects.clone();
        let fetch = async move {
            let answer = get(&objects, &name).await;
            // What is left the broker forgets in time.
            drop(objects.delete(&name).await);
            Done::Fetched { task, from, answer }
        };
        self.running.push(fetch.boxed());
    }

    fn hear(&mut self, beat: &Message) {
        let Ok(beat) = message::read::<Beat>(&self.connection.seal, &beat.payload) else { return };
        let Role::Node { workers } = beat.role else { return };
        match beat.state {
            PeerState::Gone => self.ledger.left(beat.id),
            state => self.ledger.beat(beat.id, workers as usize, state == PeerState::Leaving, self.now()),
        }
    }

    fn hear_build(&mut self, build: Bytes) {
        const MOST: usize = 64;
        if build != self.connection.seal.build().as_bytes()[..] && self.other_builds.len() < MOST {
            self.other_builds.insert(build);
        }
    }

    fn happened(&mut self, event: &Event) {
        match event {
            Event::Disconnected => self.is_connected = false,
            Event::Connected => {
                self.is_connected = true;
                self.ledger.forgive(self.now());
                self.beat(PeerState::Here);
                // It may have lost its store: what no node claims soon is looked for.
                let soon = Instant::now().checked_sub(UNCLAIMED - SOON).unwrap_or_else(Instant::now);
                self.sent.values_mut().for_each(|sent| sent.since = soon);
                let (connection, config) = (self.connection.clone(), self.config.clone());
                // If that fails, publishing does too, and is tried again.
                let prepare = async move {
                    drop(connection.prepare(&config).await);
                    Done::Nothing
                };
                self.running.push(prepare.boxed());
            }
            _ => {}
        }
    }

    fn tick(&mut self) {
        if !self.is_connected {
            return;
        }
        self.ledger.tick(self.now());
        self.beat(PeerState::Here);
        let ledger = &self.ledger;
        self.sent.retain(|batch, sent| ledger.has(*batch) || sent.since.elapsed() < UNCLAIMED);
        let overdue = self
            .sent
            .iter_mut()
            .filter(|(batch, sent)| ledger.is_unclaimed(**batch) && sent.since.elapsed() > UNCLAIMED);
        for (batch, sent) in overdue.take(64) {
            let Some(sequence) = sent.sequence else { continue };
            sent.since = Instant::now();
            let (stream, batch, id) = (self.stream.clone(), *batch, message_id(self.ledger.id, *batch));
            let look = async move {
                use async_nats::jetstream::stream::LastRawMessageErrorKind::NoMessageFound;
                let is_there = match stream.get_raw_message(sequence).await {
                    // In a stream that was made anew, another one may be there.
                    Ok(message) => message.headers.get("Nats-Msg-Id").is_some_and(|own| own.as_str() == id),
                    Err(error) => error.kind() != NoMessageFound,
                };
                Done::Looked { batch, is_there }
            };
            self.running.push(look.boxed());
        }
    }

    fn beat(&self, state: PeerState) {
        let beat = Beat { id: self.ledger.id, role: Role::Client, state };
        let beat = message::write(&self.connection.seal, &beat);
        self.out.send((self.connection.names.client_beats(), beat)).unwrap_or(());
    }

    /// The last handle is gone: so is what was not answered.
    async fn end(mut self) {
        let (submitted, _) = self.shared.requests().end();
        submitted.into_iter().for_each(|submitted| submitted.reply.fail(Error::closed()));
        let pending = std::mem::take(&mut self.pending);
        for (_, entry) in pending {
            entry.reply.into_iter().for_each(|reply| reply.fail(Error::closed()));
            if let Some(name) = entry.stored {
                drop(self.objects.delete(&name).await);
            }
        }
        let beat = Beat { id: self.ledger.id, role: Role::Client, state: PeerState::Gone };
        let beat = message::write(&self.connection.seal, &beat);
        // If that fails, nodes find out by themselves.
        drop(self.connection.client.publish(self.connection.names.client_beats(), beat).await);
        self.connection.settle().await;
    }
}

/// However it ends, nobody waits for what was given to it.
impl Drop for Driver {
    fn drop(&mut self) {
        let (submitted, closers) = self.shared.requests().end();
        drop((submitted, closers));
    }
}

/// By which the broker knows the message of a batch.
fn message_id(client: ClientId, batch: BatchNumber) -> String {
    format!("{client}-{batch}")
}

async fn send_all(client: async_nats::Client, mut outgoing: mpsc::UnboundedReceiver<(String, Bytes)>) {
    while let Some((subject, payload)) = outgoing.recv().await {
        if client.publish(subject, payload).await.is_err() {
            return;
        }
    }
}

/// Publishes one message, until the broker has it.
struct Publisher {
    connection: Connection,
    config: Config,
    subject: String,
    /// By which the broker knows it again if it comes twice.
    id: String,
    batch: BatchNumber,
}

impl Publisher {
    async fn publish(self, payload: Bytes, stored: Option<(TaskNumber, String)>) -> Done {
        let mut wait = Duration::from_millis(20);
        let mut is_first = true;
        loop {
            let began = Instant::now();
            let message = PublishMessage::build().payload(payload.clone()).message_id(&self.id);
            let published = self.connection.jetstream.send_publish(self.subject.clone(), message).await;
            let published = match published {
                Ok(acknowledged) => acknowledged.await,
                Err(error) => Err(error),
            };
            match published {
                Ok(ack) => {
                    return Done::Published {
                        batch: self.batch,
                        sequence: ack.sequence,
                        stored,
                        round_trip: is_first.then(|| began.elapsed()),
                    };
                }
                Err(error) if error.kind() == PublishErrorKind::MaxPayloadExceeded => {
                    let error = Error::other(format!(
                        "the broker takes no message of {} bytes: {error}",
                        payload.len()
                    ));
                    return Done::Unpublished { batch: self.batch, error };
                }
                // It has come back without its store, or another build has taken this one for gone.
                Err(error) if error.kind() == PublishErrorKind::StreamNotFound => {
                    drop(self.connection.prepare(&self.config).await);
                    sleep(wait).await;
                }
                // It is full, or away: its tasks wait here.
                Err(_) => sleep(wait).await,
            }
            is_first = false;
            wait = (2 * wait).min(BACKOFF);
        }
    }
}

/// Puts an object, until the broker has it.
pub(crate) async fn put(objects: &ObjectStore, name: &str, bytes: &[u8]) -> Result<(), Error> {
    /// How long it may take, however long it is.
    const PUT: Duration = Duration::from_secs(120);

    let mut wait = Duration::from_millis(50);
    for _ in 0..30 {
        if timeout(PUT, objects.put(name, &mut &*bytes)).await.is_ok_and(|put| put.is_ok()) {
            return Ok(());
        }
        sleep(wait).await;
        wait = (2 * wait).min(BACKOFF);
    }
    Err(Error::other(format!(
        "the broker did not store {} bytes; give it more room, or send less at a time",
        bytes.len()
    )))
}

/// What the broker gives, unless it takes too long.
async fn in_time<T, E: fmt::Display>(result: impl Future<Output = Result<T, E>>) -> Result<T, String> {
    const LIMIT: Duration = Duration::from_secs(10);
    match timeout(LIMIT, result).await {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(late) => Err(late.to_string()),
    }
}

pub(crate) async fn get(objects: &ObjectStore, name: &str) -> Result<Vec<u8>, Error> {
    let mut wait = Duration::from_millis(50);
    let mut failure = String::new();
    for _ in 0..10 {
        let read = async {
            let mut object = in_time(objects.get(name)).await?;
            let mut bytes = Vec::new();
            while in_time(object.read_buf(&mut bytes)).await? > 0 {}
            Ok::<_, String>(bytes)
        };
        match read.await {
            Ok(bytes) => return Ok(bytes),
            Err(error) => failure = error,
        }
        sleep(wait).await;
        wait = (2 * wait).min(BACKOFF);
    }
    Err(Error::other(format!("what the broker stored could not be read ({failure}); run the task again")))
}
