#![cfg_attr(target_family = "wasm", expect(unsafe_code, reason = "a page says by itself which build it is"))]
//! Tasks that cross as bytes.

mod client;
mod connection;
mod seals;
mod values;

use std::mem;
use std::sync::{Arc, Mutex, OnceLock};

#[cfg(target_family = "wasm")]
use wasm_mt::transport::Build;
use wasm_mt::transport::{Client, Incoming, Seal, Server};
use wasm_mt::{Error, Executor, Pool};

const SECRET: &str = "a secret of the tests";

fn seal() -> Seal {
    seal_by(SECRET)
}

fn seal_by(secret: &str) -> Seal {
    try_seal(secret).unwrap()
}

#[cfg(not(target_family = "wasm"))]
fn try_seal(secret: &str) -> Result<Seal, Error> {
    Seal::new(secret)
}

#[cfg(target_family = "wasm")]
fn try_seal(secret: &str) -> Result<Seal, Error> {
    // SAFETY: nothing leaves this instance.
    unsafe { Seal::of_build(Build::of(b"this module"), secret) }
}

/// A client, with its server in this process.
fn connect(executor: impl Executor + 'static) -> Client {
    connect_by(&seal(), &seal(), executor)
}

fn connect_by(here: &Seal, there: &Seal, executor: impl Executor + 'static) -> Client {
    let (to_server, to_client) = (Arc::new(Way::default()), Arc::new(Way::default()));
    let (sends, way) = (to_client.clone(), to_server.clone());
    let server = Server::new(there, executor, move |message| sends.send(message));
    let (client, incoming) = Client::new(here, 2, move |message| way.send(message));
    let connection = Arc::new(Connection(Mutex::new(Some(Arc::new(incoming)))));
    let to = connection.clone();
    to_client.open(move |message: &[u8]| to.receive(message));
    to_server.open(move |message: &[u8]| {
        if server.receive(message).is_err() {
            connection.end();
        }
    });
    client
}

/// What is refused at either side ends it, so that no task waits for what does not come.
struct Connection(Mutex<Option<Arc<Incoming>>>);

impl Connection {
    fn receive(&self, message: &[u8]) {
        let incoming = self.0.lock().unwrap().clone();
        if incoming.is_some_and(|incoming| incoming.receive(message).is_err()) {
            self.end();
        }
    }

    fn end(&self) {
        let incoming = self.0.lock().unwrap().take();
        drop(incoming);
    }
}

fn pool() -> Pool {
    Pool::builder().threads(2).build()
}

type Receive = dyn Fn(&[u8]) + Send + Sync;

/// One way of a connection within this process.
#[derive(Default)]
struct Way {
    receive: OnceLock<Box<Receive>>,
    /// What came before the other side was there.
    early: Mutex<Vec<Vec<u8>>>,
}

impl Way {
    fn send(&self, message: Vec<u8>) {
        match self.receive.get() {
            Some(receive) => receive(&message),
            None => self.early.lock().unwrap().push(message),
        }
    }

    fn open(&self, receive: impl Fn(&[u8]) + Send + Sync + 'static) {
        let receive = self.receive.get_or_init(|| Box::new(receive));
        let early = mem::take(&mut *self.early.lock().unwrap());
        early.iter().for_each(|message| receive(message));
    }
}
