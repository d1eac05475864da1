//! What `remote!` captures: each test makes a task of a closure and compares with the same closure called here.

use wasm_mt::remote;

use crate::common::on_worker;

remote_test! {
    async fn captures_what_a_closure_uses() {
        let (a, b) = (3, String::from("x"));
        let here = { let b = b.clone(); move || b.repeat(a) };
        assert_eq!(on_worker(remote!(move || b.repeat(a))).await.unwrap(), here());
    }

    async fn captures_what_an_async_block_uses() {
        let (a, b) = (3, String::from("x"));
        let task = remote!(async move { wasm_mt::yield_now().await; b.repeat(a) });
        assert_eq!(on_worker(task).await.unwrap(), "xxx");
    }
}
