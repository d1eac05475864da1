use wasm_mt::remote;

fn main() {
    let n = 1;
    let _ = remote!(move || async { n + 1 });
    let _ = remote!(|x: u32| async { x + 1 });
    let _ = remote!(move || {
        let m = n + 1;
        async { m + 1 }
    });
}
