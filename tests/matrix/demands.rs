//! What must hold in every case.

use wasm_mt::Error;

use crate::cases::{Case, Situation};
use crate::faults::{End, Tells, Worker};
use crate::notes::Notes;
use crate::run::{Record, Role, is_vague};
use crate::subjects::Made;
use crate::value::Value;

/// Each task ends as it may, with its own value, and has run at most once. Gives what is wrong.
pub(crate) fn of_record(case: &Case, record: &Record, notes: &Notes) -> Option<String> {
    let Case { fault, .. } = case;
    let Record { role, number, outcome } = record;
    let (end, runs) = (End::of(outcome), notes.count(*number));
    let says = |what: &str| {
        let error = outcome.as_ref().err().map(ToString::to_string).unwrap_or_default();
        Some(format!("task {number} ({role:?}) {what}: {end:?}, run {runs} times. {error}"))
    };
    if runs > 1 {
        return says("ran more than once");
    }
    if let Ok(value) = outcome {
        let is_its_own = match value {
            Value::Number(value) => value == number,
            #[cfg(target_family = "wasm")]
            Value::Js(_) => *role == Role::Faulty,
            _ => false,
        };
        if !is_its_own {
            return says("has the value of another");
        }
        if runs == 0 {
            return says("has a value and never ran");
        }
    }
    let lost = end == End::WorkerLost && fault.may_end_workers();
    let late = end == End::Timeout && fault.limit_behind.is_some();
    // Where tasks overtake one another, none is surely before the fault.
    let role = if *role == Role::Before && !case.subject.keeps_order() { &Role::Behind } else { role };
    let may_end_so = match role {
        _ if fault.worker == Worker::NeverStarts => end == End::Startup,
        Role::Faulty => fault.ends.contains(&end),
        _ if end == End::Value => true,
        Role::Known => false,
        Role::Before => lost && fault.tells == Tells::Nothing,
        Role::Beside => late || lost && (runs == 1 || is_vague(case, *role)),
        Role::Behind => late || lost && (runs == 1 || is_vague(case, *role)),
        // Nothing else has the object.
        Role::Call => lost,
        // A thread is not replaced.
        Role::LaterCall => lost && (!case.subject.replaces_workers() || fault.worker != Worker::Ends),
        Role::Item => {
            let shared = fault.shares && fault.ends.contains(&end);
            shared || lost && (runs == 1 || is_vague(case, *role))
        }
    };
    if may_end_so { None } else { says("ended in a way that it must not") }
}

/// What the executor says of itself agrees with what became of the tasks. Gives what is wrong.
pub(crate) fn of_executor(case: &Case, records: &[Record], made: &Made) -> Vec<String> {
    let mut found = Vec::new();
    let pending = made.executor().pending();
    if pending != 0 {
        found.push(format!("{pending} tasks are pending, and every handle has resolved"));
    }
    let Some(stats) = made.stats() else { return found };
    if stats.queued != 0 {
        found.push(format!("tasks are queued, and every handle has resolved: {stats:?}"));
    }
    let answered = |record: &&Record| matches!(End::of(&record.outcome), End::Value | End::Codec | End::Js);
    let answered = records.iter().filter(answered).count() as u64;
    // Children that migrated are counted too. Items are not tasks.
    let is_plain = matches!(case.situation, Situation::Alone | Situation::Many);
    if is_plain && !(answered..=answered + stats.stolen).contains(&stats.finished) {
        found.push(format!("{answered} tasks have ended on a worker: {stats:?}"));
    }
    let lost = match case.fault.worker {
        Worker::Stays | Worker::NeverStarts => 0..=0,
        Worker::Ends => 1..=1,
        #[cfg(target_family = "wasm")]
        Worker::MayEnd => 0..=1,
    };
    if !lost.contains(&stats.lost_workers) {
        found.push(format!("another number of workers was lost than {lost:?}: {stats:?}"));
    }
    found
}

/// The executor works, or says why not. Gives what is wrong.
pub(crate) fn afterwards<'a>(
    case: &Case,
    made: &Made,
    ready: Result<(), Error>,
    probes: impl Iterator<Item = &'a Result<Value, Error>>,
) -> Vec<String> {
    let is_lost = made.is_lost();
    let expected = match case.fault.worker {
        Worker::NeverStarts => End::Startup,
        _ if is_lost => End::WorkerLost,
        _ => End::Value,
    };
    let mut found = Vec::new();
    if !case.subject.replaces_workers() && case.fault.worker == Worker::Ends && !is_lost {
        found.push("the thread is lost and does not say so".to_owned());
    }
    for probe in probes.filter(|probe| End::of(probe) != expected) {
        found.push(format!("afterwards a task ends in {probe:?}, not in {expected:?}"));
    }
    if ready.is_ok() != (expected == End::Value) {
        found.push(format!("afterwards it is ready: {ready:?}"));
    }
    found
}
