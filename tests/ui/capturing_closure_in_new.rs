use wasm_mt::{Remote, RemoteFn};

fn main() {
    let factor = 3;
    let _ = Remote::new(2, |n: i32| n * factor);
    let _ = Remote::new_async(2, |n: i32| async move { n * factor });
}

fn function() {
    let factor = 3;
    let _ = RemoteFn::new((), |(), _| move |n: i32| n * factor);
    let _ = RemoteFn::new(2, |factor: i32, n: i32| n * factor);
}
