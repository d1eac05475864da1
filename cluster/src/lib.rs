//! Runs the tasks of [wasm-mt](wasm_mt) on a fleet of machines, over [NATS](https://nats.io).
//!
//! [`Cluster`] is an [`Executor`](wasm_mt::Executor), as a [`Pool`](wasm_mt::Pool) is. Its tasks run on *nodes*: processes of the very
//! executable that makes them, on any machine that reaches the same broker, a NATS server with JetStream. An argument, say, tells one
//! executable what to be:
//!
//! ```no_run
//! use futures::future::try_join_all;
//! use wasm_mt::{Error, Executor, ExecutorExt, Pool, println, remote};
//! use wasm_mt_nats::{Cluster, Config};
//!
//! fn main() -> Result<(), Error> {
//!     wasm_mt::try_run(program())
//! }
//!
//! async fn program() -> Result<(), Error> {
//!     let secret = std::env::var("SQUARES_SECRET").map_err(|error| Error::other(error.to_string()))?;
//!     let config = Config::new("nats://127.0.0.1:4222", "squares", secret);
//!     let executor: Box<dyn Executor> = match std::env::args().nth(1).as_deref() {
//!         Some("node") => return wasm_mt_nats::serve(config).await,
//!         Some("fleet") => Box::new(Cluster::connect(config).await?),
//!         _ => Box::new(Pool::new()),
//!     };
//!     let squares = (0..1000_u64).map(|n| executor.spawn_remote(remote!(move || n * n)));
//!     println!("{}", try_join_all(squares).await?.iter().sum::<u64>());
//!     Ok(())
//! }
//! ```
//!
//! [The chapter of the guide](https://github.com/wasm-mt/wasm-mt/blob/main/docs/guide/fleet.md) starts such a fleet on one laptop, and
//! says what is safe to expose, how to size and deploy a fleet, and what a handle gets when things go wrong. The example
//! [`cluster`](https://github.com/wasm-mt/wasm-mt/blob/main/cluster/examples/cluster.rs) starts a fleet by itself.
//!
//! # What is promised
//!
//! - **A task without [`retry`](wasm_mt::Remote::retry) begins on one node at most**, and never twice. If that node is lost, the handle
//!   gets an error that [`is_worker_lost`](wasm_mt::Error::is_worker_lost). With `retry(n)` the task is given to another node, up
//!   to `n` times.
//! - **What no node has claimed survives** the loss of nodes, and restarts of the broker with its store.
//! - **Each handle resolves** when its node is lost, or when no node is there: see [`Config::silence`] and [`Config::start_timeout`].
//! - **A node that is told to end** finishes what it has begun: see [`Node::drain`].
//!
//! # What is not
//!
//! - **Safety from whoever has the secret** and reaches the broker: they can run any code on the nodes.
//! - **Secrecy.** Captures and results can be read on the way without TLS, and the broker stores captures in files.
//! - **Tasks that outlive their client.** The client keeps the account of its tasks. Those of one that is gone are cancelled.
//! - **An answer while the broker is away.** Tasks wait until it is back.
//! - **Other builds.** A node runs tasks of the same file only, to the byte. So native programs only, and no pages.
//!
//! Ends of channels, actors and [`TaskStream`](wasm_mt::TaskStream)s do not cross, as with each executor of other processes: see
//! [`wasm_mt::transport`].
//!
//! # Features
//!
//! - `credentials`, on by default: [`Config::credentials_file`].

mod client;
mod cluster;
mod config;
mod connection;
mod cost;
mod demand;
#[cfg(doctest)]
mod guide;
mod ledger;
mod link;
mod message;
mod node;
mod numbers;
mod objects;
mod outbox;
mod pull;
#[cfg(test)]
mod simulator;
mod stored;
mod sweep;
mod tasks;

pub use cluster::Cluster;
pub use config::Config;
pub use node::{Node, serve};
