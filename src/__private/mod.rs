//! What the output of [`remote!`](crate::remote) and the other macros names. No part of the public interface.
//!
//! `remote!` makes a draft of a task, has the types in it [checked](checks), and makes the task of the draft.
//! `#[remote_trait]` implements what is in [`objects`].

pub mod checks;
mod drafts;
pub mod objects;

pub use self::checks::Probe;
pub use self::drafts::{
    Draft, actor_call, actor_call_async, actor_init, actor_init_async, call_async, future_closure, remote,
    remote_async, remote_fn, remote_fn_async,
};
#[cfg(fuzzing)]
pub use crate::fuzz::{CountingAllocator, read};
pub use crate::run::print;
pub use std::boxed::Box;
pub use std::{cfg, format_args};
pub use wasm_mt_macros::{actor, call, remote};
