use std::sync::mpsc::Sender;

use wasm_mt::remote;

struct Plain {
    n: u32,
}

fn own(plain: Plain) {
    let _ = remote!(move || plain.n + 1);
}

fn of_another_crate(sender: Sender<u32>, plain: Plain) {
    let _ = remote!(async move { sender.send(plain.n).is_ok() });
}

fn type_parameter<T>(value: T) {
    let _ = remote!(move || drop(value));
}

fn main() {}
