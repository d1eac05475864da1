//! What the two sides of a connection make of messages that come in another way than they should.

use std::mem;
use std::sync::{Arc, Mutex};
#[cfg(not(target_family = "wasm"))]
use std::{sync::Barrier, sync::mpsc, thread};

use futures::FutureExt;
#[cfg(not(target_family = "wasm"))]
use futures::task::{FutureObj, Spawn, SpawnError};
use wasm_mt::transport::{Client, Incoming, Server};
use wasm_mt::{Executor, Remote, channel, remote, yield_now};
#[cfg(not(target_family = "wasm"))]
use wasm_mt::{InlineExecutor, Job};

use super::{pool, seal};

/// What one side has sent and the other has not received.
#[derive(Clone, Default)]
struct Sent(Arc<Mutex<Vec<Vec<u8>>>>);

impl Sent {
    fn push(&self, message: Vec<u8>) {
        self.0.lock().unwrap().push(message);
    }

    fn take(&self) -> Vec<Vec<u8>> {
        mem::take(&mut *self.0.lock().unwrap())
    }
}

/// A client, a server, and what is on its way between them.
struct Connection {
    client: Client,
    incoming: Incoming,
    server: Server,
    calls: Sent,
    answers: Sent,
}

impl Connection {
    fn new(executor: impl Executor + 'static) -> Self {
        let (calls, answers) = (Sent::default(), Sent::default());
        let (to_server, to_client) = (calls.clone(), answers.clone());
        let (client, incoming) = Client::new(&seal(), 1, move |message| to_server.push(message));
        let server = Server::new(&seal(), executor, move |message| to_client.push(message));
        Self { client, incoming, server, calls, answers }
    }

    /// As `new`, when both have greeted each other.
    fn open(executor: impl Executor + 'static) -> Self {
        let connection = Self::new(executor);
        connection.deliver();
        connection
    }

    fn deliver(&self) {
        self.calls.take().iter().for_each(|message| self.server.receive(message).unwrap());
        self.answers.take().iter().for_each(|message| self.incoming.receive(message).unwrap());
    }
}

fn endless() -> Remote<()> {
    remote!(async { std::future::pending::<()>().await })
}

remote_test! {
    async fn closing_before_the_greeting_waits_for_what_was_taken() {
        let connection = Connection::new(pool());
        let client = &connection.client;
        let mut handle = client.spawn_remote(remote!(|| 6 * 7));
        drop(client.spawn_remote(remote!(|| 1)));
        let (sender, _receiver) = channel::<u32>(1);
        let stays_here = client.spawn_remote(remote!(move || drop(sender)));
        let mut closed = client.close();
        assert!((&mut closed).now_or_never().is_none());
        let result = loop {
            connection.deliver();
            match (&mut handle).now_or_never() {
                Some(result) => break result,
                None => yield_now().await,
            }
        };
        assert_eq!(result.unwrap(), 42);
        assert!(stays_here.await.unwrap_err().is_codec());
        closed.await;
    }

    async fn closing_before_the_greeting_waits_for_nothing_that_nobody_wants() {
        let connection = Connection::new(pool());
        drop(connection.client.spawn_remote(remote!(|| 1)));
        let closed = connection.client.close();
        connection.deliver();
        closed.await;
    }

    async fn closing_waits_for_what_is_forgotten() {
        let pool = pool();
        let connection = Connection::open(pool.clone());
        connection.client.spawn_remote(remote!(|| 1)).forget();
        let mut closed = connection.client.close();
        while (&mut closed).now_or_never().is_none() {
            assert_eq!(connection.client.pending(), 1);
            connection.deliver();
            yield_now().await;
        }
        assert_eq!((connection.client.pending(), pool.stats().finished), (0, 1));
    }

    async fn what_is_forgotten_before_the_greeting_runs_without_its_client() {
        let pool = pool();
        let Connection { client, incoming, server, calls, answers } = Connection::new(pool.clone());
        client.spawn_remote(remote!(async { yield_now().await })).forget();
        calls.take().iter().for_each(|message| server.receive(message).unwrap());
        answers.take().iter().for_each(|message| incoming.receive(message).unwrap());
        drop(client);
        calls.take().iter().for_each(|message| server.receive(message).unwrap());
        drop(server);
        pool.close().await;
        assert_eq!(pool.stats().finished, 1);
    }

    async fn what_is_aborted_before_the_greeting_is_cancelled() {
        let connection = Connection::new(pool());
        let mut handle = connection.client.spawn_remote(endless());
        handle.abort();
        let result = loop {
            connection.deliver();
            match (&mut handle).now_or_never() {
                Some(result) => break result,
                None => yield_now().await,
            }
        };
        assert!(result.unwrap_err().is_cancelled());
    }

    async fn what_is_aborted_and_forgotten_before_the_greeting_ends() {
        let pool = pool();
        let connection = Connection::new(pool.clone());
        let handle = connection.client.spawn_remote(endless());
        handle.abort();
        handle.forget();
        let mut closed = connection.client.close();
        while (&mut closed).now_or_never().is_none() {
            connection.deliver();
            yield_now().await;
        }
        assert_eq!(pool.pending(), 0);
    }

    async fn a_call_that_comes_twice_is_refused() {
        let pool = pool();
        let connection = Connection::open(pool.clone());
        let _handle = connection.client.spawn_remote(endless());
        let calls = connection.calls.take();
        connection.server.receive(&calls[0]).unwrap();
        let error = connection.server.receive(&calls[0]).unwrap_err();
        assert!(error.is_codec() && error.to_string().contains("twice"), "{error}");
        assert_eq!(pool.pending(), 1);
        drop(connection.server);
        while pool.pending() != 0 {
            yield_now().await;
        }
    }

    async fn what_crossed_on_another_connection_is_refused() {
        let pool = pool();
        let connection = Connection::new(pool.clone());
        let greeting = connection.calls.take();
        connection.server.receive(&greeting[0]).unwrap();
        connection.answers.take().iter().for_each(|message| connection.incoming.receive(message).unwrap());
        connection.client.spawn_remote(endless()).abort();
        let recorded = connection.calls.take();
        let later = Connection::new(pool.clone());
        later.server.receive(&greeting[0]).unwrap();
        for message in recorded {
            let error = later.server.receive(&message).unwrap_err();
            assert!(error.is_codec() && error.to_string().contains("refused"), "{error}");
        }
        assert_eq!(pool.pending(), 0);
    }

    async fn what_is_no_answer_leaves_the_task_as_it_is() {
        let connection = Connection::open(pool());
        let handle = connection.client.spawn_remote(endless());
        let error = connection.incoming.receive(&[&1_u64.to_le_bytes()[..], &[0; 40]].concat()).unwrap_err();
        assert!(error.is_codec(), "{error}");
        assert_eq!(connection.client.pending(), 1);
        drop(handle);
        assert_eq!(connection.client.pending(), 0);
    }

    async fn a_server_that_is_dropped_says_no_more() {
        let connection = Connection::open(pool());
        let _handle = connection.client.spawn_remote(endless());
        connection.deliver();
        drop(connection.server);
        assert!(connection.answers.take().is_empty(), "the client hears that the connection has ended");
    }
}

#[cfg(not(target_family = "wasm"))]
native_test! {
    fn a_handle_that_is_dropped_while_a_wrong_answer_is_read_is_forgotten() {
        let wrong = [&1_u64.to_le_bytes()[..], &[0; 20_000]].concat();
        for _ in 0..500 {
            let connection = Connection::open(InlineExecutor::new());
            let handle = connection.client.spawn_remote(endless());
            let both = Barrier::new(2);
            thread::scope(|scope| {
                scope.spawn(|| {
                    both.wait();
                    (0..20).for_each(|_| drop(connection.incoming.receive(&wrong)));
                });
                both.wait();
                drop(handle);
            });
            assert_eq!(connection.client.pending(), 0);
        }
    }
}

// One thread sends what another has put, and panics.
#[cfg(not(target_family = "wasm"))]
native_test! {
    fn a_client_whose_send_panics_has_lost_its_connection() {
        let answers = Sent::default();
        let to_client = answers.clone();
        let _server = Server::new(&seal(), pool(), move |message| to_client.push(message));
        let (sending, is_sending) = mpsc::channel();
        let (go_on, may_go_on) = mpsc::channel::<()>();
        let state = Mutex::new((0, may_go_on));
        let (client, incoming) = Client::new(&seal(), 1, move |_| {
            let mut state = state.lock().unwrap();
            state.0 += 1;
            if state.0 == 2 {
                sending.send(()).unwrap();
                state.1.recv().unwrap();
            }
            assert!(state.0 < 3, "the cable is cut");
        });
        answers.take().iter().for_each(|message| incoming.receive(message).unwrap());
        let other = client.clone();
        let first = thread::spawn(move || other.spawn_remote(endless()));
        is_sending.recv().unwrap();
        let second = client.spawn_remote(endless());
        go_on.send(()).unwrap();
        let first = first.join().unwrap();
        for error in [first, second].map(|handle| futures_executor::block_on(handle).unwrap_err()) {
            assert!(error.is_worker_lost() && error.to_string().contains("panicked"), "{error}");
        }
        futures_executor::block_on(client.close());
        assert!(incoming.receive(&[0; 40]).unwrap_err().is_worker_lost());
    }
}

#[cfg(not(target_family = "wasm"))]
native_test! {
    fn a_server_whose_send_panics_says_so_and_stops_its_tasks() {
        let pool = pool();
        let (calls, answers) = (Sent::default(), Sent::default());
        let (to_server, to_client) = (calls.clone(), answers.clone());
        let (client, incoming) = Client::new(&seal(), 1, move |message| to_server.push(message));
        let server = Server::new(&seal(), pool.clone(), move |message| {
            to_client.push(message);
            assert!(to_client.0.lock().unwrap().len() == 1, "the cable is cut");
        });
        incoming.receive(&answers.0.lock().unwrap()[0]).unwrap();
        let (_first, _second) = (client.spawn_remote(endless()), client.spawn_remote(remote!(|| 1)));
        calls.take().iter().for_each(|message| server.receive(message).unwrap());
        while pool.pending() != 0 {
            thread::yield_now();
        }
        let _third = client.spawn_remote(remote!(|| 1));
        let error = server.receive(&calls.take()[0]).unwrap_err();
        assert!(error.is_worker_lost() && error.to_string().contains("panicked"), "{error}");
        assert_eq!(pool.pending(), 0);
    }
}

#[cfg(not(target_family = "wasm"))]
native_test! {
    fn an_executor_that_panics_has_its_task_answered() {
        /// Cannot take a job.
        struct Faulty;

        impl Spawn for Faulty {
            fn spawn_obj(&self, _: FutureObj<'static, ()>) -> Result<(), SpawnError> {
                Err(SpawnError::shutdown())
            }
        }

        impl Executor for Faulty {
            fn submit(&self, _job: Job) {
                panic!("a bug of the executor");
            }

            fn concurrency(&self) -> usize {
                1
            }
        }

        let connection = Connection::open(Faulty);
        let handle = connection.client.spawn_remote(remote!(|| 1));
        let call = connection.calls.take();
        let received = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| connection.server.receive(&call[0])));
        assert!(received.is_err());
        connection.deliver();
        assert!(futures_executor::block_on(handle).unwrap_err().is_worker_lost());
    }
}

// What is forgotten and on its way is sent, also if the client is dropped meanwhile.
#[cfg(not(target_family = "wasm"))]
native_test! {
    fn a_client_that_is_dropped_sends_what_it_has_taken() {
        let (calls, answers) = (Sent::default(), Sent::default());
        let to_client = answers.clone();
        let _server = Server::new(&seal(), pool(), move |message| to_client.push(message));
        let (sending, is_sending) = mpsc::channel();
        let (go_on, may_go_on) = mpsc::channel::<()>();
        let (to_server, may_go_on) = (calls.clone(), Mutex::new(may_go_on));
        let (client, incoming) = Client::new(&seal(), 1, move |message| {
            to_server.push(message);
            if to_server.0.lock().unwrap().len() == 3 {
                sending.send(()).unwrap();
                may_go_on.lock().unwrap().recv().unwrap();
            }
        });
        answers.take().iter().for_each(|message| incoming.receive(message).unwrap());
        let handle = client.spawn_remote(endless());
        let thread = thread::spawn(move || handle.abort());
        is_sending.recv().unwrap();
        client.spawn_remote(remote!(|| 1)).forget();
        drop(client);
        go_on.send(()).unwrap();
        thread.join().unwrap();
        assert_eq!(calls.take().len(), 5, "the greeting, a call, its end, another, and that it is forgotten");
        assert_eq!(Arc::strong_count(&calls.0), 1, "what sends is dropped");
    }
}
