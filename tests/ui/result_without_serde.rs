use wasm_mt::{RemoteFn, remote};

struct Plain {
    n: u32,
}

async fn later() -> u32 {
    1
}

fn main() {
    let n = 1;
    let _ = remote!(move || Plain { n });
    let _ = remote!(async move { Plain { n } });
    let _ = remote!(async move || -> Result<Plain, String> { Ok(Plain { n }) });
    let _: RemoteFn<u32, _> = remote!(move |x| Some(Plain { n: n + x }));
    let _ = remote!(|| later());
}
