//! The page's side of a worker: starting it, posting to it, and hearing how it fares.

use std::cell::{Cell, OnceCell, RefCell};
use std::mem::ManuallyDrop;
use std::rc::Rc;

use futures::task::FutureObj;
use wasm_bindgen::prelude::*;
use web_sys::Worker;

use super::console::print;
use super::failure::{PolicyMonitor, Seen, load_failure, refusal};
use super::glue::{self, Found};
use super::local::spawn_local;
use super::locks;
use super::memory::table_length;
use super::message::{self, Packed};
use super::node;
use super::reflect::{self, call, get, global, has, object, set};
use super::source::Launch;
use super::thrown::{not_cloneable, text_of};
use crate::error::Error;
use crate::platform::endpoint::gone;
use crate::platform::{
    Address, EventHandler, Loss, Main, Packet, Place, Post, Tagged, WorkerEvent, WorkerSpec,
};

/// Version of the boot message and of all that is no packet; `worker.js` has the same.
const VERSION: u32 = 6;

thread_local! {
    /// In the order of their numbers. A page has a few dozen at most.
    static WORKERS: RefCell<Vec<Rc<LiveWorker>>> = const { RefCell::new(Vec::new()) };
    static NEXT: Cell<u32> = const { Cell::new(0) };
}

#[wasm_bindgen]
extern "C" {
    /// The program's module, a variable of the glue. `wasm_bindgen::module()` gives the same, but where the glue has none, the
    /// generator refuses the whole program in words of its own.
    #[wasm_bindgen(thread_local_v2, js_name = wasmModule)]
    static MODULE: Option<JsValue>;
}

/// A worker of this page, until its [`Port`] is dropped.
struct LiveWorker {
    id: u32,
    /// In everything that its script tells. A task may post what looks like that, but for this.
    key: f64,
    events: EventHandler,
    /// True once the script runs: a later `error` event is no failed start.
    up: Cell<bool>,
    /// How many packets have come from it.
    received: Cell<u32>,
    /// Absent while its script is made ready.
    started: OnceCell<Started>,
}

struct Started {
    worker: Worker,
    /// It is one of Node.js.
    is_thread: bool,
    launch: Rc<Launch>,
    policy: PolicyMonitor,
    /// None of a thread of Node.js.
    _listeners: Vec<Closure<dyn FnMut(JsValue)>>,
}

fn find(id: u32) -> Option<Rc<LiveWorker>> {
    WORKERS.with_borrow(|workers| workers.iter().find(|live| live.id == id).cloned())
}

impl LiveWorker {
    /// The worker itself, if it is made.
    fn worker(&self) -> Option<&Worker> {
        self.started.get().map(|started| &started.worker)
    }

    fn deliver(&self, event: WorkerEvent) {
        (self.events)(event);
    }

    fn fail(&self, cause: String) {
        self.deliver(WorkerEvent::NotStarted(cause));
    }

    fn tell(&self, what: &JsValue) {
        if let Some(worker) = self.worker() {
            let posted = worker.post_message_with_transfer(what, &JsValue::UNDEFINED);
            debug_assert!(posted.is_ok(), "plain values can be cloned");
        }
    }
}

/// The page's end of a worker: dropping it ends the worker at once, or before it is made.
#[derive(Debug)]
pub(crate) struct Port {
    id: u32,
}

impl Post for Port {
    fn try_post(&self, packet: Packet) {
        // A worker that is gone needs it no longer.
        self.post(packet).unwrap_or(());
    }
}

impl Port {
    /// Where its worker is.
    pub(crate) fn place(&self) -> Place {
        place_of(self.id)
    }

    pub(crate) fn post(&self, packet: Packet) -> Result<(), Error> {
        let Packed { message, moved, ends } = message::pack(packet)?;
        let live = find(self.id);
        let worker = live.as_deref().and_then(LiveWorker::worker);
        let worker = worker.expect("a worker that has greeted is there until its port is dropped");
        worker.post_message_with_transfer(&message, &moved).map_err(|thrown| not_cloneable(&thrown))?;
        ends.iter().for_each(|end| end.moved(self.place()));
        Ok(())
    }
}

fn place_of(id: u32) -> Place {
    Place::from_number(u64::from(id) + 1)
}

/// Posts a packet, if the worker is there.
pub(crate) fn post_to(place: Place, packet: Packet) -> Result<(), Error> {
    let id = place.number().wrapping_sub(1) as u32;
    if find(id).is_some_and(|live| live.worker().is_some()) {
        return ManuallyDrop::new(Port { id }).post(packet);
    }
    Ok(())
}

/// What is lost is not dropped.
pub(crate) fn is_lost() -> bool {
    false
}

/// Each instance has what it has in its own memory.
pub(crate) fn here() -> Place {
    Place::HERE
}

impl Port {
    /// The drop of the port, in this turn of the event loop, ends the worker soon enough.
    #[expect(clippy::unused_self, reason = "the seam; natively other threads go on meanwhile")]
    pub(crate) fn end(&self) {}

    /// The worker's code sees it no sooner than its message.
    #[expect(clippy::unused_self, reason = "the seam; natively a flag in memory is seen")]
    pub(crate) fn stop(&self, _task: u64) {}

    /// Runs a future here: it cannot leave its memory.
    #[expect(
        clippy::unused_self,
        clippy::unnecessary_wraps,
        reason = "the seam; natively the worker's thread is needed"
    )]
    pub(crate) fn spawn(&self, future: FutureObj<'static, ()>) -> Result<(), FutureObj<'static, ()>> {
        spawn_local(future);
        Ok(())
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        // Fails only while the page's thread-locals are torn down, and then the worker goes with the page.
        let remove = |workers: &RefCell<Vec<Rc<LiveWorker>>>| {
            let mut workers = workers.borrow_mut();
            let place = workers.iter().position(|live| live.id == self.id)?;
            Some(workers.remove(place))
        };
        if let Ok(Some(live)) = WORKERS.try_with(remove) {
            if let Some(worker) = live.worker() {
                worker.terminate();
            }
        }
        gone(place_of(self.id));
    }
}

/// A number from zero to one.
fn random() -> f64 {
    call(&global("Math"), "random", []).ok().and_then(|number| number.as_f64()).unwrap_or_default()
}

/// Where the names of this memory's resident values begin. For a million values each, those of two memories overlap with a
/// probability below 2^-40.
pub(crate) fn realm() -> u64 {
    (random() * 2_f64.powi(63)) as u64
}

pub(crate) fn start(
    spec: WorkerSpec,
    main: &'static Tagged<Main>,
    first: Packet,
    events: EventHandler,
) -> Result<Port, Error> {
    let id = NEXT.replace(NEXT.get().wrapping_add(1));
    let key = random();
    let (up, received, started) = Default::default();
    let live = LiveWorker { id, key, events, up, received, started };
    WORKERS.with_borrow_mut(|workers| workers.push(Rc::new(live)));
    let port = Port { id };
    let launch = Rc::new(Launch::new(spec)?);
    let Packed { message, moved, ends } =
        message::pack(first).map_err(|error| Error::startup(error.to_string()))?;
    ends.iter().for_each(|end| end.moved(port.place()));
    let first = (message, moved);
    spawn_local(async move {
        let module = MODULE.with(|module| JsValue::from(module.clone()));
        let found = launch.find(!module.is_undefined()).await;
        // It may not be needed any more.
        let Some(live) = find(id) else { return };
        let begun = found.and_then(|found| begin(&live, launch, &found, module, main, first));
        if let Err(cause) = begun {
            live.fail(cause);
        }
    });
    Ok(port)
}

/// Makes a worker, listens to it, and posts it what it needs to boot.
fn begin(
    live: &LiveWorker,
    launch: Rc<Launch>,
    found: &Found,
    module: JsValue,
    main: &'static Tagged<Main>,
    (first, moved): (JsValue, JsValue),
) -> Result<(), String> {
    let policy = PolicyMonitor::watch();
    let worker = match launch.create(found) {
        Ok(worker) => worker,
        Err(seen) => {
            explain(live.id, Some(seen), launch, policy);
            return Ok(());
        }
    };
    let is_thread = node::is_thread(&worker);
    let _listeners = listen(live.id, &worker, is_thread);
    let factory = launch.maker(found).and_then(|maker| maker.factory());
    let glue = Some(&*launch.glue).filter(|_| found.is_glue());
    let bundle = if let Found::Bundled(bundle) = found { bundle.0.clone() } else { JsValue::UNDEFINED };
    let boot = object([
        ("version", VERSION.into()),
        ("key", live.key.into()),
        ("glue", glue.into()),
        ("script", launch.script.as_deref().into()),
        ("factory", factory.map_or(0, |factory| Address::of_function(factory as *const ()).number()).into()),
        ("bundle", bundle),
        ("base", glue::base()),
        ("module", module),
        ("main", Address::of(main).number().into()),
        ("table", table_length().into()),
        ("first", first),
    ]);
    let posted = worker.post_message_with_transfer(&boot, &moved);
    let started = Started { worker, is_thread, launch, policy, _listeners };
    let set = live.started.set(started);
    debug_assert!(set.is_ok(), "a worker begins once");
    posted.map_err(|thrown| text_of(&thrown))
}

/// What is done about an event.
type OnEvent = fn(&LiveWorker, JsValue);

/// Hears of what happens to a worker, as long as its port is there.
fn listen(id: u32, worker: &Worker, is_thread: bool) -> Vec<Closure<dyn FnMut(JsValue)>> {
    let events: [(&str, OnEvent); 4] = [
        ("message", on_message),
        ("error", on_error),
        ("messageerror", |live, _| count_packets(live)),
        // Of threads only.
        ("exit", |live, _| lose_ended(live)),
    ];
    let mut listeners = Vec::new();
    for (event, on_event) in events {
        let listener = Closure::new(move |event| {
            if let Some(live) = find(id) {
                on_event(&live, event);
            }
        });
        if is_thread {
            node::listen(worker, event, listener);
        } else {
            set(worker, &format!("on{event}"), listener.as_ref());
            listeners.push(listener);
        }
    }
    listeners
}

fn on_message(live: &LiveWorker, event: JsValue) {
    let is_thread = live.started.get().is_some_and(|started| started.is_thread);
    let data = &if is_thread { event } else { get(&event, "data") };
    if let Some(packet) = message::unpack(data) {
        live.received.set(live.received.get().wrapping_add(1));
        return live.deliver(WorkerEvent::Packet(packet));
    }
    // Some engines report an unreadable message so, and not by an event.
    if data.is_null() {
        return count_packets(live);
    }
    // A task may use its worker's `postMessage` for messages of its own: they are not ours to read.
    if reflect::number(data, "wasmMt") != Some(live.key) {
        return;
    }
    let text = |key| reflect::text(data, key);
    let task = reflect::number(data, "task").map_or(0, |task| task as u64);
    // Eight bytes each, as they lie in the worker's memory.
    let begun = || {
        let bytes = message::read(get(data, "begun").dyn_ref()?, 0)?;
        Some(bytemuck::pod_collect_to_vec(&bytes))
    };
    if let Some(line) = text("print") {
        return print(&line);
    }
    if has(data, "up") {
        live.up.set(true);
    }
    if let Some(lock) = text("lock") {
        let id = live.id;
        let gone = move || {
            if let Some(live) = find(id) {
                lose_ended(&live);
            }
        };
        locks::watch(&lock, reflect::number(data, "departure"), tell_of_departure, gone);
    } else if let Some(stage) = text("refused") {
        live.fail(refusal(&stage, &text("url").unwrap_or_default(), &text("text").unwrap_or_default()));
    } else if let Some(cause) = text("died") {
        live.deliver(WorkerEvent::Lost(Loss { cause, task, trapped: true, begun: begun() }));
    } else if has(data, "closing") {
        let cause = "it closed itself".into();
        live.deliver(WorkerEvent::Lost(Loss { cause, task, trapped: false, begun: begun() }));
    } else if has(data, "unread") {
        lose_unread(live, "to the worker");
    } else if let Some(sent) = reflect::number(data, "sent") {
        if live.received.get() != sent as u32 {
            lose_unread(live, "of the worker");
        }
    }
}

/// The worker is gone, without a word.
fn lose_ended(live: &LiveWorker) {
    live.deliver(WorkerEvent::Lost(Loss { cause: "it has ended".into(), ..Loss::default() }));
}

/// A message of the worker could not be read. It need not be a packet: Firefox reports errors of a task in the same way. The
/// worker says how many packets there were.
fn count_packets(live: &LiveWorker) {
    live.tell(&object([("count", true.into())]));
}

/// A packet was written and could not be read. Nobody knows which tasks were in it, so the worker has to go.
fn lose_unread(live: &LiveWorker, whose: &str) {
    let cause = format!(
        "a message {whose} could not be read: it held a JavaScript value that this browser can only write, in Firefox \
         for example an Error within another value; send what such a value says, not the value"
    );
    live.deliver(WorkerEvent::Lost(Loss { cause, ..Loss::default() }));
}

/// Tells all workers that the page leaves, or is back: they are to hold a lock then.
fn tell_of_departure(hold: bool, departure: u32) {
    let told = object([("departure", departure.into()), ("hold", hold.into())]);
    // No code of the program runs while plain values are posted.
    WORKERS.with_borrow(|workers| {
        for live in workers.iter().filter(|live| live.up.get()) {
            live.tell(&told);
        }
    });
}

/// An `error` event of the worker. Once the script runs it is an uncaught exception that `worker.js` did not take for a
/// death, and that the browser has shown.
fn on_error(live: &LiveWorker, event: JsValue) {
    if live.up.get() {
        return;
    }
    if let Some(Started { launch, policy, .. }) = live.started.get() {
        explain(live.id, reflect::text(&event, "message").map(Seen::Reported), launch.clone(), *policy);
    }
}

/// Looks why a worker did not start, and tells.
fn explain(id: u32, seen: Option<Seen>, launch: Rc<Launch>, policy: PolicyMonitor) {
    spawn_local(async move {
        let cause = load_failure(seen, launch.script.as_deref(), &launch.glue, policy).await;
        if let Some(live) = find(id).filter(|live| !live.up.get()) {
            live.fail(cause);
        }
    });
}
