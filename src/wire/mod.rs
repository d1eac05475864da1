//! The two message types that cross between a page and its worker, and their codec.
//!
//! Each [`ToWorker::Run`] MUST be answered by exactly one [`FromWorker::Finished`] or [`FromWorker::Migrated`], also when it was
//! stopped - or by the loss of the worker. [`ToWorker::Start`] is the first message and MUST be answered by one
//! [`FromWorker::Ready`] or [`FromWorker::Refused`], or by the loss of the worker. Each task of its own that a worker migrated
//! MUST be answered to it by one [`ToWorker::Completed`]: the worker holds the reply.
//!
//! What one half of the schedule says becomes a message, and that an event of the other half:
//!
//! | one half says | the message | the other half's event |
//! | --- | --- | --- |
//! | `PageAction::Start` | `ToWorker::Start` | (the worker begins) |
//! | `PageAction::Post` | `ToWorker::Run` | `LocalEvent::Posted` |
//! | (a task refers to a value that the worker lacks, or one is not needed any more) | `ToWorker::Call` | (the call runs) |
//! | `PageAction::Stop` | `ToWorker::Stop` | `LocalEvent::Stopped` |
//! | `PageAction::ReportRequest` | `ToWorker::ReportRequest` | `LocalEvent::ReportRequested` |
//! | `PageAction::StealRequest` | `ToWorker::StealRequest` | `LocalEvent::StealRequested` |
//! | `PageAction::Settle`, of a worker's own task | `ToWorker::Completed` | (the task's reply is sent) |
//! | (the worker is up, or refuses to start) | `FromWorker::Ready`, `Refused` | `PageEvent::Ready`, `Lost` |
//! | `LocalAction::Announce` | `FromWorker::Began` | `PageEvent::Began` |
//! | `LocalAction::Suspend` | `FromWorker::Suspended` | `PageEvent::Suspended` |
//! | `LocalAction::Answer` | `FromWorker::Finished` | `PageEvent::Finished` |
//! | `LocalAction::Migrate` | `FromWorker::Migrated` | `PageEvent::Migrated` |
//! | `LocalAction::Report` | `FromWorker::Reported` | `PageEvent::Reported` |
//! | `LocalAction::Forward` | `FromWorker::Signal` | `PageEvent::Cancelled`, `Aborted`, `Detached` |
//! | (the worker's stack is short) | `FromWorker::Retired` | `PageEvent::Lost` |
//! | (a task panicked) | `FromWorker::Panicked` | `PageEvent::Lost` |
//! | (something is to be done on the page that is no task) | `FromWorker::Call` | (the call runs) |
//! | (a task ran, on a watched worker) | `FromWorker::Ran` | (`on_run` is called) |
//!
//! Several messages may share a packet. What they consist of themselves lies in the lane of heads; what they carry, a call or
//! a result, in all lanes. Values are written to the latter before, so they cannot forge the former.

mod from_worker;
mod message;
mod reader;
#[cfg(test)]
mod tests;
mod to_worker;

use crate::error::Error;
use crate::platform::Packet;

pub(crate) use self::from_worker::FromWorker;
pub(crate) use self::message::{Put, Take, message};
pub(crate) use self::reader::PacketReader;
pub(crate) use self::to_worker::{ToWorker, WorkerConfig};

/// The messages of a packet, in order, but for those that are done as soon as they are read: `now` gives the others back.
///
/// # Errors
///
/// [`is_codec`](Error::is_codec) if the packet holds something else.
pub(crate) fn read_all<M: Take>(
    packet: Packet,
    now: &mut dyn FnMut(M) -> Option<M>,
) -> Result<Vec<M>, Error> {
    /// Most take about so much of the lane of heads.
    const HEADS: usize = 8;

    let mut reader = PacketReader::new(packet);
    let mut messages = Vec::with_capacity(reader.heads_left() / HEADS + 1);
    while let Some(message) = next(&mut reader)? {
        messages.extend(now(message));
    }
    Ok(messages)
}

/// The next message of a packet. `None`: there was nothing else in it.
///
/// # Errors
///
/// [`is_codec`](Error::is_codec) if the packet holds something else.
pub(crate) fn next<M: Take>(reader: &mut PacketReader) -> Result<Option<M>, Error> {
    if reader.has_heads() {
        return M::take(reader).ok_or_else(garbled).map(Some);
    }
    reader.finish().ok_or_else(garbled)?;
    Ok(None)
}

fn garbled() -> Error {
    Error::codec(
        "a message between page and worker is garbled; reload the page so that both run the same program",
    )
}
