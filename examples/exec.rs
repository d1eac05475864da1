//! Runs closures on a worker: sync and async ones, with captured values, one that panics, and JavaScript on the web.

use std::time::Duration;

use wasm_mt::{Error, Thread, println, remote};

fn main() {
    wasm_mt::run(app());
}

async fn app() -> Result<(), Error> {
    let thread = Thread::new();

    let sum = thread.spawn_remote(remote!(|| 1 + 2)).await?;
    println!("a closure: 1 + 2 = {sum}");

    let (name, count) = (String::from("Ferris"), 3);
    let names = thread.spawn_remote(remote!(move || vec![name; count])).await?;
    println!("captured values: {names:?}");

    let pause = Duration::from_millis(20);
    let text = thread.spawn_remote(remote!(async move {
        wasm_mt::sleep(pause).await;
        format!("rested for {pause:?}")
    }));
    println!("an async block: {}", text.await?);

    // A result may be a `Result`: this one is the task's own.
    let age = String::from("twelve");
    let parsed = thread.spawn_remote(remote!(move || age.parse::<u32>().map_err(|error| error.to_string())));
    println!("the task's own error: {:?}", parsed.await?);

    let parts = 0;
    match thread.spawn_remote(remote!(move || 12 / parts)).await {
        Ok(share) => println!("a share is {share}"),
        Err(error) if error.is_panic() => println!("a panic comes back: {error}"),
        Err(error) => return Err(error),
    }
    println!("the panic ended its thread: {}", thread.is_lost());

    target::javascript(&Thread::new()).await
}

#[cfg(target_family = "wasm")]
use web as target;

#[cfg(target_family = "wasm")]
mod web {
    use wasm_mt::{Error, Thread, exec_js, exec_js_async, println};

    pub(super) async fn javascript(thread: &Thread) -> Result<(), Error> {
        let sum = thread.spawn_remote(exec_js("const add = (a, b) => a + b; return add(1, 2);")).await?;
        println!("JavaScript: 1 + 2 = {:?}", sum.0);

        let status = thread.spawn_remote(exec_js_async("return (await fetch(location)).status;")).await?;
        println!("asynchronous JavaScript: {:?}", status.0);

        match thread.spawn_remote(exec_js("throw new RangeError('too far')")).await {
            Ok(value) => println!("nothing was thrown: {:?}", value.0),
            Err(error) if error.is_js() => {
                let text = error.to_string(); // the stack follows
                println!("an exception comes back: {}", text.lines().next().unwrap_or_default());
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

#[cfg(not(target_family = "wasm"))]
use native as target;

#[cfg(not(target_family = "wasm"))]
mod native {
    use wasm_mt::{Error, Thread, println};

    pub(super) async fn javascript(_thread: &Thread) -> Result<(), Error> {
        println!("JavaScript: only on the web");
        Ok(())
    }
}
