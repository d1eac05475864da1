use wasm_mt::remote;

fn main() {
    let text = String::from("text");
    let _ = remote!(move || text.len());
    println!("{text}");
}
