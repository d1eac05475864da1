use wasm_mt::{Thread, actor};

fn main() {
    let _ = Thread::new().spawn_actor(actor!(|| vec![1]));
}
