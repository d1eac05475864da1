//! Tasks: calls to be made elsewhere.

mod chunk;
mod codec;
#[cfg(feature = "described")]
pub(crate) mod described;
mod encoded;
mod entry;
mod handle;
mod hint;
mod in_handle;
mod job;
mod lazy;
mod macros;
mod progress;
mod remote;
mod remote_fn;
mod reply;
pub(crate) mod transfer;

pub(crate) use chunk::{Calls, Results};
pub(crate) use codec::{decode, object};
pub(crate) use entry::{Call, Outcome, begin, location, read_location};
pub(crate) use in_handle::InHandle;
pub(crate) use progress::rescue;
pub(crate) use reply::{Reply, TaskOwner};
#[cfg(any(test, fuzzing))]
pub(crate) use {chunk::read as read_chunk, codec::encode};

pub use handle::RemoteHandle;
pub use hint::Hint;
pub use job::Job;
pub use macros::remote_trait;
pub use remote::Remote;
pub use remote_fn::RemoteFn;
pub use transfer::{Transfer, Transferable};
