//! The executor, [`Peer`], and the other side, [`serve`].
//!
//! A frame is the number of a task, and the bytes of its call or of its answer. One without bytes cancels the task.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use futures::future::{AbortHandle, Abortable};
use futures::task::{FutureObj, Spawn, SpawnError, SpawnExt};
use wasm_mt::transport::{Reply, Seal, Signal};
use wasm_mt::{Executor, Job, Pool};

/// Runs tasks in the process at the other end of a connection.
pub(crate) struct Peer {
    seal: Seal,
    connection: Arc<Connection>,
    /// Of the tasks that are there. `None`: the connection has ended.
    replies: Arc<Mutex<Option<HashMap<u64, Reply>>>>,
    last: AtomicU64,
}

impl Peer {
    pub(crate) fn new(stream: TcpStream, seal: Seal) -> Result<Self, Box<dyn StdError>> {
        let connection = Arc::new(Connection::greet(stream, &seal)?);
        let replies = Arc::new(Mutex::new(Some(HashMap::new())));
        let peer =
            Self { seal, connection: connection.clone(), replies: replies.clone(), last: AtomicU64::new(0) };
        thread::spawn(move || {
            while let Ok((number, answer)) = connection.read() {
                let reply: Option<Reply> =
                    replies.lock().unwrap().as_mut().and_then(|replies| replies.remove(&number));
                if let Some(Err((reply, error))) = reply.map(|reply| reply.answer(&answer)) {
                    reply.fail(error);
                }
            }
            drop(replies.lock().unwrap().take()); // each handle gets an error
        });
        Ok(peer)
    }
}

impl Executor for Peer {
    fn submit(&self, job: Job) {
        let Some((call, mut reply)) = self.seal.seal(job) else { return };
        let number = self.last.fetch_add(1, Ordering::Relaxed);
        let connection = self.connection.clone();
        let cancel = move || drop(connection.write(number, &[])); // if that fails, the task is gone too
        let is_wanted = reply.on_signal(move |signal| {
            if signal != Signal::Detach {
                cancel();
            }
        });
        let mut replies = self.replies.lock().unwrap();
        if let Some(replies) = replies.as_mut().filter(|_| is_wanted) {
            replies.insert(number, reply);
            drop(self.connection.write(number, &call)); // if that fails, reading ends too
        }
    }

    fn concurrency(&self) -> usize {
        thread::available_parallelism().map_or(1, usize::from) // both run on one machine
    }
}

/// Futures cannot leave this process.
impl Spawn for Peer {
    fn spawn_obj(&self, _: FutureObj<'static, ()>) -> Result<(), SpawnError> {
        Err(SpawnError::shutdown())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.connection.stream.shutdown(Shutdown::Both));
    }
}

/// Runs the tasks that come, until the connection ends.
pub(crate) fn serve(stream: TcpStream, seal: &Seal) -> Result<(), Box<dyn StdError>> {
    let connection = Arc::new(Connection::greet(stream, seal)?);
    let pool = Pool::new();
    let running = Arc::new(Mutex::new(HashMap::<u64, AbortHandle>::new()));
    while let Ok((number, call)) = connection.read() {
        if call.is_empty() {
            running.lock().unwrap().remove(&number).iter().for_each(AbortHandle::abort);
            continue;
        }
        let (job, answer) = seal.open(&call)?; // what is not sealed ends the connection
        pool.submit(job);
        let (abort, registration) = AbortHandle::new_pair();
        running.lock().unwrap().insert(number, abort);
        let (running, connection) = (running.clone(), connection.clone());
        pool.spawn(async move {
            // Aborting drops the answer, and that cancels the task.
            if let Ok(answer) = Abortable::new(answer, registration).await {
                running.lock().unwrap().remove(&number);
                drop(connection.write(number, &answer)); // if that fails, reading ends too
            }
        })?;
    }
    Ok(())
}

struct Connection {
    stream: TcpStream,
    /// Locked while a frame is written.
    writing: Mutex<()>,
}

impl Connection {
    /// Both sides prove that they are the same build and know the secret.
    fn greet(mut stream: TcpStream, seal: &Seal) -> Result<Self, Box<dyn StdError>> {
        stream.set_nodelay(true)?;
        let mut hello = seal.hello();
        stream.write_all(&hello)?;
        stream.read_exact(&mut hello)?; // all are of one length
        seal.check_hello(&hello)?;
        Ok(Self { stream, writing: Mutex::new(()) })
    }

    fn write(&self, number: u64, bytes: &[u8]) -> io::Result<()> {
        let (number, length) = (number.to_le_bytes(), (bytes.len() as u64).to_le_bytes());
        let _writing = self.writing.lock().unwrap();
        (&self.stream).write_all(&[&number, &length, bytes].concat())
    }

    fn read(&self) -> io::Result<(u64, Vec<u8>)> {
        let mut head = [0; 16];
        (&self.stream).read_exact(&mut head)?;
        let [number, length] =
            [&head[..8], &head[8..]].map(|half| u64::from_le_bytes(half.try_into().unwrap()));
        let mut bytes = Vec::new(); // grows with what comes, whatever the length says
        (&self.stream).take(length).read_to_end(&mut bytes)?;
        Ok((number, bytes))
    }
}
