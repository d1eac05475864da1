//! A Julia set on a fleet that the program starts itself: a NATS server, and this executable twice more, as nodes.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{self, Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, io};

use futures::TryStreamExt;
use wasm_mt::{Error, Executor, ExecutorExt, Pool, Transfer, println, remote};
use wasm_mt_nats::{Cluster, Config};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Width and height of the picture, in pixels.
const SIZE: u32 = 800;
/// The set is that of z -> z * z + C.
const C: (f64, f64) = (-0.8, 0.156);
const NODES: usize = 2;
/// How long the server and the nodes may take to start.
const START: Duration = Duration::from_secs(20);

fn main() -> Outcome<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments[..] {
        // One executable is client and node. The secret is no argument: all users of a machine can read those.
        [mode, url] if mode == "node" => {
            wasm_mt::try_run(wasm_mt_nats::serve(config(url, env::var("JULIA_SECRET")?)))?;
            Ok(())
        }
        _ => wasm_mt::try_run(client()),
    }
}

fn config(url: &str, secret: String) -> Config {
    Config::new(url, "julia", secret)
}

async fn client() -> Outcome<()> {
    let Some(broker) = Broker::start()? else {
        println!(
            "there is no `nats-server` here: on Debian `apt-get install nats-server` gives one, elsewhere"
        );
        println!("https://github.com/nats-io/nats-server/releases; or set WASM_MT_NATS_SERVER to its path");
        return Ok(());
    };
    let secret = format!("{:016x}{:016x}", random(), random());
    let start_node = |_| {
        let mut command = Command::new(env::current_exe()?);
        let command = command.args(["node", &broker.url]).env("JULIA_SECRET", &secret);
        Ok::<_, io::Error>(Process(command.spawn()?))
    };
    let _nodes: Vec<Process> = (0..NODES).map(start_node).collect::<Result<_, _>>()?;

    let cluster = Cluster::connect(config(&broker.url, secret.clone())).await?;
    // So that both have rows.
    let start = Instant::now();
    while cluster.nodes() < NODES {
        if start.elapsed() > START {
            return Err("the nodes did not start".into());
        }
        wasm_mt::sleep(Duration::from_millis(10)).await;
    }
    let fleet: Box<dyn Executor> = Box::new(cluster);
    let rows = render(&*fleet).await?;
    let mut counts = BTreeMap::<u32, usize>::new();
    for (process, _) in &rows {
        *counts.entry(*process).or_default() += 1;
    }
    for (process, count) in counts {
        println!("process {process} computed {count} rows");
    }

    let pool = Pool::new();
    let same = render(&pool).await?.iter().zip(&rows).all(|((_, here), (_, there))| here.0 == there.0);
    if !same {
        return Err("the pool of this process has computed another picture".into());
    }
    println!("all {SIZE} rows are those that a pool of this process computes");
    Ok(())
}

/// The rows of the picture, each with the process that has computed it.
async fn render(executor: &dyn Executor) -> Result<Vec<(u32, Transfer<Vec<u8>>)>, Error> {
    executor.par_map(0..SIZE, remote!(|y: u32| (process::id(), Transfer(row(y))))).try_collect().await
}

/// How long z takes to leave, for each point of a row.
fn row(y: u32) -> Vec<u8> {
    let place = |n: u32| f64::from(n) * 3.2 / f64::from(SIZE) - 1.6;
    let steps = |x: u32| {
        let (mut re, mut im) = (place(x), place(y));
        let mut steps = 0;
        while steps < u8::MAX && re * re + im * im < 4.0 {
            (re, im) = (re * re - im * im + C.0, 2.0 * re * im + C.1);
            steps += 1;
        }
        steps
    };
    (0..SIZE).map(steps).collect()
}

/// The system's random numbers are in each new one.
fn random() -> u64 {
    RandomState::new().hash_one(process::id())
}

/// Ends with its owner, however that ends.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A NATS server with JetStream, which listens on this machine only.
struct Broker {
    url: String,
    // Ends before its store is removed.
    _process: Process,
    _store: Folder,
}

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

impl Broker {
    /// Starts one, and waits until it listens. `None` if there is no such program.
    fn start() -> Outcome<Option<Self>> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port().to_string();
        let store = Folder(env::temp_dir().join(format!("wasm-mt-julia-{}", process::id())));
        let named = env::var("WASM_MT_NATS_SERVER").ok();
        for program in named.as_deref().into_iter().chain(["nats-server", "/usr/sbin/nats-server"]) {
            let mut command = Command::new(program);
            let command = command.args(["-js", "-a", "127.0.0.1", "-p", &port, "-sd"]).arg(&store.0);
            let mut process = match command.stderr(Stdio::null()).spawn() {
                Ok(process) => Process(process),
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(format!("failed to start {program}: {error}").into()),
            };
            let start = Instant::now();
            while TcpStream::connect(format!("127.0.0.1:{port}")).is_err() {
                if process.0.try_wait()?.is_some() || start.elapsed() > START {
                    return Err(format!("{program} does not listen on port {port}").into());
                }
                std::thread::sleep(Duration::from_millis(10)); // it tells nobody when it does
            }
            let url = format!("nats://127.0.0.1:{port}");
            return Ok(Some(Self { url, _process: process, _store: store }));
        }
        Ok(None)
    }
}
