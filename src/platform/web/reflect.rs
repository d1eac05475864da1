//! Properties of JavaScript objects.

use js_sys::{Array, Function, Object, Reflect};
use wasm_bindgen::prelude::*;

/// A property, or undefined.
pub(super) fn get(object: &JsValue, key: &str) -> JsValue {
    Reflect::get(object, &JsValue::from_str(key)).unwrap_or(JsValue::UNDEFINED)
}

/// Calls a method, if it is there.
pub(super) fn call(object: &JsValue, method: &str, args: &[JsValue]) -> Result<JsValue, JsValue> {
    let method: Function = get(object, method).dyn_into()?;
    method.apply(object, &args.iter().collect::<Array>())
}

pub(super) fn object<const N: usize>(properties: [(&str, JsValue); N]) -> Object {
    let object = Object::new();
    for (key, value) in properties {
        set(&object, key, &value);
    }
    object
}

#[wasm_bindgen]
extern "C" {
    /// Of a plain object: nothing can go wrong.
    #[wasm_bindgen(js_namespace = Reflect)]
    fn set(object: &Object, key: &str, value: &JsValue) -> bool;
}
