//! What the programs of the page tests share: how the page tells them what to do, and how the page hears of `main`.

/// A parameter of the page's address.
#[must_use]
pub fn parameter(name: &str) -> Option<String> {
    room::parameter(name)
}

/// Tells the page that `main` runs, from wherever that is: a worker that runs it is heard too.
pub fn announce_main() {
    room::announce_main();
}

#[cfg(target_family = "wasm")]
mod room {
    use wasm_bindgen::JsValue;
    use web_sys::{BroadcastChannel, UrlSearchParams};

    pub(super) fn parameter(name: &str) -> Option<String> {
        let search = web_sys::window()?.location().search().ok()?;
        UrlSearchParams::new_with_str(&search).ok()?.get(name)
    }

    pub(super) fn announce_main() {
        let announced = BroadcastChannel::new("main")
            .and_then(|channel| channel.post_message(&JsValue::from_str("main")));
        announced.expect("a page can broadcast");
    }
}

#[cfg(not(target_family = "wasm"))]
mod room {
    pub(super) fn parameter(_name: &str) -> Option<String> {
        None
    }

    pub(super) fn announce_main() {}
}
