//! What the compiler knows of the types: the tests are that this compiles.

use std::fmt::{Debug, Display};
use std::future::{Future, IntoFuture};
use std::rc::Rc;
use std::sync::Arc;

use futures::future::FusedFuture;
use futures::stream::{FusedStream, Stream};
use futures::task::Spawn;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_mt::{
    Actor, ActorCall, ActorInit, Error, Executor, InlineExecutor, Job, JoinSet, ParMap, ParallelExecutor,
    Pool, PoolBuilder, Receiver, Remote, RemoteFn, RemoteHandle, Sender, SerialExecutor, Stats, Strategy,
    TaskRun, TaskStream, Thread, ThreadBuilder, Transfer, TrySendError, WorkStealingExecutor,
};

/// Neither may be sent nor shared, and is never made.
struct Stays(#[expect(dead_code, reason = "it makes the type what it is")] Rc<()>);

fn send<T: Send>() {}
fn sync<T: Sync>() {}
fn unpin<T: Unpin>() {}
fn clone<T: Clone>() {}
fn debug<T: Debug>() {}
fn lives<T: 'static>() {}

fn an_executor<T: Executor + Clone + Debug + Default + Unpin + 'static>() {
    send::<T>();
    sync::<T>();
    fn object(executor: &impl Executor) -> &dyn Executor {
        executor
    }
    let _is_object_safe: fn(&T) -> &dyn Executor = object;
    let _is_spawn: fn(&T) -> &dyn Spawn = |executor| executor;
}

fn a_builder<T: Clone + Debug + Default + Send>() {}

/// `Send` where the result is.
fn a_handle<T: Send + 'static>() {
    fn future<T, F: Future<Output = Result<T, Error>> + FusedFuture + Unpin + Debug>() {}
    send::<RemoteHandle<T>>();
    future::<T, RemoteHandle<T>>();
}

/// `Send`, whatever the result is: it is encoded.
fn a_task<R: Serialize + DeserializeOwned + 'static>() {
    fn future<R, T: IntoFuture<Output = Result<R, Error>, IntoFuture = RemoteHandle<R>>>() {}
    send::<Remote<R>>();
    clone::<Remote<R>>();
    debug::<Remote<R>>();
    future::<R, Remote<R>>();
    send::<RemoteFn<R, R>>();
    clone::<RemoteFn<R, R>>();
    debug::<RemoteFn<R, R>>();
}

fn a_stream<E: Executor + ?Sized, I: Iterator<Item = u32>>() {
    fn stream<S: Stream<Item = Result<u32, Error>> + FusedStream + Unpin + Debug>() {}
    stream::<ParMap<'_, E, I, u32>>();
    stream::<JoinSet<u32>>();
}

/// `Send` and `Sync`, whatever the object is: it stays where it is.
fn an_actor<T: 'static>() {
    send::<Actor<T>>();
    sync::<Actor<T>>();
    unpin::<Actor<T>>();
    clone::<Actor<T>>();
    debug::<Actor<T>>();
    send::<ActorInit<T>>();
    clone::<ActorInit<T>>();
    debug::<ActorInit<T>>();
    send::<ActorCall<T, u32>>();
    clone::<ActorCall<T, u32>>();
    debug::<ActorCall<T, u32>>();
    fn crosses<T: Serialize + DeserializeOwned>() {}
    crosses::<Actor<T>>();
}

/// Its values are encoded.
fn a_channel<T: Serialize + DeserializeOwned + 'static>() {
    fn crosses<T: Serialize + DeserializeOwned>() {}
    fn stream<T, S: Stream<Item = Result<T, Error>> + FusedStream + Unpin + Debug>() {}
    send::<Sender<T>>();
    sync::<Sender<T>>();
    clone::<Sender<T>>();
    debug::<Sender<T>>();
    crosses::<Sender<T>>();
    send::<Receiver<T>>();
    sync::<Receiver<T>>();
    crosses::<Receiver<T>>();
    stream::<T, Receiver<T>>();
    stream::<T, TaskStream<T, u32>>();
}

#[test]
#[cfg_attr(target_family = "wasm", wasm_bindgen_test::wasm_bindgen_test)]
fn the_types_are_what_they_should_be() {
    an_executor::<Thread>();
    an_executor::<Pool>();
    an_executor::<SerialExecutor>();
    an_executor::<ParallelExecutor>();
    an_executor::<WorkStealingExecutor>();
    an_executor::<InlineExecutor>();
    an_actor::<Stays>();
    a_channel::<u32>();
    send::<TaskStream<u32, u32>>();
    send::<TrySendError<u32>>();
    debug::<TrySendError<u32>>();
    send::<Box<dyn Executor>>();
    sync::<Arc<dyn Executor>>();
    fn behind_a_pointer<T: Executor>() {}
    behind_a_pointer::<&dyn Executor>();
    behind_a_pointer::<&mut dyn Executor>();
    behind_a_pointer::<Box<dyn Executor>>();
    behind_a_pointer::<Arc<dyn Executor + 'static>>();
    behind_a_pointer::<Arc<Box<dyn Executor>>>();

    a_handle::<u32>();
    a_handle::<Box<dyn Send>>();
    unpin::<RemoteHandle<Stays>>();
    send::<JoinSet<Box<dyn Send>>>();
    unpin::<JoinSet<Stays>>();
    a_task::<String>();
    a_task::<Vec<u8>>();
    send::<Remote<Stays>>();
    send::<RemoteFn<Stays, Stays>>();
    send::<Job>();
    unpin::<Job>();
    debug::<Job>();

    a_stream::<dyn Executor, std::ops::Range<u32>>();
    a_stream::<Pool, Box<dyn Iterator<Item = u32>>>();
    send::<ParMap<'_, Pool, std::ops::Range<u32>, u32>>();
    unpin::<ParMap<'_, Pool, Stays, Stays>>();

    fn an_error<
        T: std::error::Error + Display + Clone + Send + Sync + Unpin + Serialize + DeserializeOwned,
    >() {
    }
    an_error::<Error>();
    lives::<Error>();
    a_builder::<PoolBuilder>();
    a_builder::<ThreadBuilder>();
    send::<Transfer<Vec<u8>>>();
    sync::<Transfer<Vec<u8>>>();
    fn a_value<T: Clone + Debug + Eq + Send + Sync + Unpin>() {}
    a_value::<Strategy>();
    a_value::<Stats>();
    a_value::<TaskRun>();
    fn serde<T: Serialize + DeserializeOwned>() {}
    serde::<Strategy>();
    serde::<Stats>();
}
