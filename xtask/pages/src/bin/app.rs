//! Computes 42 on a worker of a worker, with the worker script and the glue that the page's address names.

use wasm_mt::{Error, Thread, remote};
use wasm_mt_pages::{announce_main, parameter};

fn main() {
    announce_main();
    wasm_mt::run(app());
}

async fn app() -> Result<(), Error> {
    let (script, glue) = (parameter("script"), parameter("glue"));
    let outer = thread(script.clone(), glue.clone());
    let computed = outer.spawn_remote(remote!(async move {
        let inner = thread(script, glue);
        inner.spawn_remote(remote!(|| 6 * 7)).await
    }));
    match computed.await {
        Ok(result) => wasm_mt::println!("computed {}", result?),
        Err(error) => {
            wasm_mt::println!("is_startup: {}", error.is_startup());
            return Err(error);
        }
    }
    Ok(())
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
