use wasm_mt::remote;

fn main() {
    let n = 1;
    let _ = remote!(async { n + 1 });
    let _ = remote!([m = n] async { m + 1 });
}
