//! A fleet on this machine: a broker, and nodes that are processes of this very file.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, and says where")]

mod broker;
mod faults;
mod life;
mod notes;
mod proxy;
mod returns;
mod store;
mod tasks;

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};
use std::sync::{Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use std::{env, thread};

use wasm_mt::{Error, Pool, Remote, remote};
use wasm_mt_nats::{Cluster, Config, Node};

use self::broker::Broker;
use self::notes::Notes;
use self::proxy::Proxy;

/// A name and a test.
type Test = (&'static str, fn());

/// Says that the process is a node, of the broker at this URL.
const NODE: &str = "WASM_MT_TEST_NODE";
/// The secret of that node, if it is another one.
const NODE_SECRET: &str = "WASM_MT_TEST_NODE_SECRET";
/// Says that the process is a client, of the broker at this URL.
const CLIENT: &str = "WASM_MT_TEST_CLIENT";
const SECRET: &str = "a secret of the tests";
/// Those that find out whether this process is a node.
const ALONE: &[&str] = &["tasks_that_waited_find_the_fleet_of_a_new_node"];
/// How many others run at a time.
const AT_ONCE: usize = 4;
/// How long a test may take.
const LIMIT: Duration = Duration::from_secs(90);

fn main() -> ExitCode {
    if let Ok(url) = env::var(NODE) {
        serve(&url);
        return ExitCode::SUCCESS;
    }
    if let Ok(url) = env::var(CLIENT) {
        life::be_a_client(&url);
        return ExitCode::SUCCESS;
    }
    if Broker::start("").is_none() {
        println!("the fleet is left out: there is no `nats-server` here");
        println!("\ntest result: ok. 0 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out");
        return ExitCode::SUCCESS;
    }
    let filter = env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let all = [tasks::TESTS, life::TESTS, faults::TESTS, returns::TESTS, store::TESTS].concat();
    let tests: Vec<_> = all.into_iter().filter(|(name, _)| name.contains(&filter)).collect();
    println!("\nrunning {} tests", tests.len());
    let (alone, together): (Vec<_>, Vec<_>) = tests.iter().partition(|(name, _)| ALONE.contains(name));
    let failed = [run_tests(&alone, 1), run_tests(&together, AT_ONCE)].concat();
    broker::end_all();
    let passed = tests.len() - failed.len();
    let word = if failed.is_empty() { "ok" } else { "FAILED" };
    println!(
        "\ntest result: {word}. {passed} passed; {} failed; 0 ignored; 0 measured; 0 filtered out",
        failed.len()
    );
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs so many at a time, and gives the names of those that fail. Each has a broker of its own, and waits for most of its time.
fn run_tests(tests: &[Test], at_once: usize) -> Vec<&'static str> {
    let queue = Mutex::new(tests.iter());
    let failed = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while let Some((name, test)) = { queue.lock().unwrap().next() } {
                    let since = Instant::now();
                    let passes = passes(*test);
                    println!("test {name} ... {}", if passes { "ok" } else { "FAILED" });
                    eprintln!("{name} took {:.1} s", since.elapsed().as_secs_f64());
                    if !passes {
                        failed.lock().unwrap().push(*name);
                    }
                }
            });
        }
    });
    failed.into_inner().unwrap()
}

/// Runs a test on a thread of its own, since it may hang.
fn passes(test: fn()) -> bool {
    let (ended, end) = mpsc::channel();
    thread::spawn(move || {
        test();
        ended.send(()).unwrap();
    });
    match end.recv_timeout(LIMIT) {
        Ok(()) => true,
        Err(mpsc::RecvTimeoutError::Disconnected) => false,
        Err(mpsc::RecvTimeoutError::Timeout) => {
            eprintln!("it did not end within {} s", LIMIT.as_secs());
            false
        }
    }
}

fn config(url: &str) -> Config {
    Config::new(url, "tests", SECRET)
        .heartbeat(Duration::from_millis(200))
        .silence(Duration::from_millis(1500))
}

/// Is a node until the process that has started it ends, or tells it to end.
fn serve(url: &str) {
    let mut config = config(url);
    if let Ok(secret) = env::var(NODE_SECRET) {
        config = Config::new(url, "tests", secret);
    }
    run(async move {
        let pool = Pool::builder().threads(2).build();
        let node = Node::start(config, pool).await?;
        println!("ready");
        // Its standard input ends with the process at the other end.
        thread::spawn(|| {
            std::io::stdin().lines().for_each(drop);
            std::process::exit(1);
        });
        node.drain_on_signal().await?;
        println!("drained");
        Ok(())
    });
}

/// A broker and its nodes.
struct Fleet {
    broker: Broker,
    nodes: Vec<NodeProcess>,
}

/// A node in a process of its own.
struct NodeProcess {
    process: Child,
    /// Ends with this process. It is kept apart since waiting for a child closes it.
    _input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Fleet {
    fn new(nodes: usize) -> Self {
        Self::with(nodes, "")
    }

    fn with(nodes: usize, options: &str) -> Self {
        let mut fleet = Self { broker: Broker::start(options).unwrap(), nodes: Vec::new() };
        fleet.start(nodes);
        fleet
    }

    /// Starts so many nodes, and waits until they are up.
    fn start(&mut self, count: usize) {
        let url = self.broker.url();
        let started: Vec<_> = (0..count).map(|_| NodeProcess::spawn(&mut this(), &url)).collect();
        for mut node in started {
            node.expect("ready");
            self.nodes.push(node);
        }
    }

    /// Starts a node whose connection to the broker can be cut.
    fn start_far(&mut self) -> Proxy {
        let proxy = Proxy::start(self.broker.port());
        self.nodes.push(NodeProcess::start(&mut this(), &proxy.url()));
        proxy
    }

    fn config(&self) -> Config {
        config(&self.broker.url())
    }

    async fn connect(&self) -> Cluster {
        Cluster::connect(self.config()).await.unwrap()
    }
}

fn this() -> Command {
    Command::new(env::current_exe().unwrap())
}

impl NodeProcess {
    /// Waits until it is up.
    fn start(command: &mut Command, url: &str) -> Self {
        let mut node = Self::spawn(command, url);
        node.expect("ready");
        node
    }

    fn spawn(command: &mut Command, url: &str) -> Self {
        let command = command.env(NODE, url).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let (input, output) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        Self { process, _input: input, output: BufReader::new(output) }
    }

    /// Waits for a line.
    fn expect(&mut self, line: &str) {
        let mut read = String::new();
        self.output.read_line(&mut read).unwrap();
        assert_eq!(read.trim_end(), line);
    }

    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill").args([name, &self.process.id().to_string()]).status().unwrap();
        assert!(status.success());
    }
}

impl Drop for NodeProcess {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn endless() -> Remote<()> {
    remote!(async { std::future::pending::<()>().await })
}

/// Writes down that it has begun, and that it has stopped, though it never ends.
fn endless_noted(notes: &Notes) -> Remote<()> {
    /// Writes down that its task has stopped.
    struct Stops(Notes);

    impl Drop for Stops {
        fn drop(&mut self) {
            self.0.write("stopped");
        }
    }

    let notes = notes.clone();
    remote!(async move {
        notes.write("begun");
        let _stops = Stops(notes);
        std::future::pending::<()>().await;
    })
}

/// Runs a test, or a part of the fleet. An error fails it as a panic does: `wasm_mt::run` would end the process.
fn run(future: impl Future<Output = Result<(), Error>> + 'static) {
    wasm_mt::try_run(future).unwrap();
}

/// Runs what talks to the broker without the fleet on a thread of its own.
fn beside(future: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(future);
    })
}
