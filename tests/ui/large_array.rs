use wasm_mt::remote;

struct Plain;

fn captured(block: [u8; 64]) {
    let _ = remote!(move || block[0]);
}

fn argument_and_result() {
    let _ = remote!(move |block: [u64; 33]| block[0]);
    let _ = remote!(move || [0.5f32; 100]);
}

fn within_another(blocks: Vec<[u8; 64]>) {
    let _ = remote!(move || drop(blocks));
}

fn of_another_kind(block: [Plain; 2]) {
    let _ = remote!(move || drop(block));
}

fn main() {}
