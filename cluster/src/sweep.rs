//! What fleets of other builds have left with the broker.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;
use std::future::ready;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::{StreamExt, stream};
use tokio::time::{Instant, timeout_at};

use crate::connection::{BUILD, Connection, OBJECTS};

/// A stream that is younger, in seconds, may be about to be used.
const UNUSED: i64 = 600;
/// Whoever is there says its build within so long.
const LISTENS: Duration = Duration::from_secs(60);

/// No application has more builds at a time.
const MOST: usize = 1024;

/// A stream, as the broker tells of it.
#[derive(Clone, Copy)]
struct Seen {
    messages: u64,
    /// In seconds.
    age: i64,
}

impl Connection {
    /// Removes what the broker has set aside for other builds of this application, if nobody uses it: each build has streams of its own.
    /// It takes a minute to hear who is there. What cannot be looked at stays, and who wants what was removed makes it anew.
    pub(crate) async fn sweep(&self) {
        let Some(heard) = self.hear_builds().await else { return };
        let seen = self.jetstream.streams().filter_map(|stream| ready(stream.ok())).map(|stream| {
            let age = now().saturating_sub(stream.created.unix_timestamp());
            (stream.config.name, Seen { messages: stream.state.messages, age })
        });
        let seen: HashMap<_, _> = seen.collect().await;
        for name in left_behind(&self.names.streams(), &seen, &heard) {
            if self.is_used(&name).await {
                continue;
            }
            // Others may do so at the same time.
            drop(self.jetstream.delete_stream(&name).await);
            drop(self.jetstream.delete_stream(name + OBJECTS).await);
        }
    }

    /// The builds of all who are there, as they are in names. `None`: nobody can be heard.
    async fn hear_builds(&self) -> Option<HashSet<String>> {
        let nodes = self.subscribe(self.names.node_builds()).await.ok()?;
        let clients = self.subscribe(self.names.client_builds()).await.ok()?;
        let (mut said, end) = (stream::select(nodes, clients), Instant::now() + LISTENS);
        let mut heard = HashSet::new();
        while let Ok(build) = timeout_at(end, said.next()).await {
            heard.insert(digits(&build?.payload));
            // Somebody who has not the secret may say many.
            if heard.len() > MOST {
                return None;
            }
        }
        // Its own is among them, unless the broker was away.
        heard.contains(&digits(self.seal.build().as_bytes())).then_some(heard)
    }

    /// True if nodes wait for messages of a stream, or have some.
    async fn is_used(&self, name: &str) -> bool {
        let Ok(stream) = self.jetstream.get_stream(name).await else { return true };
        let mut consumers = stream.consumers();
        while let Some(consumer) = consumers.next().await {
            if consumer.map_or(true, |consumer| consumer.num_waiting > 0 || consumer.num_ack_pending > 0) {
                return true;
            }
        }
        false
    }
}

/// The streams of tasks that are empty, as those of their objects are, and whose builds nobody has. All names begin with `prefix`.
fn left_behind(prefix: &str, seen: &HashMap<String, Seen>, heard: &HashSet<String>) -> Vec<String> {
    let is_empty =
        |name: &str| seen.get(name).is_none_or(|stream| stream.messages == 0 && stream.age > UNUSED);
    let is_left = |name: &&String| {
        let Some(build) = name.strip_prefix(prefix) else { return false };
        let is_build = build.len() == BUILD && build.chars().all(|digit| digit.is_ascii_hexdigit());
        is_build && !heard.contains(build) && is_empty(name) && is_empty(&format!("{name}{OBJECTS}"))
    };
    seen.keys().filter(is_left).cloned().collect()
}

/// A build as it is in names.
fn digits(build: &[u8]) -> String {
    build.iter().take(BUILD / 2).fold(String::new(), |mut digits, byte| {
        write!(digits, "{byte:02x}").expect("a string takes all that is written");
        digits
    })
}

/// In seconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PREFIX: &str = "wasm-mt_tests_";
    const OLD: Seen = Seen { messages: 0, age: UNUSED + 1 };

    fn left(seen: &[(&str, Seen)], heard: &[&str]) -> Vec<String> {
        let seen = seen.iter().map(|(name, stream)| (format!("{PREFIX}{name}"), *stream)).collect();
        let heard = heard.iter().map(|build| (*build).to_owned()).collect();
        let mut left = left_behind(PREFIX, &seen, &heard);
        left.iter_mut().for_each(|name| *name = name[PREFIX.len()..].to_owned());
        left
    }

    #[test]
    fn what_nobody_has_is_left_behind() {
        let build = "0123456789abcdef";
        assert_eq!(left(&[(build, OLD), ("0123456789abcdef_objects", OLD)], &[]), [build]);
        assert_eq!(left(&[(build, OLD)], &["fedcba9876543210"]), [build]);
    }

    #[test]
    fn what_is_used_stays() {
        let (build, objects) = ("0123456789abcdef", "0123456789abcdef_objects");
        // Somebody has this build: a client that has nothing to do, or a node that only finishes what it has.
        assert!(left(&[(build, OLD), (objects, OLD)], &[build]).is_empty());
        for used in [Seen { messages: 1, ..OLD }, Seen { age: UNUSED, ..OLD }] {
            assert!(left(&[(build, used), (objects, OLD)], &[]).is_empty());
            assert!(left(&[(build, OLD), (objects, used)], &[]).is_empty());
        }
    }

    #[test]
    fn what_is_not_ours_stays() {
        assert!(
            left(&[("0123456789abcde", OLD), ("0123456789abcdeg", OLD), ("a_0123456789abcdef", OLD)], &[])
                .is_empty()
        );
    }

    #[test]
    fn a_build_is_the_first_digits_of_its_hash() {
        assert_eq!(digits(&[0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0xff]), "0123456789abcdef");
    }
}
