//! The floor: requests of async-nats, which a process answers with the same bytes.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use async_nats::Client;
use bytes::Bytes;
use futures::task::{FutureObj, Spawn, SpawnError};
use futures::{StreamExt as _, stream};
use tokio::runtime::{Builder, Runtime};
use wasm_mt::transport::Seal;
use wasm_mt::{Error, Executor, ExecutorExt as _, Job, Remote};

use crate::nodes::{self, Process};
use crate::since;

const SUBJECT: &str = "wasm-mt-bench.echo";

pub(crate) struct Bare {
    runtime: Runtime,
    client: Client,
    _echo: Process,
}

impl Bare {
    pub(crate) fn start(url: &str) -> Result<Self, Error> {
        let echo = Process::start(url, "echo=");
        let runtime = runtime();
        let client =
            runtime.block_on(async_nats::connect(url)).map_err(|error| Error::other(error.to_string()))?;
        Ok(Self { runtime, client, _echo: echo })
    }

    /// The milliseconds of a request of so many bytes, when so many are under way at a time.
    pub(crate) fn requests(&self, count: u32, outstanding: usize, size: usize) -> f64 {
        let (client, payload) = (self.client.clone(), Bytes::from(vec![1; size]));
        // On the thread of the connection.
        let requests = self.runtime.spawn(async move {
            let start = Instant::now();
            let request = |_| client.request(SUBJECT, payload.clone());
            let mut replies = stream::iter(0..count).map(request).buffer_unordered(outstanding);
            let mut bytes = 0;
            while let Some(reply) = replies.next().await {
                bytes += reply.expect("the echo answers every request").payload.len();
            }
            assert_eq!(bytes, size * count as usize, "every byte comes back");
            since(start) / f64::from(count)
        });
        self.runtime.block_on(requests).expect("all requests are answered")
    }
}

/// Answers requests until the process that has started this one ends.
pub(crate) fn echo(url: &str) {
    runtime().block_on(async {
        let client = async_nats::connect(url).await.expect("the broker is there");
        let mut requests = client.subscribe(SUBJECT).await.expect("the broker is there");
        // Its answer, which is that nobody is there, comes when the broker knows the subscription.
        drop(client.request("wasm-mt-bench.nobody", Bytes::new()).await);
        println!("ready");
        nodes::end_with_parent();
        let answers = tokio::spawn(async move {
            while let Some(request) = requests.next().await {
                let reply = request.reply.expect("it is a request");
                client.publish(reply, request.payload).await.expect("the connection does not end");
            }
        });
        answers.await.expect("it runs until the end of the process");
    });
}

/// One thread, as a fleet's client and nodes have.
fn runtime() -> Runtime {
    let built = Builder::new_multi_thread().worker_threads(1).enable_all().build();
    built.expect("the system has room for a thread")
}

/// How many bytes a task is that crosses.
pub(crate) fn size_of_call(task: Remote<u64>) -> Result<usize, Error> {
    let scales = Scales { seal: Seal::new("a secret of the scales")?, size: Mutex::default() };
    scales.spawn_remote(task).forget();
    Ok(*scales.size.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Runs nothing, and weighs what it is given.
struct Scales {
    seal: Seal,
    size: Mutex<usize>,
}

impl Executor for Scales {
    fn submit(&self, job: Job) {
        let Some((call, reply)) = self.seal.seal(job) else { return };
        *self.size.lock().unwrap_or_else(PoisonError::into_inner) = call.len();
        reply.fail(Error::cancelled());
    }

    fn concurrency(&self) -> usize {
        1
    }
}

impl Spawn for Scales {
    fn spawn_obj(&self, _: FutureObj<'static, ()>) -> Result<(), SpawnError> {
        Err(SpawnError::shutdown())
    }
}
