//! A NATS server of our own, with JetStream: for programs that are tried against a broker, and for `cargo xtask nats`.
//!
//! It listens on 127.0.0.1 only and keeps what it stores in a folder of its own. A [`Broker`] can be killed and started again
//! as if it had crashed: port and store stay. Dropping it ends the server and removes the store.

use std::io::{self, BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{self, Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use fs_err as fs;
use serde_json::{Value, json};
use tempfile::TempDir;
use xshell::Shell;

use crate::progress;
use crate::setup;
use crate::web::Process;

/// How long the server may take until it answers; it reads its whole store first.
const START: Duration = Duration::from_secs(20);
/// How long one attempt to reach it may take.
const ATTEMPT: Duration = Duration::from_secs(1);
/// How often is looked whether it answers.
const POLL: Duration = Duration::from_millis(10);

/// What a broker is told; where nothing is said, the server's own defaults hold.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Settings {
    /// The port on 127.0.0.1; a free one is chosen if none is given.
    #[arg(long)]
    pub(crate) port: Option<u16>,
    /// How long a message may be, in bytes; 1 MiB unless told.
    #[arg(long, value_name = "BYTES")]
    pub(crate) max_payload: Option<u32>,
    /// How much all streams may store on the disk, in bytes; three quarters of what is free unless told.
    #[arg(long, value_name = "BYTES")]
    pub(crate) max_store: Option<u64>,
}

/// A NATS server that runs, or was killed.
pub(crate) struct Broker {
    program: PathBuf,
    settings: Settings,
    port: u16,
    /// The process of the last start. One that was killed stays here until the next runs: it makes an interrupt remove the folder.
    process: Option<Process>,
    /// Configuration, log and store.
    folder: Arc<TempDir>,
}

impl Broker {
    /// Installs the server if it is missing, starts it with an empty store, and waits until it answers.
    pub(crate) fn start(shell: &Shell, settings: Settings) -> Result<Broker> {
        Broker::start_program(setup::nats_server(shell)?, settings)
    }

    fn start_program(program: PathBuf, settings: Settings) -> Result<Broker> {
        let port = settings.port.map_or_else(free_port, Ok)?;
        let folder = Arc::new(tempfile::Builder::new().prefix("wasm-mt-nats-").tempdir()?);
        let mut broker = Broker { program, settings, port, process: None, folder };
        broker.restart()?;
        Ok(broker)
    }

    /// What clients connect to. It is the same after a restart.
    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Ends the server as a crash would. Connections break at once; the store stays. Does nothing if it has ended.
    pub(crate) fn kill(&mut self) {
        if let Some(process) = &mut self.process {
            process.kill();
        }
    }

    /// Whether the server runs, for all that is known of its process.
    fn is_running(&mut self) -> Result<bool> {
        self.process.as_mut().map_or(Ok(false), Process::is_running)
    }

    /// Starts the server on the port and the store that it had, and waits until it answers. One that runs is killed first.
    pub(crate) fn restart(&mut self) -> Result<()> {
        self.kill();
        // Another server may answer at this port; the name tells them apart.
        let name = self.folder.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (file, log) = (self.folder.path().join("nats.conf"), self.folder.path().join("nats.log"));
        // The server's language for settings contains JSON.
        fs::write(&file, self.configuration(&name).to_string())?;
        let mut command = Command::new(&self.program);
        command.arg("-c").arg(&file).arg("-l").arg(&log);
        let mut process = Process::start_in(command, Arc::clone(&self.folder))?;
        self.await_answer(&name, &mut process).with_context(|| {
            let lines = progress::tail(&log, 10);
            format!("failed to start a NATS server at {}; the end of its log:\n{lines}", self.url())
        })?;
        self.process = Some(process);
        Ok(())
    }

    fn configuration(&self, name: &str) -> Value {
        let mut jetstream = json!({ "store_dir": self.folder.path().join("store") });
        if let Some(bytes) = self.settings.max_store {
            jetstream["max_file_store"] = bytes.into();
        }
        let mut configuration = json!({
            "listen": format!("127.0.0.1:{}", self.port),
            "server_name": name,
            "jetstream": jetstream,
        });
        if let Some(bytes) = self.settings.max_payload {
            configuration["max_payload"] = bytes.into();
        }
        configuration
    }

    fn await_answer(&self, name: &str, process: &mut Process) -> Result<()> {
        let since = Instant::now();
        // It listens when its streams are restored, so who is greeted can use them.
        while !greeting(self.port).is_ok_and(|it| it["server_name"] == name && it["jetstream"] == true) {
            ensure!(process.is_running()?, "it ended at once");
            ensure!(since.elapsed() < START, "it does not answer after {} s", START.as_secs());
            thread::sleep(POLL);
        }
        Ok(())
    }
}

/// What a NATS server says of itself to each that connects.
fn greeting(port: u16) -> Result<Value> {
    let stream = TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), ATTEMPT)?;
    stream.set_read_timeout(Some(ATTEMPT))?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    Ok(serde_json::from_str(line.strip_prefix("INFO ").context("this is no NATS server")?)?)
}

/// A port that nobody listens on.
///
/// It is none of those that the system gives to outgoing connections: while a broker is down its clients try to reach it
/// again and again, and one of them could be given the broker's own port, and keep it.
fn free_port() -> Result<u16> {
    const FIRST: u16 = 20_000;
    const COUNT: u16 = 10_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);

    // Programs that run at the same time begin at different places.
    let begin = process::id().wrapping_mul(97) % u32::from(COUNT);
    for _ in 0..COUNT {
        let next = u32::from(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = FIRST + u16::try_from((begin + next) % u32::from(COUNT))?;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    anyhow::bail!("all ports from {FIRST} on are taken");
}

/// Options of `cargo xtask nats`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    settings: Settings,
}

/// Runs a broker until an interrupt. Each line of input kills it, or starts it again.
///
/// # Errors
///
/// If the server cannot be had, or does not start.
pub(crate) fn run(shell: &Shell, args: &Args) -> Result<ExitCode> {
    let mut broker = Broker::start(shell, args.settings.clone())?;
    println!("==> a NATS server with JetStream is at {} until you press Ctrl-C", broker.url());
    println!("    Enter kills it, and starts it again with what it has stored");
    for line in io::stdin().lines() {
        line?;
        if broker.is_running()? {
            broker.kill();
            println!("    killed");
        } else {
            broker.restart()?;
            println!("    started again");
        }
    }
    // Whoever gave no input, as a script in the background, ends it by a signal.
    loop {
        thread::park();
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use super::*;

    /// A broker, or nothing if there is no server: tests install nothing.
    fn broker(settings: Settings) -> Option<Broker> {
        let Some(program) = setup::find_nats_server() else {
            println!("left out: there is no nats-server");
            return None;
        };
        Some(Broker::start_program(program, settings).unwrap())
    }

    /// Sends a request, and gives the answer to it.
    fn ask(broker: &Broker, subject: &str, body: &str) -> Value {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, broker.port)).unwrap();
        stream.set_read_timeout(Some(START)).unwrap();
        let connect = r#"CONNECT {"verbose":false,"headers":true,"no_responders":true}"#;
        let length = body.len();
        write!(stream, "{connect}\r\nSUB answer 1\r\nPUB {subject} answer {length}\r\n{body}\r\n").unwrap();
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        while !line.starts_with("MSG ") {
            assert!(!line.starts_with("-ERR") && !line.starts_with("HMSG"), "{line}");
            line.clear();
            assert_ne!(reader.read_line(&mut line).unwrap(), 0, "the server hung up");
        }
        let length = line.split_whitespace().last().unwrap().parse().unwrap();
        let mut answer = vec![0; length];
        reader.read_exact(&mut answer).unwrap();
        serde_json::from_slice(&answer).unwrap()
    }

    #[test]
    fn what_was_stored_is_there_after_a_kill_and_a_restart() {
        let Some(mut broker) = broker(Settings::default()) else { return };
        let url = broker.url();
        let stream =
            r#"{"name":"KEPT","subjects":["kept"],"storage":"file","retention":"limits","discard":"old"}"#;
        let made = ask(&broker, "$JS.API.STREAM.CREATE.KEPT", stream);
        assert!(made["error"].is_null(), "{made}");
        assert_eq!(ask(&broker, "kept", "a message")["seq"], 1);
        assert!(broker.is_running().unwrap());
        broker.kill();
        assert!(!broker.is_running().unwrap());
        assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, broker.port)).is_err());
        broker.kill();
        broker.restart().unwrap();
        assert_eq!(broker.url(), url);
        assert_eq!(ask(&broker, "$JS.API.STREAM.INFO.KEPT", "")["state"]["messages"], 1);
    }

    #[test]
    fn a_dropped_broker_leaves_neither_a_server_nor_a_store() {
        let Some(broker) = broker(Settings::default()) else { return };
        let (port, folder) = (broker.port, broker.folder.path().to_owned());
        assert!(folder.join("store").is_dir());
        drop(broker);
        assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err());
        assert!(!folder.exists());
    }

    #[test]
    fn limits_are_those_of_the_settings() {
        let settings = Settings { max_payload: Some(4096), max_store: Some(1 << 20), ..Settings::default() };
        let Some(broker) = broker(settings) else { return };
        assert_eq!(greeting(broker.port).unwrap()["max_payload"], 4096);
        let large = r#"{"name":"LARGE","subjects":["large"],"storage":"file","retention":"limits","discard":"old","max_bytes":2097152}"#;
        let refused = ask(&broker, "$JS.API.STREAM.CREATE.LARGE", large);
        assert_eq!(refused["error"]["code"], 500, "{refused}");
    }

    #[test]
    fn brokers_at_the_same_time_have_ports_of_their_own() {
        let Some(first) = broker(Settings::default()) else { return };
        let Some(second) = broker(Settings::default()) else { return };
        assert_ne!(first.port, second.port);
        // A server that answers at the port is not taken for the one that could not start there.
        let settings = Settings { port: Some(first.port), ..Settings::default() };
        let error = Broker::start_program(first.program.clone(), settings).err().unwrap();
        let text = format!("{error:#}");
        assert!(text.contains("address already in use"), "{text}");
    }

    #[test]
    #[cfg(unix)]
    fn a_program_that_ends_is_no_broker() {
        let error = Broker::start_program(PathBuf::from("true"), Settings::default()).err().unwrap();
        let text = format!("{error:#}");
        assert!(text.contains("it ended at once"), "{text}");
    }

    #[test]
    fn a_free_port_is_none_of_outgoing_connections() {
        let (first, second) = (free_port().unwrap(), free_port().unwrap());
        assert_ne!(first, second);
        assert!([first, second].iter().all(|port| (20_000..30_000).contains(port)));
    }
}
