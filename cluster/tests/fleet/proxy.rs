//! A connection to the broker that can be interrupted without an end of it.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

/// Passes bytes on both ways, unless it is cut: then it holds them back.
pub(crate) struct Proxy {
    port: u16,
    gate: Arc<Gate>,
}

#[derive(Default)]
struct Gate {
    is_cut: Mutex<bool>,
    healed: Condvar,
}

impl Gate {
    fn pass(&self) {
        let mut is_cut = self.is_cut.lock().unwrap();
        while *is_cut {
            is_cut = self.healed.wait(is_cut).unwrap();
        }
    }
}

impl Proxy {
    /// To the broker at this port.
    pub(crate) fn start(broker: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let gate = Arc::new(Gate::default());
        let gates = gate.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                gates.pass();
                let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, broker)) else { continue };
                pump(client.try_clone().unwrap(), server.try_clone().unwrap(), gates.clone());
                pump(server, client, gates.clone());
            }
        });
        Self { port, gate }
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    pub(crate) fn cut(&self) {
        *self.gate.is_cut.lock().unwrap() = true;
    }

    pub(crate) fn heal(&self) {
        *self.gate.is_cut.lock().unwrap() = false;
        self.gate.healed.notify_all();
    }
}

fn pump(mut from: TcpStream, mut to: TcpStream, gate: Arc<Gate>) {
    thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            gate.pass();
            if to.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        // The other side is to see the end, too.
        drop(to.shutdown(Shutdown::Write));
    });
}
