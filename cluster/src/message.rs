//! What crosses between clients and nodes. All of it is sealed.

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tokio::time::{sleep, timeout};
use wasm_mt::Error;
use wasm_mt::transport::Seal;

use crate::cluster::{LARGE, aside};
use crate::connection::Connection;
use crate::ledger::{BatchNumber, TaskNumber, TaskSignal};

/// Names a process of the fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct PeerId(pub(crate) u64);

pub(crate) type ClientId = PeerId;
pub(crate) type NodeId = PeerId;

impl PeerId {
    pub(crate) fn new() -> Self {
        Self(RandomState::new().build_hasher().finish())
    }
}

impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Tasks that go together: a message of the stream.
#[derive(Serialize, Deserialize)]
pub(crate) struct Batch<'a> {
    pub(crate) client: ClientId,
    pub(crate) number: BatchNumber,
    pub(crate) retried: bool,
    /// How long a worker is expected to take for all, in nanoseconds. Zero: that is not known.
    pub(crate) nanos: u64,
    #[serde(borrow)]
    pub(crate) calls: Vec<(TaskNumber, Body<'a>)>,
}

/// The bytes of a call or an answer.
#[derive(Serialize, Deserialize)]
pub(crate) enum Body<'a> {
    #[serde(borrow)]
    Here(Blob<'a>),
    /// In the stream of objects, by this name: it is too long for a message.
    Stored(&'a str),
    /// There is none, and this is why.
    Failed(Error),
}

/// A request, and the reply to it. Both have a number that its sender gives to no other, so that no reply can stand for another.
#[derive(Serialize, Deserialize)]
pub(crate) struct Numbered<M> {
    pub(crate) from: PeerId,
    pub(crate) number: u64,
    pub(crate) message: M,
}

/// To a client. It answers with a [`ClientReply`].
#[derive(Serialize, Deserialize)]
pub(crate) enum ToClient<'a> {
    /// May the node begin this batch?
    Claim { workers: u32, batch: BatchNumber },
    /// All that this node had of the client is gone.
    Lost,
    Answers {
        #[serde(borrow)]
        answers: Vec<(BatchNumber, TaskNumber, Body<'a>)>,
        ran: Vec<Ran>,
    },
}

/// A batch has ended.
#[derive(Serialize, Deserialize)]
pub(crate) struct Ran {
    pub(crate) batch: BatchNumber,
    /// How long a task of it took a worker, on average.
    pub(crate) nanos: u64,
}

#[derive(Serialize, Deserialize)]
pub(crate) enum ClientReply {
    /// These are to run, and those of them without an answer to wait for.
    Granted {
        tasks: Vec<TaskNumber>,
        detached: Vec<TaskNumber>,
    },
    Held,
    Gone,
    /// The answers were taken.
    Taken,
}

/// To a node. It answers with nothing.
#[derive(Serialize, Deserialize)]
pub(crate) struct ToNode {
    pub(crate) signals: Vec<(TaskNumber, TaskSignal)>,
}

/// Said now and then, to all.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Beat {
    pub(crate) id: PeerId,
    pub(crate) role: Role,
    pub(crate) state: PeerState,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Role {
    Client,
    Node { workers: u32 },
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum PeerState {
    Here,
    /// A node that takes no more tasks.
    Leaving,
    /// The last message.
    Gone,
}

/// What is sealed as one kind is read as no other.
pub(crate) trait Message {
    const KIND: u8;
}

macro_rules! kinds {
    ($($message:ty = $kind:literal,)*) => {
        $(impl Message for $message {
            const KIND: u8 = $kind;
        })*
    };
}

kinds! {
    Batch<'_> = 0,
    Beat = 1,
    Numbered<ToClient<'_>> = 2,
    Numbered<ClientReply> = 3,
    Numbered<ToNode> = 4,
    Numbered<()> = 5,
}

/// Bytes that are copied at once.
pub(crate) struct Blob<'a>(pub(crate) &'a [u8]);

impl Serialize for Blob<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Blob<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&[u8]>::deserialize(deserializer).map(Blob)
    }
}

pub(crate) fn write<M: Message + Serialize>(seal: &Seal, message: &M) -> Bytes {
    let bytes = postcard::to_extend(message, vec![M::KIND]).expect("numbers and bytes can be written");
    aside(bytes.len() >= LARGE, || seal.seal_message(&bytes)).into()
}

/// `None`: it was not sealed by this fleet, or as something else.
pub(crate) fn read<'a, M: Message + Deserialize<'a>>(seal: &Seal, bytes: &'a [u8]) -> Option<M> {
    let opened = aside(bytes.len() >= LARGE, || seal.open_message(bytes));
    let message = opened.ok()?.strip_prefix(&[M::KIND])?;
    let (message, rest) = postcard::take_from_bytes(message).ok()?;
    rest.is_empty().then_some(message)
}

/// Asks a peer, until there is a reply or `is_gone` says that none will come.
pub(crate) async fn ask<M, R>(
    connection: &Connection,
    from: PeerId,
    to: PeerId,
    message: M,
    is_gone: impl Fn() -> bool,
) -> Option<R>
where
    Numbered<M>: Message + Serialize,
    Numbered<R>: Message + DeserializeOwned,
{
    /// How long a peer may take for its reply.
    const REPLY: Duration = Duration::from_secs(2);
    /// Between two attempts.
    const AGAIN: Duration = Duration::from_millis(100);
    static LAST: AtomicU64 = AtomicU64::new(0);

    let number = LAST.fetch_add(1, Ordering::Relaxed);
    let payload = write(&connection.seal, &Numbered { from, number, message });
    while !is_gone() {
        let asked = connection.client.request(connection.names.peer(to), payload.clone());
        // Else the broker, or the peer, is away.
        if let Ok(Ok(reply)) = timeout(REPLY, asked).await {
            let reply = read::<Numbered<R>>(&connection.seal, &reply.payload);
            let own = reply.filter(|reply| (reply.from, reply.number) == (from, number));
            if let Some(reply) = own {
                return Some(reply.message);
            }
        }
        sleep(AGAIN).await;
    }
    None
}
