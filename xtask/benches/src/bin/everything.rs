//! A program that uses most of what the library has, once.

use std::time::Duration;

use futures::StreamExt as _;
use serde::{Deserialize, Serialize};
use wasm_mt::{
    Error, Executor as _, ExecutorExt as _, InlineExecutor, Pool, Strategy, Thread, Transfer, remote,
    remote_trait,
};

fn main() {
    wasm_mt::run(app());
}

#[remote_trait]
trait Shape {
    fn area(&self) -> f64;
}

#[derive(Serialize, Deserialize)]
struct Square(f64);

impl Shape for Square {
    fn area(&self) -> f64 {
        self.0 * self.0
    }
}

async fn app() -> Result<(), Error> {
    for strategy in [Strategy::Serial, Strategy::Parallel, Strategy::WorkStealing] {
        let pool = Pool::builder()
            .strategy(strategy)
            .threads(2)
            .max_queue(8)
            .name("pool")
            .on_start(remote!(|| wasm_mt::println!("started")))
            .on_run(|run| wasm_mt::println!("{run}"))
            .build();
        pool.ready().await?;
        let squares = pool.par_map(0..100_u32, remote!(|n: u32| n * n));
        wasm_mt::println!("{:?}", squares.collect::<Vec<_>>().await);
        let task = remote!(async { wasm_mt::sleep(Duration::from_millis(1)).await });
        pool.try_spawn_remote(task.timeout(Duration::from_secs(1)).retry(1))?.await?;
        pool.spawn_remote(remote!(|| ())).abort();
        pool.spawn_remote(remote!(|| ())).forget();
        futures::future::try_join_all(pool.broadcast(remote!(|| ()))).await?;
        wasm_mt::println!("{:?}", pool.stats());
        pool.close().await;
    }
    let thread = Thread::builder().start_timeout(Duration::from_secs(20)).build();
    let bytes = Transfer(vec![1_u8; 1000]);
    let shape: Box<dyn Shape> = Box::new(Square(2.0));
    let sum = remote!(move || bytes.0.len() as f64 + shape.area());
    wasm_mt::println!("{}", thread.spawn_remote(sum).await?);
    thread.terminate();
    wasm_mt::println!("{}", InlineExecutor::new().spawn_remote(remote!(|| 1)).await?);
    #[cfg(target_family = "wasm")]
    {
        let script = wasm_mt::exec_js("return 1;");
        wasm_mt::println!("{:?}", script.await?);
    }
    Ok(())
}
