//! `Serialize` and `Deserialize` of a user that fail or panic.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use wasm_mt::{Remote, Thread, Transfer};

use super::assert_refused;
use crate::common::on_worker;

struct FailsToEncode;

impl Serialize for FailsToEncode {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("not today"))
    }
}

impl<'de> Deserialize<'de> for FailsToEncode {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        unreachable!("it is never encoded")
    }
}

#[derive(Serialize)]
struct FailsToDecode;

impl<'de> Deserialize<'de> for FailsToDecode {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom("not today"))
    }
}

struct PanicsInEncoding;

impl Serialize for PanicsInEncoding {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("not today")
    }
}

impl<'de> Deserialize<'de> for PanicsInEncoding {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        unreachable!("it is never encoded")
    }
}

#[derive(Serialize)]
struct PanicsInDecoding;

impl<'de> Deserialize<'de> for PanicsInDecoding {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        panic!("not today")
    }
}

remote_test! {
    async fn an_argument_that_fails_to_encode_resolves_its_handle() {
        let thread = Thread::new();
        let result = thread.spawn_remote(Remote::new((1, FailsToEncode), |_: (i32, FailsToEncode)| ())).await;
        assert_refused(result, &["FailsToEncode", "not today"]);
        assert_eq!(thread.spawn_remote(Remote::new(1, |n: i32| n)).await.unwrap(), 1);
    }

    async fn a_result_that_fails_to_encode_resolves_its_handle() {
        let thread = Thread::new();
        let result = thread.spawn_remote(Remote::new((), |()| FailsToEncode)).await;
        assert_refused(result, &["FailsToEncode", "not today"]);
        assert_eq!(thread.spawn_remote(Remote::new(1, |n: i32| n)).await.unwrap(), 1);
    }

    async fn values_that_fail_to_decode_resolve_their_handles() {
        let thread = Thread::new();
        let result = thread.spawn_remote(Remote::new(FailsToDecode, |_: FailsToDecode| ())).await;
        assert_refused(result, &["FailsToDecode", "not today"]);
        let result = thread.spawn_remote(Remote::new((), |()| FailsToDecode)).await;
        assert_refused(result, &["FailsToDecode", "not today"]);
        assert_eq!(thread.spawn_remote(Remote::new(1, |n: i32| n)).await.unwrap(), 1);
    }

    async fn a_result_that_panics_while_it_is_encoded_is_a_panic_of_the_task() {
        let error = on_worker(Remote::new((), |()| PanicsInEncoding)).await.err().unwrap();
        assert!(error.is_panic(), "{error}");
        assert!(error.to_string().contains("not today"), "{error}");
    }

    async fn an_argument_that_panics_while_it_is_decoded_is_a_panic_of_the_task() {
        let error = on_worker(Remote::new(PanicsInDecoding, |_: PanicsInDecoding| ())).await.unwrap_err();
        assert!(error.is_panic(), "{error}");
        assert!(error.to_string().contains("not today"), "{error}");
    }

    async fn another_format_gets_a_text_that_tells_what_transfer_is_for() {
        let text = "`Transfer` travels only through wasm-mt";
        let error = serde_json::to_string(&(1, Transfer(vec![1u8]))).unwrap_err();
        assert!(error.to_string().contains(text), "{error}");
        let error = serde_json::from_str::<Transfer<Vec<u8>>>("[1, 2]").unwrap_err();
        assert!(error.to_string().contains(text), "{error}");
        let error = on_worker(Remote::new(Transfer(vec![1u8]), |bytes: Transfer<Vec<u8>>| {
            serde_json::to_string(&bytes).unwrap_err().to_string()
        }));
        assert!(error.await.unwrap().contains(text));
    }
}

// On the web a panic in an argument is a trap in the caller's own instance.
#[cfg(not(target_family = "wasm"))]
native_test! { fn an_argument_that_panics_while_it_is_encoded_panics_at_the_call() {
    let caught = std::panic::catch_unwind(|| Remote::new(PanicsInEncoding, |_: PanicsInEncoding| ()));
    assert_eq!(*caught.unwrap_err().downcast::<&str>().unwrap(), "not today");
    let thread = Thread::new();
    wasm_mt::run(async move {
        assert_eq!(thread.spawn_remote(Remote::new(1, |n: i32| n)).await.unwrap(), 1);
    });
}}
