//! A value that travels beside the bytes: a JavaScript value, cloned or transferred by `postMessage`.

use std::any::Any;
use std::cell::RefCell;

use bytemuck::Zeroable;
use js_sys::{
    Array, ArrayBuffer, BigInt64Array, BigUint64Array, Float32Array, Float64Array, Int8Array, Int16Array,
    Int32Array, Uint8Array, Uint16Array, Uint32Array,
};
use wasm_bindgen::prelude::*;

use super::reflect::{array, call, call_global, construct, get, global, number, object, text};
use super::thrown::{not_cloneable, text_of};
use crate::error::Error;
use crate::platform::endpoint::take_arrived;
use crate::platform::{Endpoint, NoRoom, room};

/// A value that travels beside the bytes.
#[derive(Debug)]
pub struct Attachment(Option<Content>);

#[derive(Debug)]
enum Content {
    /// A JavaScript value, kept in a table of this thread so that the attachment itself is [`Send`]. Owned: no other
    /// attachment has this place in the table.
    Value { place: usize, transfer: bool },
    /// An end that is here.
    End(Box<dyn Endpoint>),
    /// The name of one that has come.
    Arriving(u64),
}

/// What an attachment is made of.
pub(super) enum Parts {
    /// A value, and whether it is to be transferred.
    Value(JsValue, bool),
    End(Box<dyn Endpoint>),
}

impl Attachment {
    /// Copies numbers into a typed array, to be transferred.
    pub(crate) fn from_slice<N: Number>(numbers: &[N]) -> Result<Self, NoRoom> {
        let copied = N::to_js(numbers).map_err(|_thrown| NoRoom::of::<N>(numbers.len()))?;
        Ok(Attachment::new(copied, true))
    }

    /// Copies the numbers out, or gives `None` if the attachment is something else.
    pub(crate) fn into_vec<N: Number>(self) -> Result<Option<Vec<N>>, NoRoom> {
        N::from_js(self.into_js())
    }

    /// True if it is what [`into_vec`](Self::into_vec) gives as numbers of this type.
    #[cfg(feature = "transport")]
    pub(crate) fn is_vec_of<N: Number>(&self) -> bool {
        match self.0 {
            Some(Content::Value { place, .. }) => N::is_js(&VALUES.with_borrow(|values| values.get(place))),
            _ => false,
        }
    }

    /// A value to be transferred, or else cloned, by `postMessage`.
    pub(crate) fn new(value: JsValue, transfer: bool) -> Self {
        let place = VALUES.with_borrow_mut(|values| values.insert(value));
        Attachment(Some(Content::Value { place, transfer }))
    }

    /// An end that is to be elsewhere.
    pub(crate) fn of_end(end: Box<dyn Endpoint>) -> Self {
        Attachment(Some(Content::End(end)))
    }

    /// An end of this name that has come.
    pub(super) fn arriving(name: u64) -> Self {
        Attachment(Some(Content::Arriving(name)))
    }

    /// The end itself, or `None` if the attachment is something else.
    pub(crate) fn into_end(self) -> Option<Box<dyn Any>> {
        match self.into_parts() {
            Parts::End(end) => Some(end.into_any()),
            Parts::Value(..) => None,
        }
    }

    /// The end itself, if it is one and crosses.
    pub(crate) fn end(&self) -> Option<&dyn Endpoint> {
        match &self.0 {
            Some(Content::End(end)) => Some(&**end),
            _ => None,
        }
    }

    /// Nothing: it is here until it is posted.
    #[expect(clippy::unused_self, reason = "the seam; natively it is no longer its worker's")]
    pub(crate) fn is_shared(&self) {}

    /// What has arrived, now that the messages before it are read.
    pub(crate) fn settle(self) -> Self {
        match self.0 {
            Some(Content::Arriving(name)) => Self(take_arrived(name).map(Content::End)),
            _ => self,
        }
    }

    /// True if posting moves it, false if that clones it.
    pub(crate) fn moves(&self) -> bool {
        !matches!(self.0, Some(Content::Value { transfer: false, .. }))
    }

    /// Fails as posting it would, if that clones it.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let Some(Content::Value { place, transfer: false }) = self.0 else { return Ok(()) };
        let value = VALUES.with_borrow(|values| values.get(place));
        if dismantle(&value).is_some() {
            return Ok(());
        }
        structured_clone(&value).map(drop).map_err(|thrown| not_cloneable(&thrown))
    }

    /// The value itself.
    pub(crate) fn into_js(self) -> JsValue {
        match self.into_parts() {
            Parts::Value(value, _) => value,
            Parts::End(_) => JsValue::UNDEFINED,
        }
    }

    pub(super) fn into_parts(mut self) -> Parts {
        match self.0.take() {
            Some(Content::Value { place, transfer }) => {
                Parts::Value(VALUES.with_borrow_mut(|values| values.remove(place)), transfer)
            }
            Some(Content::End(end)) => Parts::End(end),
            Some(Content::Arriving(_)) | None => Parts::Value(JsValue::UNDEFINED, false),
        }
    }

    /// A second attachment with the same value, to send it again: shared if posting clones it, copied if posting
    /// would take it away.
    pub(crate) fn try_clone(&self) -> Result<Self, Error> {
        match &self.0 {
            Some(Content::Value { place, transfer }) => {
                let value = VALUES.with_borrow(|values| values.get(*place));
                let value = if *transfer { copy(&value)? } else { value };
                Ok(Attachment::new(value, *transfer))
            }
            Some(Content::End(end)) => Ok(Attachment::of_end(end.try_clone()?)),
            Some(Content::Arriving(_)) | None => Ok(Attachment(None)),
        }
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        if let Some(Content::Value { place, .. }) = self.0 {
            // bound first, so that it is dropped after the borrow has ended
            let _value = VALUES.with_borrow_mut(|values| values.remove(place));
        }
    }
}

/// What to name in the list of `postMessage` to transfer a value: the buffer under a view, else the value itself.
pub(crate) fn transferable(value: &JsValue) -> JsValue {
    if ArrayBuffer::is_view(value) {
        get(value, "buffer") // every view has this property
    } else {
        value.clone()
    }
}

/// The classes of errors that cross as what they are; all others cross as `Error`, as with structured clone.
const ERRORS: [&str; 6] =
    ["EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError"];

/// Of an `Error` that this browser could write and not read again, its parts: name, message and stack. Firefox cannot
/// read one that was made while WebAssembly ran.
pub(super) fn dismantle(value: &JsValue) -> Option<JsValue> {
    let is_error = value.is_instance_of::<js_sys::Error>() && tag(value) == "[object Error]";
    if !is_error || structured_clone(value).is_ok() {
        return None;
    }
    let text = |key| JsValue::from(text(value, key));
    Some(array(&[text("name"), text("message"), text("stack")]).into())
}

/// The error whose parts these are. What is no parts stays what it is, and no message but a text is made one.
pub(super) fn rebuild(parts: JsValue) -> JsValue {
    let parts = match parts.dyn_into::<Array>() {
        Ok(parts) => parts,
        Err(other) => return other,
    };
    let (name, message, stack) = (parts.get(0), parts.get(1), parts.get(2));
    let message = JsValue::from(message.as_string());
    let class = name.as_string().filter(|name| ERRORS.contains(&name.as_str()));
    let class = global(class.as_deref().unwrap_or("Error"));
    let error = construct(&class, [message]).unwrap_or_default();
    // Like the message, no member that a loop over the error would meet.
    let stack = object([("value", stack), ("configurable", true.into()), ("writable", true.into())]);
    let defined = call(&global("Object"), "defineProperty", [error.clone(), "stack".into(), stack]);
    debug_assert!(defined.is_ok(), "the error is new");
    error
}

fn structured_clone(value: &JsValue) -> Result<JsValue, JsValue> {
    call_global("structuredClone", [value.clone()])
}

fn copy(value: &JsValue) -> Result<JsValue, Error> {
    let is_numbers = ArrayBuffer::is_view(value) && tag(value) != "[object DataView]";
    if is_numbers || tag(value) == "[object ArrayBuffer]" {
        return call(value, "slice", [0.into()]).map_err(|_thrown| no_room(value).into());
    }
    structured_clone(value).map_err(|exception| {
        Error::codec(format!(
            "a transferred value cannot be copied to be sent again ({}); send it once, or not by transfer",
            text_of(&exception)
        ))
    })
}

#[wasm_bindgen]
extern "C" {
    /// What a value is; exceptions of the browser are no errors here.
    #[wasm_bindgen(js_namespace = ["Object", "prototype", "toString"], js_name = call)]
    fn tag(value: &JsValue) -> String;
}

/// What a buffer or a view of one takes. JavaScript knows more bytes than a memory of 32 bits has addresses.
#[cold]
fn no_room(value: &JsValue) -> NoRoom {
    NoRoom(number(value, "byteLength").map_or(0, |bytes| bytes as u64))
}

thread_local! {
    static VALUES: RefCell<Values> = const { RefCell::new(Values { places: Vec::new(), free: Vec::new() }) };
}

/// The values of this thread's attachments.
struct Values {
    /// `undefined` where free.
    places: Vec<JsValue>,
    free: Vec<usize>,
}

impl Values {
    fn insert(&mut self, value: JsValue) -> usize {
        if let Some(place) = self.free.pop() {
            self.places[place] = value;
            place
        } else {
            self.places.push(value);
            self.places.len() - 1
        }
    }

    fn get(&self, place: usize) -> JsValue {
        self.places[place].clone()
    }

    fn remove(&mut self, place: usize) -> JsValue {
        self.free.push(place);
        std::mem::replace(&mut self.places[place], JsValue::UNDEFINED)
    }
}

/// A number of which whole slices travel, each in a typed array of its own kind.
pub trait Number: Copy + 'static {
    #[doc(hidden)]
    fn to_js(numbers: &[Self]) -> Result<JsValue, JsValue>;

    /// `None` if it is something else.
    #[doc(hidden)]
    fn from_js(value: JsValue) -> Result<Option<Vec<Self>>, NoRoom>;

    #[doc(hidden)]
    fn is_js(value: &JsValue) -> bool;
}

/// Place for the numbers of a typed array.
fn place_for<N: Zeroable>(array: &JsValue) -> Result<Vec<N>, NoRoom> {
    let length = number(array, "length").map_or(0, |length| length as usize);
    room::zeroed(length).map_err(|_| no_room(array))
}

macro_rules! numbers {
    ($($number:ident: $array:ty, $copied:ident;)*) => {
        #[wasm_bindgen]
        extern "C" {
            $(
                #[wasm_bindgen(catch, js_namespace = ["Uint8Array", "prototype", "slice"], js_name = call)]
                fn $copied(numbers: &[$number]) -> Result<JsValue, JsValue>;
            )*
        }
        $(
            impl Number for $number {
                fn to_js(numbers: &[Self]) -> Result<JsValue, JsValue> {
                    $copied(numbers)
                }

                fn from_js(value: JsValue) -> Result<Option<Vec<Self>>, NoRoom> {
                    let Ok(array) = value.dyn_into::<$array>() else { return Ok(None) };
                    let mut numbers = place_for(&array)?;
                    array.copy_to(&mut numbers);
                    Ok(Some(numbers))
                }

                fn is_js(value: &JsValue) -> bool {
                    value.is_instance_of::<$array>()
                }
            }
        )*
    };
}

numbers! {
    u8: Uint8Array, copy_of_u8;
    u16: Uint16Array, copy_of_u16;
    u32: Uint32Array, copy_of_u32;
    u64: BigUint64Array, copy_of_u64;
    i8: Int8Array, copy_of_i8;
    i16: Int16Array, copy_of_i16;
    i32: Int32Array, copy_of_i32;
    i64: BigInt64Array, copy_of_i64;
    f32: Float32Array, copy_of_f32;
    f64: Float64Array, copy_of_f64;
}

macro_rules! words {
    ($($word:ty: $number:ty,)*) => {
        $(
            impl Number for $word {
                fn to_js(numbers: &[Self]) -> Result<JsValue, JsValue> {
                    <$number>::to_js(bytemuck::cast_slice(numbers))
                }

                fn from_js(value: JsValue) -> Result<Option<Vec<Self>>, NoRoom> {
                    Ok(<$number>::from_js(value)?.map(bytemuck::cast_vec))
                }

                fn is_js(value: &JsValue) -> bool {
                    <$number>::is_js(value)
                }
            }
        )*
    };
}

words! {
    usize: u32,
    isize: i32,
}
