//! Tasks that run in another process: this very file, started once more. Over TCP, as the example has it.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, and says where")]

#[path = "../../examples/tcp/peer.rs"]
mod peer;

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, process};

use futures::TryStreamExt;
use wasm_mt::transport::{Client, Seal};
use wasm_mt::{Error, Executor, ExecutorExt, Pool, RemoteFn, Shared, Transfer, remote, remote_trait};

/// A name and a test.
type Test = (&'static str, fn());

const TESTS: [Test; 5] = [
    ("values_and_functions_cross", values_and_functions_cross),
    ("names_of_two_processes_do_not_meet", names_of_two_processes_do_not_meet),
    ("a_process_that_is_killed_loses_its_tasks", a_process_that_is_killed_loses_its_tasks),
    ("another_build_is_refused", another_build_is_refused),
    ("another_secret_is_refused", another_secret_is_refused),
];

const SECRET: &str = "a secret of the tests";
/// Says that the process is to serve, and its secret.
const SERVE: &str = "WASM_MT_TEST_SERVE";

fn main() {
    if let Ok(secret) = env::var(SERVE) {
        let stream = TcpStream::connect(env::args().nth(1).unwrap()).unwrap();
        // What is wrong is for the other side to say.
        drop(peer::serve(stream, &Seal::new(secret).unwrap()));
        return;
    }
    let filter = env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let tests: Vec<_> = TESTS.iter().filter(|(name, _)| name.contains(&filter)).collect();
    println!("\nrunning {} tests", tests.len());
    for (name, test) in &tests {
        test();
        println!("test {name} ... ok");
    }
    println!("\ntest result: ok. {} passed; 0 failed; 0 ignored; 0 measured; 0 filtered out", tests.len());
}

/// Another process and the executor whose tasks run there.
fn start(executable: &Path, secret: &str) -> (Child, Client) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let child = Command::new(executable)
        .arg(listener.local_addr().unwrap().to_string())
        .env(SERVE, secret)
        .spawn()
        .unwrap();
    let client = peer::connect(listener.accept().unwrap().0, &Seal::new(SECRET).unwrap()).unwrap();
    (child, client)
}

fn start_this() -> (Child, Client) {
    start(&env::current_exe().unwrap(), SECRET)
}

#[remote_trait]
trait Shape {
    fn area(&self) -> f64;
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Square(f64);

impl Shape for Square {
    fn area(&self) -> f64 {
        self.0 * self.0
    }
}

fn values_and_functions_cross() {
    /// Is not changed in the other process.
    static HERE: AtomicU32 = AtomicU32::new(0);

    let (mut child, client) = start_this();
    HERE.store(1, Ordering::Relaxed);
    wasm_mt::run(async move {
        let (process, there) =
            client.spawn_remote(remote!(|| (process::id(), HERE.load(Ordering::Relaxed)))).await?;
        assert_ne!(process, process::id());
        assert_eq!(there, 0);
        let (scale, shape): (u32, Box<dyn Shape>) = (3, Box::new(Square(2.0)));
        let area = remote!(async move { f64::from(scale) * shape.area() });
        assert_eq!(client.spawn_remote(area).await?, 12.0);
        let table: Vec<u32> = (0..100_000).collect();
        let get: RemoteFn<u32, u32> = remote!(move |n| table[n as usize] * scale);
        let got: Vec<u32> = client.par_map(0..1000, get).try_collect().await?;
        assert!(got.into_iter().eq((0..1000).map(|n| 3 * n)));
        let block = Transfer((0..1 << 20).map(f64::from).collect::<Vec<_>>());
        let sum = remote!(move || block.0.iter().sum::<f64>());
        assert_eq!(client.spawn_remote(sum).await?, 549_755_289_600.0);
        let error = client.spawn_remote(remote!(|| -> u32 { panic!("a bug") })).await.unwrap_err();
        assert!(error.is_panic() && error.to_string().contains("processes.rs"), "{error}");
        Ok::<_, Error>(())
    });
    assert!(child.wait().unwrap().success(), "the end of the connection ends the process");
}

/// Each process names what it shares. The other shares values of its own on the same workers.
fn names_of_two_processes_do_not_meet() {
    let (mut child, client) = start_this();
    wasm_mt::run(async move {
        let own = Shared::new(vec![1_u32]);
        let mixed = remote!(async move {
            let theirs = Shared::new(vec![2_u32]);
            let captured = theirs.clone();
            let pool = Pool::builder().threads(1).build();
            let second = pool.spawn_remote(remote!(move || captured[0])).await?;
            let first = own.clone();
            let first = pool.spawn_remote(remote!(move || first[0])).await?;
            Ok::<_, Error>((first, own[0], second, theirs[0]))
        });
        assert_eq!(client.spawn_remote(mixed).await??, (1, 1, 2, 2));
        Ok::<_, Error>(())
    });
    child.wait().unwrap();
}

fn a_process_that_is_killed_loses_its_tasks() {
    let (mut child, client) = start_this();
    wasm_mt::run(async move {
        // It is up and runs tasks.
        client.spawn_remote(remote!(|| ())).await?;
        let endless = client.spawn_remote(remote!(async { std::future::pending::<()>().await }));
        child.kill().unwrap();
        child.wait().unwrap();
        let error = endless.await.unwrap_err();
        assert!(error.is_worker_lost() && error.to_string().contains("connection"), "{error}");
        assert!(client.spawn_remote(remote!(|| ())).await.unwrap_err().is_worker_lost());
        client.close().await;
        Ok::<_, Error>(())
    });
}

/// The same file with one byte more is another program, as far as anybody can tell.
fn another_build_is_refused() {
    let folder = env::current_exe().unwrap().with_extension("another-build");
    let executable = folder.join("processes");
    fs::create_dir_all(&folder).unwrap();
    fs::copy(env::current_exe().unwrap(), &executable).unwrap();
    fs::OpenOptions::new().append(true).open(&executable).unwrap().write_all(&[0]).unwrap();
    let (mut child, client) = start(&executable, SECRET);
    wasm_mt::run(async move {
        let error = client.spawn_remote(remote!(|| ())).await.unwrap_err();
        assert!(error.is_codec() && error.to_string().contains("another build"), "{error}");
    });
    child.wait().unwrap();
    fs::remove_dir_all(folder).unwrap();
}

fn another_secret_is_refused() {
    let (mut child, client) = start(&env::current_exe().unwrap(), "another secret, of others");
    wasm_mt::run(async move {
        let error = client.spawn_remote(remote!(|| ())).await.unwrap_err();
        assert!(error.is_codec() && error.to_string().contains("another secret"), "{error}");
    });
    child.wait().unwrap();
}
