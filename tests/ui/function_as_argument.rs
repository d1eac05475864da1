use wasm_mt::remote;

fn double(x: u32) -> u32 {
    x * 2
}

fn main() {
    let n = 1;
    let triple = |x: u32| x * 3;
    let _ = remote!(move || Some(n).map(double));
    let _ = remote!(move || Some(n).map(triple));
}
