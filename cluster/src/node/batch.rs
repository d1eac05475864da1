//! A batch on its node: asked for, taken out of the stream, run and answered.

use std::borrow::Cow;
use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use async_nats::jetstream::{AckKind, Message};
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use tokio::time::{interval, sleep};
use wasm_mt::transport::Answer;
use wasm_mt::{Error, Executor, Job};

use super::server::Server;
use crate::cluster::{LARGE, aside};
use crate::connection::{ACK_WAIT, MESSAGE_ID};
use crate::demand;
use crate::ledger::{BatchNumber, TaskNumber};
use crate::message::{self, Batch, Blob, Body, ClientId, ClientReply};
use crate::objects::get;
use crate::stored::Stored;
use crate::tasks::{Asked, BatchInHand, OwnBatch, RunningTask};

/// What this node cannot have now is for another one, or for later.
const LATER: Duration = Duration::from_secs(1);

/// Whose tasks are in a message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Programs,
    /// A task on some node awaits them.
    Tasks,
}

/// A message of the stream has come.
pub(super) fn receive(server: &Arc<Server>, received: Message, source: Source) {
    let mut asked = server.tasks.ask();
    let parents = (source == Source::Programs).then(|| server.tasks.parents());
    let server = server.clone();
    drop(tokio::spawn(async move {
        let _parents = parents;
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
async fn begin(server: &Arc<Server>, received: &Message, asked: &mut Asked) -> Option<Begun> {
    // What is not sealed is of nobody's, and does not come again.
    let Some(batch) = message::read::<Batch<'_>>(server.seal(), &received.payload) else {
        drop(received.ack_with(AckKind::Term).await);
        return None;
    };
    let Batch { client, number, retried, nanos, calls } = batch;
    let each = demand::each(nanos, calls.len(), server.workers);
    asked.expect(calls.len(), each);
    server.supply().received(calls.len(), each);
    let Some(outbox) = server.tasks.outbox(server, client) else {
        give_back(server, client, received).await;
        return None;
    };
    // The broker may deliver it again while it is here.
    let own = server.tasks.begin(server, client, number)?;
    let claimed = Instant::now();
    let (wanted, detached) = match outbox.claim(number).await {
        Some(ClientReply::Granted { tasks, detached }) => (tasks, detached),
        // Another node has it, which may be lost.
        Some(ClientReply::Held) => {
            drop(received.ack_with(AckKind::Nak(Some(LATER))).await);
            return None;
        }
        Some(ClientReply::Gone | ClientReply::Taken) => {
            drop(received.ack_with(AckKind::Term).await);
            return None;
        }
        None => {
            give_back(server, client, received).await;
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
        if !take_out(server, received, client).await {
            return None;
        }
        server.supply().began(granted - claimed, granted.elapsed());
    }
    let tasks = open(server, running, calls).await;
    Some(Begun { own, client, number, retried, tasks, in_hand })
}

/// The client of a batch is not heard, and that may be this node's fault. Only if the client has left, the broker is to forget its batch.
async fn give_back(server: &Server, client: ClientId, received: &Message) {
    let has_left = server.tasks.has_left(client);
    drop(received.ack_with(if has_left { AckKind::Term } else { AckKind::Nak(Some(LATER)) }).await);
}

/// Takes a message out of the stream, so that the broker cannot deliver it again. False: its client is gone.
async fn take_out(server: &Server, received: &Message, client: ClientId) -> bool {
    let sequence = received.info().map_or(0, |info| info.stream_sequence);
    let id = received.headers.as_ref().and_then(|headers| headers.get(MESSAGE_ID));
    let id = id.map_or("", |id| id.as_str());
    while received.double_ack().await.is_err() {
        // Nobody confirms it if it is gone with its stream, and in a new stream another message may have its place: it is looked for
        // before it is acknowledged once more.
        loop {
            if server.tasks.is_gone(client) {
                return false;
            }
            match server.connection.look_for(sequence, id).await {
                Stored::Gone => return true,
                Stored::There => break,
                Stored::Unknown => sleep(Duration::from_millis(50)).await,
            }
        }
    }
    true
}

/// Opens the calls of the tasks that are to run.
async fn open(
    server: &Server,
    running: Vec<(TaskNumber, RunningTask)>,
    calls: Vec<(TaskNumber, Body<'_>)>,
) -> Vec<Opened> {
    let mut tasks = Vec::with_capacity(running.len());
    let mut calls: HashMap<_, _> = calls.into_iter().collect();
    for (number, running) in running {
        let call = match calls.remove(&number) {
            Some(Body::Here(Blob(call))) => Ok(Cow::Borrowed(call)),
            Some(Body::Stored(name)) => get(&server.objects, name).await.map(Cow::Owned),
            Some(Body::Failed(error)) => Err(error),
            None => Err(Error::other("its call is missing in the message; this is a fault of wasm-mt-nats")),
        };
        let opened = call.and_then(|call| aside(call.len() >= LARGE, || server.seal().open(&call)));
        tasks.push(Opened { number, running, opened });
    }
    tasks
}

impl Begun {
    /// Runs it, and keeps it until the client has its answers.
    async fn run(self, server: &Arc<Server>, received: &Message) {
        let Self { own, client, number: batch, retried, tasks, in_hand } = self;
        let Some(outbox) = server.tasks.outbox(server, client) else { return };
        let drops = outbox.drops();
        let count = tasks.len().max(1);
        let submitted = server.began.elapsed();
        let mut answers = FuturesUnordered::new();
        for Opened { number, running, opened } in tasks {
            match opened {
                Ok(opened) => {
                    let answered = submit(server, &in_hand, running, opened);
                    answers.push(answered.map(move |(answer, took)| (number, answer, took)));
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
            with_signs_of_life(received, work).await;
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
        let has_arrived = outbox.settle(drops).await;
        drop(own);
        if retried {
            if has_arrived {
                drop(received.double_ack().await);
            } else {
                // The client was taken for gone. If it is back, it wants the task on any node.
                drop(received.ack_with(AckKind::Nak(None)).await);
            }
        }
    }
}

/// Gives a task to the pool at once. The future has its answer, if anybody waits for that, and how long it had a worker, unless it is async.
fn submit<'a>(
    server: &'a Server,
    in_hand: &BatchInHand,
    running: RunningTask,
    (job, answer): (Job, Answer),
) -> impl Future<Output = (Option<Vec<u8>>, Option<Duration>)> + use<'a> {
    let is_async = job.is_async();
    let counted = in_hand.task(is_async);
    if !is_async {
        server.shifts().come(server.began.elapsed());
    }
    server.pool.submit(job.with_retries(0));
    async move {
        let answer = running.answer(answer).await;
        drop(counted);
        let took = (!is_async).then(|| server.shifts().end(server.began.elapsed()));
        (answer, took)
    }
}

/// Tells the broker now and then that the work goes on: it waits longer for each sign of life.
async fn with_signs_of_life(received: &Message, work: impl Future<Output = ()>) {
    let mut work = pin!(work);
    let mut progress = interval(ACK_WAIT / 3);
    loop {
        tokio::select! {
            () = &mut work => break,
            _ = progress.tick() => drop(received.ack_with(AckKind::Progress).await),
        }
    }
}
