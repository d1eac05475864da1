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
    state: Mutex<GateState>,
    changed: Condvar,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum GateState {
    #[default]
    Open, // -> Cut, or UntilAck, by the test
    UntilAck, // -> Cut, by the next acknowledgement
    Cut,      // -> Open, by the test
}

impl Gate {
    fn set(&self, state: GateState) {
        *self.state.lock().unwrap() = state;
        self.changed.notify_all();
    }

    fn pass(&self) {
        let state = self.state.lock().unwrap();
        drop(self.changed.wait_while(state, |state| *state == GateState::Cut).unwrap());
    }

    /// What goes to the broker comes by.
    fn look(&self, bytes: &[u8]) {
        let is_awaited = *self.state.lock().unwrap() == GateState::UntilAck;
        if is_awaited && bytes.windows(8).any(|part| part == b"$JS.ACK.") {
            self.set(GateState::Cut);
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
                let (to_server, to_client) = (gates.clone(), gates.clone());
                let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                pump(from, to, move |bytes| {
                    to_server.look(bytes);
                    to_server.pass();
                });
                pump(server, client, move |_| to_client.pass());
            }
        });
        Self { port, gate }
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    pub(crate) fn cut(&self) {
        self.gate.set(GateState::Cut);
    }

    /// Cuts when the next acknowledgement of a message comes, before that.
    pub(crate) fn cut_at_ack(&self) {
        self.gate.set(GateState::UntilAck);
    }

    pub(crate) fn wait_until_cut(&self) {
        let state = self.gate.state.lock().unwrap();
        drop(self.gate.changed.wait_while(state, |state| *state != GateState::Cut).unwrap());
    }

    pub(crate) fn heal(&self) {
        self.gate.set(GateState::Open);
    }
}

fn pump(mut from: TcpStream, mut to: TcpStream, pass: impl Fn(&[u8]) + Send + 'static) {
    thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            pass(&buffer[..count]);
            if to.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        // The other side is to see the end, too.
        drop(to.shutdown(Shutdown::Write));
    });
}
