use wasm_mt::remote;

fn main() {
    let (a, b) = (1, 2);
    let _ = remote!([mut a] move || a);
    let _ = remote!([a, a] move || a);
    let _ = remote!([a.b] move || b);
    let _ = remote!([a] move || a + b);
}
