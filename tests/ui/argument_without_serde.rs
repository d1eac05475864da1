use wasm_mt::remote;

struct Plain {
    n: u32,
}

fn main() {
    let _ = remote!(|plain: Plain| plain.n);
    let _ = remote!(|list: &Vec<u8>| list.len());
}
