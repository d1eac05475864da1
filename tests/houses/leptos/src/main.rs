//! An application of Leptos.

use leptos::prelude::*;

fn main() {
    wasm_mt_house::begin();
    mount_to_body(App);
}

#[component]
fn App() -> impl IntoView {
    let outcome = LocalResource::new(wasm_mt_house::run);
    view! { <p>{move || outcome.get().map(|outcome| format!("{outcome:?}"))}</p> }
}
