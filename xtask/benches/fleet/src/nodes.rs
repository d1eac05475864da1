//! Fleets on this machine.

use std::env;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread;
use std::time::Duration;

use wasm_mt::{Error, Pool};
use wasm_mt_nats::{Cluster, Config, Node};

const SECRET: &str = "a secret of benchmarks";

fn config(url: impl Into<String>, name: String) -> Config {
    // Three fleets share what the broker may store.
    Config::new(url, name, SECRET).max_stored(64 << 20)
}

/// Nodes of one worker each, and their client.
pub(crate) struct Fleet {
    pub(crate) cluster: Cluster,
    _nodes: Vec<Process>,
}

impl Fleet {
    /// Each has an application of its own, so that all are there at the same time and none does another's tasks.
    pub(crate) async fn start(url: &str, count: usize) -> Result<Self, Error> {
        let name = format!("bench-{count}");
        let nodes: Vec<_> = (0..count).map(|_| Process::start(url, &format!("serve={name}"))).collect();
        let cluster = Cluster::connect(config(url, name)).await?;
        while cluster.nodes() < count {
            // sleep: a cluster says when the first is there, not the last
            thread::sleep(Duration::from_millis(10));
        }
        Ok(Self { cluster, _nodes: nodes })
    }
}

/// Is a node until the process that has started it ends.
pub(crate) async fn serve(url: String, name: String) -> Result<(), Error> {
    let pool = Pool::builder().threads(1).build();
    let node = Node::start(config(url, name), pool).await?;
    println!("ready");
    end_with_parent();
    node.drain_on_signal().await
}

/// Ends this process when the one that has started it ends.
pub(crate) fn end_with_parent() {
    thread::spawn(|| {
        std::io::stdin().lines().for_each(drop);
        std::process::exit(0);
    });
}

/// This very program, as something else. It ends with this.
pub(crate) struct Process {
    process: Child,
    /// Ends with this process. It is kept apart since waiting for a child closes it.
    _input: ChildStdin,
}

impl Process {
    /// Starts it, and waits until it says that it is ready.
    pub(crate) fn start(url: &str, what: &str) -> Self {
        let program = env::current_exe().expect("the system says which program this is");
        let mut command = Command::new(program);
        command.arg(format!("url={url}")).arg(what).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("this program can be started again");
        let input = process.stdin.take().expect("its input is piped");
        let output = process.stdout.take().expect("its output is piped");
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).expect("it says something in UTF-8");
        assert_eq!(line.trim_end(), "ready", "a process of the fleet did not start; see above");
        Self { process, _input: input }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
