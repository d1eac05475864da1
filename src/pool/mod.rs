//! Drives workers: starts them, gives them tasks, hears how they fare.

mod link;

pub(crate) use link::{Link, Options};
