//! What a node says to one client: gathered while the last message is on its way, and said again until it has arrived.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::sleep;
use wasm_mt::Error;

use crate::ledger::{BatchNumber, TaskNumber};
use crate::message::{self, Blob, Body, ClientId, ClientReply, Ran, ToClient};
use crate::node::Server;
use crate::objects::put;

pub(crate) struct Outbox {
    server: Weak<Server>,
    client: ClientId,
    state: Mutex<OutboxState>,
    /// There is something to say.
    filled: Notify,
    /// How many answers have arrived, or are not wanted any more.
    arrived: watch::Sender<u64>,
}

#[derive(Default)]
struct OutboxState {
    answers: VecDeque<(BatchNumber, TaskNumber, Answered)>,
    /// How many answers were put.
    put: u64,
    ran: Vec<Ran>,
    /// All that the client believes to be here is gone.
    lost: bool,
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
    pub(crate) fn new(server: &Arc<Server>, client: ClientId) -> Arc<Self> {
        let outbox = Arc::new(Self {
            server: Arc::downgrade(server),
            client,
            state: Mutex::default(),
            filled: Notify::new(),
            arrived: watch::Sender::new(0),
        });
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
        self.put(|state| state.ran.push(Ran { batch, nanos: each.as_nanos() as u64 }));
    }

    /// The client was taken for gone, and its tasks were stopped.
    pub(crate) fn say_lost(&self) {
        self.put(|state| state.lost = true);
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
        self.lock().is_empty()
    }

    /// Nobody waits for it.
    pub(crate) fn drop_all(&self) {
        let mut state = self.lock();
        state.answers.clear();
        state.ran.clear();
        self.arrived.send_replace(state.put);
    }

    /// Waits until all answers that were put until now have arrived, or nobody waits for them any more.
    pub(crate) async fn settle(&self) {
        let put = self.lock().put;
        // The sender is in `self`.
        drop(self.arrived.subscribe().wait_for(|arrived| *arrived >= put).await);
    }

    /// Asks for a batch. `None`: the client is gone.
    pub(crate) async fn claim(&self, batch: BatchNumber) -> Option<ClientReply> {
        let server = self.server.upgrade()?;
        // What it is told first is that nothing is left of what was here.
        while self.lock().lost {
            sleep(Duration::from_millis(50)).await;
        }
        self.say(&server, &ToClient::Claim { workers: server.workers as u32, batch }).await
    }

    async fn say(&self, server: &Server, message: &ToClient<'_>) -> Option<ClientReply> {
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
        let (answers, ran, lost, sent) = {
            let mut state = self.lock();
            if !state.has_some() {
                return false;
            }
            state.is_sending = true;
            let mut size = 0;
            let mut count = 0;
            for (_, _, answer) in &state.answers {
                size += answer.size() + 16;
                if count > 0 && size > limit {
                    break;
                }
                count += 1;
            }
            let answers: Vec<_> = state.answers.drain(..count).collect();
            let lost = state.lost;
            let sent = state.put - state.answers.len() as u64;
            (answers, std::mem::take(&mut state.ran), lost, sent)
        };
        if lost {
            self.say(&server, &ToClient::Lost).await;
            self.lock().lost = false;
        }
        let mut bodies = Vec::with_capacity(answers.len());
        for (batch, task, answer) in answers {
            bodies.push((batch, task, self.stored(&server, task, answer, limit).await));
        }
        let answers = bodies.iter().map(|(batch, task, answer)| (*batch, *task, answer.as_body())).collect();
        // If the client is gone, nobody waits for them.
        self.say(&server, &ToClient::Answers { answers, ran }).await;
        self.lock().is_sending = false;
        self.arrived.send_if_modified(|arrived| {
            let more = sent > *arrived;
            *arrived = sent.max(*arrived);
            more
        });
        server.freed.notify_one();
        true
    }

    /// What is too long for a message goes to the object store.
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
    fn has_some(&self) -> bool {
        !self.answers.is_empty() || !self.ran.is_empty() || self.lost
    }

    fn is_empty(&self) -> bool {
        !self.has_some() && !self.is_sending
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
