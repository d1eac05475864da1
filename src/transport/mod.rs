//! Tasks as bytes: for executors that send them to other processes.
//!
//! Every executor of this crate runs tasks in the memory of one process, or of one page. This module is for those that do not:
//! an executor over TCP, WebSocket, a message broker, anything that moves bytes. The feature `transport` switches it on.
//!
//! ```text
//!   here                                             there
//!   Job --seal--> bytes of the call .............> --open--> Job, for an executor
//!       |                                                     |
//!       +------> Reply <.................. bytes <-- Answer, a future
//! ```
//!
//! [`Seal::seal`] takes a [`Job`](crate::Job) apart into bytes and its [`Reply`]; [`Seal::open`] makes a job of the bytes again, and gives an [`Answer`],
//! a future of the bytes for [`Reply::answer`]. Timeouts, cancellation and errors mean the same as elsewhere.
//! On a connection that delivers messages in order, [`Client`] and [`Server`] do all that, and the program only moves the messages:
//!
//! ```
//! use std::sync::mpsc;
//! use std::thread;
//!
//! use wasm_mt::transport::{Client, Seal, Server};
//! use wasm_mt::{ExecutorExt, Pool, remote};
//!
//! # wasm_mt::run(async {
//! let seal = Seal::new("known to all processes of the program")?;
//! let (to_server, at_server) = mpsc::channel::<Vec<u8>>(); // each would be a socket
//! let (to_client, at_client) = mpsc::channel::<Vec<u8>>();
//!
//! // In one process:
//! let server = Server::new(&seal, Pool::new(), move |message| drop(to_client.send(message)));
//! thread::spawn(move || at_server.iter().try_for_each(|message| server.receive(&message)));
//!
//! // In the other:
//! let (client, incoming) = Client::new(&seal, 4, move |message| drop(to_server.send(message)));
//! thread::spawn(move || at_client.iter().try_for_each(|message| incoming.receive(&message)));
//!
//! let scale = 10;
//! assert_eq!(client.spawn_remote(remote!(move || scale * 42)).await?, 420);
//! # Ok::<_, wasm_mt::Error>(())
//! # });
//! ```
//!
//! # What crosses
//!
//! What a task captured and gives, as everywhere. Functions, its own and captured ones, cross as distances from a place in the
//! program, which are the same in each process that runs the same file. So both sides must be of one [`Build`]. Blocks of numbers cross as bytes
//! ([`Transfer`](crate::Transfer)), and a [`Shared`](crate::Shared) with each task that has captured it. An end of a channel, an actor, a [`TaskStream`](crate::TaskStream) and a JavaScript value cannot: the
//! task's error [`is_codec`](crate::Error::is_codec).
//!
//! # Who is trusted
//!
//! Bytes that are opened become addresses of functions. So they are opened only if a peer has sealed them who has the same secret
//! and is of the same build; nothing is read of others. Whoever has the secret can run any code. A seal hides nothing, and does not tell a message
//! from its copy, except that a `Client` and a `Server` take none of another connection: where others can read or repeat what
//! crosses, use TLS too.

mod answer;
mod build;
mod client;
mod flat;
mod message;
mod reply;
mod seal;
mod sealed_job;
mod send_queue;
mod server;

pub use self::answer::{Answer, Unsealed};
pub use self::build::Build;
pub use self::client::{Client, Incoming};
pub use self::reply::{Reply, Signal};
pub use self::seal::Seal;
pub use self::server::Server;
