//! A NATS server of the tests' own.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, iter, thread};

/// Where the server is, if not on the path.
const PROGRAM: &str = "WASM_MT_NATS_SERVER";

/// Those that run.
static RUNNING: Mutex<Vec<u32>> = Mutex::new(Vec::new());

/// Ends all that a test has left behind which did not end.
pub(crate) fn end_all() {
    for process in RUNNING.lock().unwrap().drain(..) {
        drop(Command::new("kill").args(["-9", &process.to_string()]).status());
    }
}

/// A server with JetStream and a store, on a port of its own.
pub(crate) struct Broker {
    process: Option<Child>,
    port: u16,
    folder: PathBuf,
    options: String,
}

impl Broker {
    /// `None` if there is no server on this machine.
    pub(crate) fn start(options: &str) -> Option<Self> {
        let port = free_port();
        let folder = env::temp_dir().join(format!("wasm-mt-fleet-{}-{port}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let mut broker = Self { process: None, port, folder, options: options.to_owned() };
        broker.restart().then_some(broker)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Ends it as a crash would.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            RUNNING.lock().unwrap().retain(|running| *running != process.id());
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Ends it, and its store is lost.
    pub(crate) fn lose(&mut self) {
        self.kill();
        fs::remove_dir_all(self.folder.join("store")).unwrap();
    }

    /// Starts it on the same port, with the same store. False if there is none on this machine.
    pub(crate) fn restart(&mut self) -> bool {
        self.kill();
        let config = self.folder.join("nats.conf");
        let store = self.folder.join("store");
        let text = format!(
            "listen: \"127.0.0.1:{}\"\njetstream: {{ store_dir: {store:?} }}\n{}\n",
            self.port, self.options
        );
        fs::write(&config, text).unwrap();
        let program = env::var(PROGRAM).unwrap_or_else(|_| "nats-server".to_owned());
        let log = fs::File::create(self.folder.join("log")).unwrap();
        let started = Command::new(program).arg("-c").arg(config).stdout(Stdio::null()).stderr(log).spawn();
        let Ok(process) = started else { return false };
        RUNNING.lock().unwrap().push(process.id());
        self.process = Some(process);
        let since = Instant::now();
        while !self.answers() {
            assert!(since.elapsed() < Duration::from_secs(20), "{}", self.log());
            // sleep: the server tells nobody when it listens
            thread::sleep(Duration::from_millis(10));
        }
        true
    }

    /// Starts it anew, with other options.
    pub(crate) fn restart_with(&mut self, options: &str) -> bool {
        options.clone_into(&mut self.options);
        self.restart()
    }

    /// Does something that an administrator could.
    pub(crate) fn ask<T, F>(&self, what: impl FnOnce(async_nats::Client) -> F + Send + 'static) -> T
    where
        T: Send + 'static,
        F: Future<Output = T>,
    {
        let url = self.url();
        // A runtime of its own has a thread of its own.
        let asks = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move { what(async_nats::connect(url).await.unwrap()).await })
        });
        asks.join().unwrap()
    }

    fn answers(&self) -> bool {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let Ok(stream) = TcpStream::connect(address) else { return false };
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).is_ok() && line.contains("\"jetstream\":true")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.kill();
        drop(fs::remove_dir_all(&self.folder));
    }
}

/// None of those that the system gives to outgoing connections: a client that tries to connect again could be given the
/// broker's own. Nor one that was given before, whose broker may be about to start again.
fn free_port() -> u16 {
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    let first = (std::process::id() as u16).wrapping_mul(31);
    iter::repeat_with(|| 10_000 + first.wrapping_add(GIVEN.fetch_add(1, Ordering::Relaxed)) % 20_000)
        .take(10_000)
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .unwrap()
}
