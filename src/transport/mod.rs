//! Tasks as bytes: for executors that send them to other processes.

mod answer;
mod build;
mod flat;
mod reply;
mod seal;

pub use self::answer::Answer;
pub use self::build::Build;
pub use self::reply::{Reply, Signal};
pub use self::seal::Seal;
