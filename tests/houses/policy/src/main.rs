//! An application whose workers come from a file of its own host.

use wasm_mt::{Error, WorkerSetup};

fn main() -> Result<(), Error> {
    wasm_mt_house::begin();
    WorkerSetup::new().script_url("worker.js").install()?;
    wasm_mt::try_run(wasm_mt_house::run())
}
