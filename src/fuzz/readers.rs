//! All that reads packets, each with what it is meant to read.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::packet::copy;
use super::values::{self, Drawable, Kind, Large, Nothing, Record, Tree};
use crate::error::Error;
use crate::platform::{Address, Packet};
use crate::schedule::{HandleSignal, Site, Strategy, TaskId, TaskKind, TaskOptions, WorkerId};
use crate::task::{self, Batch, Call, Remote, RemoteFn, Results, Transfer, read_chunk};
use crate::wire::{self, FromWorker, ToWorker, WorkerConfig};

pub(super) struct Reader {
    pub(super) name: &'static str,
    /// What is written for it.
    pub(super) examples: Vec<Packet>,
    /// How many addresses come first and are called: these stay what they are.
    pub(super) callee: usize,
    /// So many bytes of memory may be taken for each byte of a packet.
    pub(super) multiple: usize,
    /// True if there was what it reads.
    pub(super) read: fn(Packet) -> bool,
}

/// An element of a vector takes a byte at least, and three times its memory while the vector grows.
const fn in_vector<T>() -> usize {
    3 * size_of::<T>() + 32
}

/// The elements of all values here are smaller.
const OF_VALUES: usize = in_vector::<Large>();

thread_local! {
    static READERS: Vec<Reader> = readers();
    static ADDRESSES: Vec<Address> = known_addresses();
}

pub(super) fn with_readers<R>(use_them: impl FnOnce(&[Reader]) -> R) -> R {
    // Made before, so that it is not counted.
    ADDRESSES.with(|_| ());
    READERS.with(|readers| use_them(readers))
}

/// Addresses of statics of each kind, of a function, and some that nothing can have.
pub(super) fn addresses<R>(use_them: impl FnOnce(&[Address]) -> R) -> R {
    ADDRESSES.with(|known| use_them(known))
}

fn known_addresses() -> Vec<Address> {
    let mut known = call().addresses;
    known.extend(encoded(&values::object()).addresses);
    known.extend(encoded(&values::other_object()).addresses);
    known.extend([0, 1, known[0].number() + 1, usize::MAX, usize::MAX - 7].map(Address::from_lane));
    known
}

fn encoded<T: Serialize>(value: &T) -> Packet {
    let mut packet = Packet::default();
    task::encode(value, &mut packet).expect("it can be encoded");
    packet
}

fn call() -> Packet {
    let arguments = (values::record(), values::object());
    let call =
        Remote::new(arguments, |(record, object): (Record, Box<dyn Drawable>)| (object.area(), record));
    call.into_call().expect("it can be encoded")
}

fn readers() -> Vec<Reader> {
    let mut readers = vec![
        Reader {
            name: "messages of a worker",
            examples: each(from_worker, FromWorker::write),
            callee: 0,
            multiple: in_vector::<FromWorker>(),
            read: |packet| wire::read_all::<FromWorker>(packet, &mut Some).is_ok(),
        },
        Reader {
            name: "messages to a worker",
            examples: each(to_worker, ToWorker::write),
            callee: 0,
            multiple: in_vector::<ToWorker>(),
            read: |packet| wire::read_all::<ToWorker>(packet, &mut Some).is_ok(),
        },
        Reader {
            name: "a call",
            examples: vec![call()],
            callee: 3,
            multiple: OF_VALUES,
            read: |packet| match task::begin(packet) {
                Call::Ended(outcome) => outcome.is_ok(),
                Call::Running(_) => unreachable!("it is a synchronous one"),
            },
        },
        Reader {
            name: "the results of a chunk",
            examples: vec![results(), Results::default().write()],
            callee: 0,
            multiple: in_vector::<(usize, Error)>(),
            read: |packet| Results::read(packet).is_ok(),
        },
        Reader {
            name: "the calls of a chunk",
            examples: vec![chunk(batch(&[1_u32, 2, 3])), chunk(batch(&["a", ""].map(String::from)))],
            callee: 0,
            multiple: in_vector::<Packet>(),
            read: |packet| read_chunk(packet).is_some(),
        },
    ];
    readers.extend(values());
    readers
}

fn values() -> Vec<Reader> {
    let texts = ["", "text", "ü"].map(String::from);
    let nested = vec![vec![], vec![vec![1_u16], vec![]], vec![vec![2, 3]]];
    let objects = vec![values::object(), values::object()];
    vec![
        value("records", vec![values::record()]),
        value::<Tree>("a tree", values::tree()),
        value::<Vec<Kind>>("kinds", values::kinds()),
        value::<Vec<Large>>("large elements", values::larges()),
        value("a text", "a text".to_owned()),
        value("texts", texts.to_vec()),
        value("bytes", vec![0_u8, 1, 255]),
        value("numbers", vec![0_u64, 1, u64::MAX]),
        value("nested vectors", nested),
        value("a map", BTreeMap::from(texts.clone().map(|text| (text, vec![Some(1_i8), None])))),
        value("options", vec![None, Some(None), Some(Some(true))]),
        value("nothings", vec![Nothing; 3]),
        value("nested nothings", vec![vec![(); 3], vec![]]),
        value("a map of nothings", BTreeMap::from([((), ())])),
        value("bulk", (Transfer(vec![1_u16, 2]), vec![Transfer(vec![3.5_f32].into_boxed_slice())])),
        value("objects", objects),
        value("errors", vec![Error::closed(), Error::panic("message", Some("place".into()))]),
    ]
}

fn value<T: Serialize + DeserializeOwned + 'static>(name: &'static str, example: T) -> Reader {
    let read = |packet| task::decode::<T>(packet).is_ok();
    Reader { name, examples: vec![encoded(&example)], callee: 0, multiple: OF_VALUES, read }
}

/// Each message alone, and all in one packet.
fn each<M>(messages: fn() -> Vec<M>, write: fn(M, &mut Packet)) -> Vec<Packet> {
    let mut all = Packet::default();
    let mut examples = Vec::new();
    for (message, again) in messages().into_iter().zip(messages()) {
        let mut alone = Packet::default();
        write(message, &mut alone);
        write(again, &mut all);
        examples.push(alone);
    }
    examples.push(all);
    examples
}

fn task(number: u32) -> TaskId {
    TaskId { maker: WorkerId(7), number }
}

fn options() -> TaskOptions {
    let plain = TaskOptions::new(Site(0xdead_beef), TaskKind::Async);
    TaskOptions { timeout: Some(Duration::from_millis(9)), retries: 3, detached: true, ..plain }
}

fn to_worker() -> Vec<ToWorker> {
    let config = WorkerConfig {
        worker: WorkerId(3),
        strategy: Strategy::WorkStealing,
        threads: 4,
        watched: true,
        replaced: false,
    };
    vec![
        ToWorker::Start { config, on_start: None },
        ToWorker::Start { config, on_start: Some(call()) },
        ToWorker::Run { task: task(1), options: options(), call: call() },
        ToWorker::Stop { task: task(9) },
        ToWorker::ReportRequest,
        ToWorker::StealRequest { idle: 5 },
        ToWorker::Completed { task: task(3), outcome: Err(Error::panic("m", Some("l".into()))) },
        ToWorker::Completed { task: task(2), outcome: Ok(encoded(&values::record())) },
    ]
}

fn from_worker() -> Vec<FromWorker> {
    let ms = Duration::from_millis;
    let options = options();
    let location = Packet { addresses: vec![call().addresses[2]], ..Packet::default() };
    vec![
        FromWorker::Ready,
        FromWorker::Refused { error: Error::startup("no") },
        FromWorker::Began { task: task(1), options },
        FromWorker::Suspended { task: task(2), ran: ms(3) },
        FromWorker::Finished { task: task(3), ran: Some(ms(0)), outcome: Ok(encoded(&values::record())) },
        FromWorker::Finished { task: task(4), ran: None, outcome: Err(Error::closed()) },
        FromWorker::Finished { task: task(5), ran: None, outcome: Ok(results()) },
        FromWorker::Migrated { task: task(5), options, call: call() },
        FromWorker::Reported { local: 6, resting: true },
        FromWorker::Signal { task: task(7), signal: HandleSignal::Detach },
        FromWorker::Ran { task: task(8), location, began: ms(10), ended: ms(11) },
        FromWorker::Panicked {
            task: Some(task(1)),
            begun: Some(vec![task(1), task(2)]),
            message: "m".into(),
            location: Some("l".into()),
        },
        FromWorker::Panicked { task: None, begun: None, message: "m".into(), location: None },
    ]
}

fn batch<T: Serialize + 'static>(values: &[T]) -> Batch {
    let mut batch = Batch::of::<T>();
    values.iter().for_each(|value| batch.push(value).expect("it can be encoded"));
    batch
}

fn results() -> Packet {
    Results {
        values: Batch::one(encoded(&values::record())),
        errors: vec![(1, Error::cancelled())],
        begun: 2,
        rest: batch(&[1_u8, 2]),
        ran: Some(Duration::ZERO),
    }
    .write()
}

fn chunk(items: Batch) -> Packet {
    let calls = RemoteFn::new((1_u32,), |(a,): (u32,), hint| hint.closure(move |b: u32| a + b)).into_calls();
    let (job, _handle) = calls.job(items);
    let call = job.expect("it can be encoded").call;
    // The entry and the function of the chunk itself, and its place, are taken before.
    Packet { addresses: call.addresses[3..].to_vec(), ..copy(&call) }
}
