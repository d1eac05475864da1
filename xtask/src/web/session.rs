//! A browser under remote control, over WebDriver.
//!
//! A thin client over `ureq`, which the bindings generator brings along: about ten requests of the protocol are
//! needed. The crates for it (`fantoccini`, `thirtyfour`; no default features, no TLS) compile for 24 and 26 s on
//! two cores against 5 s for `ureq` alone, most of which is built anyway, and would bring an async runtime.

use std::ffi::OsStr;
use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use base64::Engine as _;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use ureq::Agent;

use super::process::Process;
use crate::setup::Installed;

/// How long a driver may take to listen.
const DRIVER_START: Duration = Duration::from_secs(20);
/// How long a browser may take to open its window; the first start after a boot reads it from the disk.
const BROWSER_START: Duration = Duration::from_secs(60);
/// How long a request may take that asks nothing of the page but to be there.
const REQUEST: Duration = Duration::from_secs(20);
/// How long a page may take to answer a question that comes when its time is over.
const ANSWER: Duration = Duration::from_secs(1);
/// How long a browser may take to close before its processes are ended.
const CLOSE: Duration = Duration::from_secs(3);
/// How often a page is asked while something is awaited: WebDriver has no events.
const POLL: Duration = Duration::from_millis(50);

/// One window of a browser, with a driver and a profile of its own; dropping it ends both.
pub(crate) struct Session {
    agent: Agent,
    /// The address of the session at its driver.
    address: String,
    _driver: Process,
}

impl Session {
    /// Starts the browser with a fresh profile.
    pub(crate) fn start(browser: &Installed) -> Result<Session> {
        let port = free_port()?;
        let mut words = browser.wrapper.iter().map(OsStr::new).chain([browser.driver.as_os_str()]);
        let mut command = Command::new(words.next().context("there is a driver at least")?);
        command.args(words).arg(format!("--port={port}"));
        let mut driver = Process::start(command)?;
        let agent: Agent = Agent::config_builder()
            .http_status_as_error(false)
            // A proxy of the environment knows nothing of this machine's own ports.
            .proxy(None)
            .build()
            .into();
        let root = format!("http://127.0.0.1:{port}");
        await_driver(&agent, &root, &mut driver)
            .with_context(|| format!("failed to start {}", browser.driver.display()))?;
        let wanted = json!({ "capabilities": { "alwaysMatch": browser.capabilities() } });
        let session = call(&agent, &format!("{root}/session"), Some(&wanted), BROWSER_START)
            .with_context(|| format!("failed to start {}", browser.binary.display()))?;
        let id = session["sessionId"].as_str().context("the driver gave no session")?;
        Ok(Session { agent, address: format!("{root}/session/{id}"), _driver: driver })
    }

    /// Opens `url` and waits until it is loaded, at most `deadline`.
    /// If the page does not load, or has not loaded by then.
    pub(crate) fn open(&self, url: &str, deadline: Duration) -> Result<()> {
        self.navigate("url", &json!({ "url": url }), deadline)
            .with_context(|| format!("failed to open {url}"))
    }

    /// Goes back to the page that was open before, and waits until it is there, at most `deadline`.
    pub(crate) fn back(&self, deadline: Duration) -> Result<()> {
        self.navigate("back", &json!({}), deadline).context("failed to go back")
    }

    /// Chromium's driver may answer while the page that is left is still there, if that page has workers: they end, and
    /// it takes the end of theirs for that of the navigation. So it is the page that says which one it is.
    fn navigate(&self, command: &str, body: &Value, deadline: Duration) -> Result<()> {
        let since = Instant::now();
        let (left, _) = self.document()?;
        self.post(command, body, deadline)?;
        loop {
            let late = since.elapsed() >= deadline;
            match self.document() {
                Ok((opened, state)) if opened != left && state == "complete" => return Ok(()),
                Ok((_, state)) if late => bail!(
                    "the page is not there, although the driver says so; the one that is there is {state}"
                ),
                // Between two pages there is none that answers.
                Err(error) if late => return Err(error),
                Ok(_) | Err(_) => thread::sleep(POLL),
            }
        }
    }

    /// What tells a document from all others of this window, and how far it has loaded.
    fn document(&self) -> Result<(f64, String)> {
        self.get("return [performance.timeOrigin, document.readyState]")
    }

    /// Runs the body of a JavaScript function in the page, with `arguments`, and gives what it returns.
    pub(crate) fn execute(&self, script: &str, arguments: &[Value]) -> Result<Value> {
        self.execute_within(script, arguments, REQUEST)
    }

    /// As [`execute`](Self::execute) without arguments, with the answer as a value of this type.
    pub(crate) fn get<T: DeserializeOwned>(&self, script: &str) -> Result<T> {
        Ok(serde_json::from_value(self.execute(script, &[])?)?)
    }

    fn execute_within(&self, script: &str, arguments: &[Value], deadline: Duration) -> Result<Value> {
        self.post("execute/sync", &json!({ "script": script, "args": arguments }), deadline)
    }

    /// Waits until the first element that fits `selector` has the attribute `name` with another value than `unwanted`,
    /// and gives it; `None` if that is not so at the deadline.
    pub(crate) fn wait_for_attribute(
        &self,
        selector: &str,
        name: &str,
        unwanted: &str,
        deadline: Duration,
    ) -> Result<Option<String>> {
        let since = Instant::now();
        let script = "return document.querySelector(arguments[0])?.getAttribute(arguments[1]) ?? null";
        loop {
            let rest = deadline.saturating_sub(since.elapsed());
            let value = self.execute_within(script, &[json!(selector), json!(name)], rest + ANSWER)?;
            match value.as_str() {
                Some(value) if value != unwanted => return Ok(Some(value.to_owned())),
                _ if rest.is_zero() => return Ok(None),
                _ => thread::sleep(POLL),
            }
        }
    }

    /// The text of every element that fits `selector`, in the order of the page.
    pub(crate) fn texts(&self, selector: &str) -> Result<Vec<String>> {
        let script = "return Array.from(document.querySelectorAll(arguments[0]), (each) => each.textContent)";
        Ok(serde_json::from_value(self.execute(script, &[json!(selector)])?)?)
    }

    /// A picture of what the window shows, as a PNG file.
    pub(crate) fn screenshot(&self) -> Result<Vec<u8>> {
        let value = call(&self.agent, &format!("{}/screenshot", self.address), None, REQUEST)?;
        let text = value.as_str().context("the driver gave no picture")?;
        Ok(base64::engine::general_purpose::STANDARD.decode(text)?)
    }

    /// Makes the page's view as wide and high as asked, as far as the browser allows, and waits until it is drawn.
    pub(crate) fn resize(&self, width: u32, height: u32) -> Result<()> {
        // WebDriver knows the size of the window. What its frame takes is seen after a first try.
        let (inner_width, inner_height) = self.resize_window(width, height)?;
        let more = (width + width.saturating_sub(inner_width), height + height.saturating_sub(inner_height));
        if more != (width, height) {
            self.resize_window(more.0, more.1)?;
        }
        Ok(())
    }

    /// Resizes the window and gives the size of the page's view in it.
    fn resize_window(&self, width: u32, height: u32) -> Result<(u32, u32)> {
        self.post("window/rect", &json!({ "width": width, "height": height }), REQUEST)?;
        // The answer may come before the page knows. Two frames later it is laid out and drawn.
        let script = "const done = arguments[0];
            requestAnimationFrame(() => requestAnimationFrame(() => done([innerWidth, innerHeight])))";
        let inner = self.post("execute/async", &json!({ "script": script, "args": [] }), REQUEST)?;
        Ok(serde_json::from_value(inner)?)
    }

    /// Sends a command of Chromium's protocol for developer tools, and gives what it answers. Only Chromium's driver passes it on.
    pub(crate) fn devtools(&self, command: &str, parameters: &Value) -> Result<Value> {
        self.post("goog/cdp/execute", &json!({ "cmd": command, "params": parameters }), REQUEST)
    }

    fn post(&self, command: &str, body: &Value, deadline: Duration) -> Result<Value> {
        call(&self.agent, &format!("{}/{command}", self.address), Some(body), deadline)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // The polite end lets the browser write its last words; the driver's group is ended in any case.
        let request = self.agent.delete(&self.address);
        request.config().timeout_global(Some(CLOSE)).build().call().ok();
    }
}

/// Waits until the driver says that it is ready.
fn await_driver(agent: &Agent, root: &str, driver: &mut Process) -> Result<()> {
    let since = Instant::now();
    loop {
        if call(agent, &format!("{root}/status"), None, REQUEST).is_ok() {
            return Ok(());
        }
        ensure!(driver.is_running()?, "it ended at once");
        ensure!(since.elapsed() < DRIVER_START, "it does not listen after {} s", DRIVER_START.as_secs());
        thread::sleep(POLL);
    }
}

/// One request: GET without a body, else POST. Gives the `value` of the answer.
fn call(agent: &Agent, address: &str, body: Option<&Value>, deadline: Duration) -> Result<Value> {
    let deadline = Some(deadline);
    let answer = match body {
        Some(body) => {
            let request = agent.post(address).config().timeout_global(deadline).build();
            request.content_type("application/json; charset=utf-8").send(body.to_string())
        }
        None => agent.get(address).config().timeout_global(deadline).build().call(),
    };
    let mut answer = answer.map_err(|error| match error {
        ureq::Error::Timeout(_) => anyhow!("the browser does not answer"),
        error => anyhow!(error).context("the driver does not answer"),
    })?;
    // A screenshot of a long page is larger than what `ureq` reads at most if not told.
    let text = answer.body_mut().with_config().limit(256 << 20).read_to_string()?;
    let mut json: Value = serde_json::from_str(&text).context("the driver's answer is not JSON")?;
    let value = json["value"].take();
    if !answer.status().is_success() {
        let kind = value["error"].as_str().unwrap_or("unknown error");
        bail!("{kind}: {}", value["message"].as_str().unwrap_or_default().lines().next().unwrap_or_default());
    }
    Ok(value)
}

/// A port that nobody listens on now. Not every driver can choose one by itself and say which.
fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
