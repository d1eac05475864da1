//! The executor of a connection: what becomes of its tasks.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::task::SpawnExt;
use wasm_mt::transport::{Client, Server};
use wasm_mt::{Executor, InlineExecutor, Pool, Remote, remote, yield_now};

use super::{Way, connect, connect_by, pool, seal, seal_by};

fn endless() -> Remote<()> {
    remote!(async { std::future::pending::<()>().await })
}

/// A pool, as a server has it, that can be looked at.
fn watched() -> (Pool, Client) {
    let pool = pool();
    (pool.clone(), connect(pool))
}

/// Waits until the pool has so many tasks.
async fn until(pool: &Pool, pending: usize) {
    while pool.pending() != pending {
        yield_now().await;
    }
}

remote_test! {
    async fn a_task_runs_again_there_if_it_may() {
        let client = connect(pool());
        let beside = || remote!(async {
            for _ in 0..1000 {
                yield_now().await;
            }
            7
        });
        let tasks: Vec<_> = (0..4).map(|_| client.spawn_remote(beside().retry(2))).collect();
        for _ in 0..2 {
            let faulty = client.spawn_remote(remote!(|| -> u32 { panic!("a bug") }));
            assert!(faulty.await.unwrap_err().is_panic());
        }
        for task in tasks {
            assert_eq!(task.await.unwrap(), 7);
        }
    }

    async fn timeouts_count_there() {
        let client = connect(pool());
        let limit = Duration::from_millis(20);
        assert!(client.spawn_remote(endless().timeout(limit)).await.unwrap_err().is_timeout());
    }

    async fn a_handle_that_is_dropped_stops_its_task_there() {
        let (pool, client) = watched();
        let handle = client.spawn_remote(endless());
        until(&pool, 1).await;
        assert_eq!(client.pending(), 1);
        drop(handle);
        assert_eq!(client.pending(), 0);
        until(&pool, 0).await;
    }

    async fn a_task_that_is_aborted_ends_there() {
        let (pool, client) = watched();
        let handle = client.spawn_remote(endless());
        until(&pool, 1).await;
        handle.abort();
        assert!(handle.await.unwrap_err().is_cancelled());
        until(&pool, 0).await;
    }

    async fn a_task_that_is_forgotten_runs_to_its_end() {
        let (pool, client) = watched();
        let task = remote!(async {
            for _ in 0..10 {
                yield_now().await;
            }
        });
        client.spawn_remote(task).forget();
        drop(client);
        pool.close().await;
        assert_eq!(pool.stats().finished, 1);
    }

    async fn closing_waits_for_what_was_taken() {
        let client = connect(pool());
        let handle = client.spawn_remote(remote!(async { yield_now().await }));
        client.close().await;
        assert!(handle.is_finished());
        handle.await.unwrap();
        assert!(client.spawn_remote(remote!(|| 1)).await.unwrap_err().is_closed());
        client.close().await;
    }

    async fn the_last_client_that_is_dropped_closes() {
        let (pool, client) = watched();
        let handle = client.clone().spawn_remote(endless());
        until(&pool, 1).await;
        drop(client);
        assert!(handle.await.unwrap_err().is_closed());
        until(&pool, 0).await;
    }

    async fn the_end_of_the_connection_loses_what_was_sent() {
        let sent = Arc::new(Mutex::new(Vec::new()));
        let messages = sent.clone();
        let (client, incoming) = Client::new(&seal(), 1, move |message| messages.lock().unwrap().push(message));
        let handle = client.spawn_remote(endless());
        let closed = client.close();
        incoming.disconnect("the cable was cut");
        let error = handle.await.unwrap_err();
        assert!(error.is_worker_lost() && error.to_string().contains("the cable was cut"), "{error}");
        closed.await;
        assert_eq!(sent.lock().unwrap().len(), 1, "no more than the greeting");
        assert_eq!(Arc::strong_count(&sent), 1, "what sends is dropped");
    }

    async fn tasks_wait_for_the_greeting_and_have_its_error() {
        let (here, there) = (seal(), seal_by("another secret, of others"));
        let client = connect_by(&here, &there, pool());
        let error = client.spawn_remote(remote!(|| 1)).await.unwrap_err();
        assert!(error.is_codec() && error.to_string().contains("another secret"), "{error}");
        let (client, incoming) = Client::new(&here, 1, drop);
        let handle = client.spawn_remote(remote!(|| 1));
        let error = incoming.receive(b"HTTP/1.1 400 Bad Request").unwrap_err();
        assert!(error.is_codec() && error.to_string().contains("greet"), "{error}");
        assert!(handle.await.unwrap_err().is_codec());
        // Its own greeting, as a mirror gives it back.
        let greeting = Arc::new(Mutex::new(Vec::new()));
        let kept = greeting.clone();
        let (_client, incoming) = Client::new(&here, 1, move |message| *kept.lock().unwrap() = message);
        let error = incoming.receive(&greeting.lock().unwrap()).unwrap_err();
        assert!(error.to_string().contains("needs a server"), "{error}");
    }

    async fn an_executor_that_is_shut_answers() {
        let pool = pool();
        pool.terminate();
        let client = connect(pool);
        assert!(client.spawn_remote(remote!(|| 1)).await.unwrap_err().is_closed());
    }

    async fn a_future_stays_here_and_is_refused() {
        let client = connect(pool());
        assert!(client.spawn(async {}).unwrap_err().is_shutdown());
    }

    async fn an_inline_executor_serves_too() {
        let client = connect(InlineExecutor::new());
        assert_eq!(client.spawn_remote(remote!(|| 6 * 7)).await.unwrap(), 42);
    }

    async fn a_server_that_is_dropped_stops_its_tasks() {
        let pool = pool();
        let (to_server, to_client) = (Arc::new(Way::default()), Arc::new(Way::default()));
        let (answers, calls) = (to_client.clone(), to_server.clone());
        let server = Arc::new(Mutex::new(Some(Server::new(&seal(), pool.clone(), move |message| answers.send(message)))));
        let (client, incoming) = Client::new(&seal(), 1, move |message| calls.send(message));
        to_client.open(move |message| incoming.receive(message).unwrap());
        let receiver = server.clone();
        to_server.open(move |message| {
            receiver.lock().unwrap().as_ref().map_or(Ok(()), |server| server.receive(message)).unwrap();
        });
        let _handle = client.spawn_remote(endless());
        until(&pool, 1).await;
        drop(server.lock().unwrap().take());
        until(&pool, 0).await;
    }
}
