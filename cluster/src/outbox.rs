//! What a node says to one client: gathered while the last message is on its way, and said again until it has arrived.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use wasm_mt::Error;

use crate::ledger::{BatchNumber, TaskNumber};
use crate::message::{self, Blob, Body, ClientId, ClientReply, Ran, ToClient};
use crate::node::Server;
use crate::objects::put;

/// What an answer takes in a message beside its bytes, at most.
const HEAD: usize = 32;
/// What the end of a batch takes.
const RAN: usize = 20;

pub(crate) struct Outbox {
    server: Weak<Server>,
    client: ClientId,
    state: Mutex<OutboxState>,
    /// There is something to say.
    filled: Notify,
    /// How many answers have arrived, or are not wanted any more.
    arrived: watch::Sender<u64>,
    /// Of how many [losses](OutboxState::losses) the client was told.
    told: watch::Sender<u64>,
}

#[derive(Default)]
struct OutboxState {
    answers: VecDeque<(BatchNumber, TaskNumber, Answered)>,
    /// How many answers were put.
    put: u64,
    ran: VecDeque<Ran>,
    /// How often all that the client believed to be here was gone.
    losses: u64,
    /// How often nobody waited for what was here.
    drops: u64,
    /// A message is on its way.
    is_sending: bool,
    is_over: bool,
}

enum Answered {
    Here(Vec<u8>),
    Stored(String),
    Failed(Error),
}

impl Outbox {
    /// The client is told first that nothing of it is here: it may be one that was forgotten.
    pub(crate) fn new(server: &Arc<Server>, client: ClientId) -> Arc<Self> {
        let outbox = Arc::new(Self {
            server: Arc::downgrade(server),
            client,
            state: Mutex::default(),
            filled: Notify::new(),
            arrived: watch::Sender::new(0),
            told: watch::Sender::new(0),
        });
        outbox.say_lost();
        drop(tokio::spawn(outbox.clone().send_all()));
        outbox
    }

    fn lock(&self) -> MutexGuard<'_, OutboxState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn answer(&self, batch: BatchNumber, task: TaskNumber, answer: Vec<u8>) {
        self.put_answer(batch, task, Answered::Here(answer));
    }

    /// The task could not be begun.
    pub(crate) fn fail(&self, batch: BatchNumber, task: TaskNumber, error: Error) {
        self.put_answer(batch, task, Answered::Failed(error));
    }

    pub(crate) fn ran(&self, batch: BatchNumber, each: Duration) {
        self.put(|state| state.ran.push_back(Ran { batch, nanos: each.as_nanos() as u64 }));
    }

    /// The client was taken for gone, and its tasks were stopped.
    pub(crate) fn say_lost(&self) {
        self.put(|state| state.losses += 1);
    }

    fn put_answer(&self, batch: BatchNumber, task: TaskNumber, answer: Answered) {
        self.put(|state| {
            state.answers.push_back((batch, task, answer));
            state.put += 1;
        });
    }

    fn put(&self, put: impl FnOnce(&mut OutboxState)) {
        let mut state = self.lock();
        put(&mut state);
        drop(state);
        self.filled.notify_one();
    }

    pub(crate) fn is_empty(&self) -> bool {
        let told = *self.told.borrow();
        let state = self.lock();
        !state.has_some(told) && !state.is_sending
    }

    /// Nobody waits for it.
    pub(crate) fn drop_all(&self) {
        let mut state = self.lock();
        state.answers.clear();
        state.ran.clear();
        state.drops += 1;
        self.arrived.send_replace(state.put);
    }

    /// How often nobody waited for what was here.
    pub(crate) fn drops(&self) -> u64 {
        self.lock().drops
    }

    /// Waits until all answers that were put until now have arrived. False if nobody has waited for them.
    pub(crate) async fn settle(&self, drops: u64) -> bool {
        let put = self.lock().put;
        // The sender is in `self`.
        drop(self.arrived.subscribe().wait_for(|arrived| *arrived >= put).await);
        self.drops() == drops
    }

    /// Asks for a batch. `None`: the client is gone.
    pub(crate) async fn claim(&self, batch: BatchNumber) -> Option<ClientReply> {
        let server = self.server.upgrade()?;
        // What it is told first is that nothing is left of what was here.
        let losses = self.lock().losses;
        drop(self.told.subscribe().wait_for(|told| *told >= losses).await);
        self.say(&server, ToClient::Claim { workers: server.workers as u32, batch }).await
    }

    async fn say(&self, server: &Server, message: ToClient<'_>) -> Option<ClientReply> {
        let is_gone = || server.tasks.is_gone(self.client);
        message::ask(&server.connection, server.id, self.client, message, is_gone).await
    }

    /// Nothing more is said.
    pub(crate) fn end(&self) {
        self.put(|state| state.is_over = true);
    }

    async fn send_all(self: Arc<Self>) {
        while !self.lock().is_over {
            self.filled.notified().await;
            while self.send_some().await {}
        }
    }

    /// Says what there is, as much as fits. False if there was nothing.
    async fn send_some(&self) -> bool {
        let Some(server) = self.server.upgrade() else { return false };
        let limit = server.connection.max_message();
        let told = *self.told.borrow();
        let (answers, ran, losses, sent) = {
            let mut state = self.lock();
            if !state.has_some(told) {
                return false;
            }
            state.is_sending = true;
            let (answers, ran) = state.take(limit);
            (answers, ran, state.losses, state.put - state.answers.len() as u64)
        };
        if losses > told {
            self.say(&server, ToClient::Lost).await;
            self.told.send_replace(losses);
        }
        let mut bodies = Vec::with_capacity(answers.len());
        for (batch, task, answer) in answers {
            bodies.push((batch, task, self.stored(&server, task, answer, limit).await));
        }
        let answers = bodies.iter().map(|(batch, task, answer)| (*batch, *task, answer.as_body())).collect();
        // If the client is gone, nobody waits for them.
        self.say(&server, ToClient::Answers { answers, ran }).await;
        self.lock().is_sending = false;
        self.arrived.send_if_modified(|arrived| {
            let more = sent > *arrived;
            *arrived = sent.max(*arrived);
            more
        });
        server.freed.notify_one();
        true
    }

    /// What is too long for a message goes to the stream of objects.
    async fn stored(&self, server: &Server, task: TaskNumber, answer: Answered, limit: usize) -> Answered {
        let Answered::Here(bytes) = answer else { return answer };
        if bytes.len() <= limit {
            return Answered::Here(bytes);
        }
        let name = format!("{}-answer-{task}-{}", self.client, server.id);
        match put(&server.objects, &name, &bytes).await {
            Ok(()) => Answered::Stored(name),
            Err(error) => Answered::Failed(error),
        }
    }
}

impl OutboxState {
    /// True if there is something to say to a client that was told of so many losses.
    fn has_some(&self, told: u64) -> bool {
        !self.answers.is_empty() || !self.ran.is_empty() || self.losses > told
    }

    /// As much as fits into so many bytes.
    fn take(&mut self, limit: usize) -> (Vec<(BatchNumber, TaskNumber, Answered)>, Vec<Ran>) {
        let mut size = 0;
        let mut count = 0;
        for (_, _, answer) in &self.answers {
            let more = answer.size() + HEAD;
            if count > 0 && size + more > limit {
                break;
            }
            count += 1;
            size += more;
        }
        let room = limit.saturating_sub(size) / RAN;
        let ends = self.ran.len().min(room);
        (self.answers.drain(..count).collect(), self.ran.drain(..ends).collect())
    }
}

impl Answered {
    fn size(&self) -> usize {
        match self {
            Self::Here(bytes) => bytes.len(),
            Self::Stored(name) => name.len(),
            Self::Failed(error) => error.to_string().len(),
        }
    }

    fn as_body(&self) -> Body<'_> {
        match self {
            Self::Here(bytes) => Body::Here(Blob(bytes)),
            Self::Stored(name) => Body::Stored(name),
            Self::Failed(error) => Body::Failed(error.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_message_is_longer_than_it_may_be_and_nothing_stays_behind() {
        const LIMIT: usize = 10_000;
        let mut state = OutboxState::default();
        let sizes = [0, 9_968, 9_969, 4_000, 12_000, 1, 20_000, 20];
        for (number, size) in sizes.iter().cycle().take(200).enumerate() {
            state.answers.push_back((u64::MAX, number as u64, Answered::Here(vec![1; *size])));
        }
        state.ran.extend((0..5_000).map(|_| Ran { batch: u64::MAX, nanos: u64::MAX }));
        let (mut numbers, mut ends, mut messages) = (Vec::new(), 0, 0);
        while state.has_some(0) {
            let (answers, ran) = state.take(LIMIT);
            assert!(!answers.is_empty() || !ran.is_empty());
            let size: usize = answers.iter().map(|(_, _, answer)| answer.size()).sum();
            let message = ToClient::Answers {
                answers: answers
                    .iter()
                    .map(|(batch, task, answer)| (*batch, *task, answer.as_body()))
                    .collect(),
                ran,
            };
            let written = postcard::to_stdvec(&message).expect("numbers and bytes can be written").len();
            // An answer that is too long is alone: it goes to the stream of objects.
            assert!(written <= LIMIT + 16 || answers.len() == 1 && size > LIMIT - HEAD, "{written}");
            let ToClient::Answers { ran, .. } = message else { unreachable!("it is made here") };
            ends += ran.len();
            numbers.extend(answers.into_iter().map(|(_, task, _)| task));
            messages += 1;
        }
        assert!(numbers.into_iter().eq(0..200));
        assert_eq!(ends, 5_000);
        assert!(messages < 200, "{messages}");
    }
}
