//! Tasks: calls to be made elsewhere.

mod chunk;
mod codec;
mod entry;
mod handle;
mod job;
mod lazy;
mod macros;
mod remote;
pub(crate) mod transfer;

pub(crate) use chunk::{Calls, Results, rescue};
pub(crate) use codec::object;
pub(crate) use entry::{Call, Outcome, begin, location};
pub(crate) use handle::{Reply, TaskOwner};
pub(crate) use lazy::InHandle;
pub(crate) use remote::decode;

pub use handle::RemoteHandle;
pub use job::Job;
pub use macros::remote_trait;
pub use remote::{Remote, RemoteFn};
pub use transfer::{Transfer, Transferable};
