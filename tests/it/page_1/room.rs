//! Values for which the page has no memory.

use serde_bytes::ByteBuf;
use wasm_mt::{Error, Pool, Remote, Thread, Transfer, remote};

const MIB: usize = 1024 * 1024;

/// Takes all memory that this instance may have but a few MiB.
fn take_all() -> Vec<Vec<u8>> {
    let mut taken = Vec::new();
    let mut size = 256 * MIB;
    while size >= 4 * MIB {
        let mut some = Vec::new();
        match some.try_reserve_exact(size) {
            Ok(()) => taken.push(some),
            Err(_) => size /= 2,
        }
    }
    // For what the test itself needs.
    let small = taken.pop();
    assert!(small.is_some() && !taken.is_empty(), "nothing was taken");
    taken
}

#[track_caller]
fn assert_no_room<T>(result: Result<T, Error>, texts: &[&str]) {
    let Err(error) = result else { panic!("there is no memory for it") };
    assert!(error.is_codec(), "{error}");
    for text in ["no memory"].iter().chain(texts) {
        assert!(error.to_string().contains(text), "no {text:?} in: {error}");
    }
}

web_test! {
    async fn a_result_for_which_the_page_has_no_memory_is_an_error() {
        const LARGE: usize = 64 * MIB;
        let thread = Thread::new();
        thread.spawn_remote(remote!(|| ())).await.unwrap();
        let taken = take_all();
        assert_no_room(thread.spawn_remote(remote!(|| Transfer(vec![1u8; LARGE]))).await, &["Transfer<", "67108864"]);
        assert_no_room(thread.spawn_remote(remote!(|| Transfer(vec![1f64; LARGE / 8]))).await, &["f64", "67108864"]);
        assert_no_room(thread.spawn_remote(remote!(|| ByteBuf::from(vec![1; LARGE]))).await, &["ByteBuf", "671088"]);
        let text = remote!(|| "text".repeat(LARGE / 4));
        assert_no_room(thread.spawn_remote(text).await, &["String", "671088"]);
        drop(taken);
        // The page and the thread are in order.
        let bytes = thread.spawn_remote(remote!(|| Transfer(vec![1u8; LARGE]))).await.unwrap();
        assert_eq!(bytes.0.len(), LARGE);
    }
}

web_test! {
    async fn an_argument_for_which_the_page_has_no_memory_is_an_error() {
        const LARGE: usize = 64 * MIB;
        let thread = Thread::new();
        thread.spawn_remote(remote!(|| ())).await.unwrap();
        let bytes = ByteBuf::from(vec![1; LARGE]);
        let taken = take_all();
        let task = Remote::new(bytes, |_: ByteBuf| ());
        assert_no_room(thread.spawn_remote(task).await, &["ByteBuf", "671088"]);
        drop(taken);
        assert_eq!(thread.spawn_remote(remote!(|| 1)).await.unwrap(), 1);
    }
}

web_test! {
    async fn an_encoded_argument_that_there_is_no_memory_to_post_is_an_error() {
        const LARGE: usize = 64 * MIB;
        let pool = Pool::builder().threads(1).build();
        pool.spawn_remote(remote!(|| ())).await.unwrap();
        let task = Remote::new(ByteBuf::from(vec![1; LARGE]), |bytes: ByteBuf| bytes.len());
        let again = task.clone();
        let taken = take_all();
        assert_no_room(pool.spawn_remote(task).await, &["671088"]);
        drop(taken);
        assert_eq!(pool.spawn_remote(again).await.unwrap(), LARGE);
    }
}
