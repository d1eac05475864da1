//! Messages on their way out, in order.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::Error;
use crate::platform;

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
    /// What sends is dropped when nothing is left.
    is_finishing: bool,
}

impl SendQueue {
    pub(super) fn new(send: impl Fn(Vec<u8>) + Send + Sync + 'static) -> Self {
        let queue = Unsent {
            send: Some(Arc::new(send)),
            messages: VecDeque::new(),
            is_sending: false,
            is_finishing: false,
        };
        Self { queue: Mutex::new(queue) }
    }

    /// Nothing more will be put. What was is sent, and then what sends is dropped: here, or where somebody is about it.
    pub(super) fn finish(&self) {
        self.lock().is_finishing = true;
        // If that fails, it has ended too.
        self.flush().unwrap_or_default();
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
    ///
    /// # Errors
    ///
    /// [`is_worker_lost`](Error::is_worker_lost) if what sends has panicked: here, though the message may be of another thread. It
    /// is dropped, and so is what was to be sent.
    pub(super) fn flush(&self) -> Result<(), Error> {
        while let Some((message, send)) = self.next() {
            let mut is_sent = false;
            platform::contain(|| {
                send(message);
                is_sent = true;
            });
            self.lock().is_sending = false;
            if !is_sent {
                self.close();
                return Err(Error::worker_lost("what sends to it has panicked"));
            }
        }
        Ok(())
    }

    fn next(&self) -> Option<(Vec<u8>, Arc<Sink>)> {
        let mut queue = self.lock();
        if queue.is_sending {
            return None;
        }
        let send = queue.send.clone()?;
        if let Some(message) = queue.messages.pop_front() {
            queue.is_sending = true;
            return Some((message, send));
        }
        if queue.is_finishing {
            let last = queue.send.take();
            drop(queue);
            drop((last, send));
        }
        None
    }

    fn lock(&self) -> MutexGuard<'_, Unsent> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
