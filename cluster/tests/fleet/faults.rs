//! What goes wrong on a network.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::ops::Range;
use std::process::Command;
use std::time::Duration;
use std::{env, thread};

use async_nats::jetstream::consumer::PullConsumer;
use async_nats::jetstream::consumer::pull::BatchConfig;
use async_nats::jetstream::{self, stream};
use futures::future::{join_all, try_join_all};
use futures::{FutureExt, StreamExt, TryStreamExt};
use wasm_mt::{Error, ExecutorExt, Remote, RemoteHandle, remote};
use wasm_mt_nats::Cluster;

use crate::notes::Notes;
use crate::proxy::Proxy;
use crate::{Fleet, NODE_SECRET, NodeProcess, Test, beside, config, run, this};

pub(crate) const TESTS: &[Test] = &[
    ("a_node_that_is_killed_loses_what_it_had_begun", a_node_that_is_killed_loses_what_it_had_begun),
    ("the_broker_is_killed_and_comes_back", the_broker_is_killed_and_comes_back),
    ("the_broker_comes_back_without_its_store", the_broker_comes_back_without_its_store),
    ("a_node_of_another_build_or_secret_takes_nothing", a_node_of_another_build_or_secret_takes_nothing),
    ("what_is_forged_or_repeated_does_nothing", what_is_forged_or_repeated_does_nothing),
    ("a_node_that_stands_still_is_lost_and_comes_back", a_node_that_stands_still_is_lost_and_comes_back),
    ("a_client_that_stands_still_hears_what_was_lost", a_client_that_stands_still_hears_what_was_lost),
    ("what_does_not_fit_into_the_stream_waits", what_does_not_fit_into_the_stream_waits),
    ("a_stream_without_a_limit_holds_all_calls", a_stream_without_a_limit_holds_all_calls),
    ("thousands_of_nodes_may_wait_for_tasks", thousands_of_nodes_may_wait_for_tasks),
    ("a_short_partition_loses_nothing", a_short_partition_loses_nothing),
    ("a_long_partition_loses_each_task_once", a_long_partition_loses_each_task_once),
];

/// Writes down that it has begun, holds its worker, and gives its number.
pub(crate) fn noted(notes: &Notes, number: u32, milliseconds: u64) -> Remote<u32> {
    let notes = notes.clone();
    remote!(move || {
        notes.write(&number.to_string());
        // sleep: it is what the task does
        thread::sleep(Duration::from_millis(milliseconds));
        number
    })
}

/// Tasks of these numbers, which are [`noted`].
fn spawn_noted(
    cluster: &Cluster,
    notes: &Notes,
    numbers: Range<u32>,
    milliseconds: u64,
) -> Vec<RemoteHandle<u32>> {
    numbers.map(|number| cluster.spawn_remote(noted(notes, number, milliseconds))).collect()
}

/// How often each task has begun.
fn begun(notes: &Notes) -> BTreeMap<u32, usize> {
    let mut counts = BTreeMap::new();
    for line in notes.lines() {
        *counts.entry(line.parse().unwrap()).or_default() += 1;
    }
    counts
}

/// Each task has ended once, in its value or in the loss of its node, and none has begun twice.
pub(crate) fn assert_once(results: Vec<Result<u32, Error>>, notes: &Notes, most_lost: usize) {
    let begun = begun(notes);
    let mut lost = 0;
    for (number, result) in results.into_iter().enumerate() {
        let number = number as u32;
        match result {
            Ok(value) => assert_eq!((value, begun.get(&number)), (number, Some(&1)), "{number}"),
            Err(error) => {
                assert!(error.is_worker_lost(), "{number}: {error}");
                assert!(begun.get(&number).is_none_or(|times| *times == 1), "{number} has begun twice");
                lost += 1;
            }
        }
    }
    assert!(lost <= most_lost, "{lost} were lost");
}

fn a_node_that_is_killed_loses_what_it_had_begun() {
    let mut fleet = Fleet::new(3);
    run(async move {
        let cluster = fleet.connect().await;
        let notes = Notes::new();
        let tasks = spawn_noted(&cluster, &notes, 0..200, 5);
        notes.wait_for(40);
        fleet.nodes[0].kill();
        let results = join_all(tasks).await;
        assert!(results.iter().any(Result::is_err), "it had some in hand");
        // What it runs and what it has beside that.
        assert_once(results, &notes, 40);
        assert_eq!(cluster.nodes(), 2);
        notes.remove();
        // What may run again does.
        let notes = Notes::new();
        let tasks: Vec<_> = (0..100).map(|n| cluster.spawn_remote(noted(&notes, n, 5).retry(1))).collect();
        notes.wait_for(20);
        fleet.nodes[1].kill();
        assert!(try_join_all(tasks).await?.into_iter().eq(0..100));
        assert!(begun(&notes).values().all(|times| *times <= 2));
        notes.remove();
        Ok(())
    });
}

fn the_broker_is_killed_and_comes_back() {
    let mut fleet = Fleet::new(2);
    run(async move {
        let cluster = fleet.connect().await;
        let notes = Notes::new();
        let tasks = spawn_noted(&cluster, &notes, 0..300, 5);
        notes.wait_for(50);
        fleet.broker.kill();
        let more = spawn_noted(&cluster, &notes, 300..400, 5);
        // sleep: for so long nobody is reached
        thread::sleep(Duration::from_millis(800));
        assert!(fleet.broker.restart());
        let results = join_all(tasks.into_iter().chain(more)).await;
        assert_once(results, &notes, 0);
        notes.remove();
        Ok(())
    });
}

fn the_broker_comes_back_without_its_store() {
    let mut fleet = Fleet::new(1);
    run(async move {
        let cluster = fleet.connect().await;
        let notes = Notes::new();
        let tasks = spawn_noted(&cluster, &notes, 0..60, 20);
        notes.wait_for(10);
        fleet.broker.lose();
        assert!(fleet.broker.restart());
        assert_once(join_all(tasks).await, &notes, 0);
        // The node is there as before.
        assert_eq!(cluster.spawn_remote(remote!(|| 6 * 7)).await?, 42);
        notes.remove();
        Ok(())
    });
}

fn a_node_of_another_build_or_secret_takes_nothing() {
    let fleet = Fleet::new(0);
    let folder = env::current_exe().unwrap().with_extension("another-build");
    let executable = folder.join("fleet");
    fs::create_dir_all(&folder).unwrap();
    fs::copy(env::current_exe().unwrap(), &executable).unwrap();
    OpenOptions::new().append(true).open(&executable).unwrap().write_all(&[0]).unwrap();
    run(async move {
        let url = fleet.broker.url();
        let mut other = NodeProcess::start(&mut Command::new(&executable), &url);
        let _stranger = NodeProcess::start(this().env(NODE_SECRET, "another secret, of others"), &url);
        let cluster = Cluster::connect(fleet.config().start_timeout(Duration::from_secs(2))).await?;
        let error = cluster.spawn_remote(remote!(|| 1)).await.unwrap_err();
        assert!(error.is_other() && error.to_string().contains("another build"), "{error}");
        // The next one waits for longer than a silent node is taken to be there.
        other.kill();
        let error = cluster.spawn_remote(remote!(|| 1)).await.unwrap_err();
        assert!(error.is_other() && !error.to_string().contains("another build"), "{error}");
        drop(fs::remove_dir_all(folder));
        Ok(())
    });
}

/// Whoever reaches the broker can publish what it likes, and repeat what it has seen.
fn what_is_forged_or_repeated_does_nothing() {
    let fleet = Fleet::new(1);
    run(async move {
        let url = fleet.broker.url();
        let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let keeper = seen.clone();
        let (begin, begun) = futures::channel::oneshot::channel();
        let (end, ended) = futures::channel::oneshot::channel::<()>();
        let attacker = beside(async move {
            let client = async_nats::connect(url).await.unwrap();
            let mut all = client.subscribe("wasm-mt.>").await.unwrap();
            drop(client.request("nobody", "".into()).await);
            begin.send(()).unwrap();
            let mut ended = ended;
            loop {
                tokio::select! {
                    message = all.next() => keeper.lock().unwrap().push(message.unwrap()),
                    _ = &mut ended => break,
                }
            }
            let messages = std::mem::take(&mut *keeper.lock().unwrap());
            assert!(messages.len() > 10);
            for message in messages {
                for forged in [
                    message.payload.to_vec(),
                    Vec::new(),
                    message.payload.iter().map(|byte| byte ^ 1).collect(),
                    message.payload[..message.payload.len() / 2].to_vec(),
                ] {
                    let subject = message.subject.clone();
                    client.publish_with_reply(subject, "nobody.listens", forged.into()).await.unwrap();
                }
            }
            drop(client.request("nobody", "".into()).await);
        });
        begun.await.unwrap();
        let cluster = fleet.connect().await;
        let notes = Notes::new();
        let tasks = spawn_noted(&cluster, &notes, 0..20, 1);
        let first = try_join_all(tasks).await?;
        end.send(()).unwrap();
        attacker.join().unwrap();
        // It all still works, and nothing has run twice.
        let tasks = spawn_noted(&cluster, &notes, 20..40, 1);
        let later = try_join_all(tasks).await?;
        let results = first.into_iter().chain(later).map(Ok).collect();
        assert_once(results, &notes, 0);
        notes.remove();
        Ok(())
    });
}

fn a_node_that_stands_still_is_lost_and_comes_back() {
    let fleet = Fleet::new(1);
    run(async move {
        let cluster = fleet.connect().await;
        let notes = Notes::new();
        let slow = cluster.spawn_remote(noted(&notes, 0, 50));
        notes.wait_for(1);
        fleet.nodes[0].signal("-STOP");
        let error = slow.await.unwrap_err();
        assert!(error.is_worker_lost() && error.to_string().contains("node"), "{error}");
        assert_eq!(cluster.nodes(), 0);
        let waiting = cluster.spawn_remote(noted(&notes, 1, 1));
        fleet.nodes[0].signal("-CONT");
        assert_eq!(waiting.await?, 1);
        assert_eq!(begun(&notes), BTreeMap::from([(0, 1), (1, 1)]));
        notes.remove();
        Ok(())
    });
}

/// The nodes take it for gone, and stop its tasks. It must not wait for them when it goes on.
fn a_client_that_stands_still_hears_what_was_lost() {
    let fleet = Fleet::new(1);
    run(async move {
        let proxy = Proxy::start(fleet.broker.port());
        let cluster = Cluster::connect(config(&proxy.url())).await?;
        let notes = Notes::new();
        let slow = cluster.spawn_remote(noted(&notes, 0, 3_000));
        let there = notes.clone();
        let endless = cluster.spawn_remote(remote!(async move {
            there.write("1");
            std::future::pending::<()>().await;
        }));
        notes.wait_for(2);
        proxy.cut();
        // sleep: longer than the silence after which it is taken for gone
        thread::sleep(Duration::from_millis(2_500));
        proxy.heal();
        assert!(endless.await.unwrap_err().is_worker_lost());
        assert!(slow.await.is_err_and(|error| error.is_worker_lost()));
        assert_eq!(cluster.spawn_remote(remote!(|| 6 * 7)).await?, 42);
        notes.remove();
        Ok(())
    });
}

fn what_does_not_fit_into_the_stream_waits() {
    let mut fleet = Fleet::new(0);
    run(async move {
        let cluster = Cluster::connect(fleet.config().max_stored(20_000)).await?;
        let tasks: Vec<_> = (0..100_u32)
            .map(|n| {
                let ballast = vec![n as u8; 8_000];
                cluster.spawn_remote(remote!(move || u32::from(ballast[0])))
            })
            .collect();
        fleet.start(1);
        assert!(try_join_all(tasks).await?.into_iter().eq(0..100));
        Ok(())
    });
}

/// The stream of tasks, or that of objects.
async fn own_stream(jetstream: &jetstream::Context, of_objects: bool) -> stream::Info {
    let streams: Vec<_> = jetstream.streams().try_collect().await.unwrap();
    streams.into_iter().find(|stream| stream.config.name.ends_with("_objects") == of_objects).unwrap()
}

/// As an administrator may make it.
fn a_stream_without_a_limit_holds_all_calls() {
    let mut fleet = Fleet::new(0);
    run(async move {
        drop(fleet.connect().await);
        let unlimited = fleet.broker.ask(|client| async move {
            let jetstream = jetstream::new(client);
            let own = own_stream(&jetstream, false).await;
            let config = stream::Config { max_bytes: -1, ..own.config };
            jetstream.update_stream(config).await.unwrap().config.max_bytes
        });
        assert_eq!(unlimited, -1);
        let cluster = fleet.connect().await;
        fleet.start(1);
        assert!(
            try_join_all((0..10).map(|n| cluster.spawn_remote(remote!(move || n))))
                .await?
                .into_iter()
                .eq(0..10)
        );
        let stored = fleet
            .broker
            .ask(|client| async move { own_stream(&jetstream::new(client), true).await.state.last_sequence });
        assert_eq!(stored, 0, "calls of some bytes are in the stream of objects");
        Ok(())
    });
}

/// A node waits by a request or a few, which are as those here.
fn thousands_of_nodes_may_wait_for_tasks() {
    const COUNT: usize = 5000;
    let fleet = Fleet::new(1);
    fleet.broker.ask(|client| async move {
        let jetstream = jetstream::new(client.clone());
        let own = own_stream(&jetstream, false).await;
        let stream = jetstream.get_stream(own.config.name).await.unwrap();
        for name in ["tasks", "children"] {
            let mut consumer: PullConsumer = stream.get_consumer(name).await.unwrap();
            let inbox = client.new_inbox();
            let mut refusals = client.subscribe(inbox.clone()).await.unwrap();
            let expires = Some(Duration::from_secs(60));
            for _ in 0..COUNT {
                let one = BatchConfig { batch: 1, expires, ..BatchConfig::default() };
                consumer.request_batch(one, inbox.clone().into()).await.unwrap();
            }
            // The broker looks at them when it has time.
            while consumer.info().await.unwrap().num_waiting < COUNT {
                let refusal = refusals.next().now_or_never().flatten();
                assert!(refusal.is_none(), "{refusal:?}");
            }
        }
    });
}

fn a_short_partition_loses_nothing() {
    let mut fleet = Fleet::new(1);
    let proxy = fleet.start_far();
    run(async move {
        let cluster = fleet.connect().await;
        let notes = Notes::new();
        let tasks = spawn_noted(&cluster, &notes, 0..200, 5);
        notes.wait_for(40);
        proxy.cut();
        // sleep: shorter than the silence after which a node is lost
        thread::sleep(Duration::from_millis(700));
        proxy.heal();
        assert_once(join_all(tasks).await, &notes, 0);
        notes.remove();
        Ok(())
    });
}

fn a_long_partition_loses_each_task_once() {
    let mut fleet = Fleet::new(1);
    let proxy = fleet.start_far();
    run(async move {
        let cluster = fleet.connect().await;
        let notes = Notes::new();
        let tasks = spawn_noted(&cluster, &notes, 0..400, 5);
        notes.wait_for(40);
        proxy.cut();
        let results = join_all(tasks).await;
        proxy.heal();
        assert_once(results, &notes, 40);
        // It is back.
        while cluster.nodes() < 2 {
            wasm_mt::yield_now().await;
        }
        let tasks = spawn_noted(&cluster, &notes, 400..500, 1);
        assert!(try_join_all(tasks).await?.into_iter().eq(400..500));
        assert!(begun(&notes).values().all(|times| *times == 1));
        notes.remove();
        Ok(())
    });
}
