//! What tasks do.

use futures::future::{LocalBoxFuture, try_join_all};
use serde::{Deserialize, Serialize, Serializer};
use wasm_mt::{Error, Pool, Remote, remote};

use crate::room;

/// Milliseconds after which a task that keeps its thread gives up by itself.
const LONGEST: f64 = 10_000.0;

/// A number that only who has computed it knows.
pub(crate) fn mix(n: u32) -> u32 {
    (n ^ 0x5bd1_e995).wrapping_mul(0x9e37_79b1).rotate_left(7)
}

/// Says that it begins, and computes a number.
pub(crate) fn value(number: u64, n: u32) -> Remote<u32> {
    remote!(move || {
        room::say_begun(number);
        mix(n)
    })
}

/// Keeps its thread.
pub(crate) fn work(milliseconds: f64) {
    let begun = room::now();
    while room::now() - begun < milliseconds {
        std::hint::spin_loop();
    }
}

/// Keeps its thread until the round is over, or far too long.
pub(crate) fn spin(round: u64) {
    let begun = room::now();
    while !room::is_released(round) && room::now() - begun < LONGEST {
        std::hint::spin_loop();
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Text {
    pub(crate) words: Vec<String>,
    pub(crate) number: Option<u64>,
}

/// Spawns children, who do the same down to some depth, and counts all of them.
pub(crate) fn tree(depth: u32) -> LocalBoxFuture<'static, Result<u32, Error>> {
    Box::pin(async move {
        let branches = (0..2 * depth.min(1)).map(|_| Remote::new_async(depth - 1, tree).into_future());
        let counts = try_join_all(branches).await?;
        counts.into_iter().try_fold(1, |sum, count| Ok(sum + count?))
    })
}

/// Computes in a pool of its own.
pub(crate) fn own_pool(n: u32) -> Remote<Result<u32, Error>> {
    remote!(async move {
        let pool = Pool::builder().threads(2).build();
        let numbers = (0..5).map(|more| pool.spawn_remote(remote!(move || mix(n ^ more))));
        let numbers = try_join_all(numbers).await?;
        Ok(numbers.into_iter().fold(0, |sum, number| sum ^ number))
    })
}

/// What [`own_pool`] computes.
pub(crate) fn of_own_pool(n: u32) -> u32 {
    (0..5).fold(0, |sum, more| sum ^ mix(n ^ more))
}

/// True for the items at which a function of ours panics.
pub(crate) fn is_bad(item: u32) -> bool {
    item % 17 == 11
}

/// Cannot be encoded.
#[derive(Debug, Deserialize)]
pub(crate) struct Unwritable;

impl Serialize for Unwritable {
    fn serialize<S: Serializer>(&self, _serializer: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("not today"))
    }
}
