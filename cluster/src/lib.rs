//! Runs the tasks of [wasm-mt](wasm_mt) on a fleet of machines, over [NATS](https://nats.io).

mod client;
mod cluster;
mod config;
mod connection;
mod cost;
mod demand;
mod ledger;
mod message;
mod node;
mod outbox;
mod pull;
#[cfg(test)]
mod simulator;
mod tasks;

pub use cluster::Cluster;
pub use config::Config;
pub use node::{Node, serve};
