use wasm_mt::remote;

fn main() {
    let _ = remote!(|text: &str| text.len());
}
