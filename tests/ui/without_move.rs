use wasm_mt::remote;

fn main() {
    let n = 1;
    let _ = remote!(|| n + 1);
    let _ = remote!(|x: u32| n + x);
    let _ = remote!(async || n + 1);
    let _ = remote!([m = n] || m + 1);
}
