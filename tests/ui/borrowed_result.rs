use wasm_mt::remote;

fn main() {
    let text = String::from("text");
    let _ = remote!(|| "text");
    let _ = remote!(async move { text.len(); Some("text") });
}
