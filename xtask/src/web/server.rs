//! A static server on 127.0.0.1.
//!
//! `tiny_http` is synchronous, speaks HTTP/1.1 with keep-alive, and is already built as a part of the bindings
//! generator, so it costs nothing here. A [`Site`] says what is served and is asked without a socket in the tests;
//! a [`Server`] listens for as long as it lives.

use std::hash::{DefaultHasher, Hasher};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Result, anyhow};
use fs_err as fs;
use tiny_http::{Header, Method, Response};

/// Requests that are answered at the same time. A browser opens six connections to one host; the work for each is
/// to read a file.
const HANDLERS: usize = 6;

/// What a server serves: folders at path prefixes, with exceptions.
///
/// Paths are written as the server sees them: decoded, beginning with `/`.
#[derive(Default)]
pub(crate) struct Site {
    folders: Vec<(String, PathBuf)>,
    headers: Vec<(String, Header)>,
    missing: Vec<String>,
    slow: Option<(String, Duration)>,
}

/// An answer before it is written to a socket.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Site {
    /// A site whose paths are those of `folder`.
    pub(crate) fn new(folder: impl Into<PathBuf>) -> Site {
        Site::default().folder("/", folder)
    }

    /// Serves `folder` below `prefix`, which ends with a slash. The longest prefix that fits a path is taken.
    pub(crate) fn folder(mut self, prefix: &str, folder: impl Into<PathBuf>) -> Site {
        assert!(prefix.starts_with('/') && prefix.ends_with('/'), "a prefix is written /like/this/");
        self.folders.push((prefix.to_owned(), folder.into()));
        self.folders.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
        self
    }

    /// Sends the header with every answer whose path begins with `prefix`.
    ///
    /// # Panics
    ///
    /// If name or value cannot stand in a header.
    pub(crate) fn header(mut self, prefix: &str, name: &str, value: &str) -> Site {
        self.headers.push((prefix.to_owned(), header(name, value)));
        self
    }

    /// Answers 404 to every path that begins with `prefix`, whatever lies there.
    pub(crate) fn missing(mut self, prefix: &str) -> Site {
        self.missing.push(prefix.to_owned());
        self
    }

    /// Answers a request for `path` only after `delay`, as a server does that is far away.
    pub(crate) fn slow(mut self, path: &str, delay: Duration) -> Site {
        self.slow = Some((path.to_owned(), delay));
        self
    }

    /// The answer to a request for `url` (a path, perhaps with a query) by a browser that holds the version `held`.
    fn answer(&self, url: &str, held: Option<&str>) -> Answer {
        let nothing = || Answer::text(404, "nothing is served at this path");
        let (encoded, query) = url.split_at(url.find('?').unwrap_or(url.len()));
        let Some(path) = decode(encoded) else { return Answer::text(400, "this path is not well formed") };
        if self.missing.iter().any(|prefix| path.starts_with(prefix)) {
            return nothing();
        }
        match self.file(&path) {
            Some(file) if !file.is_dir() => Answer::file(&file, held),
            Some(folder) if path.ends_with('/') => Answer::file(&folder.join("index.html"), held),
            // Relative addresses in the page only hold below the folder, so the folder needs its slash.
            Some(_) => {
                let name = encoded.rsplit('/').next().unwrap_or_default();
                let mut answer = Answer::text(307, "this is a folder");
                answer.headers.push(("Location", format!("./{name}/{query}")));
                answer
            }
            None => nothing(),
        }
    }

    /// The file that `path` names, if it lies within its folder.
    fn file(&self, path: &str) -> Option<PathBuf> {
        let (prefix, folder) = self.folders.iter().find(|(prefix, _)| path.starts_with(prefix))?;
        let below = path[prefix.len()..].trim_start_matches('/');
        // Neither `..` nor a link leads out.
        let (file, folder) = (folder.join(below).canonicalize().ok()?, folder.canonicalize().ok()?);
        file.starts_with(folder).then_some(file)
    }

    /// The headers that were added for the path of `url`.
    fn headers_of(&self, url: &str) -> impl Iterator<Item = Header> {
        let path = decode(url.split('?').next().unwrap_or_default()).unwrap_or_default();
        self.headers
            .iter()
            .filter(move |(prefix, _)| path.starts_with(prefix))
            .map(|(_, header)| header.clone())
    }
}

impl Answer {
    fn text(status: u16, text: &str) -> Answer {
        let headers = vec![("Content-Type", "text/plain; charset=utf-8".to_owned())];
        Answer { status, headers, body: format!("{status}: {text}\n").into_bytes() }
    }

    fn file(path: &Path, held: Option<&str>) -> Answer {
        let body = match fs::read(path) {
            Ok(body) => body,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Answer::text(404, "nothing is served at this path");
            }
            Err(error) => return Answer::text(500, &format!("failed to read this file: {error}")),
        };
        let mut hasher = DefaultHasher::new();
        hasher.write(&body);
        let tag = format!("\"{:016x}\"", hasher.finish());
        // `no-cache` lets a browser keep the file but makes it ask each time: after a new build the next reload
        // shows the new program, and an unchanged one is not sent again.
        let mut headers = vec![("ETag", tag.clone()), ("Cache-Control", "no-cache".to_owned())];
        if held.is_some_and(|held| held.split(',').any(|held| held.trim() == tag)) {
            return Answer { status: 304, headers, body: Vec::new() };
        }
        headers.push(("Content-Type", content_type(path).to_owned()));
        Answer { status: 200, headers, body }
    }
}

/// The server of a [`Site`]; it listens until it is dropped.
pub(crate) struct Server {
    http: Arc<tiny_http::Server>,
    handlers: Vec<JoinHandle<()>>,
    address: SocketAddr,
    _knocker: mpsc::Sender<()>,
}

/// How often [`knock`] does.
const KNOCK: Duration = Duration::from_millis(200);

/// Opens connections and closes them, until the sender is dropped. Of two connections that come at once while one thread of
/// `tiny_http` is idle, it may leave one without a thread, and a browser waits for that for ever. The thread of a connection
/// that is over takes it.
fn knock(address: SocketAddr, end: &mpsc::Receiver<()>) {
    while end.recv_timeout(KNOCK) == Err(mpsc::RecvTimeoutError::Timeout) {
        // If nobody listens any more, this ends soon.
        TcpStream::connect(address).ok();
    }
}

impl Server {
    /// Serves `site` on 127.0.0.1, at `port` or, if that is `None`, at one that the system chooses.
    pub(crate) fn start(site: Site, port: Option<u16>) -> Result<Server> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port.unwrap_or(0)));
        let http = tiny_http::Server::http(address).map_err(|error| {
            anyhow!("failed to listen on {address}: {error}; choose another port, or none to have one chosen")
        })?;
        let address = http.server_addr().to_ip().ok_or_else(|| anyhow!("the server has no IP address"))?;
        let (http, site) = (Arc::new(http), Arc::new(site));
        let handlers = (0..HANDLERS)
            .map(|_| {
                let (http, site) = (Arc::clone(&http), Arc::clone(&site));
                thread::spawn(move || {
                    // `recv` fails when it is unblocked, which is how the server ends.
                    while let Ok(request) = http.recv() {
                        if let Some((_, delay)) = site.slow.as_ref().filter(|(path, _)| request.url() == path)
                        {
                            thread::sleep(*delay); // sleep: as a server that is far away
                        }
                        respond(&site, request);
                    }
                })
            })
            .collect();
        let (knocker, end) = mpsc::channel();
        thread::spawn(move || knock(address, &end));
        Ok(Server { http, handlers, address, _knocker: knocker })
    }

    /// The address of `path`, which begins with `/` and is encoded as in a URL.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for _ in &self.handlers {
            self.http.unblock();
        }
        for handler in self.handlers.drain(..) {
            // A handler that panicked has already said so.
            handler.join().ok();
        }
    }
}

fn respond(site: &Site, request: tiny_http::Request) {
    let held = request.headers().iter().find(|header| header.field.equiv("If-None-Match"));
    let held = held.map(|header| header.value.as_str().to_owned());
    let answer = match request.method() {
        Method::Get | Method::Head => site.answer(request.url(), held.as_deref()),
        _ => Answer::text(405, "only GET and HEAD are served here"),
    };
    // A length instead of chunks: pages may show how much of a file has come.
    let mut response = Response::from_data(answer.body)
        .with_status_code(answer.status)
        .with_chunked_threshold(usize::MAX)
        .with_header(header("X-Content-Type-Options", "nosniff"));
    for (name, value) in answer.headers {
        response.add_header(header(name, &value));
    }
    for extra in site.headers_of(request.url()) {
        response.add_header(extra);
    }
    // A browser that goes away in the middle of an answer (a closed page, a reload) is no fault of the server.
    request.respond(response).ok();
}

fn header(name: &str, value: &str) -> Header {
    Header::from_bytes(name, value).expect("headers of this program are ASCII, and paths in them are encoded")
}

/// Browsers run a module or compile a wasm file only if its type is right.
fn content_type(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()).unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "wasm" => "application/wasm",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "rs" | "md" | "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// `path` with its percent signs resolved; `None` if it does not begin with a slash or is not UTF-8.
fn decode(path: &str) -> Option<String> {
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8().ok()?;
    decoded.starts_with('/').then(|| decoded.into_owned())
}

#[cfg(test)]
mod tests;
