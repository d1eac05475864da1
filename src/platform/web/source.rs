//! What a worker runs before it runs the program, and the worker that is made of it.

use wasm_bindgen::prelude::*;
use web_sys::Worker;

use super::failure::{NO_MODULE, Seen, is_opaque, refusal};
use super::glue::{self, Bundle, Found};
use super::node;
use super::reflect::{self, call, construct, get, global, object, set_global};
use super::setup::{Maker, Setup};
use super::thrown::text_of;
use crate::error::Error;
use crate::platform::{WORKER_SCRIPT, WorkerSpec};

/// How a worker is to be made, with URLs in full.
pub(super) struct Launch {
    /// The URL of the worker script, if it is the host's own.
    pub(super) script: Option<String>,
    /// Empty if it was neither said nor found: then what the application makes brings it.
    pub(super) glue: String,
    /// The program gave the URL. One that was found may name anything.
    is_given: bool,
    /// What makes the worker, if that is not this library.
    maker: Option<Maker>,
    name: Option<String>,
}

impl Launch {
    pub(super) fn new(spec: WorkerSpec) -> Result<Self, Error> {
        let Setup { script, glue: given, maker } = Setup::of(&spec.web);
        let hidden = || Some(spec.web.hidden_glue).filter(|url| !url.is_empty() && glue::url().is_none());
        let given = given.or_else(hidden);
        let is_given = given.is_some();
        let glue = match given {
            Some(url) => absolute(&url, "`glue_url` the URL of the program's JavaScript")?,
            None => glue::url().unwrap_or_default(),
        };
        if maker.is_none() && glue.is_empty() {
            return Err(Error::startup(
                "the program's JavaScript was not found; give the builder its URL with `glue_url`",
            ));
        }
        let absolute_script = |url: String| absolute(&url, "`script_url` the URL of the worker script");
        let script = script.map(absolute_script).transpose()?;
        Ok(Self { script, glue, is_given, maker, name: spec.name })
    }

    /// Finds the glue for the worker.
    ///
    /// # Errors
    ///
    /// The cause and the cure, if there can be no worker.
    ///
    /// `has_module`: the glue keeps the compiled program, so that it can be posted.
    pub(super) async fn find(&self, has_module: bool) -> Result<Found, String> {
        let is_node = node::is_here();
        if self.maker.is_none() && !is_node && global("Worker").is_undefined() {
            return Err("there is no `Worker` in this scope, as in a service worker and most shared workers; run the tasks on \
                        an `InlineExecutor`, or on a page"
                .to_owned());
        }
        let failed = |thrown| refusal("glue", &self.glue, &text_of(&thrown));
        // The worker may load the glue itself; what it must be like is checked here, where that is known.
        let found = if self.glue.is_empty() {
            Found::Other
        } else if is_node {
            // Glue that keeps no module makes one again.
            let is_glue = self.is_given || node::is_glue(&node::import(&self.glue).await.map_err(failed)?);
            if is_glue { Found::Loadable } else { Found::Other }
        } else if !has_module {
            Found::Other
        } else if self.is_ours() || !self.is_given || glue::is_pinned(&self.glue) {
            let bundle = glue::bundle(&self.glue).await.unwrap_or_default();
            glue::found(&self.glue, Bundle(bundle))?
        } else {
            Found::Loadable
        };
        if !found.is_glue() && self.maker(&found).is_none() {
            return Err(if !has_module {
                NO_MODULE.to_owned()
            } else if glue::is_page(&self.glue) {
                INLINE.to_owned()
            } else {
                glue::is_other(&self.glue, self.is_given)
            });
        }
        Ok(found)
    }

    /// True if the library makes the worker, of its own script.
    fn is_ours(&self) -> bool {
        self.script.is_none() && self.maker.is_none()
    }

    /// What makes the worker instead, if anything does.
    pub(super) fn maker(&self, found: &Found) -> Option<Maker> {
        if self.is_ours() && !found.is_glue() { of_bundler() } else { self.maker.clone() }
    }

    /// Some engines throw what others report by an event.
    pub(super) fn create(&self, found: &Found) -> Result<Worker, Seen> {
        if let Some(maker) = self.maker(found) {
            return maker.make().map_err(Seen::Known);
        }
        let made = self.construct(found).map(JsCast::unchecked_into);
        made.map_err(|thrown| Seen::Thrown(text_of(&thrown)))
    }

    /// `new Worker`.
    fn construct(&self, found: &Found) -> Result<JsValue, JsValue> {
        let name = self.name.as_deref().into();
        if node::is_here() {
            return node::create_worker(self.script.as_deref(), name);
        }
        let (url, is_module) = match (&self.script, found) {
            (Some(script), _) => (script.into(), false),
            // Without an origin, Chromium takes no module from a blob; a classic script there may import one.
            (None, Found::Bundled(bundle)) if !(bundle.is_module() && is_opaque()) => {
                (bundle.url(), bundle.is_module())
            }
            (None, _) => (SCRIPT_URL.with(Clone::clone)?, false),
        };
        let kind = if is_module { "module" } else { "classic" };
        construct(&global("Worker"), [trusted(url), object([("type", kind.into()), ("name", name)])])
    }
}

thread_local! {
    /// The URL of the worker script alone.
    static SCRIPT_URL: Result<JsValue, JsValue> = glue::script_url(&[WORKER_SCRIPT.into()]);
}

/// What makes the worker where only a bundler knows how.
fn of_bundler() -> Option<Maker> {
    #[cfg(feature = "bundler")]
    return Some(Maker::Program(super::bundler::create_worker));
    #[cfg(not(feature = "bundler"))]
    None
}

const INLINE: &str = "the program's JavaScript is in the page itself, among what starts the application; put it into a file, or, \
                      as `--target no-modules` makes it, into a script element of its own";

/// A URL in full: a worker of a blob has no folder.
fn absolute(url: &str, whose: &str) -> Result<String, Error> {
    let full = construct(&global("URL"), [url.into(), glue::base()]);
    let full = full.ok().and_then(|url| reflect::text(&url, "href"));
    full.ok_or_else(|| Error::startup(format!("`{url}` is not a URL; give {whose}")))
}

/// What our Trusted Types policy lets pass: a blob, and a path, which is of the page's own host.
const TRUSTED: &str = r"^(?:blob:|/(?![/\\]))[^]*";

/// A URL for `new Worker`. Under Trusted Types it must be made by a policy. Ours, `wasm-mt`, is shared by all programs of a
/// page, since a name can be taken once only; as is `null` where the page does not allow it: then text may do.
fn trusted(url: JsValue) -> JsValue {
    const PLACE: &str = "wasmMtPolicy";
    let origin = global("origin").as_string().unwrap_or_default();
    let text = url.as_string().unwrap_or_default();
    let path = text.strip_prefix(&origin).filter(|path| path.starts_with('/'));
    let path = path.or_else(|| Some(&*text).filter(|url| url.starts_with("blob:")));
    let factory = global("trustedTypes");
    let (Some(path), false) = (path, factory.is_undefined()) else { return url };
    let mut policy = global(PLACE);
    if policy.is_undefined() {
        // A match, an array of one text, becomes that text. Nothing of this instance is in it, which may end before others.
        let pattern = construct(&global("RegExp"), [TRUSTED.into()]).unwrap_or_default();
        let exec = call(&get(&pattern, "exec"), "bind", [pattern]).unwrap_or_default();
        let rules = object([("createScriptURL", exec)]);
        policy = call(&factory, "createPolicy", ["wasm-mt".into(), rules]).unwrap_or(JsValue::NULL);
        set_global(PLACE, &policy);
    }
    call(&policy, "createScriptURL", [path.into()]).unwrap_or(url)
}
