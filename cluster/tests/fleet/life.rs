//! Nodes and clients that come and go.

use std::time::Duration;
use std::{env, fs, process};

use futures::future::{join, join_all, try_join_all};
use wasm_mt::{Error, Executor, ExecutorExt, Pool, Transfer, remote};
use wasm_mt_nats::{Cluster, Config, Node};

use crate::notes::Notes;
use crate::{CLIENT, Fleet, SECRET, Test, config, endless, endless_noted, run, this};

pub(crate) const TESTS: &[Test] = &[
    ("tasks_wait_for_the_first_node", tasks_wait_for_the_first_node),
    ("peers_that_start_at_once_find_each_other", peers_that_start_at_once_find_each_other),
    ("without_a_node_tasks_end_in_an_error_that_says_so", without_a_node_tasks_end_in_an_error_that_says_so),
    ("a_node_that_is_told_to_end_finishes_what_it_has", a_node_that_is_told_to_end_finishes_what_it_has),
    ("a_node_that_ends_runs_what_its_tasks_await", a_node_that_ends_runs_what_its_tasks_await),
    ("the_large_answer_of_a_node_that_ends_arrives", the_large_answer_of_a_node_that_ends_arrives),
    ("a_client_that_is_killed_leaves_nothing_behind", a_client_that_is_killed_leaves_nothing_behind),
    ("a_client_that_is_dropped_closes", a_client_that_is_dropped_closes),
    ("a_connection_can_be_encrypted_and_show_who_it_is", a_connection_can_be_encrypted_and_show_who_it_is),
    ("a_url_names_several_servers_and_who_connects", a_url_names_several_servers_and_who_connects),
    ("a_credentials_file_says_who_connects", a_credentials_file_says_who_connects),
    ("a_broker_that_cannot_be_used_is_an_error", a_broker_that_cannot_be_used_is_an_error),
    ("a_configuration_that_cannot_work_is_an_error", a_configuration_that_cannot_work_is_an_error),
];

/// The error of who connects says this.
async fn assert_refused(config: Config, why: &str) {
    let error = Cluster::connect(config).await.unwrap_err();
    assert!(error.is_other() && error.to_string().contains(why), "{error}");
}

/// A node and a client of this process, configured so, find each other.
async fn assert_works(config: Config) -> Result<(), Error> {
    let node = Node::start(config.clone(), Pool::builder().threads(1).build()).await?;
    let cluster = Cluster::connect(config).await?;
    assert_eq!(cluster.spawn_remote(remote!(|| 6 * 7)).await?, 42);
    drop(cluster);
    node.drain().await;
    Ok(())
}

fn tasks_wait_for_the_first_node() {
    let mut fleet = Fleet::new(0);
    run(async move {
        let cluster = fleet.connect().await;
        let tasks: Vec<_> = (0..100).map(|n| cluster.spawn_remote(remote!(move || n))).collect();
        assert_eq!((cluster.nodes(), cluster.pending()), (0, 100));
        fleet.start(1);
        cluster.ready().await;
        assert!(try_join_all(tasks).await?.into_iter().eq(0..100));
        Ok(())
    });
}

/// All make the streams, on a broker that has none.
fn peers_that_start_at_once_find_each_other() {
    for _ in 0..5 {
        let fleet = Fleet::new(0);
        run(async move {
            let nodes = (0..4).map(|_| Node::start(fleet.config(), Pool::builder().threads(1).build()));
            let (nodes, clients) = join(try_join_all(nodes), join_all((0..4).map(|_| fleet.connect()))).await;
            for client in &clients {
                assert_eq!(client.spawn_remote(remote!(|| 6 * 7)).await?, 42);
            }
            join_all(nodes?.into_iter().map(Node::drain)).await;
            Ok(())
        });
    }
}

fn without_a_node_tasks_end_in_an_error_that_says_so() {
    let fleet = Fleet::new(0);
    run(async move {
        let config = fleet.config().start_timeout(Duration::from_secs(1));
        let cluster = Cluster::connect(config).await?;
        let error = cluster.spawn_remote(remote!(|| 1)).await.unwrap_err();
        assert!(error.is_other() && error.to_string().contains("no node of the fleet"), "{error}");
        Ok(())
    });
}

fn a_node_that_is_told_to_end_finishes_what_it_has() {
    let mut fleet = Fleet::new(1);
    run(async move {
        let cluster = fleet.connect().await;
        let notes = Notes::new();
        let there = notes.clone();
        let slow = remote!(move || {
            there.write("begun");
            there.wait_for(2);
            7
        });
        let slow = cluster.spawn_remote(slow);
        notes.wait_for(1);
        let mut node = fleet.nodes.remove(0);
        node.signal("-TERM");
        fleet.start(1);
        // The other node takes what comes now.
        let process = cluster.spawn_remote(remote!(|| process::id())).await?;
        assert_eq!(process, fleet.nodes[0].process.id());
        notes.write("go on");
        assert_eq!(slow.await?, 7);
        node.expect("drained");
        assert!(node.process.wait().unwrap().success());
        notes.remove();
        Ok(())
    });
}

/// No other node is there to do so.
fn a_node_that_ends_runs_what_its_tasks_await() {
    let mut fleet = Fleet::new(1);
    run(async move {
        let cluster = fleet.connect().await;
        let notes = Notes::new();
        let there = notes.clone();
        let parent = cluster.spawn_remote(remote!(async move {
            let fleet = Cluster::current().await?;
            there.write("begun");
            there.wait_for(2);
            fleet.spawn_remote(remote!(|| 6 * 7)).await
        }));
        notes.wait_for(1);
        assert_eq!(cluster.concurrency(), 2);
        let mut node = fleet.nodes.remove(0);
        node.signal("-TERM");
        // It says so when it takes no more tasks of programs.
        while cluster.concurrency() == 2 {
            wasm_mt::yield_now().await;
        }
        notes.write("go on");
        assert_eq!(parent.await??, 42);
        node.expect("drained");
        notes.remove();
        Ok(())
    });
}

/// It is with the broker when the node has ended.
fn the_large_answer_of_a_node_that_ends_arrives() {
    let fleet = Fleet::new(1);
    run(async move {
        let cluster = fleet.connect().await;
        let notes = Notes::new();
        let there = notes.clone();
        let large = cluster.spawn_remote(remote!(move || {
            there.write("begun");
            there.wait_for(2);
            Transfer(vec![1_u8; 48 << 20])
        }));
        notes.wait_for(1);
        fleet.nodes[0].signal("-TERM");
        notes.write("go on");
        assert_eq!(large.await?.0.len(), 48 << 20);
        notes.remove();
        Ok(())
    });
}

/// The process of a client that is killed: it says what it does in the notes that it is told of.
pub(crate) fn be_a_client(url: &str) {
    let notes: Notes = Notes::named(&env::args().nth(1).unwrap());
    let config = config(url);
    run(async move {
        let cluster = Cluster::connect(config).await?;
        join_all((0..4).map(|_| cluster.spawn_remote(endless_noted(&notes)))).await;
        Ok(())
    });
}

fn a_client_that_is_killed_leaves_nothing_behind() {
    let fleet = Fleet::new(2);
    let notes = Notes::new();
    let mut client = this().env(CLIENT, fleet.broker.url()).arg(notes.path()).spawn().unwrap();
    notes.wait_for(4);
    client.kill().unwrap();
    client.wait().unwrap();
    let lines = notes.wait_for(8);
    assert_eq!(lines.iter().filter(|line| *line == "stopped").count(), 4);
    run(async move {
        let cluster = fleet.connect().await;
        assert_eq!(cluster.spawn_remote(remote!(|| 6 * 7)).await?, 42);
        Ok(())
    });
    notes.remove();
}

fn a_client_that_is_dropped_closes() {
    let fleet = Fleet::new(1);
    run(async move {
        let cluster = fleet.connect().await;
        let (waiting, other) = (cluster.spawn_remote(endless()), fleet.connect().await);
        cluster.ready().await;
        drop(cluster);
        assert!(waiting.await.unwrap_err().is_closed());
        assert_eq!(other.spawn_remote(remote!(|| 6 * 7)).await?, 42);
        Ok(())
    });
}

fn a_broker_that_cannot_be_used_is_an_error() {
    let mut fleet = Fleet::new(0);
    let url = fleet.broker.url();
    run(async move {
        assert_refused(fleet.config().credentials_file("/no/such/file"), "credentials file").await;
        assert_refused(Config::new(&url, "a.b", SECRET), "a.b").await;
        assert_refused(Config::new(&url, "tests", "short"), "16 bytes").await;
        fleet.broker.kill();
        assert_refused(fleet.config(), "cannot be reached").await;
        Ok(())
    });
}

fn a_configuration_that_cannot_work_is_an_error() {
    let fleet = Fleet::new(0);
    run(async move {
        let config = fleet.config().heartbeat(Duration::ZERO);
        assert_refused(config.clone(), "`heartbeat`").await;
        let error = Node::start(config, Pool::builder().threads(1).build()).await.unwrap_err();
        assert!(error.is_other() && error.to_string().contains("`heartbeat`"), "{error}");
        assert_refused(fleet.config().silence(Duration::ZERO), "`silence`").await;
        assert_works(fleet.config().silence(Duration::MAX).start_timeout(Duration::MAX)).await
    });
}

/// The broker takes only who shows a certificate of its authority, over TLS.
fn a_connection_can_be_encrypted_and_show_who_it_is() {
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

    let folder = env::temp_dir().join(format!("wasm-mt-fleet-{}-tls", process::id()));
    fs::create_dir_all(&folder).unwrap();
    let authority = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, authority).unwrap();
    let write = |name: &str, text: String| {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let issue = |name: &str| {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &authority).unwrap();
        (write(&format!("{name}.pem"), certificate.pem()), write(&format!("{name}.key"), key.serialize_pem()))
    };
    let root = write("root.pem", authority.pem());
    let ((certificate, key), (own, own_key)) = (issue("broker"), issue("client"));
    let options =
        format!("tls {{ cert_file: {certificate:?}, key_file: {key:?}, ca_file: {root:?}, verify: true }}");
    let fleet = Fleet::with(0, &options);
    let url = fleet.broker.url().replace("nats://", "tls://");
    run(async move {
        assert_refused(config(&url), "cannot be reached").await;
        let config = config(&url).root_certificates(&root).client_certificate(&own, &own_key);
        assert_works(config).await
    });
    drop(fs::remove_dir_all(folder));
}

fn a_url_names_several_servers_and_who_connects() {
    let fleet = Fleet::with(0, "authorization { user: somebody, password: \"known to few\" }");
    let places = fleet.broker.url().replace("nats://", "nats://somebody:known%20to%20few@");
    run(async move {
        assert_refused(fleet.config(), "cannot be reached").await;
        let wrong = config(&places.replace("few", "all"));
        assert!(!format!("{wrong:?}").contains("known"));
        let error = Cluster::connect(wrong).await.unwrap_err();
        assert!(error.is_other() && !error.to_string().contains("known"), "{error}");
        let right = config(&format!("{places},nats://127.0.0.1:1"));
        assert_works(right).await
    });
}

/// The broker takes only users whom its operator's accounts know.
fn a_credentials_file_says_who_connects() {
    use data_encoding::BASE64URL_NOPAD;
    use nkeys::KeyPair;
    use serde_json::{Value, json};

    /// What `issuer` says of somebody.
    fn token(issuer: &KeyPair, subject: &KeyPair, name: &str, nats: &Value) -> String {
        let subject = subject.public_key();
        let claims = json!({ "jti": name, "iat": 1, "iss": issuer.public_key(), "sub": subject, "name": name, "nats": nats });
        let encode = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let signed =
            format!("{}.{}", encode(&json!({ "typ": "JWT", "alg": "ed25519-nkey" })), encode(&claims));
        let signature = issuer.sign(signed.as_bytes()).unwrap();
        format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature))
    }

    let (operator, account, user) = (KeyPair::new_operator(), KeyPair::new_account(), KeyPair::new_user());
    let system = KeyPair::new_account(); // JetStream wants one
    let operator_token =
        token(&operator, &operator, "operator", &json!({ "type": "operator", "version": 2 }));
    let claims = |stored: i32| {
        let limits = json!({
            "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true, "conn": -1, "leaf": -1,
            "mem_storage": stored, "disk_storage": stored, "streams": stored, "consumer": stored,
        });
        json!({ "limits": limits, "type": "account", "version": 2 })
    };
    let account_token = token(&operator, &account, "account", &claims(-1));
    let system_token = token(&operator, &system, "system", &claims(0));
    let user_claims = json!({ "subs": -1, "data": -1, "payload": -1, "type": "user", "version": 2 });
    let user_token = token(&account, &user, "user", &user_claims);
    let (account, system) = (account.public_key(), system.public_key());
    let options = format!(
        "operator: {operator_token}\nsystem_account: {system}\nresolver: MEMORY\n\
         resolver_preload: {{ {account}: {account_token}, {system}: {system_token} }}"
    );
    let fleet = Fleet::with(0, &options);
    let path = env::temp_dir().join(format!("wasm-mt-fleet-{}.creds", process::id()));
    let text = format!(
        "-----BEGIN NATS USER JWT-----\n{user_token}\n------END NATS USER JWT------\n\n\
         -----BEGIN USER NKEY SEED-----\n{}\n------END USER NKEY SEED------\n",
        user.seed().unwrap()
    );
    fs::write(&path, text).unwrap();
    let known = fleet.config().credentials_file(&path);
    run(async move {
        assert_refused(fleet.config(), "cannot be reached").await;
        assert_works(known).await
    });
    fs::remove_file(path).unwrap();
}
