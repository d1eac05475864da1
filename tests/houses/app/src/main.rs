//! The application where no framework runs it.

fn main() {
    wasm_mt_house::begin();
    wasm_mt::run(wasm_mt_house::run());
}
