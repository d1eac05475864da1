//! Messages come out of a packet as they went in, and nothing else does.

use std::fmt::Debug;
use std::time::Duration;

use super::{FromWorker, Put, Take, ToWorker, WorkerConfig, read_all};
use crate::error::Error;
use crate::platform::{Address, Packet, Resident};
use crate::schedule::{HandleSignal, Site, Strategy, TaskId, TaskKind, TaskOptions, WorkerId};

fn body(bytes: &[u8], heads: &[u8]) -> Packet {
    let addresses = heads.iter().map(|number| Address::from_lane(usize::from(*number))).collect();
    Packet { bytes: bytes.to_vec(), heads: heads.to_vec(), addresses, ..Packet::default() }
}

/// A body that refers to resident values.
fn refers(names: &[u64]) -> Packet {
    let mut body = body(b"call", &[1]);
    names.iter().for_each(|name| body.residents.push(Resident::Named(*name)));
    body
}

fn task(number: u32) -> TaskId {
    TaskId { maker: WorkerId(7), number }
}

fn options() -> TaskOptions {
    TaskOptions {
        timeout: Some(Duration::from_nanos(u64::MAX)),
        retries: 3,
        detached: true,
        pinned: true,
        aside: true,
        ..TaskOptions::new(Site(0xDEAD_BEEF), TaskKind::Async)
    }
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
        ToWorker::Start { config, on_start: Some(body(b"start", &[7])) },
        ToWorker::Call { call: body(b"value", &[5]) },
        ToWorker::Run { task: task(1), options: options(), call: body(b"one", &[1, 2]) },
        ToWorker::Run { task: task(6), options: options(), call: refers(&[1, u64::MAX]) },
        ToWorker::Stop { task: task(9) },
        ToWorker::ReportRequest,
        ToWorker::StealRequest { idle: 5 },
        ToWorker::Run {
            task: task(u32::MAX),
            options: TaskOptions::new(Site(1), TaskKind::Sync),
            call: body(b"", &[3, 4]),
        },
        ToWorker::Completed { task: task(3), outcome: Err(Error::panic("m", Some("l".into()))) },
        ToWorker::Completed { task: task(2), outcome: Ok(body(b"result", &[])) },
    ]
}

fn from_worker() -> Vec<FromWorker> {
    let ms = Duration::from_millis;
    let options = options();
    vec![
        FromWorker::Ready,
        FromWorker::Refused { error: Error::startup("no") },
        FromWorker::Began { task: task(1), options },
        FromWorker::Suspended { task: task(2), ran: ms(3) },
        FromWorker::Finished { task: task(3), ran: Some(ms(0)), outcome: Ok(body(b"result", &[])) },
        FromWorker::Finished { task: task(4), ran: None, outcome: Err(Error::closed()) },
        FromWorker::Migrated { task: task(5), options, call: body(b"call", &[1]) },
        FromWorker::Migrated { task: task(6), options, call: refers(&[8]) },
        FromWorker::Reported { local: 6, resting: true },
        FromWorker::Signal { task: task(7), signal: HandleSignal::Detach },
        FromWorker::Ran { task: task(8), location: body(&[], &[]), began: ms(10), ended: ms(11) },
        FromWorker::Panicked {
            task: Some(task(1)),
            begun: Some(vec![task(1), task(2)]),
            message: "m".into(),
            location: Some("l".into()),
        },
        FromWorker::Panicked { task: None, begun: None, message: "m".into(), location: None },
    ]
}

/// All messages in one packet.
fn packet<M: Put>(messages: Vec<M>) -> Packet {
    let mut packet = Packet::default();
    messages.into_iter().for_each(|message| message.put(&mut packet));
    packet
}

fn text(messages: &impl Debug) -> String {
    format!("{messages:?}")
}

#[test]
fn messages_of_one_packet_come_out_as_they_went_in() {
    let read = read_all::<ToWorker>(packet(to_worker()), &mut Some).expect("whole");
    assert_eq!(text(&read), text(&to_worker()));
    let read = read_all::<FromWorker>(packet(from_worker()), &mut Some).expect("whole");
    assert_eq!(text(&read), text(&from_worker()));
}

/// With a lane shortened to every length, or lengthened, nothing is read but a beginning of the list.
#[track_caller]
fn is_read_whole_or_not_at_all<M: Put + Take>(messages: fn() -> Vec<M>) {
    let all = messages().len();
    let check = |change: &dyn Fn(&mut Packet)| {
        let mut packet = packet(messages());
        change(&mut packet);
        match read_all::<M>(packet, &mut Some) {
            Ok(read) => assert!(read.len() < all),
            Err(error) => assert!(error.is_codec()),
        }
    };
    let whole = packet(messages());
    (0..whole.heads.len()).for_each(|length| check(&|packet| packet.heads.truncate(length)));
    let garbled = |change: &dyn Fn(&mut Packet)| {
        let mut packet = packet(messages());
        change(&mut packet);
        assert!(read_all::<M>(packet, &mut Some).is_err_and(|error| error.is_codec()));
    };
    (0..whole.bytes.len()).for_each(|length| garbled(&|packet| packet.bytes.truncate(length)));
    (0..whole.addresses.len()).for_each(|length| garbled(&|packet| packet.addresses.truncate(length)));
    garbled(&|packet| packet.bytes.push(0));
    garbled(&|packet| packet.addresses.push(Address::from_lane(0)));
    garbled(&|packet| packet.heads.push(0xff));
}

#[test]
fn what_is_sent_to_a_worker_is_read_whole_or_not_at_all() {
    is_read_whole_or_not_at_all(to_worker);
}

#[test]
fn what_a_worker_sends_is_read_whole_or_not_at_all() {
    is_read_whole_or_not_at_all(from_worker);
}

#[test]
fn a_call_that_is_copied_is_written_like_one_that_is_moved() {
    let call = body(b"call", &[1, 2]);
    let (mut copied, mut moved) = (Packet::default(), Packet::default());
    ToWorker::write_run(task(1), options(), &call, &mut copied);
    ToWorker::Run { task: task(1), options: options(), call }.write(&mut moved);
    assert_eq!(text(&copied), text(&moved));
}

#[test]
fn values_that_are_lost_are_missing_where_they_were() {
    let mut packet = Packet::default();
    for bytes in [&b"first"[..], b"", b"third"] {
        FromWorker::Finished { task: task(1), ran: None, outcome: Ok(body(bytes, &[1])) }.write(&mut packet);
    }
    let lost =
        |lost| Packet { bytes: Vec::new(), lost, ..packet.try_clone().expect("it has no attachments") };
    let messages = read_all::<FromWorker>(lost(10), &mut Some).expect("the heads are there");
    let missing = messages.into_iter().map(|message| match message {
        FromWorker::Finished { outcome: Ok(result), .. } => (result.bytes.len(), result.lost),
        _ => panic!("no other message was written"),
    });
    assert_eq!(missing.collect::<Vec<_>>(), [(0, 5), (0, 0), (0, 5)]);
    for other in [4, 11] {
        assert!(read_all::<FromWorker>(lost(other), &mut Some).is_err(), "{other}");
    }
}
