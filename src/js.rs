//! What only exists on the web.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use wasm_bindgen::JsCast;

use crate::platform::Attachment;
use crate::task::transfer::{Transfer, Transferable, lane, sealed};

/// A JavaScript value in a task's arguments or result. Web only.
///
/// `Js(v)` is cloned to the other side, by the browser's structured clone algorithm, when the task or its result is
/// posted: the clone shows the value as it is then. [`Js::transfer`] hands it over instead.
///
/// `T` is any imported type, such as `js_sys::Date`, or `JsValue` itself. On arrival the type is checked by
/// `instanceof`.
///
/// # Errors
///
/// A value that has no clone, such as a function, makes its task end in an error with
/// [`is_codec`](crate::Error::is_codec), and so does one that arrives with another type than `T`. `Js` is serializable
/// only by this crate: other serializers get an error with a text that says so.
///
/// # Examples
///
/// ```ignore (web only)
/// let date = Js(js_sys::Date::new_0());
/// let year = remote!(move || date.0.get_full_year()).await?;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Js<T>(pub T);

impl<T: JsCast> Js<T> {
    /// A value to be transferred, not cloned: an `ArrayBuffer`, a `MessagePort`, an `OffscreenCanvas`, a stream, or
    /// a typed array, whose whole buffer goes with it.
    ///
    /// Once the task or its result is posted, the value is of no more use here; a buffer has length zero then. What
    /// is sent more than once, such as a `RemoteFn`'s arguments, is copied for each time.
    ///
    /// # Errors
    ///
    /// A value that cannot be transferred makes its task end in an error with
    /// [`is_codec`](crate::Error::is_codec); so does one that cannot be copied, where it is sent more than once.
    ///
    /// # Examples
    ///
    /// ```ignore (web only)
    /// let canvas = Js::transfer(element.transfer_control_to_offscreen()?);
    /// remote!(move || draw(&canvas.0.0)).await?;
    /// ```
    pub fn transfer(value: T) -> Transfer<Js<T>> {
        Transfer(Js(value))
    }
}

impl<T: JsCast> Transferable for Js<T> {}

impl<T: JsCast> sealed::Block for Js<T> {
    fn attach(&self) -> Attachment {
        Attachment::new(self.0.as_ref().clone(), true)
    }

    fn detach(attachment: Attachment) -> Option<Self> {
        attachment.into_js().dyn_into().ok().map(Js)
    }
}

impl<T: JsCast> Serialize for Js<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        lane::serialize(serializer, "Js", || Attachment::new(self.0.as_ref().clone(), false))
    }
}

impl<'de, T: JsCast> Deserialize<'de> for Js<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        lane::deserialize(deserializer, "Js", sealed::Block::detach)
    }
}
