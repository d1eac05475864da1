//! Publishes a message, until the broker has it.

use std::time::{Duration, Instant};

use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::message::PublishMessage;
use bytes::Bytes;
use tokio::time::sleep;
use wasm_mt::Error;

use super::Done;
use crate::connection::{BACKOFF, Connection, DELETES};
use crate::ledger::{BatchNumber, TaskNumber};

/// Publishes one message, until the broker has it.
pub(super) struct Publisher {
    pub(super) connection: Connection,
    pub(super) subject: String,
    /// By which the broker knows it again if it comes twice.
    pub(super) id: String,
    pub(super) batch: BatchNumber,
}

impl Publisher {
    pub(super) async fn publish(self, payload: Bytes, stored: Option<(TaskNumber, String)>) -> Done {
        let mut wait = Duration::from_millis(20);
        let mut is_first = true;
        loop {
            let began = Instant::now();
            let message = PublishMessage::build().payload(payload.clone()).message_id(&self.id);
            match self.connection.publish(self.subject.clone(), message).await {
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
                        "the broker takes no message of {} bytes ({error}); raise its `max_payload`",
                        payload.len()
                    ));
                    return Done::Unpublished { batch: self.batch, error };
                }
                // It has come back without its store, or another build has taken this one for gone.
                Err(error) if error.kind() == PublishErrorKind::StreamNotFound => {
                    self.connection.prepare_beside(DELETES);
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
