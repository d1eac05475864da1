//! The application that every house holds. It writes what it computes into attributes of the document: one line in
//! `data-notes` for each thing that an application does, and in the end `data-verdict`.

use futures::StreamExt as _;
use wasm_mt::{Error, ExecutorExt as _, Thread, Transfer, executor, remote};

/// Notes that `main` runs. It does so once, whatever workers there are.
pub fn begin() {
    note("main");
}

/// What the application does.
///
/// # Errors
///
/// If a task fails that is not meant to.
pub async fn run() -> Result<(), Error> {
    let outcome = compute().await;
    if let Err(error) = &outcome {
        note(&error.to_string());
    }
    set("verdict", if outcome.is_ok() { "passed" } else { "failed" });
    outcome
}

async fn compute() -> Result<(), Error> {
    note(&format!("library {}", wasm_mt_house_library::answer().await?));
    let executor = executor::current();
    let squares = executor.par_map(0..20_u32, remote!(|n: u32| n * n));
    let sum: u32 = squares.map(Result::unwrap_or_default).collect::<Vec<_>>().await.iter().sum();
    note(&format!("squares {sum}"));
    let bytes = Transfer(vec![1_u8; 1000]);
    let sum = remote!(move || bytes.0.iter().map(|byte| u32::from(*byte)).sum::<u32>()).await?;
    note(&format!("bytes {sum}"));
    let nested = remote!(async { Thread::new().spawn_remote(remote!(|| 1)).await }).await??;
    note(&format!("nested {nested}"));
    let panic = remote!(|| -> u32 { panic!("on purpose") }).await;
    note(&format!("panic {}", panic.is_err_and(|error| error.is_panic())));
    note(&format!("afterwards {}", remote!(|| 2).await?));
    Ok(())
}

/// Adds a line.
fn note(line: &str) {
    wasm_mt::println!("{line}");
    set("notes", &format!("{}{line};", get("notes")));
}

#[cfg(target_family = "wasm")]
use web::{get, set};

#[cfg(target_family = "wasm")]
mod web {
    use js_sys::Reflect;
    use wasm_bindgen::prelude::*;

    #[wasm_bindgen]
    extern "C" {
        #[wasm_bindgen(thread_local_v2, js_name = document)]
        static DOCUMENT: Option<JsValue>;
    }

    /// The attributes. Undefined where there is no document: there what it prints is all.
    fn data() -> JsValue {
        let element = |document: &JsValue| Reflect::get(document, &"documentElement".into());
        let data = DOCUMENT
            .with(|document| Reflect::get(&element(document.as_ref()?).ok()?, &"dataset".into()).ok());
        data.unwrap_or_default()
    }

    pub(crate) fn get(key: &str) -> String {
        Reflect::get(&data(), &key.into()).ok().and_then(|value| value.as_string()).unwrap_or_default()
    }

    pub(crate) fn set(key: &str, value: &str) {
        let _is_set = Reflect::set(&data(), &key.into(), &value.into());
    }
}

/// Natively what it prints is all.
#[cfg(not(target_family = "wasm"))]
fn get(_key: &str) -> String {
    String::new()
}

#[cfg(not(target_family = "wasm"))]
fn set(_key: &str, _value: &str) {}
