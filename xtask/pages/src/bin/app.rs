//! Computes 42 on a worker of a worker, with the worker script and the glue that the page's address names, as often at
//! once as it says.

use wasm_mt::{Error, Remote, Thread, WorkerSetup, remote};
use wasm_mt_pages::{announce_main, parameter};

fn main() {
    announce_main();
    wasm_mt::run(app());
}

async fn app() -> Result<(), Error> {
    if let Some(script) = parameter("setup") {
        WorkerSetup::new().script_url(script).install()?;
    }
    let (script, glue) = (parameter("script"), parameter("glue"));
    let threads = parameter("threads").and_then(|count| count.parse().ok()).unwrap_or(1);
    let outer: Vec<Thread> = (0..threads).map(|_| thread(script.clone(), glue.clone())).collect();
    // All are given their task before the first is awaited.
    let tasks: Vec<_> =
        outer.iter().map(|outer| outer.spawn_remote(nested(script.clone(), glue.clone()))).collect();
    for computed in tasks {
        match computed.await {
            Ok(result) => wasm_mt::println!("computed {}", result?),
            Err(error) => {
                wasm_mt::println!("is_startup: {}", error.is_startup());
                return Err(error);
            }
        }
    }
    let late = WorkerSetup::new().install();
    assert!(late.is_err_and(|error| error.is_startup()), "a worker was made before");
    Ok(())
}

/// Computes on a worker of the worker on which it runs.
fn nested(script: Option<String>, glue: Option<String>) -> Remote<Result<u32, Error>> {
    remote!(async move {
        let inner = thread(script, glue);
        inner.spawn_remote(remote!(|| 6 * 7)).await
    })
}

fn thread(script: Option<String>, glue: Option<String>) -> Thread {
    let mut builder = Thread::builder();
    if let Some(script) = script {
        builder = builder.script_url(script);
    }
    if let Some(glue) = glue {
        builder = builder.glue_url(glue);
    }
    builder.build()
}
