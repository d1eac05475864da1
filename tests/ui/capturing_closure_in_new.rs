use wasm_mt::Remote;

fn main() {
    let factor = 3;
    let _ = Remote::new(2, |n: i32| n * factor);
    let _ = Remote::new_async(2, |n: i32| async move { n * factor });
}
