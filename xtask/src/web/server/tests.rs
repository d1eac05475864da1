//! What a site answers, and that a server says the same over a socket.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use fs_err as fs;

use super::*;

/// A folder with a page, a file in a folder with a space in its name, and a secret beside it.
fn folder() -> (tempfile::TempDir, PathBuf) {
    let outer = tempfile::tempdir().unwrap();
    let root = outer.path().join("site");
    fs::create_dir_all(root.join("my app")).unwrap();
    fs::write(root.join("index.html"), "<title>home</title>").unwrap();
    fs::write(root.join("my app/app_bg.wasm"), b"\0asm").unwrap();
    fs::write(outer.path().join("secret.txt"), "secret").unwrap();
    (outer, root)
}

fn get(site: &Site, url: &str) -> (u16, String) {
    let answer = site.answer(url, None);
    (answer.status, String::from_utf8_lossy(&answer.body).into_owned())
}

fn value<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.headers.iter().find(|(each, _)| *each == name).map(|(_, value)| value.as_str())
}

#[test]
fn a_folder_answers_with_its_index() {
    let (_outer, root) = folder();
    assert_eq!(get(&Site::new(root), "/"), (200, "<title>home</title>".to_owned()));
}

#[test]
fn a_query_and_an_encoded_space_do_not_hide_a_file() {
    let (_outer, root) = folder();
    let answer = Site::new(root).answer("/my%20app/app_bg.wasm?v=1", None);
    assert_eq!((answer.status, value(&answer, "Content-Type")), (200, Some("application/wasm")));
}

#[test]
fn a_folder_without_its_slash_is_sent_there_with_its_query() {
    let (_outer, root) = folder();
    let answer = Site::new(root).answer("/my%20app?a=b", None);
    assert_eq!((answer.status, value(&answer, "Location")), (307, Some("./my%20app/?a=b")));
}

#[test]
fn nothing_outside_the_folder_is_served() {
    let (outer, root) = folder();
    let site = Site::new(root.clone());
    for url in [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/my%20app/..%2f../../secret.txt",
        "/..%5csecret.txt",
        "//etc/passwd",
    ] {
        assert_eq!(get(&site, url).0, 404, "{url}");
    }
    assert_eq!(get(&site, "/%ff").0, 400);
    assert_eq!(get(&site, "http://elsewhere/").0, 400);
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(outer.path().join("secret.txt"), root.join("link.txt")).unwrap();
        assert_eq!(get(&site, "/link.txt").0, 404);
    }
    drop(outer);
}

#[test]
fn an_unchanged_file_is_not_sent_again_and_a_changed_one_is() {
    let (_outer, root) = folder();
    let site = Site::new(root.clone());
    let tag = value(&site.answer("/index.html", None), "ETag").unwrap().to_owned();
    let again = site.answer("/index.html", Some(&tag));
    assert_eq!((again.status, again.body.len()), (304, 0));
    assert_eq!(value(&again, "Cache-Control"), Some("no-cache"));
    fs::write(root.join("index.html"), "<title>away</title>").unwrap();
    assert_eq!(site.answer("/index.html", Some(&tag)).status, 200);
}

#[test]
fn the_longest_prefix_says_which_folder_is_served() {
    let (_outer, root) = folder();
    let other = tempfile::tempdir().unwrap();
    fs::write(other.path().join("index.html"), "other").unwrap();
    let site = Site::new(root).folder("/other/", other.path());
    assert_eq!(get(&site, "/other/").1, "other");
    assert_eq!(get(&site, "/").1, "<title>home</title>");
}

#[test]
fn headers_and_missing_paths_hold_over_a_socket_and_the_connection_stays() {
    let (_outer, root) = folder();
    let site = Site::new(root)
        .header("/my app/", "Content-Security-Policy", "script-src 'self'")
        .missing("/index.html");
    let server = Server::start(site, None).unwrap();
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().into();
    let policies: BTreeMap<&str, (u16, Option<String>)> = ["/my%20app/app_bg.wasm", "/", "/index.html"]
        .into_iter()
        .map(|path| {
            let answer = agent.get(server.url(path)).call().unwrap();
            let policy = answer.headers().get("Content-Security-Policy");
            (path, (answer.status().as_u16(), policy.map(|policy| policy.to_str().unwrap().to_owned())))
        })
        .collect();
    assert_eq!(
        policies,
        BTreeMap::from([
            ("/my%20app/app_bg.wasm", (200, Some("script-src 'self'".to_owned()))),
            ("/", (200, None)),
            ("/index.html", (404, None)),
        ])
    );
    assert_eq!(agent.post(server.url("/")).send_empty().unwrap().status(), 405);
}

#[test]
fn a_dropped_server_frees_its_port() {
    let (_outer, root) = folder();
    let server = Server::start(Site::new(&root), None).unwrap();
    let port = server.address.port();
    assert!(Server::start(Site::new(&root), Some(port)).is_err());
    drop(server);
    // The thread inside `tiny_http` that accepts connections ends a moment later.
    let since = Instant::now();
    while Server::start(Site::new(&root), Some(port)).is_err() {
        assert!(since.elapsed() < Duration::from_secs(10), "the port is still taken");
        thread::yield_now();
    }
}
