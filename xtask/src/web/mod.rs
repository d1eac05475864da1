//! Pages in real browsers: the [`Programs`] on them, a static [`Server`] for them, and a WebDriver [`Session`] that
//! looks at them.
//!
//! Server and session are small on purpose. The server knows files, headers and missing paths, because those are what
//! a page's boot depends on; the session knows how to open a page, wait for it, read it and photograph it. Whatever
//! either starts, it ends: threads, drivers, browsers and their profiles live exactly as long as the value that owns
//! them.

mod process;
mod program;
mod server;
mod session;

pub(crate) use process::Process;
pub(crate) use program::Programs;
pub(crate) use server::{Server, Site};
pub(crate) use session::Session;
