//! A value that counts how often it is decoded, and dropped.

use std::cell::Cell;

use serde::{Deserialize, Deserializer, Serialize};

thread_local! {
    /// How often this thread has decoded a [`Scene`], and dropped one that it had decoded.
    pub(crate) static DECODED: Cell<u32> = const { Cell::new(0) };
    pub(crate) static DROPPED: Cell<u32> = const { Cell::new(0) };
}

/// Is large, and counts.
#[derive(Serialize)]
pub(crate) struct Scene {
    pub(crate) points: Vec<u32>,
    #[serde(skip)]
    decoded: bool,
}

impl Scene {
    pub(crate) const POINTS: u32 = 10_000;

    pub(crate) fn new() -> Self {
        Self { points: (0..Self::POINTS).collect(), decoded: false }
    }
}

impl<'de> Deserialize<'de> for Scene {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename = "Scene")]
        struct Encoded {
            points: Vec<u32>,
        }

        let Encoded { points } = Encoded::deserialize(deserializer)?;
        DECODED.set(DECODED.get() + 1);
        Ok(Self { points, decoded: true })
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if self.decoded {
            DROPPED.set(DROPPED.get() + 1);
        }
    }
}
