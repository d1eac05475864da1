//! The project's own commands: `cargo xtask demo`, `cargo xtask test`.

fn main() {}
