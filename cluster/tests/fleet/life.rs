//! Nodes and clients that come and go.

use std::time::Duration;

use futures::future::{join_all, try_join_all};
use wasm_mt::{Error, Executor, ExecutorExt, remote};
use wasm_mt_nats::Cluster;

use crate::notes::Notes;
use crate::{CLIENT, Fleet, Test, config, endless, this};

pub(crate) const TESTS: &[Test] = &[
    ("tasks_wait_for_the_first_node", tasks_wait_for_the_first_node),
    ("without_a_node_tasks_end_in_an_error_that_says_so", without_a_node_tasks_end_in_an_error_that_says_so),
    ("a_node_that_is_told_to_end_finishes_what_it_has", a_node_that_is_told_to_end_finishes_what_it_has),
    ("a_client_that_is_killed_leaves_nothing_behind", a_client_that_is_killed_leaves_nothing_behind),
    ("a_client_that_is_dropped_closes", a_client_that_is_dropped_closes),
    ("a_broker_that_cannot_be_used_is_an_error", a_broker_that_cannot_be_used_is_an_error),
];

fn tasks_wait_for_the_first_node() {
    let mut fleet = Fleet::new(0);
    wasm_mt::run(async move {
        let cluster = fleet.connect().await;
        let tasks: Vec<_> = (0..100).map(|n| cluster.spawn_remote(remote!(move || n))).collect();
        assert_eq!((cluster.nodes(), cluster.pending()), (0, 100));
        fleet.start(1);
        cluster.ready().await;
        assert!(try_join_all(tasks).await?.into_iter().eq(0..100));
        Ok::<_, Error>(())
    });
}

fn without_a_node_tasks_end_in_an_error_that_says_so() {
    let fleet = Fleet::new(0);
    wasm_mt::run(async move {
        let config = fleet.config().start_timeout(Duration::from_secs(1));
        let cluster = Cluster::connect(config).await?;
        let error = cluster.spawn_remote(remote!(|| 1)).await.unwrap_err();
        assert!(error.is_other() && error.to_string().contains("no node of the fleet"), "{error}");
        Ok::<_, Error>(())
    });
}

fn a_node_that_is_told_to_end_finishes_what_it_has() {
    let mut fleet = Fleet::new(1);
    wasm_mt::run(async move {
        let cluster = fleet.connect().await;
        let notes = Notes::new();
        let there = notes.clone();
        let slow = remote!(move || {
            there.write("begun");
            there.wait_for(2);
            7
        });
        let slow = cluster.spawn_remote(slow);
        notes.wait_for(1);
        let mut node = fleet.nodes.remove(0);
        node.signal("-TERM");
        fleet.start(1);
        // The other node takes what comes now.
        let process = cluster.spawn_remote(remote!(|| std::process::id())).await?;
        assert_eq!(process, fleet.nodes[0].process.id());
        notes.write("go on");
        assert_eq!(slow.await?, 7);
        node.expect("drained");
        assert!(node.process.wait().unwrap().success());
        notes.remove();
        Ok::<_, Error>(())
    });
}

/// The process of a client that is killed: it says what it does in the notes that it is told of.
pub(crate) fn be_a_client(url: &str) {
    let notes: Notes = Notes::named(&std::env::args().nth(1).unwrap());
    let config = config(url);
    wasm_mt::run(async move {
        let cluster = Cluster::connect(config).await?;
        let tasks = (0..4).map(|_| {
            let there = notes.clone();
            cluster.spawn_remote(remote!(async move {
                struct Stops(Notes);
                impl Drop for Stops {
                    fn drop(&mut self) {
                        self.0.write("stopped");
                    }
                }
                there.write("begun");
                let _stops = Stops(there);
                std::future::pending::<()>().await;
            }))
        });
        join_all(tasks).await;
        Ok::<_, Error>(())
    });
}

fn a_client_that_is_killed_leaves_nothing_behind() {
    let fleet = Fleet::new(2);
    let notes = Notes::new();
    let mut client = this().env(CLIENT, fleet.broker.url()).arg(notes.path()).spawn().unwrap();
    notes.wait_for(4);
    client.kill().unwrap();
    client.wait().unwrap();
    let lines = notes.wait_for(8);
    assert_eq!(lines.iter().filter(|line| *line == "stopped").count(), 4);
    wasm_mt::run(async move {
        let cluster = fleet.connect().await;
        assert_eq!(cluster.spawn_remote(remote!(|| 6 * 7)).await?, 42);
        Ok::<_, Error>(())
    });
    notes.remove();
}

fn a_client_that_is_dropped_closes() {
    let fleet = Fleet::new(1);
    wasm_mt::run(async move {
        let cluster = fleet.connect().await;
        let (waiting, other) = (cluster.spawn_remote(endless()), fleet.connect().await);
        cluster.ready().await;
        drop(cluster);
        assert!(waiting.await.unwrap_err().is_closed());
        assert_eq!(other.spawn_remote(remote!(|| 6 * 7)).await?, 42);
        Ok::<_, Error>(())
    });
}

fn a_broker_that_cannot_be_used_is_an_error() {
    let mut fleet = Fleet::new(0);
    let url = fleet.broker.url();
    wasm_mt::run(async move {
        let error = Cluster::connect(fleet.config().credentials_file("/no/such/file")).await.unwrap_err();
        assert!(error.is_other() && error.to_string().contains("credentials file"), "{error}");
        let name = wasm_mt_nats::Config::new(&url, "a.b", crate::SECRET);
        let error = Cluster::connect(name).await.unwrap_err();
        assert!(error.is_other() && error.to_string().contains("a.b"), "{error}");
        let secret = wasm_mt_nats::Config::new(&url, "tests", "short");
        assert!(Cluster::connect(secret).await.unwrap_err().to_string().contains("16 bytes"));
        fleet.broker.kill();
        let error = Cluster::connect(fleet.config()).await.unwrap_err();
        assert!(error.is_other() && error.to_string().contains("cannot be reached"), "{error}");
        Ok::<_, Error>(())
    });
}
