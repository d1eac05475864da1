//! A worker that is sent values, and what is to be said of those that it cannot have.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_mt::{Error, Remote, Thread};

/// A worker that is sent values.
pub(crate) struct Worker(pub(crate) Thread);

impl Worker {
    pub(crate) fn new() -> Self {
        Worker(Thread::new())
    }

    /// Sends a value there and back. The worker also tells what it sees: two faults could cancel out.
    pub(crate) async fn echo<T>(&self, value: T) -> Result<T, Error>
    where
        T: Serialize + DeserializeOwned + Debug + 'static,
    {
        let here = format!("{value:?}");
        let echo = Remote::new(value, |value: T| (format!("{value:?}"), value));
        let (there, value) = self.0.spawn_remote(echo).await?;
        assert_eq!(there, here, "seen differently by the worker");
        Ok(value)
    }

    /// Asserts that a value comes back as it was.
    pub(crate) async fn survives<T>(&self, value: T)
    where
        T: Serialize + DeserializeOwned + Debug + Clone + PartialEq + 'static,
    {
        assert_eq!(self.echo(value.clone()).await.expect("it crosses"), value);
    }
}

/// Asserts that a codec error was given, and that its text tells all of this.
#[track_caller]
pub(crate) fn assert_refused<T>(result: Result<T, Error>, texts: &[&str]) {
    let Err(error) = result else { panic!("it must be refused: {texts:?}") };
    assert!(error.is_codec(), "{error}");
    for text in texts {
        assert!(error.to_string().contains(text), "no {text:?} in: {error}");
    }
}
