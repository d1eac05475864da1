//! What fleets of other builds have left with the broker.

use std::future::ready;
use std::time::{SystemTime, UNIX_EPOCH};

use futures::StreamExt;

use crate::connection::{BUILD, Connection, OBJECTS};

/// A stream that is younger, in seconds, may be about to be used.
const UNUSED: i64 = 600;

impl Connection {
    /// Removes what the broker has set aside for other builds of this application, if nobody uses it: each build has a stream of its
    /// own. A client that still wants one makes it anew. What cannot be looked at stays.
    pub(crate) async fn sweep(&self) {
        let (own, prefix) = (self.names.stream(), self.names.streams());
        let streams: Vec<_> =
            self.jetstream.streams().filter_map(|stream| ready(stream.ok())).collect().await;
        let others = streams.into_iter().filter(|stream| {
            let name = &stream.config.name;
            let is_build =
                |rest: &str| rest.len() == BUILD && rest.chars().all(|digit| digit.is_ascii_hexdigit());
            let is_ours = name.strip_prefix(&prefix).is_some_and(is_build);
            let age = now().saturating_sub(stream.created.unix_timestamp());
            is_ours && *name != own && stream.state.messages == 0 && age > UNUSED
        });
        for stream in others {
            let name = stream.config.name;
            if self.is_used(&name).await {
                continue;
            }
            // Others may do so at the same time.
            drop(self.jetstream.delete_stream(&name).await);
            drop(self.jetstream.delete_stream(name + OBJECTS).await);
        }
    }

    /// True if nodes wait for messages of a stream, or have some.
    async fn is_used(&self, name: &str) -> bool {
        let Ok(stream) = self.jetstream.get_stream(name).await else { return true };
        let mut consumers = stream.consumers();
        while let Some(consumer) = consumers.next().await {
            if consumer.map_or(true, |consumer| consumer.num_waiting > 0 || consumer.num_ack_pending > 0) {
                return true;
            }
        }
        false
    }
}

/// In seconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
