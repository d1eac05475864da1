//! Another program, for pages that hold two: it sorts words on a worker.

use wasm_mt::{Error, Thread, remote};
use wasm_mt_pages::announce_main;

fn main() {
    announce_main();
    wasm_mt::run(app());
}

async fn app() -> Result<(), Error> {
    let words: Vec<String> = ["worker", "page", "task"].map(str::to_owned).into();
    let sorted = Thread::new()
        .spawn_remote(remote!(move || {
            let mut words = words;
            words.sort_by_key(|word| word.to_uppercase());
            words
        }))
        .await?;
    wasm_mt::println!("computed {}", sorted.join(" "));
    Ok(())
}
