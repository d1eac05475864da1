//! A fleet on this machine: a broker, and nodes that are processes of this very file.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, and says where")]

mod broker;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::{self, Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, thread};

use futures::TryStreamExt;
use futures::future::try_join_all;
use wasm_mt::{Error, Executor, ExecutorExt, Pool, Remote, RemoteFn, Transfer, remote};
use wasm_mt_nats::{Cluster, Config, Node};

use self::broker::Broker;

type Test = (&'static str, fn(&mut Fleet));

const TESTS: &[Test] = &[
    ("tasks_run_on_the_nodes", tasks_run_on_the_nodes),
    ("many_tiny_tasks", many_tiny_tasks),
    ("long_bodies_cross", long_bodies_cross),
    ("a_node_that_is_killed_loses_what_it_had_claimed", a_node_that_is_killed_loses_what_it_had_claimed),
];

/// Says that the process is a node, of the broker at this URL.
const NODE: &str = "WASM_MT_TEST_NODE";
const SECRET: &str = "a secret of the tests";

fn main() {
    if let Ok(url) = env::var(NODE) {
        return serve(&url);
    }
    let arguments: Vec<_> = env::args().skip(1).collect();
    let filter = arguments.iter().find(|argument| !argument.starts_with('-')).cloned().unwrap_or_default();
    let tests: Vec<_> = TESTS.iter().filter(|(name, _)| name.contains(&filter)).collect();
    if Broker::start("").is_none() {
        println!("the fleet is left out: there is no `nats-server` here");
        return;
    }
    println!("\nrunning {} tests", tests.len());
    for (name, test) in &tests {
        let since = Instant::now();
        test(&mut Fleet::new(""));
        println!("test {name} ... ok ({:.1} s)", since.elapsed().as_secs_f64());
    }
    println!("\ntest result: ok. {} passed; 0 failed; 0 ignored; 0 measured; 0 filtered out", tests.len());
}

fn config(url: &str) -> Config {
    Config::new(url, "tests", SECRET)
        .heartbeat(Duration::from_millis(200))
        .silence(Duration::from_millis(1500))
}

fn serve(url: &str) {
    let config = config(url);
    wasm_mt::run(async move {
        let pool = Pool::builder().threads(2).build();
        let node = Node::start(config, pool).await?;
        println!("ready");
        // It ends when its standard input does, as with the process that has started it.
        let (ended, end) = futures::channel::oneshot::channel();
        thread::spawn(move || {
            std::io::stdin().lines().for_each(drop);
            ended.send(()).unwrap();
        });
        end.await.unwrap();
        node.drain().await;
        Ok::<_, Error>(())
    });
}

struct Fleet {
    broker: Broker,
    nodes: Vec<Child>,
}

impl Fleet {
    fn new(options: &str) -> Self {
        Self { broker: Broker::start(options).unwrap(), nodes: Vec::new() }
    }

    /// Starts so many nodes, and waits until they are up.
    fn start(&mut self, count: usize) {
        let started: Vec<_> = (0..count).map(|_| self.spawn_node()).collect();
        for mut node in started {
            let mut line = String::new();
            BufReader::new(node.stdout.take().unwrap()).read_line(&mut line).unwrap();
            assert_eq!(line, "ready\n");
            self.nodes.push(node);
        }
    }

    fn spawn_node(&self) -> Child {
        Command::new(env::current_exe().unwrap())
            .env(NODE, self.broker.url())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        for node in &mut self.nodes {
            drop(node.kill());
            drop(node.wait());
        }
    }
}

fn run(future: impl Future<Output = Result<(), Error>> + 'static) {
    wasm_mt::run(future);
}

fn endless() -> Remote<()> {
    remote!(async { std::future::pending::<()>().await })
}

fn tasks_run_on_the_nodes(fleet: &mut Fleet) {
    fleet.start(2);
    let url = fleet.broker.url();
    run(async move {
        let cluster = Cluster::connect(config(&url)).await?;
        let executor: Box<dyn Executor> = Box::new(cluster.clone());
        let tasks = (0..20).map(|_| {
            executor.spawn_remote(remote!(|| {
                thread::sleep(Duration::from_millis(20));
                process::id()
            }))
        });
        let processes: BTreeSet<u32> = try_join_all(tasks).await?.into_iter().collect();
        assert_eq!(processes.len(), 2, "both nodes have some");
        assert!(!processes.contains(&process::id()));
        assert_eq!((cluster.nodes(), cluster.concurrency()), (2, 4));
        let table: Vec<u32> = (0..10_000).collect();
        let get: RemoteFn<u32, u32> = remote!(move |n| table[n as usize] + 1);
        let got: Vec<u32> = executor.par_map(0..5_000, get).try_collect().await?;
        assert!(got.into_iter().eq(1..=5_000));
        let error = executor.spawn_remote(remote!(|| -> u32 { panic!("a bug") })).await.unwrap_err();
        assert!(error.is_panic(), "{error}");
        let late = endless().timeout(Duration::from_millis(50));
        assert!(executor.spawn_remote(late).await.unwrap_err().is_timeout());
        let aborted = executor.spawn_remote(endless());
        aborted.abort();
        assert!(aborted.await.unwrap_err().is_cancelled());
        executor.close().await;
        assert_eq!(executor.pending(), 0);
        Ok(())
    });
}

fn many_tiny_tasks(fleet: &mut Fleet) {
    fleet.start(3);
    let url = fleet.broker.url();
    run(async move {
        let cluster = Cluster::connect(config(&url)).await?;
        let since = Instant::now();
        let tasks = (0..100_000_u64).map(|n| cluster.spawn_remote(remote!(move || n * n)));
        let squares = try_join_all(tasks).await?;
        assert!(squares.into_iter().eq((0..100_000).map(|n| n * n)));
        eprintln!("{:?}", since.elapsed());
        Ok(())
    });
}

fn long_bodies_cross(fleet: &mut Fleet) {
    fleet.start(1);
    let url = fleet.broker.url();
    run(async move {
        let cluster = Cluster::connect(config(&url)).await?;
        let block: Vec<u8> = (0..64 << 20).map(|n: u32| n as u8).collect();
        let sent = Transfer(block.clone());
        let back = cluster.spawn_remote(remote!(move || sent)).await?;
        assert!(back.0 == block);
        Ok(())
    });
}

fn a_node_that_is_killed_loses_what_it_had_claimed(fleet: &mut Fleet) {
    fleet.start(1);
    let url = fleet.broker.url();
    let mut node = fleet.nodes.pop().unwrap();
    fleet.start(1);
    run(async move {
        let cluster = Cluster::connect(config(&url)).await?;
        let here = node.id();
        let tasks: Vec<_> = (0..4).map(|_| cluster.spawn_remote(endless())).collect();
        let _ = here;
        // sleep: until they have begun
        thread::sleep(Duration::from_millis(500));
        node.kill().unwrap();
        node.wait().unwrap();
        let (first, _, rest) = futures::future::select_all(tasks).await;
        assert!(first.unwrap_err().is_worker_lost());
        drop(rest);
        assert_eq!(cluster.spawn_remote(remote!(|| 6 * 7)).await?, 42);
        Ok(())
    });
}
