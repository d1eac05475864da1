#![expect(unsafe_code, reason = "a program may say by itself which build it is")]
//! What a fleet is made of.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use wasm_mt::Error;
use wasm_mt::transport::{Build, Seal};

/// Who has missed so many heartbeats of others has stood still by itself. So nobody is taken for lost after fewer.
pub(crate) const HEARTBEATS: u32 = 3;
/// A shorter one is less than what a busy machine takes to get round to it. What is longer nobody waits for.
const HEARTBEAT: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(60 * 60);
/// Some messages fit. For NATS, none would be no limit.
const LEAST_STORED: i64 = 16 << 10;
/// What NATS can do.
const REPLICAS: RangeInclusive<usize> = 1..=5;

/// Where the broker is, which application this is, and how its fleet behaves.
///
/// Clients and nodes of one fleet have the same.
///
/// ```
/// use wasm_mt_nats::Config;
///
/// let local = Config::new("nats://127.0.0.1:4222", "mandelbrot", "a secret of 16 bytes or more");
/// let elsewhere = Config::new("tls://nats.example:4222", "mandelbrot", "a secret of 16 bytes or more")
///     .root_certificates("/etc/mandelbrot/ca.pem")
///     .client_certificate("/etc/mandelbrot/node.pem", "/etc/mandelbrot/node.key");
/// ```
#[derive(Clone)]
#[must_use = "it does nothing until a client or a node has it"]
pub struct Config {
    pub(crate) url: String,
    pub(crate) application: String,
    pub(crate) secret: Vec<u8>,
    /// `None`: that of the program's file.
    build: Option<Build>,
    pub(crate) credentials: Option<PathBuf>,
    pub(crate) root_certificates: Option<PathBuf>,
    pub(crate) client_certificate: Option<(PathBuf, PathBuf)>,
    pub(crate) heartbeat: Duration,
    pub(crate) silence: Duration,
    pub(crate) start_timeout: Duration,
    pub(crate) max_queue: Option<usize>,
    pub(crate) max_in_flight: usize,
    pub(crate) max_stored: i64,
    pub(crate) replicas: usize,
}

impl Config {
    /// A fleet whose NATS server is at `url`, for an application of this name: letters, digits, `-` and `_`. Several servers are separated
    /// by commas; the others of a cluster of brokers are learnt from one. `nats://user:password@host` says who connects.
    ///
    /// `secret` has 16 bytes or more. **Whoever knows it and can reach the broker can run any code on the nodes.** See
    /// [`Seal`].
    pub fn new(url: impl Into<String>, application: impl Into<String>, secret: impl Into<Vec<u8>>) -> Self {
        Self {
            url: url.into(),
            application: application.into(),
            secret: secret.into(),
            build: None,
            credentials: None,
            root_certificates: None,
            client_certificate: None,
            heartbeat: Duration::from_millis(500),
            silence: Duration::from_secs(3),
            start_timeout: Duration::from_secs(30),
            max_queue: None,
            max_in_flight: 100_000,
            max_stored: 256 << 20,
            replicas: 1,
        }
    }

    /// The credentials file of the broker's user.
    pub fn credentials_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.credentials = Some(path.into());
        self
    }

    /// The certificates of the authorities that the broker's own is signed by, in a PEM file. By default those of the system are
    /// trusted. A `tls://` URL asks for TLS.
    pub fn root_certificates(mut self, path: impl Into<PathBuf>) -> Self {
        self.root_certificates = Some(path.into());
        self
    }

    /// The certificate and the key by which this process shows who it is, in PEM files.
    pub fn client_certificate(mut self, certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.client_certificate = Some((certificate.into(), key.into()));
        self
    }

    /// Which build this program is, where the system does not say: only Linux and Android tell a program which file it was loaded from.
    /// Elsewhere connections fail without this, with an error that [`is_startup`](Error::is_startup).
    ///
    /// ```no_run
    /// use wasm_mt::transport::Build;
    /// use wasm_mt_nats::Config;
    ///
    /// fn with_build(config: Config) -> std::io::Result<Config> {
    ///     let file = std::fs::read(std::env::current_exe()?)?;
    ///     // SAFETY: this is the first that `main` does, and our files are not replaced while they are being started.
    ///     Ok(unsafe { config.build(Build::of(&file)) })
    /// }
    /// ```
    ///
    /// # Safety
    ///
    /// As for [`Seal::of_build`]: two programs MUST NOT say that they are the same build and have the same secret, unless they are the same
    /// file. Each calls what lies where the other one has a function. So a hash of the file that lies at the program's path now is wrong
    /// if it was replaced since the program was started, and so is a version number, which builds for two targets have in common.
    pub unsafe fn build(mut self, build: Build) -> Self {
        self.build = Some(build);
        self
    }

    /// How often a process says that it is there; 500 ms by default. From 10 ms to an hour.
    pub fn heartbeat(mut self, interval: Duration) -> Self {
        self.heartbeat = interval;
        self
    }

    /// After how long without a word a process is taken for lost; 3 s by default. A connection to the broker that is
    /// interrupted for less harms nobody. At least three heartbeats.
    pub fn silence(mut self, limit: Duration) -> Self {
        self.silence = limit;
        self
    }

    /// How long tasks wait while no node of this build is there, until they end in an error that [`is_other`](Error::is_other); 30 s by
    /// default.
    pub fn start_timeout(mut self, limit: Duration) -> Self {
        self.start_timeout = limit;
        self
    }

    /// How many tasks of a client may wait for a worker, as far as [`try_spawn_remote`](wasm_mt::ExecutorExt::try_spawn_remote) and
    /// [`par_map`](wasm_mt::ExecutorExt::par_map) are concerned: those beyond one for each worker of the fleet, which the client counts as
    /// running. By default any number. `spawn_remote` always queues, and the children that nodes give to [`Cluster::current`](crate::Cluster::current) are never
    /// refused.
    pub fn max_queue(mut self, tasks: usize) -> Self {
        self.max_queue = Some(tasks);
        self
    }

    /// How many tasks of a client are with the broker or with nodes at a time, one at least; 100,000 by default. Others wait with the
    /// client.
    pub fn max_in_flight(mut self, tasks: usize) -> Self {
        self.max_in_flight = tasks;
        self
    }

    /// How many bytes of tasks the broker may store, and as many of long bodies (64 MiB at least), which it sets aside; 256 MiB by default,
    /// 16 KiB at least. What does not fit waits with its client. Whoever connects first decides.
    pub fn max_stored(mut self, bytes: u64) -> Self {
        self.max_stored = i64::try_from(bytes).unwrap_or(i64::MAX);
        self
    }

    /// On how many servers of a cluster of brokers the tasks are stored, one to five; one by default. Whoever connects first decides.
    pub fn replicas(mut self, count: usize) -> Self {
        self.replicas = count;
        self
    }

    pub(crate) fn seal(&self) -> Result<Seal, Error> {
        match self.build {
            None => Seal::new(&self.secret),
            // SAFETY: whoever has given the build has promised what it asks for.
            Some(build) => unsafe { Seal::of_build(build, &self.secret) },
        }
    }

    /// What cannot work is refused before anything begins.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let wrong =
            |what: String| Err(Error::other(format!("the configuration of the fleet cannot work: {what}")));
        let Self { heartbeat, silence, max_in_flight, max_stored, replicas, .. } = self;
        if !HEARTBEAT.contains(heartbeat) {
            return wrong(format!("`heartbeat` is {heartbeat:?}; give one of 10 ms to an hour"));
        }
        let least = HEARTBEATS * *heartbeat;
        if *silence < least {
            return wrong(format!(
                "`silence` is {silence:?} with a `heartbeat` of {heartbeat:?}; give three heartbeats or more, that is {least:?}"
            ));
        }
        if *max_in_flight == 0 {
            return wrong("`max_in_flight` is 0, so that no task is ever sent; give 1 or more".to_owned());
        }
        if *max_stored < LEAST_STORED {
            return wrong(format!(
                "`max_stored` is {max_stored} bytes; give 16 KiB or more, so that messages fit"
            ));
        }
        if !REPLICAS.contains(replicas) {
            return wrong(format!(
                "`replicas` is {replicas}; give 1 to 5, as many as the broker has servers at most"
            ));
        }
        Ok(())
    }
}

/// Without what is secret.
impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config").field("application", &self.application).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_work_is_refused_with_its_cure() {
        type Change = fn(Config) -> Config;
        const HOUR: Duration = Duration::from_secs(60 * 60);
        let refused: [(Change, &str); 12] = [
            (|config| config.heartbeat(Duration::ZERO), "10 ms to an hour"),
            (|config| config.heartbeat(Duration::from_nanos(1)), "10 ms to an hour"),
            (|config| config.heartbeat(HOUR + Duration::from_nanos(1)), "10 ms to an hour"),
            (|config| config.heartbeat(Duration::MAX).silence(Duration::MAX), "10 ms to an hour"),
            (|config| config.silence(Duration::ZERO), "1.5s"),
            (|config| config.silence(Duration::from_millis(1499)), "1.5s"),
            (|config| config.heartbeat(Duration::from_millis(1001)), "3.003s"),
            (|config| config.max_in_flight(0), "1 or more"),
            (|config| config.max_stored(0), "16 KiB or more"),
            (|config| config.max_stored(16_383), "16 KiB or more"),
            (|config| config.replicas(0), "1 to 5"),
            (|config| config.replicas(6), "1 to 5"),
        ];
        for (number, (change, cure)) in refused.into_iter().enumerate() {
            let error = change(a_config()).check().unwrap_err();
            assert!(error.is_other() && error.to_string().contains(cure), "{number}: {error}");
        }
        let taken: [Change; 7] = [
            |config| config,
            |config| config.heartbeat(Duration::from_millis(10)).silence(Duration::from_millis(30)),
            |config| config.heartbeat(HOUR).silence(3 * HOUR),
            |config| config.silence(Duration::MAX),
            |config| config.start_timeout(Duration::ZERO).max_stored(u64::MAX),
            |config| config.start_timeout(Duration::MAX).max_in_flight(usize::MAX),
            |config| config.max_in_flight(1).max_stored(16 << 10).replicas(5),
        ];
        for (number, change) in taken.into_iter().enumerate() {
            change(a_config()).check().unwrap_or_else(|error| panic!("{number}: {error}"));
        }
    }

    #[test]
    fn a_program_may_say_which_build_it_is() {
        let own = a_config().seal().unwrap().build();
        let build = Build::of(b"this program");
        // SAFETY: nothing is sealed by it.
        let config = unsafe { a_config().build(build) };
        let said = config.seal().unwrap().build();
        assert!(said == build && said != own);
    }

    fn a_config() -> Config {
        Config::new("nats://127.0.0.1:4222", "tests", "a secret of the tests")
    }
}
