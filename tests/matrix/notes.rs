//! Notes that tasks leave when they begin, so that their runs can be counted although their workers may end.
//!
//! Natively they lie in a static. On the web a worker has a memory of its own, so notes go over a `BroadcastChannel`: what is
//! posted there is on its way, whatever becomes of the worker. They may arrive after the task's answer.

#[cfg(not(target_family = "wasm"))]
pub(crate) use self::native::{Notes, is_over, note};
#[cfg(target_family = "wasm")]
pub(crate) use self::web::{Notes, is_over, note};

#[cfg(not(target_family = "wasm"))]
mod native {
    use std::collections::{BTreeMap, BTreeSet};
    use std::sync::Mutex;

    static COUNTS: Mutex<BTreeMap<(u32, u32), u32>> = Mutex::new(BTreeMap::new());
    static OVER: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

    /// The task with this number begins.
    pub(crate) fn note(case: u32, number: u32) {
        *COUNTS.lock().unwrap().entry((case, number)).or_default() += 1;
    }

    /// True if the case has ended: then its loops do too.
    pub(crate) fn is_over(case: u32) -> bool {
        OVER.lock().unwrap().contains(&case)
    }

    /// The notes of a case.
    pub(crate) struct Notes(u32);

    impl Notes {
        pub(crate) fn of(case: u32) -> Self {
            Self(case)
        }

        /// How often the task has begun.
        pub(crate) fn count(&self, number: u32) -> u32 {
            COUNTS.lock().unwrap().get(&(self.0, number)).copied().unwrap_or_default()
        }
    }

    impl Drop for Notes {
        fn drop(&mut self) {
            OVER.lock().unwrap().insert(self.0);
        }
    }
}

#[cfg(target_family = "wasm")]
mod web {
    use std::cell::RefCell;
    use std::collections::BTreeMap;
    use std::rc::Rc;

    use wasm_bindgen::prelude::*;

    const NAME: &str = "the matrix of wasm-mt";
    /// More than a case has numbers.
    const NUMBERS: u32 = 10_000;

    #[wasm_bindgen]
    extern "C" {
        type BroadcastChannel;

        #[wasm_bindgen(constructor)]
        fn new(name: &str) -> BroadcastChannel;

        #[wasm_bindgen(method, js_name = postMessage)]
        fn post_message(this: &BroadcastChannel, message: u32);

        #[wasm_bindgen(method, setter)]
        fn set_onmessage(this: &BroadcastChannel, listener: Option<&Closure<dyn FnMut(JsValue)>>);

        #[wasm_bindgen(method)]
        fn close(this: &BroadcastChannel);
    }

    thread_local! {
        static CHANNEL: BroadcastChannel = BroadcastChannel::new(NAME);
    }

    /// The task with this number begins.
    pub(crate) fn note(case: u32, number: u32) {
        CHANNEL.with(|channel| channel.post_message(case * NUMBERS + number));
    }

    /// A worker hears nothing of the end of a case, but ends with it.
    pub(crate) fn is_over(_case: u32) -> bool {
        false
    }

    /// The notes of a case.
    pub(crate) struct Notes {
        case: u32,
        counts: Rc<RefCell<BTreeMap<u32, u32>>>,
        channel: BroadcastChannel,
        _listener: Closure<dyn FnMut(JsValue)>,
    }

    impl Notes {
        pub(crate) fn of(case: u32) -> Self {
            // One stays open: in Deno a channel is deaf that was made while the last other one was being closed.
            CHANNEL.with(|_| ());
            let channel = BroadcastChannel::new(NAME);
            let counts = Rc::new(RefCell::new(BTreeMap::new()));
            let noted = counts.clone();
            let listener = Closure::new(move |event: JsValue| {
                let data = js_sys::Reflect::get(&event, &"data".into()).unwrap();
                let note = data.as_f64().unwrap() as u32;
                *noted.borrow_mut().entry(note).or_default() += 1;
            });
            channel.set_onmessage(Some(&listener));
            Self { case, counts, channel, _listener: listener }
        }

        /// How often the task has begun, as far as it is known.
        pub(crate) fn count(&self, number: u32) -> u32 {
            let note = self.case * NUMBERS + number;
            self.counts.borrow().get(&note).copied().unwrap_or_default()
        }
    }

    impl Drop for Notes {
        fn drop(&mut self) {
            self.channel.set_onmessage(None);
            self.channel.close();
        }
    }
}
