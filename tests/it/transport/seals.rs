//! What is opened, and what is refused.

use std::future::poll_fn;
use std::sync::Mutex;

use futures::task::{FutureObj, Spawn, SpawnError};
use wasm_mt::transport::{Answer, Build, Reply, Seal};
use wasm_mt::{Error, Executor, ExecutorExt, Job, Remote, RemoteHandle, Thread, Transfer, remote};

use super::{seal, seal_by, try_seal};

/// Keeps what it is given.
#[derive(Default)]
struct Kept(Mutex<Option<Job>>);

impl Spawn for Kept {
    fn spawn_obj(&self, _: FutureObj<'static, ()>) -> Result<(), SpawnError> {
        Err(SpawnError::shutdown())
    }
}

impl Executor for Kept {
    fn submit(&self, job: Job) {
        *self.0.lock().unwrap() = Some(job);
    }

    fn concurrency(&self) -> usize {
        1
    }
}

fn sealed<R>(seal: &Seal, task: Remote<R>) -> (Vec<u8>, Reply, RemoteHandle<R>)
where
    R: serde::Serialize + serde::de::DeserializeOwned + 'static,
{
    let kept = Kept::default();
    let handle = kept.spawn_remote(task);
    let job = kept.0.lock().unwrap().take().unwrap();
    let (call, reply) = seal.seal(job).unwrap();
    (call, reply, handle)
}

/// Runs a task far away, and says of its answer whether it is large.
async fn is_large<R>(task: Remote<R>) -> (bool, R)
where
    R: serde::Serialize + serde::de::DeserializeOwned + 'static,
{
    let (call, reply, handle) = sealed(&seal(), task);
    let (job, mut answer) = seal().open(&call).unwrap();
    let thread = Thread::new();
    thread.submit(job);
    let unsealed = poll_fn(|context| answer.poll_unsealed(context)).await;
    let is_large = unsealed.is_large();
    reply.answer(&unsealed.seal()).unwrap();
    (is_large, handle.await.unwrap())
}

async fn answered((job, answer): (Job, Answer)) -> Vec<u8> {
    let thread = Thread::new();
    thread.submit(job);
    answer.await
}

fn is_refused<T>(opened: Result<T, Error>) -> bool {
    opened.is_err_and(|error| error.is_codec() && error.to_string().contains("refused"))
}

remote_test! {
    async fn a_call_is_opened_by_a_peer_as_often_as_it_comes() {
        let (call, reply, handle) = sealed(&seal(), remote!(|| 6 * 7));
        let twice = [answered(seal().open(&call).unwrap()).await, answered(seal().open(&call).unwrap()).await];
        assert_eq!(twice[0], twice[1]);
        reply.answer(&twice[0]).unwrap();
        assert_eq!(handle.await.unwrap(), 42);
    }

    async fn an_answer_can_be_sealed_later() {
        assert_eq!(is_large(remote!(|| 6 * 7)).await, (false, 42));
        assert_eq!(is_large(remote!(|| vec![1_u8; 1 << 19])).await, (false, vec![1; 1 << 19]));
        assert_eq!(is_large(remote!(|| vec![1_u8; 1 << 20])).await, (true, vec![1; 1 << 20]));
        let (is_large, Transfer(numbers)) = is_large(remote!(|| Transfer(vec![0.5]))).await;
        assert!(is_large && numbers == [0.5]);
    }

    async fn a_call_that_was_changed_anywhere_is_refused() {
        let (call, _reply, _handle) = sealed(&seal(), remote!(|| 6 * 7));
        for place in 0..call.len() {
            for bit in 0..8 {
                let mut changed = call.clone();
                changed[place] ^= 1 << bit;
                assert!(is_refused(seal().open(&changed)), "bit {bit} of byte {place}");
            }
            assert!(is_refused(seal().open(&call[..place])), "{place} bytes of it");
        }
        assert!(is_refused(seal().open(&[&call, &[0][..]].concat())));
        drop(seal().open(&call).unwrap());
    }

    async fn an_answer_is_to_its_call_alone() {
        let task = remote!(|| 6 * 7);
        let (first, reply, handle) = sealed(&seal(), task.clone());
        let (second, ..) = sealed(&seal(), task);
        assert_ne!(first, second, "no two calls are the same");
        let answer = answered(seal().open(&second).unwrap()).await;
        let (reply, error) = reply.answer(&answer).unwrap_err();
        assert!(is_refused::<()>(Err(error)));
        let right = answered(seal().open(&first).unwrap()).await;
        let mut reply = Some(reply);
        for place in 0..right.len() {
            let mut changed = right.clone();
            changed[place] ^= 1;
            reply = reply.and_then(|reply| reply.answer(&changed).err()).map(|(reply, _error)| reply);
        }
        // A call is no answer, either.
        let (reply, _error) = reply.unwrap().answer(&first[16..]).unwrap_err();
        reply.answer(&right).unwrap();
        assert_eq!(handle.await.unwrap(), 42);
    }

    async fn another_secret_and_another_connection_are_refused() {
        let (call, ..) = sealed(&seal(), remote!(|| 6 * 7));
        assert!(is_refused(seal_by("another secret, of others").open(&call)));
        assert!(is_refused(seal().within(b"one").open(&call)));
        let (call, ..) = sealed(&seal().within(b"one"), remote!(|| 6 * 7));
        assert!(is_refused(seal().within(b"another").open(&call)));
        drop(seal().within(b"one").open(&call).unwrap());
    }

    async fn a_reply_that_is_dropped_or_lost_resolves_its_handle() {
        let (_, reply, handle) = sealed(&seal(), remote!(|| 1));
        drop(reply);
        assert!(handle.await.unwrap_err().is_worker_lost());
        let (_, reply, handle) = sealed(&seal(), remote!(|| 1));
        reply.lose("its node has ended");
        let error = handle.await.unwrap_err();
        assert!(error.is_worker_lost() && error.to_string().contains("its node has ended"), "{error}");
        let (_, reply, handle) = sealed(&seal(), remote!(|| 1));
        reply.fail(Error::other("no node is there; start one"));
        assert!(handle.await.unwrap_err().is_other());
    }

    async fn a_short_secret_is_refused() {
        let error = try_seal("15 bytes long..").unwrap_err();
        assert!(error.is_other() && error.to_string().contains("16 bytes"), "{error}");
    }

    async fn a_greeting_says_what_is_wrong() {
        seal().check_hello(&seal().hello()).unwrap();
        let text = |hello: &[u8]| seal().check_hello(hello).unwrap_err().to_string();
        assert!(text(&seal_by("another secret, of others").hello()).contains("another secret"));
        let mut other_build = seal().hello();
        let place = other_build.len() - 20; // of the hash
        other_build[place] ^= 1;
        assert!(text(&other_build).contains("another build"));
        let mut forged = seal().hello();
        *forged.last_mut().unwrap() ^= 1;
        assert!(text(&forged).contains("another secret"));
        for stranger in [&b""[..], b"HTTP/1.1 200 OK", &seal().hello()[1..]] {
            assert!(text(stranger).contains("does not greet"));
        }
    }

    async fn a_message_is_opened_only_as_what_it_is() {
        let sealed = seal().seal_message(b"stop");
        assert_eq!(seal().open_message(&sealed).unwrap(), b"stop");
        assert!(is_refused(seal().open_message(&sealed[1..])));
        assert!(is_refused(seal_by("another secret, of others").open_message(&sealed)));
        let hello = seal().hello();
        let (build, tag) = (seal().build(), &hello[hello.len() - 16..]);
        assert!(is_refused(seal().open_message(&[tag, build.as_bytes()].concat())));
    }

    /// WebKit compiles again what runs often, while it runs.
    async fn a_seal_is_the_same_each_time() {
        let seal = seal();
        for size in [1000, 5000, 20_000] {
            let message = vec![7; size];
            let first = seal.seal_message(&message);
            let same = (0..100).filter(|_| seal.seal_message(&message) == first).count();
            assert_eq!(same, 100, "of {size} bytes");
        }
    }

    async fn builds_are_told_apart() {
        assert_eq!(seal().build(), seal().build());
        assert_ne!(Build::of(b"one"), Build::of(b"another"));
        assert!(format!("{:?}", seal()).contains(&seal().build().to_string()));
    }
}
