//! JavaScript values cross, cloned or transferred. Web only.

use js_sys::{ArrayBuffer, Date, Function, JsString, Object, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::wasm_bindgen_test;
use wasm_mt::{Js, Remote, RemoteFn, Transfer};

use crate::common::on_worker;

fn filled(length: u32) -> Uint8Array {
    Uint8Array::new_with_length(length).fill(7, 0, length)
}

#[wasm_bindgen_test]
async fn a_value_is_cloned_there_and_back() {
    let object = Object::new();
    Reflect::set(&object, &"a".into(), &JsString::from("日本語")).unwrap();
    let (text, Js(back)) = on_worker(Remote::new(Js(object.clone()), |Js(object): Js<Object>| {
        let text = Reflect::get(&object, &"a".into()).unwrap().as_string();
        Reflect::set(&object, &"a".into(), &8.into()).unwrap();
        (text, Js(object))
    }))
    .await
    .unwrap();
    assert_eq!(text.as_deref(), Some("日本語"));
    assert_eq!(Reflect::get(&back, &"a".into()).unwrap(), 8);
    assert_eq!(Reflect::get(&object, &"a".into()).unwrap().as_string().as_deref(), Some("日本語"));
}

#[wasm_bindgen_test]
async fn values_without_an_object_are_cloned() {
    for value in [JsValue::NULL, JsValue::UNDEFINED, JsValue::TRUE, "a".into(), 0.5.into(), u64::MAX.into()] {
        let Js(back) = on_worker(Remote::new(Js(value.clone()), |value: Js<JsValue>| value)).await.unwrap();
        assert!(Object::is(&back, &value), "{value:?} came back as {back:?}");
    }
}

#[wasm_bindgen_test]
async fn a_value_is_transferred_there_and_back() {
    let array = filled(100_000);
    let task = Remote::new(
        (1, Js::transfer(array.clone())),
        |(n, Transfer(Js(array))): (u8, Transfer<Js<Uint8Array>>)| {
            array.set_index(0, n);
            Js::transfer(array)
        },
    );
    let Transfer(Js(back)) = on_worker(task).await.unwrap();
    assert_eq!((back.length(), back.get_index(0), back.get_index(1)), (100_000, 1, 7));
    assert_eq!(array.length(), 0, "it was cloned, not transferred");

    let buffer = ArrayBuffer::new(8);
    let length = on_worker(Remote::new(Js::transfer(buffer.clone()), |buffer: Transfer<Js<ArrayBuffer>>| {
        buffer.0.0.byte_length()
    }));
    assert_eq!(length.await.unwrap(), 8);
    assert_eq!(buffer.byte_length(), 0, "it was cloned, not transferred");
}

#[wasm_bindgen_test]
async fn the_arguments_of_a_reusable_task_are_copied_if_transferred() {
    let array = filled(3);
    let buffer = filled(4).buffer();
    let task = RemoteFn::new(
        (Js::transfer(array.clone()), Js::transfer(buffer.clone()), Js(array.clone())),
        |(array, buffer, cloned): (Transfer<Js<Uint8Array>>, Transfer<Js<ArrayBuffer>>, Js<Uint8Array>),
         n: u32| { array.0.0.length() + buffer.0.0.byte_length() + cloned.0.length() + n },
    );
    assert_eq!(on_worker(task.call(1)).await.unwrap(), 11);
    assert_eq!(on_worker(task.call(2)).await.unwrap(), 12);
    assert_eq!((array.length(), buffer.byte_length()), (3, 4));
}

#[wasm_bindgen_test]
async fn a_value_of_another_type_is_refused() {
    /// Writes one type, reads another.
    #[derive(serde::Serialize)]
    struct Changeling(Js<Date>);
    impl<'de> serde::Deserialize<'de> for Changeling {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            Js::<Uint8Array>::deserialize(deserializer).map(|_| unreachable!("a date is no array"))
        }
    }
    let error = on_worker(Remote::new(Changeling(Js(Date::new_0())), |_: Changeling| ())).await.unwrap_err();
    assert!(error.is_codec(), "{error}");
    assert!(error.to_string().contains("Js<js_sys::Uint8Array>"), "{error}");
}

#[wasm_bindgen_test]
async fn a_value_that_has_no_clone_is_refused() {
    let function = Function::new_no_args("");
    let error = on_worker(Remote::new(Js(function), |_: Js<Function>| ())).await.unwrap_err();
    assert!(error.is_codec(), "{error}");
    let error = on_worker(Remote::new((), |()| Js(Function::new_no_args("")))).await.err().unwrap();
    assert!(error.is_codec(), "{error}");

    let copied = RemoteFn::new(Js::transfer(Function::new_no_args("")), |_: Transfer<Js<Function>>, n: u8| n);
    let error = on_worker(copied.call(1)).await.unwrap_err();
    assert!(error.is_codec(), "{error}");
    assert!(error.to_string().contains("send it once"), "{error}");
}

#[wasm_bindgen_test]
async fn another_format_gets_a_text_that_tells_what_js_is_for() {
    let error = serde_json::to_string(&Js(JsValue::NULL)).unwrap_err();
    assert!(error.to_string().contains("`Js` travels only through wasm-mt"), "{error}");
}
