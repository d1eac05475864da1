//! Why a worker did not start, and the cure.

use std::cell::Cell;
use std::time::Duration;

use wasm_bindgen::prelude::*;

use super::glue;
use super::reflect::{function, global, listen, number, text};
use super::thrown::text_of;
use super::time::sleep;

/// What is seen of a failure.
pub(super) enum Seen {
    /// All: the cause and the cure.
    Known(String),
    /// What `new Worker` threw.
    Thrown(String),
    /// What an `error` event said.
    Reported(String),
}

/// What the glue of `--target bundler` lacks.
pub(super) const NO_MODULE: &str = "the program's JavaScript does not keep the compiled program, as that of `--target bundler`, the default of \
                         wasm-pack, does not; enable the feature `bundler` of wasm-mt, or build with `--target web`";

/// True if this page shares an origin with nothing, as in a sandboxed frame.
pub(super) fn is_opaque() -> bool {
    global("origin").as_string().is_some_and(|origin| origin == "null")
}

/// What `worker.js` refused, and the cure.
pub(super) fn refusal(stage: &str, url: &str, text: &str) -> String {
    match stage {
        "version" => format!("{text}; serve the `wasm_mt::WORKER_SCRIPT` of this version"),
        "memory" => {
            format!("there is no memory for another instance of the program: {text}; use fewer threads")
        }
        "glue" => format!(
            "the program's JavaScript {url} could not be imported: {text}; \
             give the builder the right `glue_url`, and let the content security policy allow it"
        ),
        "module" => NO_MODULE.to_owned(),
        "missing" => format!(
            "the worker that the application makes brings no JavaScript of the program, and what is in the page is not that: \
             {text}; let its script import what wasm-bindgen generated, or give `glue_url`"
        ),
        "instance" => format!(
            "{url} does not fit the running program: {text}; reload the page, so that both are of one build"
        ),
        status => {
            format!("{url} could not be loaded, {status}: {text}; give the builder the right `glue_url`")
        }
    }
}

/// Why a script, the host's own or else a blob, did not load, or failed: neither an exception nor an event always says, so
/// look.
pub(super) async fn load_failure(
    seen: Option<Seen>,
    script: Option<&str>,
    glue: &str,
    policy: PolicyMonitor,
) -> String {
    if let Some(Seen::Known(cause)) = seen {
        return cause;
    }
    // The violation may be reported after the failure it caused.
    sleep(Duration::ZERO).await;
    if let Some(cause) = policy.cause() {
        return cause.to_owned();
    }
    let Some(url) = script else { return bundle_failure(seen, glue) };
    let seen = match seen {
        Some(Seen::Thrown(text)) => {
            return format!(
                "the worker script {url} was refused: {text}; serve it from the page's own origin, and let the content \
                 security policy allow it by `worker-src`"
            );
        }
        Some(Seen::Reported(text)) => Some(text),
        _ => None,
    };
    let response = glue::fetch(url, JsValue::UNDEFINED).await;
    let status = response.map(|response| number(&response, "status").map_or(0, |status| status as u32));
    let seen = match (status, seen) {
        (Ok(200), Some(seen)) => seen,
        (Ok(200), None) => "it is there, but does not load as a script".to_owned(),
        (Ok(status), _) => format!("status {status}"),
        (Err(thrown), seen) => seen.unwrap_or_else(|| text_of(&thrown)),
    };
    format!("the worker script {url} failed: {seen}; serve `wasm_mt::WORKER_SCRIPT` there for `script_url`")
}

/// Why the script of a blob did not load, or failed.
fn bundle_failure(seen: Option<Seen>, glue: &str) -> String {
    let seen = match seen {
        Some(Seen::Reported(text)) => {
            return format!(
                "the program's JavaScript {glue} failed: {text}; give the builder the right `glue_url`"
            );
        }
        _ if is_opaque() => {
            return format!(
                "this page has no origin of its own, as in a frame with `sandbox`, and the browser runs no such script there; \
                 build the program by `--target no-modules`, or let the host of {glue} answer with \
                 `Access-Control-Allow-Origin: *`, or the frame have `allow-same-origin`"
            );
        }
        Some(Seen::Thrown(text)) => text,
        _ => "it could not be loaded".to_owned(),
    };
    format!(
        "its script, a blob, was refused: {seen}; let the content security policy say `worker-src blob:`, \
         or serve `wasm_mt::WORKER_SCRIPT` and give its URL to the builder with `script_url`"
    )
}

thread_local! {
    /// How many violations of the content security policy were noted, and the text for the last. Absent if nobody listens
    /// yet.
    static VIOLATIONS: Cell<Option<(u32, &'static str)>> = const { Cell::new(None) };
}

/// Hears of violations of the content security policy, from its making on.
#[derive(Clone, Copy)]
pub(super) struct PolicyMonitor {
    noted_before: u32,
}

impl PolicyMonitor {
    pub(super) fn watch() -> Self {
        let (noted_before, _) = VIOLATIONS.get().unwrap_or_else(|| {
            VIOLATIONS.set(Some((0, "")));
            // Where there is nothing like it, there is no such policy.
            listen("securitypolicyviolation", &function(|event| note_violation(&event)));
            (0, "")
        });
        Self { noted_before }
    }

    fn cause(self) -> Option<&'static str> {
        VIOLATIONS.get().filter(|(noted, _)| *noted != self.noted_before).map(|(_, text)| text)
    }
}

fn note_violation(event: &JsValue) {
    let text = |key| text(event, key).unwrap_or_default();
    // A policy may be on trial: then it blocks nothing.
    if text("disposition") == "report" {
        return;
    }
    let cause = match text("effectiveDirective").as_str() {
        // Also where the policy says `script-src` only, the directive in effect is this one.
        "worker-src" => BLOCKED,
        "require-trusted-types-for" => UNTRUSTED,
        _ => return,
    };
    let noted = VIOLATIONS.get().map_or(0, |(noted, _)| noted);
    VIOLATIONS.set(Some((noted.wrapping_add(1), cause)));
}

const BLOCKED: &str = "the content security policy blocks its script by `worker-src`; allow `worker-src blob:`, \
    or serve `wasm_mt::WORKER_SCRIPT` and give its URL to the builder with `script_url`";
const UNTRUSTED: &str = "the page's Trusted Types do not let it make a worker; let the content security policy say \
    `trusted-types wasm-mt`, or make the worker with `worker_factory`";
