//! What was taken for lost, and is back.

use std::process::Command;
use std::thread;
use std::time::Duration;

use futures::future::try_join_all;
use wasm_mt::{Executor, ExecutorExt, Pool, Remote, RemoteHandle, remote, yield_now};
use wasm_mt_nats::{Cluster, Node};

use crate::notes::Notes;
use crate::{CLIENT, Fleet, Test, run, this};

pub(crate) const TESTS: &[Test] = &[
    ("a_late_loss_does_not_hide_the_next_attempt", a_late_loss_does_not_hide_the_next_attempt),
    ("a_forgotten_task_runs_again_if_it_may", a_forgotten_task_runs_again_if_it_may),
    ("a_node_that_is_back_takes_other_tasks_too", a_node_that_is_back_takes_other_tasks_too),
    ("a_client_that_was_forgotten_hears_what_was_lost", a_client_that_was_forgotten_hears_what_was_lost),
];

/// Begins, and goes on until the notes say that this is the end.
fn until_the_end(notes: &Notes) -> Remote<u32> {
    let notes = notes.clone();
    remote!(async move {
        notes.write("begun");
        while !notes.lines().iter().any(|line| line == "the end") {
            yield_now().await;
        }
        7
    })
}

/// Two tasks that may run again, which run on the only node. The client has lost that meanwhile, and it is back.
async fn begun_on_a_node_that_is_back(
    fleet: &Fleet,
    cluster: &Cluster,
    notes: &Notes,
) -> [RemoteHandle<u32>; 2] {
    let tasks = [(); 2].map(|()| cluster.spawn_remote(until_the_end(notes).retry(2)));
    notes.wait_for(2);
    fleet.nodes[0].signal("-STOP");
    while cluster.nodes() > 0 {
        yield_now().await;
    }
    fleet.nodes[0].signal("-CONT");
    tasks
}

fn a_late_loss_does_not_hide_the_next_attempt() {
    let fleet = Fleet::new(1);
    run(async move {
        let (cluster, other) = (fleet.connect().await, fleet.connect().await);
        let notes = Notes::new();
        let tasks = begun_on_a_node_that_is_back(&fleet, &cluster, &notes).await;
        // Their workers are lost, in the attempt that the client has given up.
        for faulty in [(); 2].map(|()| other.spawn_remote(remote!(|| -> u32 { panic!("a bug") }))) {
            assert!(faulty.await.unwrap_err().is_panic());
        }
        notes.write("the end");
        assert_eq!(try_join_all(tasks).await?, [7, 7]);
        notes.remove();
        Ok(())
    });
}

fn a_forgotten_task_runs_again_if_it_may() {
    let fleet = Fleet::new(1);
    run(async move {
        let cluster = fleet.connect().await;
        let notes = Notes::new();
        cluster.spawn_remote(until_the_end(&notes).retry(2)).forget();
        notes.wait_for(1);
        // Workers are lost, until its own is.
        while notes.lines().len() == 1 {
            let faulty = cluster.spawn_remote(remote!(|| -> u32 { panic!("a bug") }));
            assert!(faulty.await.unwrap_err().is_panic());
        }
        notes.write("the end");
        cluster.close().await;
        notes.remove();
        Ok(())
    });
}

fn a_node_that_is_back_takes_other_tasks_too() {
    let fleet = Fleet::new(1);
    run(async move {
        let cluster = fleet.connect().await;
        let notes = Notes::new();
        let tasks = begun_on_a_node_that_is_back(&fleet, &cluster, &notes).await;
        // It still runs them.
        assert_eq!(cluster.spawn_remote(remote!(|| 6 * 7)).await?, 42);
        notes.write("the end");
        assert_eq!(try_join_all(tasks).await?, [7, 7]);
        notes.remove();
        Ok(())
    });
}

/// A node forgets a client after a multiple of the silence. The client goes on as if nothing had been.
fn a_client_that_was_forgotten_hears_what_was_lost() {
    let fleet = Fleet::new(0);
    run(async move {
        let silence = Duration::from_millis(500);
        let config = fleet.config().heartbeat(Duration::from_millis(100)).silence(silence);
        let node = Node::start(config, Pool::builder().threads(2).build()).await?;
        let notes = Notes::new();
        let mut client = this().env(CLIENT, fleet.broker.url()).arg(notes.path()).spawn().unwrap();
        notes.wait_for(4);
        let signal = |name: &str| {
            let status = Command::new("kill").args([name, &client.id().to_string()]).status().unwrap();
            assert!(status.success());
        };
        signal("-STOP");
        notes.wait_for(8); // its tasks were stopped
        // sleep: longer than that multiple
        thread::sleep(22 * silence);
        signal("-CONT");
        // All its handles have resolved.
        assert!(client.wait().unwrap().success());
        node.drain().await;
        notes.remove();
        Ok(())
    });
}
