//! A node: receives batches, asks their clients for them, runs their tasks on a pool of this process, and answers.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_nats::jetstream::AckKind;
use async_nats::jetstream::consumer::pull;
use async_nats::jetstream::object_store::ObjectStore;
use async_nats::{Event, Message, Subscriber};
use bytes::Bytes;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use tokio::runtime::Runtime;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::{MissedTickBehavior, interval, sleep};
use wasm_mt::transport::{Answer, Seal};
use wasm_mt::{Error, Executor, Job, Pool};

use crate::client::get;
use crate::cluster::runtime;
use crate::config::Config;
use crate::connection::{ACK_WAIT, Connection};
use crate::ledger::{BatchNumber, TaskNumber};
use crate::message::{
    self, Batch, Beat, Blob, Body, ClientId, ClientReply, NodeId, PeerId, PeerState, Role, ToNode,
};
use crate::outbox::Result as Sent;
use crate::tasks::{RunningTask, Tasks};

/// So many batches that end soon are in hand at a time: while one runs, the next ones are asked for.
const SHORT_BATCHES: usize = 3;
/// A batch that takes a worker no longer than this ends soon.
const SHORT: Duration = Duration::from_millis(8);
/// So many tasks that await others may be in hand for each worker.
const ASYNC_TASKS: usize = 256;

/// Runs tasks of a fleet in this process.
///
/// Dropping it ends it at once: what it had claimed is lost. [`drain`](Self::drain) lets it finish.
pub struct Node {
    control: watch::Sender<Control>,
    ended: Option<oneshot::Receiver<()>>,
    runtime: Option<Runtime>,
    id: NodeId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Control {
    Run,
    /// Take nothing more, and end when all is answered.
    Drain,
}

/// Serves until the process is told to end (SIGTERM, or Ctrl-C), finishes what was begun, and returns.
///
/// # Errors
///
/// [`is_other`](Error::is_other) if the broker cannot be reached, has no JetStream, or the configuration is wrong.
pub async fn serve(config: Config) -> Result<(), Error> {
    let node = Node::start(config, Pool::new()).await?;
    node.end_by_signal().await;
    Ok(())
}

impl Node {
    /// Connects to the broker, and serves until it is dropped or drained. Tasks run on `pool`.
    ///
    /// # Errors
    ///
    /// [`is_other`](Error::is_other) if the broker cannot be reached, has no JetStream, or the configuration is wrong.
    pub async fn start(config: Config, pool: Pool) -> Result<Self, Error> {
        let runtime = runtime("wasm-mt-node")?;
        let id = PeerId::new();
        let (control, controlled) = watch::channel(Control::Run);
        let (started, start) = oneshot::channel();
        let (end, ended) = oneshot::channel();
        drop(runtime.spawn(async move {
            let server = match Connection::open(&config).await {
                Ok((connection, events)) => Server::new(&config, id, connection, pool, controlled)
                    .await
                    .map(|(server, inputs)| (server, inputs, events)),
                Err(error) => Err(error),
            };
            match server {
                Ok((server, inputs, events)) => {
                    if started.send(Ok(())).is_ok() {
                        run(server, inputs, events, &config).await;
                    }
                }
                // Who starts it may have given up.
                Err(error) => started.send(Err(error)).unwrap_or(()),
            }
            end.send(()).unwrap_or(());
        }));
        let node = Self { control, ended: Some(ended), runtime: Some(runtime), id };
        start.await.unwrap_or_else(|_| Err(Error::closed()))?;
        Ok(node)
    }

    /// Takes no more tasks, and resolves when those that were taken are answered.
    pub async fn drain(mut self) {
        self.control.send(Control::Drain).unwrap_or(());
        if let Some(ended) = self.ended.take() {
            // It may have ended before.
            drop(ended.await);
        }
    }

    /// Drains when the process is told to end.
    async fn end_by_signal(self) {
        let (told, signal) = oneshot::channel();
        if let Some(runtime) = &self.runtime {
            drop(runtime.spawn(async move {
                wait_for_signal().await;
                told.send(()).unwrap_or(());
            }));
        }
        drop(signal.await);
        self.drain().await;
    }
}

#[cfg(unix)]
async fn wait_for_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
        Err(_) => drop(tokio::signal::ctrl_c().await),
    }
}

#[cfg(not(unix))]
async fn wait_for_signal() {
    drop(tokio::signal::ctrl_c().await);
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Node({})", self.id)
    }
}

/// What the parts of a node share.
pub(crate) struct Server {
    pub(crate) id: NodeId,
    pub(crate) connection: Connection,
    pub(crate) objects: ObjectStore,
    pool: Pool,
    pub(crate) workers: usize,
    pub(crate) tasks: Tasks,
    control: watch::Receiver<Control>,
    /// A task has ended, or a batch.
    pub(crate) freed: Notify,
    /// When the last batch ended, in nanoseconds since the start.
    last_end: AtomicU64,
    began: Instant,
}

struct Inputs {
    tasks: pull::Stream,
    children: pull::Stream,
    requests: Subscriber,
    beats: Subscriber,
}

impl Server {
    async fn new(
        config: &Config,
        id: NodeId,
        connection: Connection,
        pool: Pool,
        control: watch::Receiver<Control>,
    ) -> Result<(Arc<Self>, Inputs), Error> {
        let stream = connection.stream(config).await?;
        let names = &connection.names;
        let pull = async |name: &str, subject: String| {
            let consumer = connection.consumer(&stream, name, subject).await?;
            let messages = consumer.stream().max_messages_per_batch(1).expires(Duration::from_secs(30));
            let messages = messages.heartbeat(Duration::from_secs(5)).messages().await;
            messages.map_err(|error| Error::other(format!("the broker gives no tasks: {error}")))
        };
        let tasks = pull("tasks", names.tasks()).await?;
        let children = pull("children", names.children()).await?;
        let subscribe = async |subject: String| {
            let subscribed = connection.client.subscribe(subject).await;
            subscribed
                .map_err(|error| Error::other(format!("the connection to the broker has ended: {error}")))
        };
        let requests = subscribe(names.peer(id)).await?;
        let beats = subscribe(names.beats()).await?;
        let objects = connection.objects(config).await?;
        connection.settle().await;
        let workers = pool.concurrency();
        let server = Self {
            id,
            objects,
            pool,
            workers,
            tasks: Tasks::new(),
            control,
            freed: Notify::new(),
            last_end: AtomicU64::new(0),
            began: Instant::now(),
            connection,
        };
        Ok((Arc::new(server), Inputs { tasks, children, requests, beats }))
    }

    fn seal(&self) -> &Seal {
        &self.connection.seal
    }

    fn is_draining(&self) -> bool {
        *self.control.borrow() == Control::Drain
    }

    /// True if another batch of programs' tasks is wanted.
    fn wants_more(&self) -> bool {
        if self.is_draining() {
            return false;
        }
        let hand = self.tasks.in_hand();
        if hand.long_batches == 0 && hand.batches > 0 {
            return hand.batches < SHORT_BATCHES;
        }
        let is_free = hand.sync_tasks + hand.asked < self.workers && hand.tasks < ASYNC_TASKS * self.workers;
        is_free && self.pool.stats().queued == 0
    }

    async fn beat(&self, state: PeerState) {
        let role = Role::Node { workers: self.workers as u32 };
        let beat = message::write(self.seal(), &Beat { id: self.id, role, state });
        let names = &self.connection.names;
        // Without the broker nobody hears it.
        drop(self.connection.client.publish(names.beats(), beat).await);
        if state == PeerState::Here {
            let build = Bytes::copy_from_slice(self.seal().build().as_bytes());
            drop(self.connection.client.publish(names.builds(), build).await);
        }
    }
}

async fn run(
    server: Arc<Server>,
    mut inputs: Inputs,
    mut events: mpsc::UnboundedReceiver<Event>,
    config: &Config,
) {
    let mut ticks = interval(config.heartbeat);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last_tick = Instant::now();
    let mut is_connected = true;
    let mut control = server.control.clone();
    let state = || if server.is_draining() { PeerState::Leaving } else { PeerState::Here };
    loop {
        if server.is_draining() && server.tasks.is_empty() {
            break;
        }
        let wants_more = server.wants_more();
        tokio::select! {
            Some(message) = inputs.tasks.next(), if wants_more => receive(&server, message),
            Some(message) = inputs.children.next(), if !server.is_draining() => receive(&server, message),
            Some(request) = inputs.requests.next() => serve_request(&server, &request),
            Some(beat) = inputs.beats.next() => {
                // A new client is told at once who is there.
                if hear(&server, &beat) {
                    server.beat(state()).await;
                }
            }
            Some(event) = events.recv() => match event {
                Event::Disconnected => is_connected = false,
                Event::Connected => {
                    is_connected = true;
                    server.tasks.forgive();
                }
                _ => {}
            },
            _ = ticks.tick() => {
                // A process that was stopped, or a machine that slept, has heard nobody.
                if last_tick.elapsed() > 3 * config.heartbeat || !is_connected {
                    server.tasks.forgive();
                }
                last_tick = Instant::now();
                server.tasks.drop_silent(config.silence_limit());
                if is_connected {
                    server.beat(state()).await;
                }
            }
            () = server.freed.notified() => {}
            _ = control.changed() => server.beat(state()).await,
        }
    }
    server.beat(PeerState::Gone).await;
    drop(server.connection.client.flush().await);
    server.connection.settle().await;
}

/// True if it is of a client that was not known.
fn hear(server: &Server, beat: &Message) -> bool {
    let Ok(beat) = message::read::<Beat>(server.seal(), &beat.payload) else { return false };
    beat.role == Role::Client && server.tasks.hear(beat.id, beat.state == PeerState::Gone)
}

fn serve_request(server: &Arc<Server>, request: &Message) {
    let Ok(ToNode { client, signals }) = message::read(server.seal(), &request.payload) else { return };
    for (task, signal) in signals {
        server.tasks.signal(client, task, signal);
    }
    if let Some(reply) = request.reply.clone() {
        let client = server.connection.client.clone();
        drop(tokio::spawn(async move { drop(client.publish(reply, Bytes::new()).await) }));
    }
}

/// A message of the stream, or that there was none.
fn receive<E>(server: &Arc<Server>, received: Result<async_nats::jetstream::Message, E>) {
    // The stream of messages heals by itself.
    let Ok(received) = received else { return };
    let asked = server.tasks.ask();
    let server = server.clone();
    drop(tokio::spawn(async move {
        let batch = begin(&server, &received).await;
        drop(asked);
        server.freed.notify_one();
        if let Some(batch) = batch {
            batch.run(&server, &received).await;
            server.freed.notify_one();
        }
    }));
}

/// A batch that is to run here.
struct Begun {
    client: ClientId,
    number: BatchNumber,
    retried: bool,
    tasks: Vec<Opened>,
    in_hand: crate::tasks::BatchInHand,
}

struct Opened {
    number: TaskNumber,
    running: RunningTask,
    opened: Result<(Job, Answer), Error>,
}

/// Asks the client for a batch, and takes it out of the stream. `None`: nothing of it is to run here.
async fn begin(server: &Arc<Server>, received: &async_nats::jetstream::Message) -> Option<Begun> {
    // What is not sealed is of nobody's, and does not come again.
    let Ok(batch) = message::read::<Batch<'_>>(server.seal(), &received.payload) else {
        drop(received.ack_with(AckKind::Term).await);
        return None;
    };
    let Batch { client, number, retried, nanos, calls } = batch;
    let outbox = match server.tasks.outbox(server, client) {
        Some(outbox) => outbox,
        None => {
            drop(received.ack_with(AckKind::Term).await);
            return None;
        }
    };
    let (wanted, detached) = match outbox.claim(number).await {
        Sent::Reply(ClientReply::Granted { tasks, detached }) => (tasks, detached),
        Sent::Reply(ClientReply::Held) => {
            drop(received.ack_with(AckKind::Nak(Some(Duration::from_secs(1)))).await);
            return None;
        }
        Sent::Reply(ClientReply::Gone | ClientReply::Taken) | Sent::NoClient => {
            drop(received.ack_with(AckKind::Term).await);
            return None;
        }
    };
    let is_short = nanos > 0 && Duration::from_nanos(nanos) <= SHORT;
    // From here on each task has a place to which signals go, and an answer or the end of this process.
    let in_hand = server.tasks.batch(is_short);
    let register = |task: TaskNumber| server.tasks.register(server, client, task, detached.contains(&task));
    let running: Vec<_> = wanted.iter().map(|task| (*task, register(*task))).collect();
    if wanted.is_empty() {
        drop(received.ack_with(AckKind::Term).await);
        return None;
    }
    // One that may not run twice begins only when the broker has confirmed that it will not deliver it again.
    if !retried {
        while received.double_ack().await.is_err() {
            if outbox.is_gone() {
                return None;
            }
            sleep(Duration::from_millis(50)).await;
        }
    }
    let mut tasks = Vec::with_capacity(running.len());
    let mut calls: std::collections::HashMap<_, _> = calls.into_iter().collect();
    for (number, running) in running {
        let call = match calls.remove(&number) {
            Some(Body::Here(Blob(call))) => Ok(std::borrow::Cow::Borrowed(call)),
            Some(Body::Stored(name)) => get(&server.objects, name).await.map(std::borrow::Cow::Owned),
            Some(Body::Failed(error)) => Err(error),
            None => Err(Error::other("its call is missing in the message; this is a fault of wasm-mt-nats")),
        };
        let opened = call.and_then(|call| server.seal().open(&call));
        tasks.push(Opened { number, running, opened });
    }
    Some(Begun { client, number, retried, tasks, in_hand })
}

impl Begun {
    async fn run(self, server: &Arc<Server>, received: &async_nats::jetstream::Message) {
        let Self { client, number, retried, tasks, in_hand } = self;
        let Some(outbox) = server.tasks.outbox(server, client) else { return };
        let count = tasks.len().max(1);
        let submitted = server.began.elapsed();
        let mut answers = FuturesUnordered::new();
        for Opened { number, running, opened } in tasks {
            match opened {
                Ok((job, answer)) => {
                    let counted = in_hand.task(job.is_async());
                    server.pool.submit(job.with_retries(0));
                    answers.push(async move {
                        let answer = running.answer(answer).await;
                        drop(counted);
                        (number, answer)
                    });
                }
                Err(error) => outbox.fail(number, error),
            }
        }
        let work = async {
            while let Some((task, answer)) = answers.next().await {
                if let Some(answer) = answer {
                    outbox.answer(task, answer);
                }
                server.freed.notify_one();
            }
        };
        if retried {
            // The broker waits longer for each sign of life.
            let mut work = std::pin::pin!(work.fuse());
            let mut progress = interval(ACK_WAIT / 3);
            loop {
                tokio::select! {
                    () = &mut work => break,
                    _ = progress.tick() => drop(received.ack_with(AckKind::Progress).await),
                }
            }
        } else {
            work.await;
        }
        let ended = server.began.elapsed();
        let last = Duration::from_nanos(server.last_end.swap(ended.as_nanos() as u64, Ordering::Relaxed));
        let ran = ended.saturating_sub(submitted.max(last)) * count.min(server.workers) as u32 / count as u32;
        outbox.ran(number, ran);
        drop(in_hand);
        if retried {
            // Behind its answers: if they do not arrive, it comes again.
            outbox.settle().await;
            drop(received.double_ack().await);
        }
    }
}
