//! The names of wasm-mt 0.1 and wasm-mt-pool 0.1, as programs of then use them.

mod closures;
mod pool;
mod programs;
mod threads;
mod utils;
mod values;

use futures::channel::oneshot;
use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use wasm_mt::Thread;
use wasm_mt::prelude::*;
use wasm_mt::utils::run_js_async;

type ResultJJ = Result<JsValue, JsValue>;

async fn thread() -> Thread {
    WasmMt::new("").and_init().await.unwrap().thread().and_init().await.unwrap()
}

/// The text of an error that is no exception of JavaScript.
fn text(result: ResultJJ) -> String {
    let error = result.unwrap_err();
    error.as_string().unwrap_or_else(|| panic!("not a text: {error:?}"))
}

/// Listens to a channel of this name. The inner future resolves with the next message, be it of a worker.
async fn hear(channel: &str) -> impl Future<Output = JsValue> + use<> {
    // A browser takes its time to enter a listener. It is there when it hears a message of this page.
    let script = format!(
        "const channel = new BroadcastChannel('{channel}'), probe = new BroadcastChannel('{channel}');
        let heard;
        await new Promise(listens => {{
            heard = new Promise(resolve => {{
                channel.onmessage = ({{ data }}) => {{
                    if (data === probe.name + '?') return listens();
                    channel.close();
                    resolve(data);
                }};
            }});
            probe.postMessage(probe.name + '?');
        }});
        probe.close();
        return [heard];"
    );
    let heard = js_sys::Array::from(&run_js_async(&script).await.unwrap()).get(0);
    async { JsFuture::from(Promise::from(heard)).await.unwrap() }
}

/// JavaScript that says something on a channel of this name.
fn say(channel: &str, what: &str) -> String {
    format!("new BroadcastChannel('{channel}').postMessage('{what}');")
}

/// A callback, and the result that it was called with.
fn callback() -> (impl FnOnce(ResultJJ), impl Future<Output = ResultJJ>) {
    let (sender, receiver) = oneshot::channel();
    (move |result| sender.send(result).unwrap(), async { receiver.await.expect("the callback was dropped") })
}
