//! The broker, as clients and nodes use it.

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream::consumer::{self, PullConsumer, pull};
use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::publish::PublishAck;
use async_nats::jetstream::{self, stream};
use async_nats::subject::ToSubject;
use async_nats::{ConnectOptions, Event, ServerAddr, Subscriber};
use percent_encoding::percent_decode_str;
use tokio::sync::{Mutex, Notify, mpsc};
use tokio::time::sleep;
use wasm_mt::Error;
use wasm_mt::transport::{Build, Seal};

use crate::config::Config;
use crate::message::PeerId;
use crate::objects::Objects;

/// How long the broker may take for an answer.
const REQUEST: Duration = Duration::from_secs(5);
/// While the broker is away, an attempt to reach it begins so soon after the last one.
const RECONNECT: Duration = Duration::from_millis(50);
/// What a broker holds for a fleet that is gone it forgets after so long.
const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);
/// Long bodies have at least so much room, in bytes.
const LEAST_OBJECTS: i64 = 64 << 20;
/// So many digits of a build are in names.
pub(crate) const BUILD: usize = 16;
/// The header by which the broker knows a message again.
pub(crate) const MESSAGE_ID: &str = "Nats-Msg-Id";
/// What the name of a stream of long bodies ends with.
pub(crate) const OBJECTS: &str = "_objects";
/// The longest wait before something is tried again.
pub(crate) const BACKOFF: Duration = Duration::from_secs(1);
/// So long the broker may take to delete a stream after it has said that it has.
pub(crate) const DELETES: Duration = Duration::from_secs(1);
/// How long a message that a node has received may stay unacknowledged, until another node receives it.
pub(crate) const ACK_WAIT: Duration = Duration::from_secs(5);

/// So many messages of a consumer may be with nodes and unacknowledged.
const UNACKNOWLEDGED: i64 = 100_000;
/// So many requests for messages may wait at a consumer; the broker refuses more (409), and by default more than 512. A node has some, 32 at
/// most: so 4,000 nodes may wait at least. The broker takes any number, no account limits it, and each takes 8 bytes of its memory.
const WAITING: i64 = 128 * 1024;

/// A connection to the broker, and the names that this fleet has there.
#[derive(Clone)]
pub(crate) struct Connection {
    pub(crate) client: async_nats::Client,
    pub(crate) jetstream: jetstream::Context,
    pub(crate) seal: Seal,
    pub(crate) names: Names,
    config: Arc<Config>,
    /// Whoever has it makes anew what is gone.
    prepares: Arc<Mutex<()>>,
    prepared: Arc<Notify>,
}

/// Subjects and streams. A fleet is of one application and one build.
#[derive(Clone)]
pub(crate) struct Names {
    application: String,
    build: String,
}

impl Names {
    fn new(config: &Config, build: Build) -> Result<Self, Error> {
        let application = &config.application;
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
        if application.is_empty() || !application.chars().all(is_plain) {
            return Err(Error::other(format!(
                "`{application}` cannot be the name of an application; use letters, digits, `-` and `_`"
            )));
        }
        Ok(Self { application: application.clone(), build: build.to_string()[..BUILD].to_owned() })
    }

    fn subject(&self, rest: &str) -> String {
        format!("wasm-mt.{}.{}.{rest}", self.application, self.build)
    }

    /// The stream of tasks.
    pub(crate) fn stream(&self) -> String {
        format!("{}{}", self.streams(), self.build)
    }

    /// What the names of the streams of all builds begin with.
    pub(crate) fn streams(&self) -> String {
        format!("wasm-mt_{}_", self.application)
    }

    /// Tasks of programs.
    pub(crate) fn tasks(&self) -> String {
        self.subject("tasks")
    }

    /// Tasks of tasks: nodes take them however busy they are, since others wait for them.
    pub(crate) fn children(&self) -> String {
        self.subject("children")
    }

    /// Where nodes say to clients that they are there. Nodes hear nothing of each other: there may be thousands.
    pub(crate) fn node_beats(&self) -> String {
        self.subject("beats.node")
    }

    /// Where clients say it to nodes.
    pub(crate) fn client_beats(&self) -> String {
        self.subject("beats.client")
    }

    pub(crate) fn peer(&self, id: PeerId) -> String {
        self.subject(&format!("peer.{id}"))
    }

    /// The stream of bodies that are too long for a message.
    pub(crate) fn objects(&self) -> String {
        format!("{}{OBJECTS}", self.stream())
    }

    /// Where such a body is.
    pub(crate) fn object(&self, name: &str) -> String {
        self.subject(&format!("objects.{name}"))
    }

    /// Where every node of the application says its build.
    pub(crate) fn node_builds(&self) -> String {
        format!("wasm-mt.{}.builds", self.application)
    }

    /// Where every client of the application says its build.
    pub(crate) fn client_builds(&self) -> String {
        format!("wasm-mt.{}.builds.clients", self.application)
    }
}

impl Connection {
    /// Connects, and tells of what happens to the connection.
    pub(crate) async fn open(config: &Config) -> Result<(Self, mpsc::UnboundedReceiver<Event>), Error> {
        config.check()?;
        let seal = config.seal()?;
        let names = Names::new(config, seal.build())?;
        let (events, happened) = mpsc::unbounded_channel();
        let options = ConnectOptions::new()
            .name(format!("wasm-mt {}", config.application))
            .ping_interval(Duration::from_secs(2))
            .request_timeout(Some(REQUEST))
            .client_capacity(16 * 1024)
            .subscription_capacity(64 * 1024)
            .reconnect_delay_callback(|attempts| if attempts <= 1 { Duration::ZERO } else { RECONNECT })
            .event_callback(move |event| {
                // Who does not listen any more is gone.
                events.send(event).unwrap_or(());
                ready(())
            });
        let mut options = secured(options, config).await?;
        let servers = servers(&config.url)?;
        let user = servers.iter().find_map(|server| Some((server.username()?, server.password()?)));
        if let Some((user, password)) = user {
            let decoded = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
            options = options.user_and_password(decoded(user), decoded(password));
        }
        let client = options.connect(&servers).await.map_err(|error| {
            // Without what is secret in the URL.
            let places: Vec<_> =
                servers.iter().map(|server| format!("{}:{}", server.host(), server.port())).collect();
            Error::other(format!(
                "the broker at {} cannot be reached ({error}); start one, or mend the URL",
                places.join(" or ")
            ))
        })?;
        let jetstream = jetstream::new(client.clone());
        let config = Arc::new(config.clone());
        let (prepares, prepared) = (Arc::default(), Arc::default());
        Ok((Self { client, jetstream, seal, names, config, prepares, prepared }, happened))
    }

    /// Makes all that the fleet needs of the broker and that is not there: it may have come back without its store, or somebody may have
    /// deleted it.
    pub(crate) async fn prepare(&self) -> Result<(), Error> {
        let stream = self.stream().await?;
        self.tasks_consumer(&stream).await?;
        self.children_consumer(&stream).await?;
        self.objects().await.map(drop)
    }

    /// Prepares beside what goes on, unless that is being done: a broker that cannot may take long to say so. What somebody has just deleted
    /// is made anew `after` a while, [`DELETES`]: the broker would remove the files of what it makes while it still deletes.
    pub(crate) fn prepare_beside(&self, after: Duration) {
        let Ok(only) = self.prepares.clone().try_lock_owned() else { return };
        let connection = self.clone();
        drop(tokio::spawn(async move {
            sleep(after).await;
            // If that fails, whoever needs it finds that it is not there.
            drop(connection.prepare().await);
            drop(only);
            connection.prepared.notify_one();
        }));
    }

    /// Waits until what was gone was made anew, or could not be. One waits at a time.
    pub(crate) async fn prepared(&self) {
        self.prepared.notified().await;
    }

    pub(crate) async fn tasks_consumer(&self, stream: &stream::Stream) -> Result<PullConsumer, Error> {
        self.consumer(stream, "tasks", self.names.tasks()).await
    }

    pub(crate) async fn children_consumer(&self, stream: &stream::Stream) -> Result<PullConsumer, Error> {
        self.consumer(stream, "children", self.names.children()).await
    }

    /// The stream that holds what no node has begun.
    pub(crate) async fn stream(&self) -> Result<stream::Stream, Error> {
        self.make_stream(stream::Config {
            name: self.names.stream(),
            subjects: vec![self.names.tasks(), self.names.children()],
            retention: stream::RetentionPolicy::WorkQueue,
            max_bytes: self.config.max_stored,
            ..Default::default()
        })
        .await
    }

    /// Where calls and answers are that are too long for a message.
    pub(crate) async fn objects(&self) -> Result<Objects, Error> {
        let config = stream::Config {
            name: self.names.objects(),
            subjects: vec![self.names.object("*")],
            max_bytes: self.config.max_stored.max(LEAST_OBJECTS),
            ..Default::default()
        };
        Ok(Objects::new(self.clone(), self.make_stream(config).await?))
    }

    async fn make_stream(&self, config: stream::Config) -> Result<stream::Stream, Error> {
        let stream = stream::Config {
            storage: stream::StorageType::File,
            discard: stream::DiscardPolicy::New,
            max_age: MAX_AGE,
            num_replicas: self.config.replicas,
            ..config
        };
        let make = || {
            let (jetstream, stream) = (self.jetstream.clone(), stream.clone());
            async move { jetstream.get_or_create_stream(stream).await }
        };
        let subject = stream.subjects[0].replace('*', "nobody");
        let made = agreed(make).await.map_err(|error| refused("make a stream", &error))?;
        self.wait_until_made(&subject).await;
        Ok(made)
    }

    /// Waits until the stream of this subject can be used, or for some seconds. nats-server 2.9.10 says that a stream is there while it still makes it
    /// for another peer, and a consumer that is created then never delivers a message. A message that is for a stream of another name is refused, and
    /// the refusal comes once the stream is complete.
    async fn wait_until_made(&self, subject: &str) {
        const ATTEMPTS: usize = 100;
        const WAIT: Duration = Duration::from_millis(20);
        for _ in 0..ATTEMPTS {
            let message = PublishMessage::build().expected_stream("another");
            let refused = self.publish(subject.to_owned(), message).await;
            // Nobody is there for the subject yet.
            if !refused.is_err_and(|error| error.kind() == PublishErrorKind::StreamNotFound) {
                return;
            }
            sleep(WAIT).await;
        }
    }

    /// What all nodes receive the messages of one subject by.
    async fn consumer(
        &self,
        stream: &stream::Stream,
        name: &str,
        subject: String,
    ) -> Result<PullConsumer, Error> {
        let config = pull::Config {
            durable_name: Some(name.to_owned()),
            filter_subject: subject,
            ack_policy: consumer::AckPolicy::Explicit,
            ack_wait: ACK_WAIT,
            max_ack_pending: UNACKNOWLEDGED,
            max_waiting: WAITING,
            ..Default::default()
        };
        let make = || {
            let (stream, config) = (stream.clone(), config.clone());
            async move { stream.create_consumer(config).await }
        };
        agreed(make).await.map_err(|error| refused("make a consumer", &error))
    }

    /// Publishes a message to a stream, and waits until the broker has stored it.
    pub(crate) async fn publish(
        &self,
        subject: String,
        message: PublishMessage,
    ) -> Result<PublishAck, PublishError> {
        self.jetstream.send_publish(subject, message).await?.await
    }

    /// False: the broker is away.
    pub(crate) fn is_up(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    /// So many bytes fit into a message.
    pub(crate) fn max_message(&self) -> usize {
        /// Heads, names and the seal.
        const REST: usize = 4096;
        self.client.max_payload().saturating_sub(REST).max(REST)
    }

    /// Receives what is sent to a subject.
    pub(crate) async fn subscribe(&self, subject: impl ToSubject) -> Result<Subscriber, Error> {
        let subscribed = self.client.subscribe(subject).await;
        subscribed.map_err(|error| Error::other(format!("the connection to the broker has ended: {error}")))
    }

    /// Waits until the broker has read what was sent before, subscriptions for example.
    pub(crate) async fn settle(&self) {
        let nobody = self.names.subject("nobody");
        // That nobody answers is the answer.
        drop(self.client.request(nobody, bytes::Bytes::new()).await);
    }
}

/// The servers of a URL.
fn servers(url: &str) -> Result<Vec<ServerAddr>, Error> {
    let wrong = |error: std::io::Error| {
        Error::other(format!("the URL of the broker is wrong ({error}); it is like `nats://host:4222`"))
    };
    url.split(',').map(|server| server.trim().parse().map_err(wrong)).collect()
}

/// Makes what others may make at the same time: the broker refuses one of them, which then finds what the other has made.
async fn agreed<T, E, F>(make: impl Fn() -> F) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
{
    const ATTEMPTS: usize = 5;
    const WAIT: Duration = Duration::from_millis(50);
    for _ in 1..ATTEMPTS {
        if let Ok(made) = make().await {
            return Ok(made);
        }
        sleep(WAIT).await;
    }
    make().await
}

async fn secured(mut options: ConnectOptions, config: &Config) -> Result<ConnectOptions, Error> {
    if let Some(path) = &config.root_certificates {
        options = options.add_root_certificates(path.clone());
    }
    if let Some((certificate, key)) = &config.client_certificate {
        options = options.add_client_certificate(certificate.clone(), key.clone());
    }
    let Some(path) = &config.credentials else { return Ok(options) };
    with_credentials(options, path).await
}

#[cfg(feature = "credentials")]
async fn with_credentials(options: ConnectOptions, path: &std::path::Path) -> Result<ConnectOptions, Error> {
    let read = options.credentials_file(path).await;
    read.map_err(|error| {
        Error::other(format!("the credentials file {} cannot be read: {error}", path.display()))
    })
}

#[cfg(not(feature = "credentials"))]
async fn with_credentials(_: ConnectOptions, _: &std::path::Path) -> Result<ConnectOptions, Error> {
    Err(Error::other("a credentials file needs the feature `credentials` of wasm-mt-nats"))
}

fn refused(what: &str, error: &dyn std::fmt::Display) -> Error {
    Error::other(format!(
        "the broker did not {what} ({error}); start it with JetStream (`nats-server -js`), let its user do so, and give it room \
         for `Config::max_stored`"
    ))
}
