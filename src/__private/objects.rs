//! What the output of [`remote_trait`](crate::remote_trait) names.
//!
//! Code that serializes a `dyn Shape` does not know the type in it, so the trait has a supertrait whose method does.
//! `#[remote_trait] trait Shape { .. }` becomes, in short,
//!
//! ```text
//! trait Shape: Object<__ShapeObject> { .. }
//! struct __ShapeObject;
//! impl Marker for __ShapeObject { type Object = dyn Shape; }
//! impl<C: Shape> Holds<C> for __ShapeObject { fn hold(value: Box<C>) -> Box<dyn Shape> { value } }
//! impl Serialize for dyn Shape { .. objects::serialize::<__ShapeObject, _, _>(self, serializer) .. }
//! impl<'de> Deserialize<'de> for Box<dyn Shape> { .. objects::deserialize::<__ShapeObject, _>(deserializer) .. }
//! ```
//!
//! `Object` is there for every serde value and for nothing else, so only a serde value can be a `Shape`. It would be
//! `Object<dyn Shape>`, but a trait whose supertrait names the trait's own object is a cycle to the compiler: hence the marker.

pub use std::boxed::Box;
pub use std::marker::PhantomData;
pub use std::result::Result;

pub use serde::{Deserialize, Deserializer, Serialize, Serializer};

use serde::de::DeserializeOwned;

use crate::task::object::{self, ObjectWriter};
pub use crate::task::object::{Holds, Marker, deserialize};

#[diagnostic::on_unimplemented(
    message = "what implements a `#[remote_trait]` crosses as a serde value, and `{Self}` is none",
    label = "cannot be encoded",
    note = "a type of your own needs `#[derive(serde::Serialize, serde::Deserialize)]`; a type of another crate may have a \
            feature `serde`; a type parameter needs `T: Serialize + DeserializeOwned + 'static`"
)]
pub trait Object<M>: 'static {
    /// No other crate can name the writer, so none can implement this.
    #[doc(hidden)]
    fn __wasm_mt_write(&self, writer: ObjectWriter<'_>);
}

#[diagnostic::do_not_recommend]
impl<C, M> Object<M> for C
where
    C: Serialize + DeserializeOwned + 'static,
    M: Holds<C>,
{
    fn __wasm_mt_write(&self, writer: ObjectWriter<'_>) {
        writer.write::<C, M>(self);
    }
}

pub fn serialize<M, O, S>(value: &O, serializer: S) -> Result<S::Ok, S::Error>
where
    M: Marker,
    O: Object<M> + ?Sized,
    S: Serializer,
{
    object::serialize::<M, S>(serializer, |writer| value.__wasm_mt_write(writer))
}
