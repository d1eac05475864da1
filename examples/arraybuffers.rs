//! A program of wasm-mt 0.1: threads from buffers that it has fetched itself, and an `ArrayBuffer` that comes back. Web only.

#[cfg(target_family = "wasm")]
fn main() {
    wasm_mt::run(async { web::app().await.map_err(|error| format!("{error:?}")) });
}

#[cfg(not(target_family = "wasm"))]
fn main() {
    wasm_mt::println!("wasm-mt 0.1 is for the web only: `cargo xtask demo` shows this program");
}

#[cfg(target_family = "wasm")]
mod web {
    use js_sys::Uint8Array;
    use wasm_bindgen::prelude::*;
    use wasm_mt::prelude::*;
    use wasm_mt::utils::{ab_from_text, console_ln, fetch_as_arraybuffer, text_from_ab};

    pub(super) async fn app() -> Result<(), JsValue> {
        let ab_js = fetch_as_arraybuffer("./arraybuffers.js").await?;
        let ab_wasm = fetch_as_arraybuffer("./arraybuffers_bg.wasm").await?;
        console_ln!("the module has {} bytes", ab_wasm.byte_length());

        let mt = WasmMt::new_with_arraybuffers(ab_js, ab_wasm).and_init().await?;
        let th = mt.thread().and_init().await?;
        th.set_id("foo");
        console_ln!("thread {} is up", th.get_id().unwrap_or_default());

        let words = String::from("bytes of a worker");
        let ab = exec!(th, move || Ok(ab_from_text(&words.to_uppercase()).into())).await?.dyn_into()?;
        console_ln!("an ArrayBuffer says: {}", text_from_ab(&ab).unwrap_or_default());

        // It is moved, not copied: 64 MiB come as fast as one byte.
        let large = exec_js!(th, "return new Uint8Array(64 * 1024 * 1024).fill(7).buffer;").await?;
        let large = Uint8Array::new(&large);
        console_ln!(
            "another has {} bytes, the last is {}",
            large.length(),
            large.get_index(large.length() - 1)
        );
        Ok(())
    }
}
