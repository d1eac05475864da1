//! Calls and answers that are too long for a message: they are put into the broker's object store, and got from there.

use std::fmt;
use std::time::Duration;

use async_nats::jetstream::object_store::ObjectStore;
use tokio::io::AsyncReadExt;
use tokio::time::{sleep, timeout};
use wasm_mt::Error;

use crate::connection::BACKOFF;

/// Puts an object, until the broker has it.
pub(crate) async fn put(objects: &ObjectStore, name: &str, bytes: &[u8]) -> Result<(), Error> {
    /// How long it may take, however long it is.
    const PUT: Duration = Duration::from_secs(120);

    let mut wait = Duration::from_millis(50);
    for _ in 0..30 {
        if timeout(PUT, objects.put(name, &mut &*bytes)).await.is_ok_and(|put| put.is_ok()) {
            return Ok(());
        }
        sleep(wait).await;
        wait = (2 * wait).min(BACKOFF);
    }
    Err(Error::other(format!(
        "the broker did not store {} bytes; give it more room, or send less at a time",
        bytes.len()
    )))
}

/// Gets an object. The broker may fail to give it a few times.
pub(crate) async fn get(objects: &ObjectStore, name: &str) -> Result<Vec<u8>, Error> {
    let mut wait = Duration::from_millis(50);
    let mut failure = String::new();
    for _ in 0..10 {
        match read(objects, name).await {
            Ok(bytes) => return Ok(bytes),
            Err(error) => failure = error,
        }
        sleep(wait).await;
        wait = (2 * wait).min(BACKOFF);
    }
    Err(Error::other(format!("what the broker stored could not be read ({failure}); run the task again")))
}

async fn read(objects: &ObjectStore, name: &str) -> Result<Vec<u8>, String> {
    let mut object = in_time(objects.get(name)).await?;
    let mut bytes = Vec::new();
    while in_time(object.read_buf(&mut bytes)).await? > 0 {}
    Ok(bytes)
}

/// What the broker gives, unless it takes too long.
async fn in_time<T, E: fmt::Display>(result: impl Future<Output = Result<T, E>>) -> Result<T, String> {
    const LIMIT: Duration = Duration::from_secs(10);
    match timeout(LIMIT, result).await {
        Ok(result) => result.map_err(|error| error.to_string()),
        Err(late) => Err(late.to_string()),
    }
}
