//! What the broker stores for a fleet: what becomes of it, and what the fleet does when it is gone.

use std::thread;
use std::time::{Duration, Instant};

use async_nats::jetstream::{self, stream};
use futures::future::{join_all, try_join_all};
use futures::{StreamExt, TryStreamExt};
use wasm_mt::{ExecutorExt, Pool, Transfer, remote, yield_now};
use wasm_mt_nats::{Cluster, Node};

use crate::faults::{assert_once, noted};
use crate::notes::Notes;
use crate::proxy::Proxy;
use crate::{Fleet, Test, config, run};

pub(crate) const TESTS: &[Test] = &[
    ("streams_that_are_deleted_are_made_anew", streams_that_are_deleted_are_made_anew),
    ("the_calls_of_all_attempts_are_deleted", the_calls_of_all_attempts_are_deleted),
    (
        "what_is_longer_than_the_store_leaves_nothing_there",
        what_is_longer_than_the_store_leaves_nothing_there,
    ),
    ("a_store_is_lost_before_an_ack_is_confirmed", a_store_is_lost_before_an_ack_is_confirmed),
    ("a_node_is_heard_while_the_broker_makes_nothing", a_node_is_heard_while_the_broker_makes_nothing),
    ("who_drains_and_who_waits_say_their_build", who_drains_and_who_waits_say_their_build),
    ("a_long_answer_outlasts_an_outage", a_long_answer_outlasts_an_outage),
    ("tiny_tasks_fit_into_small_messages", tiny_tasks_fit_into_small_messages),
];

async fn streams(jetstream: &jetstream::Context) -> Vec<stream::Info> {
    jetstream.streams().try_collect().await.unwrap()
}

/// Waits until the broker has no more than so many bytes in the streams of a fleet.
pub(crate) fn wait_until_stored(fleet: &Fleet, is_so: impl Fn(&[stream::Info]) -> bool + Send + 'static) {
    fleet.broker.ask(|client| async move {
        let jetstream = jetstream::new(client);
        let since = Instant::now();
        loop {
            let streams = streams(&jetstream).await;
            assert_eq!(streams.len(), 2, "tasks and long bodies");
            if is_so(&streams) {
                return;
            }
            let states: Vec<_> = streams.iter().map(|stream| &stream.state).collect();
            assert!(since.elapsed() < Duration::from_secs(20), "{states:?}");
            // sleep: the broker tells nobody of it
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
}

/// But for what a message costs.
pub(crate) fn is_empty(streams: &[stream::Info]) -> bool {
    streams.iter().map(|stream| stream.state.bytes).sum::<u64>() < 10_000
}

fn streams_that_are_deleted_are_made_anew() {
    let fleet = Fleet::new(1);
    run(async move {
        let cluster = fleet.connect().await;
        let (notes, gate) = (Notes::new(), Notes::new());
        let held: Vec<_> = (0..2_u32)
            .map(|n| {
                let (notes, gate) = (notes.clone(), gate.clone());
                cluster.spawn_remote(remote!(move || {
                    notes.write(&n.to_string());
                    gate.wait_for(1);
                    n
                }))
            })
            .collect();
        notes.wait_for(2);
        let waiting: Vec<_> = (2..40).map(|n| cluster.spawn_remote(noted(&notes, n, 1))).collect();
        wait_until_stored(&fleet, |streams| streams.iter().any(|stream| stream.state.messages > 0));
        fleet.broker.ask(|client| async move {
            let jetstream = jetstream::new(client);
            for stream in streams(&jetstream).await {
                jetstream.delete_stream(stream.config.name).await.unwrap();
            }
        });
        gate.write("go on");
        let results = join_all(held.into_iter().chain(waiting)).await;
        assert_once(results, &notes, 0);
        let long = Transfer(vec![1_u8; 2 << 20]);
        assert_eq!(cluster.spawn_remote(remote!(move || long)).await?.0.len(), 2 << 20);
        notes.remove();
        gate.remove();
        Ok(())
    });
}

fn the_calls_of_all_attempts_are_deleted() {
    let fleet = Fleet::new(1);
    run(async move {
        let cluster = fleet.connect().await;
        let notes = Notes::new();
        let there = notes.clone();
        let ballast = Transfer(vec![1_u8; 8 << 20]);
        let retried = cluster.spawn_remote(
            remote!(async move {
                there.write("begun");
                while !there.lines().iter().any(|line| line == "the end") {
                    yield_now().await;
                }
                ballast.0.len()
            })
            .retry(2),
        );
        notes.wait_for(1);
        // On both workers of the node.
        let faulty = [(); 2].map(|()| {
            let there = notes.clone();
            cluster.spawn_remote(remote!(move || -> u32 {
                there.write("faulty");
                // sleep: the other one is to be on the other worker
                thread::sleep(Duration::from_millis(200));
                panic!("a bug")
            }))
        });
        for faulty in faulty {
            assert!(faulty.await.unwrap_err().is_panic());
        }
        notes.wait_for(4);
        notes.write("the end");
        assert_eq!(retried.await?, 8 << 20);
        wait_until_stored(&fleet, is_empty);
        notes.remove();
        Ok(())
    });
}

fn what_is_longer_than_the_store_leaves_nothing_there() {
    let mut fleet = Fleet::new(0);
    run(async move {
        // The least that there is: 64 MiB.
        let cluster = Cluster::connect(fleet.config().max_stored(1 << 20)).await?;
        fleet.start(1);
        let error = cluster.spawn_remote(remote!(|| Transfer(vec![1_u8; 65 << 20]))).await.unwrap_err();
        assert!(error.is_other() && error.to_string().contains("max_stored"), "{error}");
        wait_until_stored(&fleet, is_empty);
        Ok(())
    });
}

fn a_store_is_lost_before_an_ack_is_confirmed() {
    let mut fleet = Fleet::new(0);
    run(async move {
        let proxy = Proxy::start(fleet.broker.port());
        // Nobody is to be lost.
        let silence = Duration::from_secs(30);
        let far = config(&proxy.url()).silence(silence);
        let node = Node::start(far, Pool::builder().threads(2).build()).await?;
        let cluster = Cluster::connect(fleet.config().silence(silence)).await?;
        assert_eq!(cluster.spawn_remote(remote!(|| 1)).await?, 1);
        proxy.cut_at_ack();
        let task = cluster.spawn_remote(remote!(|| 6 * 7));
        proxy.wait_until_cut();
        fleet.broker.lose();
        assert!(fleet.broker.restart());
        proxy.heal();
        assert_eq!(task.await?, 42);
        drop(cluster);
        node.drain().await;
        Ok(())
    });
}

/// As a cluster of brokers that has no leader for JetStream: its other messages go on.
fn a_node_is_heard_while_the_broker_makes_nothing() {
    let mut fleet = Fleet::new(1);
    run(async move {
        let cluster = Cluster::connect(fleet.config().silence(Duration::from_secs(4))).await?;
        let notes = Notes::new();
        let there = notes.clone();
        let held = cluster.spawn_remote(remote!(move || {
            there.write("begun");
            there.wait_for(2);
            7
        }));
        notes.wait_for(1);
        // Who asks for a stream is answered by nobody, though somebody listens.
        let mute = Mute::start(&fleet.broker.url());
        assert!(fleet.broker.restart_with(r#"mappings: { "$JS.API.STREAM.INFO.*": "mute.$1" }"#));
        mute.wait_for_questions(3);
        // sleep: longer than the silence after which a node is lost
        thread::sleep(Duration::from_secs(5));
        notes.write("go on");
        assert_eq!(held.await?, 7);
        assert_eq!(cluster.nodes(), 1);
        notes.remove();
        Ok(())
    });
}

/// Hears what is asked, and answers nothing.
struct Mute {
    heard: std::sync::mpsc::Receiver<()>,
}

impl Mute {
    fn start(url: &str) -> Self {
        let url = url.to_owned();
        let (hears, heard) = std::sync::mpsc::channel();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let options = async_nats::ConnectOptions::new().reconnect_delay_callback(|_| Duration::ZERO);
                let client = options.connect(url).await.unwrap();
                let mut questions = client.subscribe("mute.>").await.unwrap();
                drop(client.request("nobody", "".into()).await);
                hears.send(()).unwrap();
                while questions.next().await.is_some() && hears.send(()).is_ok() {}
            });
        });
        heard.recv().unwrap();
        Self { heard }
    }

    fn wait_for_questions(&self, count: usize) {
        (0..count).for_each(|_| self.heard.recv().unwrap());
    }
}

/// Nodes that start are to leave the streams of their build alone.
fn who_drains_and_who_waits_say_their_build() {
    /// Waits for so many messages, and gives the last one.
    fn hear(fleet: &Fleet, subject: &str, count: usize) -> Vec<u8> {
        let subject = subject.to_owned();
        fleet.broker.ask(move |client| async move {
            let heard = client.subscribe(subject.clone()).await.unwrap();
            let heard = heard.take(count).collect::<Vec<_>>();
            let heard = tokio::time::timeout(Duration::from_secs(5), heard).await;
            let heard = heard.unwrap_or_else(|_| panic!("nobody says anything on {subject}"));
            heard.last().unwrap().payload.to_vec()
        })
    }

    let fleet = Fleet::new(1);
    run(async move {
        let cluster = fleet.connect().await;
        let (node, client) = ("wasm-mt.tests.builds", "wasm-mt.tests.builds.clients");
        let build = hear(&fleet, node, 1);
        assert_eq!(hear(&fleet, client, 1), build);
        let notes = Notes::new();
        let there = notes.clone();
        let held = cluster.spawn_remote(remote!(move || {
            there.write("begun");
            there.wait_for(2);
        }));
        notes.wait_for(1);
        fleet.nodes[0].signal("-TERM");
        // It has long begun to drain when it says the last of them.
        assert_eq!(hear(&fleet, node, 10), build);
        notes.write("go on");
        held.await?;
        notes.remove();
        Ok(())
    });
}

fn a_long_answer_outlasts_an_outage() {
    let mut fleet = Fleet::new(1);
    run(async move {
        let cluster = fleet.connect().await;
        let notes = Notes::new();
        let there = notes.clone();
        let long = cluster.spawn_remote(remote!(move || {
            there.write("begun");
            there.wait_for(2);
            Transfer(vec![1_u8; 16 << 20])
        }));
        notes.wait_for(1);
        fleet.broker.kill();
        notes.write("go on");
        // sleep: for so long nobody is reached
        thread::sleep(Duration::from_secs(3));
        assert!(fleet.broker.restart());
        assert_eq!(long.await?.0.len(), 16 << 20);
        wait_until_stored(&fleet, is_empty);
        notes.remove();
        Ok(())
    });
}

fn tiny_tasks_fit_into_small_messages() {
    let fleet = Fleet::with(1, "max_payload: 65536");
    run(async move {
        let cluster = fleet.connect().await;
        let tasks = (0..50_000_u64).map(|n| {
            let ballast = [n; 2];
            cluster.spawn_remote(remote!(move || ballast.iter().sum::<u64>()))
        });
        assert!(try_join_all(tasks).await?.into_iter().eq((0..50_000).map(|n| 2 * n)));
        // Longer than a message, too.
        let long = Transfer(vec![1_u8; 1 << 20]);
        assert_eq!(cluster.spawn_remote(remote!(move || long)).await?.0.len(), 1 << 20);
        Ok(())
    });
}
