//! Makes sure of what the commands need: a compiler for wasm32, browsers and their drivers.
//!
//! Set-up writes only under the target folder, except where it asks `rustup` or `apt-get` to install something, and it
//! says so. What is there already is found within a second, and nothing is asked of the network then.

pub(crate) use apt::which;
pub(crate) use browsers::{Browser, Browsers, Installed, browsers};
#[cfg(test)]
pub(crate) use nats::find_nats_server;
pub(crate) use nats::nats_server;
pub(crate) use runtimes::{Runtime, npm, packages};
pub(crate) use rustup::linters;
pub(crate) use trunk::trunk;
pub(crate) use wasm::{TARGET, Wasm, wasm};

mod apt;
mod browsers;
mod debian;
mod nats;
mod runtimes;
mod rustup;
mod script;
mod trunk;
mod wasm;
