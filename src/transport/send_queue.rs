//! Messages on their way out, in order.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Sends one message.
type Sink = dyn Fn(Vec<u8>) + Send + Sync;

/// Gives messages to the connection, one at a time and in the order in which they were put.
pub(super) struct SendQueue {
    queue: Mutex<Unsent>,
}

struct Unsent {
    /// `None`: the connection has ended.
    send: Option<Arc<Sink>>,
    messages: VecDeque<Vec<u8>>,
    /// Somebody sends one, and then what was put meanwhile.
    is_sending: bool,
}

impl SendQueue {
    pub(super) fn new(send: impl Fn(Vec<u8>) + Send + Sync + 'static) -> Self {
        let queue = Unsent { send: Some(Arc::new(send)), messages: VecDeque::new(), is_sending: false };
        Self { queue: Mutex::new(queue) }
    }

    /// The connection has ended: what sends is dropped.
    pub(super) fn close(&self) {
        let mut queue = self.lock();
        let (send, messages) = (queue.send.take(), std::mem::take(&mut queue.messages));
        drop(queue);
        drop((send, messages));
    }

    /// May be called under any lock: no code of the program runs.
    pub(super) fn put(&self, message: Vec<u8>) {
        self.lock().messages.push_back(message);
    }

    /// Sends what was put. To be called under no lock: what sends may call back.
    pub(super) fn flush(&self) {
        while let Some((message, send, _sending)) = self.next() {
            send(message);
        }
    }

    fn next(&self) -> Option<(Vec<u8>, Arc<Sink>, Sending<'_>)> {
        let mut queue = self.lock();
        if queue.is_sending {
            return None;
        }
        let send = queue.send.clone()?;
        let message = queue.messages.pop_front()?;
        queue.is_sending = true;
        Some((message, send, Sending(self)))
    }

    fn lock(&self) -> MutexGuard<'_, Unsent> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets the next message be sent, also if this one panicked.
struct Sending<'a>(&'a SendQueue);

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        self.0.lock().is_sending = false;
    }
}
