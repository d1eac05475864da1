//! Tasks: calls to be made elsewhere.

mod codec;
mod entry;
mod handle;
mod job;
mod macros;
mod remote;
pub(crate) mod transfer;

pub(crate) use codec::object;
pub(crate) use entry::{Call, Outcome, begin, place};
pub(crate) use handle::{Holder, Reply};

pub use handle::RemoteHandle;
pub use job::Job;
pub use macros::remote_trait;
pub use remote::{Remote, RemoteFn};
pub use transfer::{Transfer, Transferable};
