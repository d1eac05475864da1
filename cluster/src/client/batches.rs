//! What a client publishes: batches of tasks, and whether the broker still has those that no node has claimed.

use std::time::{Duration, Instant};

use futures::FutureExt;
use wasm_mt::Error;

use super::handles::Pending;
use super::publisher::Publisher;
use super::{Done, Driver};
use crate::ledger::{BatchNumber, TaskNumber};
use crate::message::{self, Batch, Blob, Body, ClientId};
use crate::objects::put_when_there_is_room;
use crate::stored::Stored;

/// As `UNCLAIMED`, when the broker was away.
const SOON: Duration = Duration::from_secs(1);
/// After so long without a claim, the broker is asked whether it still has the message.
const UNCLAIMED: Duration = Duration::from_secs(10);

/// A batch that was sent.
pub(super) struct Sent {
    since: Instant,
    /// Where it is in the stream, once the broker has said so.
    sequence: Option<u64>,
    site: u64,
}

impl Driver {
    pub(super) fn publish(&mut self, batch: BatchNumber, tasks: &[TaskNumber], retried: bool) {
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
                match put_when_there_is_room(&objects, &name, &call).await {
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

    /// The broker has a batch, and an object by this name if its call was too long.
    pub(super) fn published(
        &mut self,
        batch: BatchNumber,
        sequence: u64,
        stored: Option<(TaskNumber, String)>,
    ) {
        if let Some(sent) = self.sent.get_mut(&batch) {
            sent.sequence = Some(sequence);
            sent.since = Instant::now();
        }
        if let Some((task, name)) = stored {
            // That of the attempt before is not needed any more.
            let unused = match self.pending.get_mut(&task) {
                Some(entry) => entry.stored.replace(name),
                None => Some(name),
            };
            unused.into_iter().for_each(|name| self.delete(name));
        }
    }

    /// The broker never takes a batch.
    pub(super) fn unpublished(&mut self, batch: BatchNumber, error: &Error) {
        self.ledger.tasks_of(batch).into_iter().for_each(|task| self.fail(task, error));
        self.sent.remove(&batch);
    }

    /// The node has run a batch, whose tasks took so long on average.
    pub(super) fn learn(&mut self, batch: BatchNumber, each: Duration) {
        let Some(sent) = self.sent.get(&batch) else { return };
        self.ledger.learn(sent.site, each);
        // If its node was taken for lost meanwhile, its message is still looked for.
        if !self.ledger.is_unclaimed(batch) {
            self.sent.remove(&batch);
        }
    }

    /// The broker may have lost its store: what no node claims soon is looked for.
    pub(super) fn look_soon(&mut self) {
        let soon = Instant::now().checked_sub(UNCLAIMED - SOON).unwrap_or_else(Instant::now);
        self.sent.values_mut().for_each(|sent| sent.since = soon);
    }

    /// Asks the broker whether it has what no node has claimed for long.
    pub(super) fn look_for_unclaimed(&mut self) {
        let ledger = &self.ledger;
        self.sent.retain(|batch, sent| ledger.has(*batch) || sent.since.elapsed() < UNCLAIMED);
        // One that is not published yet is not there to be looked for.
        let overdue = self.sent.iter_mut().filter_map(|(batch, sent)| {
            let sequence = sent.sequence?;
            let is_overdue = ledger.is_unclaimed(*batch) && sent.since.elapsed() > UNCLAIMED;
            is_overdue.then_some((*batch, sequence, sent))
        });
        for (batch, sequence, sent) in overdue.take(64) {
            sent.since = Instant::now();
            let (connection, id) = (self.connection.clone(), message_id(ledger.id, batch));
            let look =
                async move { Done::Looked { batch, stored: connection.look_for(sequence, &id).await } };
            self.running.push(look.boxed());
        }
    }

    /// The broker has said whether it has a batch.
    pub(super) fn looked(&mut self, batch: BatchNumber, stored: Stored) {
        if stored == Stored::Gone {
            self.ledger.send_again(batch);
            self.sent.remove(&batch);
        } else if let Some(sent) = self.sent.get_mut(&batch) {
            sent.since = Instant::now();
        }
    }
}

/// By which the broker knows the message of a batch.
fn message_id(client: ClientId, batch: BatchNumber) -> String {
    format!("{client}-{batch}")
}
