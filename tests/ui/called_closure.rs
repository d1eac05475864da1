use wasm_mt::{RemoteFn, remote};

fn main() {
    let offset = 1;
    let add = |x: u32| x + offset;
    let _ = remote!(move || add(2));
    let _: RemoteFn<u32, u32> = remote!(move |x| add(x));
}
