//! Messages of the stream, as many as are asked for.

use std::time::{Duration, Instant};

use async_nats::jetstream::consumer::PullConsumer;
use async_nats::jetstream::consumer::pull::BatchConfig;
use async_nats::jetstream::{self, AckKind};
use async_nats::{StatusCode, Subject, Subscriber};
use futures::StreamExt;
use tokio::time::sleep;
use wasm_mt::Error;

use crate::connection::{Connection, DELETES};

/// The broker forgets a request after so long, and says so. Until then it sends what was asked for also to a node that is cut off, where it is
/// held up until the broker sends it again.
const EXPIRES: Duration = Duration::from_secs(5);
/// So long after the request it surely has, if it says nothing.
const FORGOTTEN: Duration = Duration::from_secs(10);
/// What the broker says to whoever waits for messages of a consumer, or of a stream, that somebody deletes.
const DELETED: &str = "Consumer Deleted";
/// What goes wrong is asked for again after so long.
const AGAIN: Duration = Duration::from_millis(100);

/// A part of the stream.
pub(crate) struct Pull {
    connection: Connection,
    consumer: PullConsumer,
    inbox: Subject,
    messages: Subscriber,
    /// So many messages were asked for and have not come.
    asked: usize,
    last: Instant,
}

impl Pull {
    /// Its connection MUST be that of the consumer: what is asked for is to come to where it is awaited.
    pub(crate) async fn new(connection: &Connection, consumer: PullConsumer) -> Result<Self, Error> {
        let inbox = Subject::from(connection.client.new_inbox());
        let messages = connection.subscribe(inbox.clone()).await?;
        Ok(Self { connection: connection.clone(), consumer, inbox, messages, asked: 0, last: Instant::now() })
    }

    /// Asks for messages, so that so many are asked for.
    pub(crate) async fn ask(&mut self, wanted: usize) {
        if self.asked > 0 && self.last.elapsed() > FORGOTTEN {
            // Nobody answers for a consumer that is gone.
            self.connection.prepare_beside(DELETES);
            self.asked = 0;
        }
        if self.asked >= wanted {
            return;
        }
        let batch = wanted - self.asked;
        let config = BatchConfig { batch, expires: Some(EXPIRES), ..BatchConfig::default() };
        // Without the broker it is asked again when that is back.
        if self.consumer.request_batch(config, self.inbox.clone()).await.is_ok() {
            self.asked += batch;
            self.last = Instant::now();
        }
    }

    /// The broker was away, or the consumer was made anew: what was asked for is forgotten.
    pub(crate) fn forget(&mut self) {
        self.asked = 0;
    }

    /// The next message. Nothing is lost if this is dropped.
    pub(crate) async fn next(&mut self) -> Option<jetstream::Message> {
        loop {
            let message = self.messages.next().await?;
            match message.status {
                None => {
                    self.asked = self.asked.saturating_sub(1);
                    return Some(jetstream::Message { message, context: self.connection.jetstream.clone() });
                }
                // One request has expired; others may not have.
                Some(StatusCode::TIMEOUT) => {
                    let left =
                        message.headers.as_ref().and_then(|headers| headers.get("Nats-Pending-Messages"));
                    let left = left.and_then(|left| left.as_str().parse().ok()).unwrap_or(self.asked);
                    self.asked = self.asked.saturating_sub(left);
                }
                Some(status) => {
                    // The stream is gone, or the consumer.
                    if status == StatusCode::NO_RESPONDERS || message.description.as_deref() == Some(DELETED)
                    {
                        self.connection.prepare_beside(DELETES);
                    }
                    self.asked = 0;
                    sleep(AGAIN).await;
                }
            }
        }
    }

    /// Gives back what comes though nobody wants it any more.
    pub(crate) async fn end(mut self) {
        drop(self.messages.unsubscribe().await);
        self.connection.settle().await;
        while let Some(message) = self.next().await {
            drop(message.ack_with(AckKind::Nak(None)).await);
        }
    }
}
