//! Tasks: calls to be made elsewhere.

pub(crate) mod actor;
mod batch;
mod bounds;
mod calls;
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
mod plain;
mod progress;
mod remote;
mod remote_fn;
mod reply;
mod residents;
mod results;
mod shared;
pub(crate) mod transfer;

pub(crate) use batch::Batch;
pub(crate) use bounds::{LimitScope, TimeLimit, check as check_bounds};
pub(crate) use calls::Calls;
#[cfg(any(test, fuzzing))]
pub(crate) use calls::read as read_chunk;
pub(crate) use codec::{decode, encode, foreign, object, side_table};
pub(crate) use encoded::carried;
pub(crate) use entry::{Call, Outcome, begin, location, raw_call, read_location};
pub(crate) use handle::cannot_wait;
pub(crate) use in_handle::InHandle;
pub(crate) use progress::rescue;
pub(crate) use reply::{OwnedTask, ReplySender, TaskOwner};
pub(crate) use residents::drop_residents;
pub(crate) use results::{Results, ResultsReader};

pub use actor::{ActorCall, ActorInit};
pub use handle::RemoteHandle;
pub use hint::Hint;
pub use job::Job;
pub use macros::remote_trait;
pub use remote::Remote;
pub use remote_fn::RemoteFn;
pub use shared::Shared;
pub use transfer::{Transfer, Transferable};
