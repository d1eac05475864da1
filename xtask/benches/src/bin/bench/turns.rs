//! How sides take turns, and how what they took is told.

use wasm_mt::Error;
use wasm_mt_benches::{Aim, BLOCK, Measured};

/// Two sides that do the same.
pub(crate) struct Comparison<'a> {
    pub(crate) name: &'a str,
    pub(crate) beside: &'a str,
    pub(crate) aim: Option<Aim>,
}

impl Comparison<'_> {
    /// Measures two sides, of which each does an operation as often as told and gives the milliseconds that took.
    ///
    /// A block has so many operations that it is long enough for the clock.
    pub(crate) async fn of_blocks(
        &self,
        rounds: usize,
        mut ours: impl AsyncFnMut(u32) -> Result<f64, Error>,
        mut floor: impl AsyncFnMut(u32) -> f64,
    ) -> Result<(), Error> {
        // Warms both sides up, too.
        let mut operations = 1;
        while ours(operations).await?.min(floor(operations).await) < BLOCK {
            operations *= 2;
        }
        self.of(operations, rounds, ours, floor).await
    }

    /// Measures two sides, of which each does so many operations in a round.
    pub(crate) async fn of(
        &self,
        operations: u32,
        rounds: usize,
        mut ours: impl AsyncFnMut(u32) -> Result<f64, Error>,
        mut floor: impl AsyncFnMut(u32) -> f64,
    ) -> Result<(), Error> {
        let mut times = Vec::new();
        for round in 0..rounds {
            // Whoever comes second pays for what the first has left behind, so that changes.
            if round % 2 == 0 {
                let ours = ours(operations).await?;
                times.push((ours, floor(operations).await));
            } else {
                let floor = floor(operations).await;
                times.push((ours(operations).await?, floor));
            }
        }
        self.tell(operations, &times);
        Ok(())
    }

    /// Prints what both sides took, in each round, for so many operations.
    pub(crate) fn tell(&self, operations: u32, times: &[(f64, f64)]) {
        let each = f64::from(operations);
        let times: Vec<_> = times.iter().map(|(ours, floor)| (ours / each, floor / each)).collect();
        let measured = Measured { aim: self.aim, ..Measured::of(self.name, self.beside, operations, &times) };
        wasm_mt::println!("{}", serde_json::to_string(&measured).expect("plain data becomes JSON"));
    }
}
