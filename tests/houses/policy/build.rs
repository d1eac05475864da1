//! Writes the worker script of the version that the application uses.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    std::fs::write("static/worker.js", wasm_mt::WORKER_SCRIPT).expect("the folder `static` is there");
}
