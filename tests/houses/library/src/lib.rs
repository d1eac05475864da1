//! A library that runs tasks: it leaves how workers are made to the application.

use wasm_mt::{Error, remote};

/// Computes on a worker of the default pool.
///
/// # Errors
///
/// As every task.
pub async fn answer() -> Result<u32, Error> {
    remote!(|| 6 * 7).await
}
