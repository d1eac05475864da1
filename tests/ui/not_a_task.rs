use wasm_mt::remote;

fn double(x: u32) -> u32 {
    x * 2
}

fn main() {
    let _ = remote!();
    let _ = remote!(42);
    let _ = remote!(double);
    let _ = remote!(double(2));
    let _ = remote!({ double(2) });
    let _ = remote!([n = 1]);
    let _ = remote!(|| 1, || 2);
    let _ = remote!(|a: u32, b: u32| a + b);
    let _ = remote!(#[inline] || 1);
}
