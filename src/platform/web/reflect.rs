//! JavaScript objects, by the names of what they have and do. A binding of its own for each class and method would weigh some
//! hundred bytes in every program, so only what happens for each message has one.

use js_sys::{Array, Object};
use wasm_bindgen::prelude::*;

/// A property, or undefined.
pub(super) fn get(object: &JsValue, key: &str) -> JsValue {
    get_property(object, key).unwrap_or_default()
}

/// A property of the global object, or undefined.
pub(super) fn global(key: &str) -> JsValue {
    GLOBAL.with(|global| get(global, key))
}

/// A property that is a text.
pub(super) fn text(object: &JsValue, key: &str) -> Option<String> {
    get(object, key).as_string()
}

/// A property that is a number.
pub(super) fn number(object: &JsValue, key: &str) -> Option<f64> {
    get(object, key).as_f64()
}

/// True if there is such a property, and it is true or counts as that.
pub(super) fn has(object: &JsValue, key: &str) -> bool {
    get(object, key).is_truthy()
}

/// The elements of an array, or of a list of the document.
pub(super) fn elements(list: &JsValue) -> impl Iterator<Item = JsValue> {
    let length = number(list, "length").map_or(0, |length| length as u32);
    (0..length).map(|nth| list.unchecked_ref::<Array>().get(nth))
}

/// Calls a method, if it is there.
pub(super) fn call<const N: usize>(
    object: &JsValue,
    method: &str,
    args: [JsValue; N],
) -> Result<JsValue, JsValue> {
    apply(&get(object, method), object, &array(&args))
}

/// Calls a function of the global object, if it is there.
pub(super) fn call_global<const N: usize>(function: &str, args: [JsValue; N]) -> Result<JsValue, JsValue> {
    GLOBAL.with(|global| call(global, function, args))
}

pub(super) fn set_global(key: &str, value: &JsValue) {
    GLOBAL.with(|global| set(global, key, value));
}

/// Calls `new`.
pub(super) fn construct<const N: usize>(class: &JsValue, args: [JsValue; N]) -> Result<JsValue, JsValue> {
    construct_by(class, &array(&args))
}

pub(super) fn array(values: &[JsValue]) -> Array {
    let array = Array::new();
    for value in values {
        array.push(value);
    }
    array
}

pub(super) fn object<const N: usize>(properties: [(&str, JsValue); N]) -> JsValue {
    let object = Object::new().into();
    for (key, value) in &properties {
        set(&object, key, value);
    }
    object
}

/// Listens to an event of the global object, for good. There may be nothing like it here.
pub(super) fn listen(event: &str, listener: &JsValue) {
    let _listens: Result<JsValue, JsValue> =
        call_global("addEventListener", [event.into(), listener.clone()]);
}

/// A function for JavaScript, which keeps it.
pub(super) fn function(function: impl FnMut(JsValue) + 'static) -> JsValue {
    Closure::<dyn FnMut(JsValue)>::new(function).into_js_value()
}

/// A function for JavaScript, which calls it once.
pub(super) fn once(function: impl FnOnce(JsValue) + 'static) -> JsValue {
    let function: Box<dyn FnOnce(JsValue)> = Box::new(function);
    Closure::once_into_js(function)
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = globalThis)]
    static GLOBAL: JsValue;

    #[wasm_bindgen(catch, js_namespace = Reflect, js_name = get)]
    fn get_property(object: &JsValue, key: &str) -> Result<JsValue, JsValue>;

    /// Of an object whose properties can be set: nothing can go wrong.
    #[wasm_bindgen(js_namespace = Reflect)]
    pub(super) fn set(object: &JsValue, key: &str, value: &JsValue) -> bool;

    #[wasm_bindgen(catch, js_namespace = Reflect)]
    pub(super) fn apply(function: &JsValue, this: &JsValue, args: &Array) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_namespace = Reflect, js_name = construct)]
    fn construct_by(class: &JsValue, args: &Array) -> Result<JsValue, JsValue>;
}
