//! An application of Dioxus.

use dioxus::prelude::*;

fn main() {
    wasm_mt_house::begin();
    dioxus::launch(App);
}

#[component]
fn App() -> Element {
    let outcome = use_resource(wasm_mt_house::run);
    rsx! { p { "{outcome:?}" } }
}
