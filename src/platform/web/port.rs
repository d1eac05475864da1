//! The page's side of a worker: starting it, posting to it, and hearing how it fares.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures::task::FutureObj;
use js_sys::BigUint64Array;
use wasm_bindgen::prelude::*;
use web_sys::Worker;

use super::console::print;
use super::failure::{PolicyMonitor, Seen, load_failure, refusal};
use super::glue;
use super::local::spawn_local;
use super::locks;
use super::memory::table_length;
use super::message;
use super::node;
use super::reflect::{self, call, get, global, has, object, set};
use super::setup::Maker;
use super::source::{Launch, WorkerSource};
use super::thrown::{not_cloneable, text_of};
use crate::error::Error;
use crate::platform::{Address, EventHandler, Loss, Main, Packet, Tagged, WorkerEvent, WorkerSpec};

/// Version of the boot message and of all that is no packet; `worker.js` has the same.
const VERSION: u32 = 5;

thread_local! {
    /// In the order of their numbers. A page has a few dozen at most.
    static WORKERS: RefCell<Vec<LiveWorker>> = const { RefCell::new(Vec::new()) };
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
    events: Rc<EventHandler>,
    /// True once the script runs: a later `error` event is no failed start.
    up: bool,
    /// How many packets have come from it.
    received: u32,
    /// `None` while its script is made ready.
    worker: Option<Started>,
}

struct Started {
    worker: Worker,
    /// None of a thread of Node.js.
    _listeners: [Option<Listener>; 3],
}

type Listener = Closure<dyn FnMut(JsValue)>;

fn find(workers: &[LiveWorker], id: u32) -> Option<&LiveWorker> {
    workers.iter().find(|live| live.id == id)
}

/// The worker itself, if it is made and its port is not gone.
fn worker(id: u32) -> Option<Worker> {
    WORKERS.with_borrow(|workers| Some(find(workers, id)?.worker.as_ref()?.worker.clone()))
}

/// The worker's key. NaN, which is no key, if its port is gone.
fn key(id: u32) -> f64 {
    WORKERS.with_borrow(|workers| find(workers, id).map_or(f64::NAN, |live| live.key))
}

/// Changes a worker, if its port is not gone.
fn change(id: u32, change: impl FnOnce(&mut LiveWorker)) {
    WORKERS.with_borrow_mut(|workers| {
        if let Some(live) = workers.iter_mut().find(|live| live.id == id) {
            change(live);
        }
    });
}

/// The page's end of a worker: dropping it ends the worker at once, or before it is made.
#[derive(Debug)]
pub(crate) struct Port {
    id: u32,
}

impl Port {
    pub(crate) fn post(&self, packet: Packet) -> Result<(), Error> {
        let worker = worker(self.id).expect("a worker that has greeted is there until its port is dropped");
        let (message, moved) = message::pack(packet)?;
        worker.post_message_with_transfer(&message, &moved).map_err(|thrown| not_cloneable(&thrown))
    }
}

impl Port {
    /// The drop of the port, in this turn of the event loop, ends the worker soon enough.
    #[expect(clippy::unused_self, reason = "the seam; natively other threads go on meanwhile")]
    pub(crate) fn end(&self) {}

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
        let remove = |workers: &RefCell<Vec<LiveWorker>>| {
            let mut workers = workers.borrow_mut();
            let place = workers.iter().position(|live| live.id == self.id)?;
            Some(workers.remove(place))
        };
        if let Ok(Some(LiveWorker { worker: Some(started), .. })) = WORKERS.try_with(remove) {
            started.worker.terminate();
        }
    }
}

pub(crate) fn start(
    spec: WorkerSpec,
    main: &'static Tagged<Main>,
    first: Packet,
    events: EventHandler,
) -> Result<Port, Error> {
    let id = NEXT.replace(NEXT.get().wrapping_add(1));
    WORKERS.with_borrow_mut(|workers| {
        let key = call(&global("Math"), "random", []).ok().and_then(|key| key.as_f64()).unwrap_or_default();
        workers.push(LiveWorker { id, key, events: Rc::new(events), up: false, received: 0, worker: None });
    });
    let port = Port { id };
    let launch = Launch::new(spec)?;
    spawn_local(async move {
        let module = MODULE.with(Option::clone);
        let begun = match launch.source(module.is_some()).await {
            // It may not be needed any more.
            Ok(_) if is_up(id) => Ok(()),
            Ok(source) => begin(id, source, module.into(), main, first),
            Err(cause) => Err(cause),
        };
        if let Err(cause) = begun {
            deliver(id, WorkerEvent::NotStarted(cause));
        }
    });
    Ok(port)
}

/// Makes a worker, listens to it, and posts it what it needs to boot.
fn begin(
    id: u32,
    source: WorkerSource,
    module: JsValue,
    main: &'static Tagged<Main>,
    first: Packet,
) -> Result<(), String> {
    let policy = PolicyMonitor::watch();
    let worker = match source.create() {
        Ok(worker) => worker,
        Err(seen) => {
            explain(id, Some(seen), Rc::new(source), policy);
            return Ok(());
        }
    };
    let (first, moved) = message::pack(first).map_err(|error| error.to_string())?;
    let factory = source.maker.as_ref().and_then(Maker::factory);
    let glue = Some(&*source.glue).filter(|_| source.may_load);
    let boot = object([
        ("version", VERSION.into()),
        ("key", key(id).into()),
        ("glue", glue.into()),
        ("script", source.script.as_deref().into()),
        ("factory", factory.map_or(0, |factory| Address::of_function(factory as *const ()).number()).into()),
        ("bundle", source.bundle.as_ref().map(|bundle| bundle.0.clone()).into()),
        ("base", glue::base().into()),
        ("module", module),
        ("main", Address::of(main).number().into()),
        ("table", table_length().into()),
        ("first", first),
    ]);
    let posted = worker.post_message_with_transfer(&boot, &moved);
    let source = Rc::new(source);
    let is_thread = node::is_thread(&worker);
    let on_message = move |event: JsValue| {
        on_message(id, &if is_thread { event } else { get(&event, "data") });
    };
    let _listeners = [
        listen(&worker, "message", on_message),
        listen(&worker, "error", move |event| on_error(id, &event, &source, policy)),
        listen(&worker, "messageerror", move |_| count_packets(id)),
    ];
    if is_thread {
        node::listen(&worker, "exit", move |_| lose_ended(id));
    }
    change(id, |live| live.worker = Some(Started { worker, _listeners }));
    posted.map_err(|thrown| text_of(&thrown))
}

/// Hears of what happens to a worker.
fn listen(worker: &Worker, event: &str, listener: impl FnMut(JsValue) + 'static) -> Option<Listener> {
    if node::is_thread(worker) {
        node::listen(worker, event, listener);
        return None;
    }
    let listener = Closure::new(listener);
    set(worker, &format!("on{event}"), listener.as_ref());
    Some(listener)
}

/// Hands an event to the listener of this worker, unless its port is gone.
fn deliver(id: u32, event: WorkerEvent) {
    let events = WORKERS.with_borrow(|workers| find(workers, id).map(|live| live.events.clone()));
    if let Some(events) = events {
        events(event);
    }
}

fn on_message(id: u32, data: &JsValue) {
    if let Some(packet) = message::unpack(data) {
        change(id, |live| live.received = live.received.wrapping_add(1));
        return deliver(id, WorkerEvent::Packet(packet));
    }
    // Some engines report an unreadable message so, and not by an event.
    if data.is_null() {
        return count_packets(id);
    }
    // A task may use its worker's `postMessage` for messages of its own: they are not ours to read.
    if reflect::number(data, "wasmMt") != Some(key(id)) {
        return;
    }
    let text = |key| reflect::text(data, key);
    let task = reflect::number(data, "task").map_or(0, |task| task as u64);
    let begun = || get(data, "begun").dyn_ref().map(BigUint64Array::to_vec);
    if let Some(line) = text("print") {
        return print(&line);
    }
    if has(data, "up") {
        change(id, |live| live.up = true);
    }
    if let Some(lock) = text("lock") {
        locks::watch(&lock, reflect::number(data, "departure"), tell_of_departure, move || lose_ended(id));
    } else if let Some(stage) = text("refused") {
        let cause = refusal(&stage, &text("url").unwrap_or_default(), &text("text").unwrap_or_default());
        deliver(id, WorkerEvent::NotStarted(cause));
    } else if let Some(cause) = text("died") {
        deliver(id, WorkerEvent::Lost(Loss { cause, task, trapped: true, begun: begun() }));
    } else if has(data, "closing") {
        let cause = "it closed itself".into();
        deliver(id, WorkerEvent::Lost(Loss { cause, task, trapped: false, begun: begun() }));
    } else if has(data, "unread") {
        lose_unread(id, "to the worker");
    } else if let Some(sent) = reflect::number(data, "sent") {
        let received = WORKERS.with_borrow(|workers| find(workers, id).map(|live| live.received));
        if received.is_some_and(|received| received != sent as u32) {
            lose_unread(id, "of the worker");
        }
    }
}

/// The worker is gone, without a word.
fn lose_ended(id: u32) {
    deliver(id, WorkerEvent::Lost(Loss { cause: "it has ended".into(), ..Loss::default() }));
}

/// A message of the worker could not be read. It need not be a packet: Firefox reports errors of a task in the same way. The
/// worker says how many packets there were.
fn count_packets(id: u32) {
    if let Some(worker) = worker(id) {
        let question = object([("count", true.into())]);
        let posted = worker.post_message_with_transfer(&question, &JsValue::UNDEFINED);
        debug_assert!(posted.is_ok(), "plain values can be cloned");
    }
}

/// A packet was written and could not be read. Nobody knows which tasks were in it, so the worker has to go.
fn lose_unread(id: u32, whose: &str) {
    let cause = format!(
        "a message {whose} could not be read: it held a JavaScript value that this browser can only write, in Firefox \
         for example an Error within another value; send what such a value says, not the value"
    );
    deliver(id, WorkerEvent::Lost(Loss { cause, task: 0, trapped: false, begun: None }));
}

/// Tells all workers that the page leaves, or is back: they are to hold a lock then.
fn tell_of_departure(hold: bool, departure: u32) {
    let told = object([("departure", departure.into()), ("hold", hold.into())]);
    let up =
        |live: &LiveWorker| live.worker.as_ref().filter(|_| live.up).map(|started| started.worker.clone());
    let workers: Vec<Worker> = WORKERS.with_borrow(|workers| workers.iter().filter_map(up).collect());
    for worker in workers {
        let posted = worker.post_message_with_transfer(&told, &JsValue::UNDEFINED);
        debug_assert!(posted.is_ok(), "plain values can be cloned");
    }
}

/// An `error` event of the worker. Once the script runs it is an uncaught exception that `worker.js` did not take for a
/// death, and that the browser has shown.
fn on_error(id: u32, event: &JsValue, source: &Rc<WorkerSource>, policy: PolicyMonitor) {
    if is_up(id) {
        return;
    }
    let seen = reflect::text(event, "message").map(Seen::Reported);
    explain(id, seen, source.clone(), policy);
}

/// Looks why a worker did not start, and tells.
fn explain(id: u32, seen: Option<Seen>, source: Rc<WorkerSource>, policy: PolicyMonitor) {
    spawn_local(async move {
        let cause = load_failure(seen, source.script.as_deref(), &source.glue, policy).await;
        if !is_up(id) {
            deliver(id, WorkerEvent::NotStarted(cause));
        }
    });
}

/// True if the worker's script runs, or its port is gone.
fn is_up(id: u32) -> bool {
    WORKERS.with_borrow(|workers| find(workers, id).is_none_or(|live| live.up))
}
