//! Objects that live on workers: how they are called, from where, and how they end.

mod calls;
mod elsewhere;
mod life;

use std::cell::RefCell;
use std::rc::Rc;

use futures::channel::oneshot;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use wasm_mt::{ActorCall, ActorInit, Pool, Sender, Strategy, actor, call, remote, yield_now};

/// As no serde type could be, and not `Send`. It says when it is dropped.
struct Log {
    lines: Rc<RefCell<Vec<String>>>,
    dropped: Option<Sender<Vec<String>>>,
}

impl Log {
    fn new(dropped: Option<Sender<Vec<String>>>) -> Self {
        Self { lines: Rc::default(), dropped }
    }

    fn add(&self, line: impl Into<String>) {
        self.lines.borrow_mut().push(line.into());
    }

    fn all(&self) -> Vec<String> {
        self.lines.borrow().clone()
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        if let Some(dropped) = &self.dropped {
            dropped.try_send(self.all()).unwrap();
        }
    }
}

fn log() -> ActorInit<Log> {
    actor!(|| Ok(Log::new(None)))
}

fn add(line: &str) -> ActorCall<Log, ()> {
    let line = line.to_owned();
    call!(move |log| log.add(line))
}

fn all() -> ActorCall<Log, Vec<String>> {
    call!(|log| log.all())
}

thread_local! {
    /// What a call on this worker waits for.
    static GATE: RefCell<Option<oneshot::Receiver<()>>> = const { RefCell::new(None) };
    static OPENS: RefCell<Option<oneshot::Sender<()>>> = const { RefCell::new(None) };
}

/// A call that has the object until the gate of its worker is opened.
fn waits_at_the_gate(line: &str) -> ActorCall<Log, ()> {
    let line = line.to_owned();
    call!(async move |log| {
        log.add(format!("{line} begins"));
        let (sender, receiver) = oneshot::channel();
        OPENS.set(Some(sender));
        receiver.await.unwrap();
        log.add(format!("{line} ends"));
    })
}

fn opens_the_gate() -> wasm_mt::Remote<()> {
    remote!(async || {
        while OPENS.with_borrow(Option::is_none) {
            yield_now().await;
        }
        OPENS.take().unwrap().send(()).unwrap();
    })
}

/// What is lost with its worker.
fn breaks<T: 'static>() -> ActorCall<T, ()> {
    ActorCall::new((), |(), _| panic!("on purpose"))
}

fn pools() -> impl Iterator<Item = Pool> {
    [Strategy::Serial, Strategy::Parallel, Strategy::WorkStealing]
        .into_iter()
        .map(|strategy| Pool::builder().strategy(strategy).threads(2).build())
}

/// Cannot be decoded, or not even encoded.
#[derive(Clone, Copy)]
struct Faulty {
    written: bool,
}

impl Serialize for Faulty {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.written {
            serializer.serialize_bool(true)
        } else {
            Err(serde::ser::Error::custom("on purpose"))
        }
    }
}

impl<'de> Deserialize<'de> for Faulty {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom("on purpose"))
    }
}
