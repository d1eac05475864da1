use wasm_mt::remote;

fn main() {
    let offset = 1;
    let add = |x: u32| x + offset;
    let _ = remote!(move || add(2));
}
