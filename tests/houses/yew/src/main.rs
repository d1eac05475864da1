//! An application of Yew.

use yew::platform::spawn_local;
use yew::prelude::*;

fn main() {
    wasm_mt_house::begin();
    yew::Renderer::<App>::new().render();
}

#[component]
fn App() -> Html {
    let outcome = use_state(String::new);
    use_effect_with((), {
        let outcome = outcome.clone();
        move |()| spawn_local(async move { outcome.set(format!("{:?}", wasm_mt_house::run().await)) })
    });
    html! { <p>{ &*outcome }</p> }
}
