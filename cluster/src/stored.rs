//! Whether the broker still has a message of the stream.

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::stream::LastRawMessageErrorKind;

use crate::connection::{Connection, DELETES, MESSAGE_ID};

/// What the broker says of a message that was in the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    There,
    /// No node can receive it any more.
    Gone,
    /// The broker is away, or cannot say.
    Unknown,
}

impl Connection {
    /// Looks for the message that had this place in the stream, and this id.
    pub(crate) async fn look_for(&self, sequence: u64, id: &str) -> Stored {
        let Ok(stream) = self.jetstream.get_stream_no_info(self.names.stream()).await else {
            return Stored::Unknown;
        };
        match stream.get_raw_message(sequence).await.map_err(|error| error.kind()) {
            // In a stream that was made anew, another one may be there.
            Ok(message) if message.headers.get(MESSAGE_ID).is_some_and(|own| own.as_str() == id) => {
                Stored::There
            }
            Ok(_) | Err(LastRawMessageErrorKind::NoMessageFound) => Stored::Gone,
            Err(LastRawMessageErrorKind::JetStream(error))
                if error.error_code() == ErrorCode::STREAM_NOT_FOUND =>
            {
                self.prepare_beside(DELETES);
                Stored::Gone
            }
            Err(_) => Stored::Unknown,
        }
    }
}
