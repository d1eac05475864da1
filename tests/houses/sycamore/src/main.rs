//! An application of Sycamore.

use sycamore::futures::spawn_local_scoped;
use sycamore::prelude::*;

fn main() {
    wasm_mt_house::begin();
    sycamore::render(App);
}

#[component]
fn App() -> View {
    let outcome = create_signal(String::new());
    spawn_local_scoped(async move { outcome.set(format!("{:?}", wasm_mt_house::run().await)) });
    view! { p { (outcome) } }
}
