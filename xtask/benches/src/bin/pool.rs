//! The smallest program that leaves the choice of a worker to the pool of the program.

use wasm_mt::{Error, remote};

fn main() {
    wasm_mt::run(app());
}

async fn app() -> Result<(), Error> {
    let x = 41_u64;
    wasm_mt::println!("{}", remote!(move || x + 1).await?);
    Ok(())
}
