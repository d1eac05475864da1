//! Does by hand what `remote!` does: sends the addresses of two functions and the encoded captures, and calls there.
#![expect(unsafe_code, reason = "a function crosses as its address and is called through it")]

use std::error::Error;
use std::{mem, ptr};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use wasm_mt::println;

fn main() {
    // `main` runs in this worker too, because it is an ordinary one. The workers of wasm-mt leave it out.
    if !target::is_worker() {
        wasm_mt::run(app());
    }
}

async fn app() -> Result<(), Box<dyn Error>> {
    let (word, count) = ("sea".to_owned(), 3);
    // In short, what `remote!(move || word.repeat(count))` expands to. The closure captures nothing, so it is a `fn`.
    let call = Call::new((word, count), |(word, count): (String, usize)| word.repeat(count))?;
    let message = serde_json::to_string(&call)?;
    println!("sent: {message}");
    let answer = target::send(message).await?;
    println!("received: {answer}");
    let result: String = serde_json::from_str(&answer)?;
    assert_eq!(result, "seaseasea");
    Ok(())
}

/// A call to be made in another instance of this program.
#[derive(Serialize, Deserialize)]
struct Call {
    /// The address of an `enter::<A, R>`.
    entry: usize,
    /// The address of an `fn(A) -> R`, with the same `A` and `R`.
    function: usize,
    /// An encoded `A`.
    captures: String,
}

impl Call {
    /// The types are known here. The choice of `enter::<A, R>` records them.
    fn new<A, R>(captures: A, function: fn(A) -> R) -> serde_json::Result<Self>
    where
        A: Serialize + DeserializeOwned,
        R: Serialize,
    {
        let entry: Entry = enter::<A, R>;
        let [entry, function] =
            [entry as *const (), function as *const ()].map(<*const ()>::expose_provenance);
        Ok(Self { entry, function, captures: serde_json::to_string(&captures)? })
    }
}

/// The type of `enter::<A, R>` for all `A` and `R`.
type Entry = fn(usize, &str) -> serde_json::Result<String>;

/// Decodes the captures, calls the function and encodes its result.
fn enter<A: DeserializeOwned, R: Serialize>(function: usize, captures: &str) -> serde_json::Result<String> {
    let function = ptr::with_exposed_provenance::<()>(function);
    // SAFETY: `Call::new` took the address of an `fn(A) -> R`, in this program.
    let function = unsafe { mem::transmute::<*const (), fn(A) -> R>(function) };
    serde_json::to_string(&function(serde_json::from_str(captures)?))
}

/// What the other thread does with a message, without any type of the task.
fn receive(message: &str) -> serde_json::Result<String> {
    let call: Call = serde_json::from_str(message)?;
    let entry = ptr::with_exposed_provenance::<()>(call.entry);
    // SAFETY: `Call::new` took the address of an `Entry`, in this program.
    let entry = unsafe { mem::transmute::<*const (), Entry>(entry) };
    entry(call.function, &call.captures)
}

#[cfg(target_family = "wasm")]
#[expect(unreachable_pub, reason = "wasm-bindgen exports public functions only")]
mod target {
    use std::error::Error;

    use wasm_bindgen::prelude::*;
    use wasm_bindgen_futures::JsFuture;

    /// A worker has a memory of its own, and runs the page's own compiled module. So its function table is that of the page.
    const SEND: &str = r#"
        const source = `import init, { receive } from "${new URL("how_it_works.js", document.baseURI)}";
            onmessage = ({ data: [module, message] }) =>
                init({ module_or_path: module }).then(() => postMessage(receive(message))).catch(reportError);`;
        const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
        const worker = new Worker(url, { type: "module" });
        worker.postMessage([module, message]);
        return new Promise((resolve, reject) => {
            worker.onmessage = ({ data }) => resolve(data);
            worker.onerror = ({ message }) => reject(message);
        }).finally(() => worker.terminate());"#;

    pub(super) fn is_worker() -> bool {
        web_sys::window().is_none()
    }

    #[wasm_bindgen]
    pub fn receive(message: &str) -> Result<String, JsError> {
        Ok(super::receive(message)?)
    }

    pub(super) async fn send(message: String) -> Result<String, Box<dyn Error>> {
        let text = |error: JsValue| format!("{error:?}");
        let send = js_sys::Function::new_with_args("module, message", SEND);
        let answer = send.call2(&JsValue::NULL, &wasm_bindgen::module(), &message.into()).map_err(text)?;
        let answer = JsFuture::from(js_sys::Promise::from(answer)).await.map_err(text)?;
        Ok(answer.as_string().ok_or("the worker answered with another value than a text")?)
    }
}

#[cfg(not(target_family = "wasm"))]
mod target {
    use std::error::Error;

    pub(super) fn is_worker() -> bool {
        false
    }

    /// A thread shares all addresses of its process.
    pub(super) async fn send(message: String) -> Result<String, Box<dyn Error>> {
        let thread = std::thread::spawn(move || super::receive(&message));
        Ok(thread.join().map_err(|_| "the thread panicked")??)
    }
}
