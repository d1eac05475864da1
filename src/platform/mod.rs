//! The seam: where workers come from and how messages cross.
//!
//! Two backends, `native` (a `std::thread` and a channel) and `web` (a Web Worker and `postMessage`), give the same
//! names. What a backend MUST keep:
//!
//! - [`start`] returns at once. The worker it starts calls [`Main`] exactly once and hands what it gives the `first`
//!   packet before any other.
//! - Packets arrive in the order in which they were posted, each exactly once, or not at all once the worker is lost.
//!   Between two packets, futures of [`spawn_local`] that are ready are polled.
//! - [`WorkerEvent::Lost`] is the last event of a worker and comes exactly once, however the worker ends - except after its
//!   [`Port`] was dropped: then it may be left out, and no other event comes.
//! - Dropping a [`Port`] ends the worker: on the web at once, natively as soon as the running task yields.
//! - Events come on the thread that started the worker (web) or on the worker's own (native), and never within a call
//!   to [`start`] or [`Port::post`] (web). Their handler MUST NOT hold a lock that the worker's tasks may take.
//! - The four lanes of a [`Packet`] are never mixed: nothing in `bytes` can become a head, an address or an attachment.
//! - What a packet refers to, its `residents`, does not cross.
//! - After [`Port::end`] a worker that looks at [`Outbox::is_connected`] begins nothing.
//! - What [`Port::stop`] names [`Outbox::is_stopped`] at once, in the midst of code, if the worker shares our memory (native); until
//!   [`Outbox::has_read_stop`].
//! - [`Port::spawn`] runs a future on the worker's thread if that shares our memory (native), or else here (web).
//! - A panic of a future of [`spawn_local`] goes to the handler of [`on_panic`], where panics unwind.
//! - [`guard`] makes [`current_task`] name the task while its code runs, also when it traps.
//! - What [`show_begun`] was given last is in [`Loss::begun`], where the backend can read it after the end.
//! - What [`show_gathered`] was given last is posted if the worker traps or closes itself, before that is an event.
//! - [`now`] is one clock for all workers and their page. It may stand still for as long as [`clock_tick`] says.
//! - [`spawn_local`] may be called where [`has_local_pool`], and anywhere where [`HAS_EVENT_LOOP`].
//! - [`yield_by_message`] comes in time however late timers are, and in a turn after that of its call.
//! - While there is a [`KeepAlive`], the program does not end, even if it awaits nothing else; [`sleep_aside`] is none.
//! - A port or an outbox that has posted a packet tells the ends among its attachments ([`Endpoint`]) where they are now. When a
//!   port is dropped, who wants to know ([`on_gone`]) is told.
//! - [`post_to`] posts to the worker in that place, or nothing if it is gone.
//! - What is in [`Image::reach`] lies at the same distance from `anchor` in every process of one [`Image`].
//! - [`at_end_of_tick`] runs its future after the code that runs now, and before any event, where [`HAS_TICKS`].

mod address;
mod endpoint;
mod event;
mod main;
mod packet;
mod room;
mod script;
mod slot;
mod spec;

#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(not(target_family = "wasm"))]
use native as backend;

#[cfg(target_family = "wasm")]
mod web;
#[cfg(target_family = "wasm")]
use web as backend;

#[cfg(target_family = "wasm")]
pub(crate) use web::js_error;
#[cfg(all(feature = "compat", target_family = "wasm"))]
pub(crate) use web::url_of_hidden_glue;

pub(crate) use backend::{
    Attachment, HAS_EVENT_LOOP, HAS_TICKS, KeepAlive, Number, Outbox, PANIC_ABORTS, Port, SHARES_MEMORY,
    WebOptions, at_end_of_tick, can_interrupt, clock_tick, contain, current_task, guard, has_local_pool,
    here, install, is_lost, is_panicking, now, on_panic, parallelism, post_to, print, realm, run, show_begun,
    show_gathered, sleep, sleep_aside, spawn_local, spawn_service, stack_has_sunk, start, try_run,
    yield_by_message, yield_now,
};

pub(crate) use address::{Address, Tag, Tagged};
#[cfg(feature = "transport")]
pub(crate) use backend::Image;
pub(crate) use endpoint::{Endpoint, Place, arrive, from, on_gone, sender};
pub(crate) use event::{EventHandler, Loss, WorkerEvent};
pub(crate) use main::{Inbox, Main};
pub(crate) use packet::{Master, Packet, Post, Resident, Residents, announce_by};
pub(crate) use room::NoRoom;
pub(crate) use script::WORKER_SCRIPT;
pub(crate) use slot::ThreadSlot;
pub(crate) use spec::WorkerSpec;
