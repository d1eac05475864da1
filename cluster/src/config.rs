//! What a fleet is made of.

use std::path::PathBuf;
use std::time::Duration;

use wasm_mt::Error;
use wasm_mt::transport::Seal;

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
    pub(crate) credentials: Option<PathBuf>,
    pub(crate) root_certificates: Option<PathBuf>,
    pub(crate) client_certificate: Option<(PathBuf, PathBuf)>,
    pub(crate) heartbeat: Duration,
    pub(crate) silence: Duration,
    pub(crate) start_timeout: Duration,
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
            credentials: None,
            root_certificates: None,
            client_certificate: None,
            heartbeat: Duration::from_millis(500),
            silence: Duration::from_secs(3),
            start_timeout: Duration::from_secs(30),
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

    /// How often a process says that it is there; 500 ms by default.
    pub fn heartbeat(mut self, interval: Duration) -> Self {
        self.heartbeat = interval;
        self
    }

    /// After how long without a word a process is taken for lost; 3 s by default. A connection to the broker that is
    /// interrupted for less harms nobody. At least two heartbeats.
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

    /// How many tasks of a client are with the broker or with nodes at a time; 100,000 by default. Others wait with the client.
    pub fn max_in_flight(mut self, tasks: usize) -> Self {
        self.max_in_flight = tasks.max(1);
        self
    }

    /// How many bytes of tasks the broker may store, and as many of long bodies (64 MiB at least), which it sets aside; 256 MiB by default. What does not fit waits with its client. Whoever connects first
    /// decides.
    pub fn max_stored(mut self, bytes: u64) -> Self {
        self.max_stored = i64::try_from(bytes).unwrap_or(i64::MAX);
        self
    }

    /// On how many servers of a cluster of brokers the tasks are stored; one by default. Whoever connects first decides.
    pub fn replicas(mut self, count: usize) -> Self {
        self.replicas = count;
        self
    }

    pub(crate) fn seal(&self) -> Result<Seal, Error> {
        Seal::new(&self.secret)
    }

    pub(crate) fn silence_limit(&self) -> Duration {
        self.silence.max(2 * self.heartbeat)
    }
}

/// Without what is secret.
impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config").field("application", &self.application).finish_non_exhaustive()
    }
}
