//! Tasks: calls to be made elsewhere.

mod chunk;
mod codec;
mod entry;
mod handle;
mod in_handle;
mod job;
mod lazy;
mod macros;
mod remote;
mod reply;
pub(crate) mod transfer;

pub(crate) use chunk::{Calls, Results, rescue};
pub(crate) use codec::object;
pub(crate) use entry::{Call, Outcome, begin, location};
pub(crate) use in_handle::InHandle;
pub(crate) use remote::decode;
pub(crate) use reply::{Reply, TaskOwner};

pub use handle::RemoteHandle;
pub use job::Job;
pub use macros::remote_trait;
pub use remote::{Remote, RemoteFn};
pub use transfer::{Transfer, Transferable};
