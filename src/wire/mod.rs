//! The two message types that cross between a page and its worker, and their codec.
//!
//! Each [`ToWorker::Run`] MUST be answered by exactly one [`FromWorker::Done`] or [`FromWorker::Migrated`], also when it was
//! stopped - or by the loss of the worker. [`ToWorker::Start`] is the first message and MUST be answered by one
//! [`FromWorker::Ready`] or [`FromWorker::Refused`], or by the loss of the worker. Each task that a worker migrated is answered
//! to it by one [`ToWorker::Completed`], unless its handle is gone.
//!
//! Several messages may share a packet. A message is a *head*, in the lane of heads, and at most one *body*, the
//! part of each lane whose length the head states. Values are written to bodies only, so they cannot forge a head.

mod from_worker;
mod head;
mod packet;
mod to_worker;

pub(crate) use self::from_worker::FromWorker;
pub(crate) use self::packet::{Extent, PacketReader, put_head};
pub(crate) use self::to_worker::{ToWorker, WorkerConfig};
