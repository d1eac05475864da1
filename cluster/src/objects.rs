//! Calls and answers that are too long for a message. They are stored in a stream of their own: an object has a subject, and its parts are the
//! messages of that subject.

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use async_nats::jetstream::consumer::push;
use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::{PurgeError, Stream};
use async_nats::jetstream::{self, ErrorCode};
use bytes::Bytes;
use futures::StreamExt;
use tokio::time::{sleep, timeout};
use wasm_mt::Error;

use crate::connection::{BACKOFF, Connection, DELETES};

/// A part has so many bytes, if so many fit into a message.
const PART: usize = 256 * 1024;
/// What the broker stores with a part, at most.
const PART_HEAD: usize = 512;
/// So often is tried what fails though the broker is there: for half a minute, or longer if it is slow.
const ATTEMPTS: u32 = 30;

/// The objects of a fleet.
#[derive(Clone)]
pub(crate) struct Objects {
    connection: Connection,
    stream: Stream,
}

/// Puts an object, until the broker has it. If there is no room for half a minute there may never be: what takes it may wait for this one.
pub(crate) async fn put(objects: &Objects, name: &str, bytes: &[u8]) -> Result<(), Error> {
    objects.put(name, bytes, Full::Fails).await
}

/// As [`put`], for as long as there is no room.
pub(crate) async fn put_when_there_is_room(objects: &Objects, name: &str, bytes: &[u8]) -> Result<(), Error> {
    objects.put(name, bytes, Full::Waits).await
}

/// Gets an object. The broker may be away, or fail to give it a few times.
pub(crate) async fn get(objects: &Objects, name: &str) -> Result<Vec<u8>, Error> {
    let mut attempts = Attempts::new();
    loop {
        let failure = match objects.read(name).await {
            Ok(bytes) => return Ok(bytes),
            Err(failure) => failure,
        };
        if !attempts.again(&objects.connection).await {
            return Err(Error::other(format!(
                "what the broker stored could not be read ({failure}); run the task again"
            )));
        }
    }
}

/// What comes of an object for which there is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Full {
    Waits,
    Fails,
}

impl Objects {
    pub(crate) fn new(connection: Connection, stream: Stream) -> Self {
        Self { connection, stream }
    }

    async fn put(&self, name: &str, bytes: &[u8], full: Full) -> Result<(), Error> {
        let mut attempts = Attempts::new();
        loop {
            if let Some(limit) = self.limit().await.filter(|limit| self.size(bytes) > *limit) {
                return Err(Error::other(format!(
                    "{} bytes are too many for the broker, which stores {limit}; give it more room by `Config::max_stored`, or send \
                     less at a time",
                    bytes.len()
                )));
            }
            let Err(error) = self.write(name, bytes).await else { return Ok(()) };
            // The parts that are there would take the room of others.
            drop(self.delete(name).await);
            if error.kind() == PublishErrorKind::StreamNotFound {
                self.connection.prepare_beside(DELETES);
            }
            if full == Full::Waits && is_full(&error) {
                attempts.wait().await;
            } else if !attempts.again(&self.connection).await {
                return Err(Error::other(format!(
                    "the broker did not store {} bytes ({error}); give it more room by `Config::max_stored`, or send less at a time",
                    bytes.len()
                )));
            }
        }
    }

    /// So many bytes the broker stores in all. `None`: it does not say.
    async fn limit(&self) -> Option<usize> {
        let info = self.stream.get_info().await.ok()?;
        // No limit is -1, or 0.
        usize::try_from(info.config.max_bytes).ok().filter(|limit| *limit > 0)
    }

    fn size(&self, bytes: &[u8]) -> usize {
        bytes.len() + bytes.len().div_ceil(self.part()) * PART_HEAD
    }

    fn part(&self) -> usize {
        PART.min(self.connection.max_message())
    }

    /// Each part says which it follows, so that nothing of another attempt is among them, and none is missing in a stream that was made anew
    /// meanwhile.
    async fn write(&self, name: &str, bytes: &[u8]) -> Result<(), PublishError> {
        let subject = self.connection.names.object(name);
        let mut last = 0;
        for part in bytes.chunks(self.part()) {
            let message = PublishMessage::build()
                .payload(Bytes::copy_from_slice(part))
                .expected_last_subject_sequence(last);
            last = self.connection.publish(subject.clone(), message).await?.sequence;
        }
        Ok(())
    }

    async fn read(&self, name: &str) -> Result<Vec<u8>, String> {
        let config = push::OrderedConfig {
            deliver_subject: self.connection.client.new_inbox(),
            filter_subject: self.connection.names.object(name),
            ..Default::default()
        };
        let consumer = in_time(self.stream.create_consumer(config)).await?;
        if consumer.cached_info().num_pending == 0 {
            return Err("it is not there".to_owned());
        }
        let mut parts = in_time(consumer.messages()).await?;
        let mut bytes = Vec::new();
        loop {
            let next = async {
                parts.next().await.ok_or("the connection has ended")?.map_err(|error| error.to_string())
            };
            let part = in_time(next).await?;
            bytes.extend_from_slice(&part.payload);
            if part.info().map_err(|error| error.to_string())?.pending == 0 {
                return Ok(bytes);
            }
        }
    }

    /// Removes an object, or the parts of it that are there.
    pub(crate) async fn delete(&self, name: &str) -> Result<(), PurgeError> {
        self.stream.purge().filter(self.connection.names.object(name)).await.map(drop)
    }
}

/// True if there is no room.
fn is_full(error: &PublishError) -> bool {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<jetstream::Error>());
    cause.is_some_and(|cause| cause.error_code() == ErrorCode::STREAM_STORE_FAILED)
}

/// What is tried again, after longer and longer waits.
struct Attempts {
    left: u32,
    wait: Duration,
}

impl Attempts {
    fn new() -> Self {
        Self { left: ATTEMPTS, wait: Duration::from_millis(50) }
    }

    /// Waits. False if it was tried often enough; what fails while the broker is away does not count.
    async fn again(&mut self, connection: &Connection) -> bool {
        if connection.is_up() {
            self.left -= 1;
        }
        if self.left > 0 {
            self.wait().await;
        }
        self.left > 0
    }

    async fn wait(&mut self) {
        // Of two that need the same room, one is to be first.
        let random = RandomState::new().build_hasher().finish() as f64 / u64::MAX as f64;
        sleep(self.wait.mul_f64(0.5 + random)).await;
        self.wait = (2 * self.wait).min(BACKOFF);
    }
}

/// What the broker gives, unless it takes too long.
async fn in_time<T, E: fmt::Display>(result: impl Future<Output = Result<T, E>>) -> Result<T, String> {
    const LIMIT: Duration = Duration::from_secs(10);
    match timeout(LIMIT, result).await {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(late) => Err(late.to_string()),
    }
}
