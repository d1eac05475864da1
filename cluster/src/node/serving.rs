//! The loop of a node: asks for batches, and listens to clients.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_nats::{Event, Message};
use futures::StreamExt;
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};

use super::batch::{Source, receive};
use super::server::{Inputs, Server};
use crate::client::FAREWELL;
use crate::config::{Config, HEARTBEATS};
use crate::link::{Link, Seen};
use crate::message::{self, Beat, Numbered, PeerState, Role, ToNode};

/// So many messages of tasks' tasks are asked for at a time.
const CHILDREN: usize = 16;

/// Runs until the node is to drain and all that it has is answered.
pub(super) async fn run(server: Arc<Server>, mut inputs: Inputs, config: &Config) {
    let mut alive = Alive::new(&server, config);
    let mut control = server.control.clone();
    while !server.is_draining() {
        inputs.tasks.ask(server.wanted()).await;
        inputs.children.ask(CHILDREN).await;
        tokio::select! {
            Some(message) = inputs.tasks.next() => receive(&server, message, Source::Programs),
            Some(message) = inputs.children.next() => receive(&server, message, Source::Tasks),
            Some(request) = inputs.requests.next() => serve_request(&server, &request),
            Some(beat) = inputs.beats.next() => hear(&server, &beat).await,
            Some(event) = inputs.events.recv() => {
                if alive.happened(&event) {
                    server.connection.prepare_beside(Duration::ZERO);
                }
            }
            () = server.connection.prepared() => {
                inputs.tasks.forget();
                inputs.children.forget();
            }
            () = alive.due() => {
                if alive.tick().await {
                    server.connection.prepare_beside(Duration::ZERO);
                }
            }
            () = server.freed.notified() => {}
            _ = control.changed() => {}
        }
    }
    server.beat(PeerState::Leaving).await;
    let Inputs { tasks, mut children, mut requests, mut beats, mut events } = inputs;
    drop(tokio::spawn(tasks.end()));
    while !server.tasks.is_empty() {
        // What the tasks here await may find no other node.
        if server.tasks.has_parents() {
            children.ask(CHILDREN).await;
        }
        tokio::select! {
            Some(message) = children.next() => receive(&server, message, Source::Tasks),
            Some(request) = requests.next() => serve_request(&server, &request),
            Some(beat) = beats.next() => hear(&server, &beat).await,
            Some(event) = events.recv() => {
                if alive.happened(&event) {
                    server.connection.prepare_beside(Duration::ZERO);
                }
            }
            () = server.connection.prepared() => children.forget(),
            () = alive.due() => {
                if alive.tick().await {
                    server.connection.prepare_beside(Duration::ZERO);
                }
            }
            () = server.freed.notified() => {}
        }
    }
    // What this gives back too late comes to others later.
    drop(timeout(FAREWELL, children.end()).await);
    server.beat(PeerState::Gone).await;
    server.connection.settle().await;
}

/// Says that the node is there, and looks whether clients are.
struct Alive {
    server: Arc<Server>,
    ticks: Interval,
    last: Instant,
    link: Link,
    heartbeat: Duration,
}

impl Alive {
    fn new(server: &Arc<Server>, config: &Config) -> Self {
        let mut ticks = interval(config.heartbeat);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let heartbeat = config.heartbeat;
        Self { server: server.clone(), ticks, last: Instant::now(), link: Link::new(), heartbeat }
    }

    /// True if the broker is back.
    fn happened(&mut self, event: &Event) -> bool {
        let is_back = self.link.happened(event, self.seen());
        if is_back {
            self.server.tasks.forgive();
        }
        is_back
    }

    fn seen(&self) -> Seen {
        Seen::of(&self.server.connection.client)
    }

    /// Waits until something is to be said.
    async fn due(&mut self) {
        self.ticks.tick().await;
    }

    /// Says it. True if the broker is back.
    async fn tick(&mut self) -> bool {
        let is_back = self.link.look(self.seen());
        // A process that was stopped, or a machine that slept, has heard nobody.
        if self.last.elapsed() > HEARTBEATS * self.heartbeat || !self.link.is_connected() || is_back {
            self.server.tasks.forgive();
        }
        self.last = Instant::now();
        self.server.tasks.drop_silent();
        if self.link.is_connected() {
            self.server.beat_as_is().await;
        }
        is_back
    }
}

async fn hear(server: &Arc<Server>, beat: &Message) {
    let Some(beat) = message::read::<Beat>(server.seal(), &beat.payload) else { return };
    let is_gone = beat.state == PeerState::Gone;
    let is_new = beat.role == Role::Client && server.tasks.hear(server, beat.id, is_gone);
    // It is told at once who is there.
    if is_new {
        server.beat_as_is().await;
    }
}

fn serve_request(server: &Arc<Server>, request: &Message) {
    let request_read = message::read::<Numbered<ToNode>>(server.seal(), &request.payload);
    let Some(Numbered { from, number, message: ToNode { signals } }) = request_read else { return };
    for (task, signal) in signals {
        server.tasks.signal(from, task, signal);
    }
    if let Some(reply_to) = request.reply.clone() {
        let reply = message::write(server.seal(), &Numbered { from, number, message: () });
        let client = server.connection.client.clone();
        drop(tokio::spawn(async move { drop(client.publish(reply_to, reply).await) }));
    }
}
