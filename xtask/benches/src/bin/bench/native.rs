//! The floor natively: what the standard library gives.

use std::sync::OnceLock;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Instant;

pub(crate) const ECHO: &str = "std: 64 bytes echoed over two channels";
pub(crate) const START: &str = "std: a thread that sends one message";

type Payload = [u8; 64];

pub(crate) struct Floor {
    to: Sender<Payload>,
    from: Receiver<Payload>,
}

impl Floor {
    pub(crate) fn new() -> Self {
        let (to, inbox) = mpsc::channel::<Payload>();
        let (outbox, from) = mpsc::channel();
        thread::spawn(move || inbox.iter().try_for_each(|payload| outbox.send(payload)));
        Self { to, from }
    }

    #[expect(clippy::unused_async, reason = "in a browser this waits")]
    pub(crate) async fn round_trips(&mut self, count: u32) -> f64 {
        let start = now();
        for _ in 0..count {
            self.to.send([0; 64]).expect("the echo runs as long as this end is there");
            self.from.recv().expect("the echo answers every message");
        }
        now() - start
    }

    #[expect(clippy::unused_async, reason = "in a browser this waits")]
    pub(crate) async fn starts(&mut self, count: u32) -> f64 {
        let start = now();
        for _ in 0..count {
            let (outbox, from) = mpsc::channel();
            thread::spawn(move || outbox.send(()));
            from.recv().expect("the thread sends one message");
        }
        now() - start
    }
}

/// Milliseconds.
pub(crate) fn now() -> f64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_secs_f64() * 1000.0
}

/// How many rounds the first argument asks for.
pub(crate) fn rounds() -> Option<usize> {
    std::env::args().nth(1)?.parse().ok()
}
