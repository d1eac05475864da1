//! The smallest program that uses a worker: what it weighs is what the library adds to a page.

use wasm_mt::{Error, Thread, remote};

fn main() {
    wasm_mt::run(app());
}

async fn app() -> Result<(), Error> {
    let x = 41_u64;
    wasm_mt::println!("{}", Thread::new().spawn_remote(remote!(move || x + 1)).await?);
    Ok(())
}
