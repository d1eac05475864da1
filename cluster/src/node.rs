//! A node: receives batches, asks their clients for them, runs their tasks on a pool of this process, and answers.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use async_nats::jetstream::AckKind;
use async_nats::jetstream::object_store::ObjectStore;
use async_nats::{Event, Message, Subscriber};
use bytes::Bytes;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use tokio::runtime::Runtime;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::{Interval, MissedTickBehavior, interval, sleep};
use wasm_mt::transport::{Answer, Seal};
use wasm_mt::{Error, Executor, Job, Pool, Strategy};

use crate::client::Kind;
use crate::cluster::{Cluster, runtime};
use crate::config::Config;
use crate::connection::{ACK_WAIT, Connection};
use crate::cost::Shifts;
use crate::demand::{self, Supply};
use crate::ledger::{BatchNumber, TaskNumber};
use crate::message::{
    self, Batch, Beat, Blob, Body, ClientId, ClientReply, NodeId, Numbered, PeerId, PeerState, Role, ToNode,
};
use crate::objects::get;
use crate::pull::Pull;
use crate::tasks::{Asked, BatchInHand, OwnBatch, RunningTask, Tasks};

/// So many messages of tasks' tasks are asked for at a time.
const CHILDREN: usize = 16;

/// Runs tasks of a fleet in this process.
///
/// Dropping it ends it at once: what it had claimed is lost. [`drain`](Self::drain) lets it finish.
pub struct Node {
    control: watch::Sender<Control>,
    ended: Option<oneshot::Receiver<()>>,
    runtime: Option<Runtime>,
    id: NodeId,
    _place: Arc<Place>,
}

/// The node of this process, for its tasks.
struct Place {
    config: Config,
    strategy: Strategy,
    /// Made when a task asks for it.
    cluster: tokio::sync::OnceCell<Cluster>,
}

/// The last one that was started.
static PLACE: Mutex<Weak<Place>> = Mutex::new(Weak::new());

/// The fleet that the node of this process belongs to.
pub(crate) async fn current() -> Result<Cluster, Error> {
    let place = PLACE.lock().unwrap_or_else(PoisonError::into_inner).upgrade();
    let Some(place) = place else {
        return Err(Error::other("this process is no node of a fleet; start one, or connect to a fleet"));
    };
    if place.strategy == Strategy::Serial {
        return Err(Error::other(
            "the pool of this node runs one task at a time, so that a task of the fleet could wait for itself; \
             start the node with another strategy",
        ));
    }
    let connect = || Cluster::connect_as(place.config.clone(), Kind::Children);
    place.cluster.get_or_try_init(connect).await.cloned()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Control {
    Run,
    /// Take nothing more, and end when all is answered.
    Drain,
}

/// Serves until the process is told to end (SIGTERM, or Ctrl-C), finishes what was begun, and returns.
/// A second signal changes nothing.
///
/// ```no_run
/// use wasm_mt_nats::Config;
///
/// fn main() -> Result<(), wasm_mt::Error> {
///     let secret = std::fs::read("/etc/mandelbrot/secret").expect("the node has its configuration");
///     wasm_mt::try_run(wasm_mt_nats::serve(Config::new("nats://127.0.0.1:4222", "mandelbrot", secret)))
/// }
/// ```
///
/// # Errors
///
/// [`is_other`](Error::is_other) if the broker cannot be reached, has no JetStream, or the configuration is wrong.
pub async fn serve(config: Config) -> Result<(), Error> {
    let node = Node::start(config, Pool::new()).await?;
    node.drain_on_signal().await;
    Ok(())
}

impl Node {
    /// Connects to the broker, and serves until it is dropped or drained. Tasks run on `pool`.
    ///
    /// ```no_run
    /// use wasm_mt::{Error, Pool};
    /// use wasm_mt_nats::{Config, Node};
    ///
    /// async fn app(config: Config) -> Result<(), Error> {
    ///     let pool = Pool::builder().threads(2).build(); // the other cores are for others
    ///     let node = Node::start(config, pool).await?;
    ///     node.drain_on_signal().await;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`is_other`](Error::is_other) if the broker cannot be reached, has no JetStream, or the configuration is wrong.
    pub async fn start(config: Config, pool: Pool) -> Result<Self, Error> {
        let runtime = runtime("wasm-mt-node")?;
        let id = PeerId::new();
        let place = Arc::new(Place {
            config: config.clone(),
            strategy: pool.strategy(),
            cluster: tokio::sync::OnceCell::new(),
        });
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
                        let connection = server.connection.clone();
                        drop(tokio::spawn(async move { connection.sweep().await }));
                        run(server, inputs, events, &config).await;
                    }
                }
                // Who starts it may have given up.
                Err(error) => started.send(Err(error)).unwrap_or(()),
            }
            end.send(()).unwrap_or(());
        }));
        let node = Self { control, ended: Some(ended), runtime: Some(runtime), id, _place: place.clone() };
        start.await.unwrap_or_else(|_| Err(Error::closed()))?;
        *PLACE.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(&place);
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

    /// Drains when the process is told to end: by SIGTERM, or Ctrl-C.
    pub async fn drain_on_signal(self) {
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
    supply: Mutex<Supply>,
    shifts: Mutex<Shifts>,
    control: watch::Receiver<Control>,
    /// A task has ended, or a batch.
    pub(crate) freed: Notify,
    /// When the last batch ended, in nanoseconds since the start.
    last_end: AtomicU64,
    began: Instant,
}

struct Inputs {
    tasks: Pull,
    children: Pull,
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
        let tasks = Pull::new(&connection, connection.tasks_consumer(&stream).await?).await?;
        let children = Pull::new(&connection, connection.children_consumer(&stream).await?).await?;
        let requests = connection.subscribe(names.peer(id)).await?;
        let beats = connection.subscribe(names.client_beats()).await?;
        let objects = connection.objects(config).await?;
        connection.settle().await;
        let workers = pool.concurrency();
        let server = Self {
            id,
            objects,
            pool,
            workers,
            tasks: Tasks::new(),
            supply: Mutex::default(),
            shifts: Mutex::new(Shifts::new(workers)),
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

    fn supply(&self) -> MutexGuard<'_, Supply> {
        self.supply.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn shifts(&self) -> MutexGuard<'_, Shifts> {
        self.shifts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// So many messages of programs' tasks are to be asked for.
    fn wanted(&self) -> usize {
        let supply = *self.supply();
        demand::wanted(&self.tasks.in_hand(), &supply, self.workers, self.pool.stats().queued)
    }

    async fn beat_as_is(&self) {
        self.beat(if self.is_draining() { PeerState::Leaving } else { PeerState::Here }).await;
    }

    async fn beat(&self, state: PeerState) {
        let role = Role::Node { workers: self.workers as u32 };
        let beat = message::write(self.seal(), &Beat { id: self.id, role, state });
        let names = &self.connection.names;
        // Without the broker nobody hears it.
        drop(self.connection.client.publish(names.node_beats(), beat).await);
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
    let mut alive = Alive::new(&server, config);
    let mut control = server.control.clone();
    while !server.is_draining() {
        inputs.tasks.ask(server.wanted()).await;
        inputs.children.ask(CHILDREN).await;
        tokio::select! {
            Some(message) = inputs.tasks.next() => receive(&server, message),
            Some(message) = inputs.children.next() => receive(&server, message),
            Some(request) = inputs.requests.next() => serve_request(&server, &request),
            Some(beat) = inputs.beats.next() => hear(&server, &beat).await,
            Some(event) = events.recv() => {
                if alive.happened(&event) {
                    // If that fails, it fails again when it is asked for messages.
                    drop(server.connection.prepare(config).await);
                    inputs.tasks.forget();
                    inputs.children.forget();
                }
            }
            () = alive.tick() => {}
            () = server.freed.notified() => {}
            _ = control.changed() => {}
        }
    }
    server.beat(PeerState::Leaving).await;
    let Inputs { tasks, children, mut requests, mut beats } = inputs;
    drop(tokio::spawn(async { futures::join!(tasks.end(), children.end()) }));
    while !server.tasks.is_empty() {
        tokio::select! {
            Some(request) = requests.next() => serve_request(&server, &request),
            Some(beat) = beats.next() => hear(&server, &beat).await,
            Some(event) = events.recv() => drop(alive.happened(&event)),
            () = alive.tick() => {}
            () = server.freed.notified() => {}
        }
    }
    server.beat(PeerState::Gone).await;
    server.connection.settle().await;
}

/// Says that the node is there, and looks whether clients are.
struct Alive {
    server: Arc<Server>,
    ticks: Interval,
    last: Instant,
    is_connected: bool,
    heartbeat: Duration,
    silence: Duration,
}

impl Alive {
    fn new(server: &Arc<Server>, config: &Config) -> Self {
        let mut ticks = interval(config.heartbeat);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (heartbeat, silence) = (config.heartbeat, config.silence_limit());
        Self { server: server.clone(), ticks, last: Instant::now(), is_connected: true, heartbeat, silence }
    }

    /// True if the broker is back.
    fn happened(&mut self, event: &Event) -> bool {
        match event {
            Event::Disconnected => self.is_connected = false,
            Event::Connected => {
                self.is_connected = true;
                self.server.tasks.forgive();
                return true;
            }
            _ => {}
        }
        false
    }

    /// Waits until something is to be said, and says it.
    async fn tick(&mut self) {
        self.ticks.tick().await;
        // A process that was stopped, or a machine that slept, has heard nobody.
        if self.last.elapsed() > 3 * self.heartbeat || !self.is_connected {
            self.server.tasks.forgive();
        }
        self.last = Instant::now();
        self.server.tasks.drop_silent(self.silence);
        if self.is_connected {
            self.server.beat_as_is().await;
        }
    }
}

async fn hear(server: &Server, beat: &Message) {
    let Ok(beat) = message::read::<Beat>(server.seal(), &beat.payload) else { return };
    let is_new = beat.role == Role::Client && server.tasks.hear(beat.id, beat.state == PeerState::Gone);
    // It is told at once who is there.
    if is_new {
        server.beat_as_is().await;
    }
}

fn serve_request(server: &Arc<Server>, request: &Message) {
    let request_read = message::read::<Numbered<ToNode>>(server.seal(), &request.payload);
    let Ok(Numbered { from, number, message: ToNode { signals } }) = request_read else { return };
    for (task, signal) in signals {
        server.tasks.signal(from, task, signal);
    }
    if let Some(reply_to) = request.reply.clone() {
        let reply = message::write(server.seal(), &Numbered { from, number, message: () });
        let client = server.connection.client.clone();
        drop(tokio::spawn(async move { drop(client.publish(reply_to, reply).await) }));
    }
}

/// A message of the stream has come.
fn receive(server: &Arc<Server>, received: async_nats::jetstream::Message) {
    let mut asked = server.tasks.ask();
    let server = server.clone();
    drop(tokio::spawn(async move {
        let batch = begin(&server, &received, &mut asked).await;
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
    own: OwnBatch,
    client: ClientId,
    number: BatchNumber,
    retried: bool,
    tasks: Vec<Opened>,
    in_hand: BatchInHand,
}

struct Opened {
    number: TaskNumber,
    running: RunningTask,
    opened: Result<(Job, Answer), Error>,
}

/// Asks the client for a batch, and takes it out of the stream. `None`: nothing of it is to run here.
async fn begin(
    server: &Arc<Server>,
    received: &async_nats::jetstream::Message,
    asked: &mut Asked,
) -> Option<Begun> {
    // What is not sealed is of nobody's, and does not come again.
    let Ok(batch) = message::read::<Batch<'_>>(server.seal(), &received.payload) else {
        drop(received.ack_with(AckKind::Term).await);
        return None;
    };
    let Batch { client, number, retried, nanos, calls } = batch;
    let each = demand::each(nanos, calls.len(), server.workers);
    asked.expect(calls.len(), each);
    server.supply().received(calls.len(), each);
    let Some(outbox) = server.tasks.outbox(server, client) else {
        drop(received.ack_with(AckKind::Term).await);
        return None;
    };
    // The broker may deliver it again while it is here.
    let own = server.tasks.begin(server, client, number)?;
    let claimed = Instant::now();
    let (wanted, detached) = match outbox.claim(number).await {
        Some(ClientReply::Granted { tasks, detached }) => (tasks, detached),
        Some(ClientReply::Held) => {
            drop(received.ack_with(AckKind::Nak(Some(Duration::from_secs(1)))).await);
            return None;
        }
        Some(ClientReply::Gone | ClientReply::Taken) | None => {
            drop(received.ack_with(AckKind::Term).await);
            return None;
        }
    };
    // From here on each task has a place to which signals go, and an answer or the end of this process.
    let in_hand = server.tasks.batch(each);
    let register = |task: TaskNumber| server.tasks.register(server, client, task, detached.contains(&task));
    let running: Vec<_> = wanted.iter().map(|task| (*task, register(*task))).collect();
    if wanted.is_empty() {
        drop(received.ack_with(AckKind::Term).await);
        return None;
    }
    // One that may not run twice begins only when the broker has confirmed that it will not deliver it again.
    if !retried {
        let granted = Instant::now();
        while received.double_ack().await.is_err() {
            if server.tasks.is_gone(client) {
                return None;
            }
            sleep(Duration::from_millis(50)).await;
        }
        server.supply().began(granted - claimed, granted.elapsed());
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
    Some(Begun { own, client, number, retried, tasks, in_hand })
}

impl Begun {
    async fn run(self, server: &Arc<Server>, received: &async_nats::jetstream::Message) {
        let Self { own, client, number: batch, retried, tasks, in_hand } = self;
        let Some(outbox) = server.tasks.outbox(server, client) else { return };
        let count = tasks.len().max(1);
        let submitted = server.began.elapsed();
        let mut answers = FuturesUnordered::new();
        for Opened { number, running, opened } in tasks {
            match opened {
                Ok((job, answer)) => {
                    let is_async = job.is_async();
                    let counted = in_hand.task(is_async);
                    if !is_async {
                        server.shifts().come(server.began.elapsed());
                    }
                    server.pool.submit(job.with_retries(0));
                    answers.push(async move {
                        let answer = running.answer(answer).await;
                        drop(counted);
                        let took = (!is_async).then(|| server.shifts().end(server.began.elapsed()));
                        (number, answer, took)
                    });
                }
                Err(error) => outbox.fail(batch, number, error),
            }
        }
        let (mut sync_tasks, mut taken) = (0, Duration::ZERO);
        let work = async {
            while let Some((task, answer, took)) = answers.next().await {
                if let Some(took) = took {
                    (sync_tasks, taken) = (sync_tasks + 1, taken + took);
                }
                if let Some(answer) = answer {
                    outbox.answer(batch, task, answer);
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
        let ran = match sync_tasks {
            // They await something, and share workers meanwhile.
            0 => ended.saturating_sub(submitted.max(last)) * count.min(server.workers) as u32 / count as u32,
            _ => taken / sync_tasks,
        };
        outbox.ran(batch, ran);
        drop(in_hand);
        // Until its answers have arrived, its client would give it away again.
        outbox.settle().await;
        if retried {
            drop(received.double_ack().await);
        }
        drop(own);
    }
}
