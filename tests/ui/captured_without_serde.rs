use std::rc::Rc;

use wasm_mt::remote;

struct Plain {
    n: u32,
}

fn own(plain: Plain) {
    let _ = remote!(move || plain.n + 1);
}

fn of_another_crate(shared: Rc<u32>, plain: Plain) {
    let _ = remote!(async move { *shared + plain.n });
}

fn type_parameter<T>(value: T) {
    let _ = remote!(move || drop(value));
}

fn main() {}
