//! Values of types that ask what comes next: they cross in an encoding that says so.
//!
//! Our own encoding is read by the type alone. Here a value is encoded as `MessagePack`, in which it describes itself, and the
//! bytes of that go where the value stands. Only our writer and reader do so. They are recognized by their types, so that of
//! the two ways in these functions the compiler keeps one; any other format has the value as it is.
//!
//! The encoding says that it is readable to humans. It is not, but serde holds every value that it keeps for `flatten`, `tag`
//! and `untagged` to be, and an address or a date could not be read again.

use std::io;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::codec;
use crate::platform::NoRoom;

/// As deep as values of our own encoding.
const MOST_DESCRIBED_LEVELS: usize = 128;

/// A value that describes itself as it crosses, for types that cannot cross otherwise.
///
/// Tasks take and give values in an encoding that is read by the type alone. Types that ask what comes next cannot be
/// read from it: `serde_json::Value` and `toml::Value`, and what has one of serde's attributes `flatten`, `untagged`,
/// `tag`, or `skip_serializing_if`. `Described(value)` crosses with the names and kinds of its parts, and so can they. It takes more
/// bytes and time than a value without it, so wrap the smallest part that needs it.
///
/// In a struct, the attribute `#[serde(with = "wasm_mt::described")]` does the same for a field and leaves its type as it is.
///
/// Other serializers and deserializers, such as `serde_json`, see the value as if it was not wrapped.
///
/// With the feature `described` only.
///
/// # Errors
///
/// A value that `MessagePack` cannot carry to its type is a codec error, like any other: one that is nested more than 128 levels
/// deep, a [`Transfer`](crate::Transfer), a trait object. As in every format that describes itself, `Some(())` and `Some(None)` arrive as `None`.
///
/// # Examples
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use serde_json::{Value, json};
/// use wasm_mt::{Described, Thread, remote};
///
/// #[derive(Serialize, Deserialize)]
/// struct Request {
///     id: u32,
///     #[serde(with = "wasm_mt::described")]
///     body: Value,
/// }
///
/// # wasm_mt::run(async {
/// let thread = Thread::new();
/// let value = Described(json!({ "name": "Ferris", "legs": 10 }));
/// let legs = thread.spawn_remote(remote!(move || value.0["legs"].as_u64())).await?;
/// assert_eq!(legs, Some(10));
///
/// let request = Request { id: 7, body: json!([1, null]) };
/// let body = thread.spawn_remote(remote!(move || request.body.to_string())).await?;
/// assert_eq!(body, "[1,null]");
/// # Ok::<_, wasm_mt::Error>(())
/// # });
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Described<T>(pub T);

impl<T: Serialize> Serialize for Described<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize(&self.0, serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Described<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize(deserializer).map(Described)
    }
}

/// Serializes a value as [`Described`] does: for `#[serde(with = "wasm_mt::described")]`.
///
/// # Errors
///
/// Those of the serializer, and of the value.
///
/// # Examples
///
/// ```
/// # use serde_json::{json, value::Serializer};
/// // Any other format has the value as it is.
/// assert_eq!(wasm_mt::described::serialize(&[1, 2], Serializer)?, json!([1, 2]));
/// # Ok::<_, serde_json::Error>(())
/// ```
pub fn serialize<T, S>(value: &T, serializer: S) -> Result<S::Ok, S::Error>
where
    T: Serialize + ?Sized,
    S: Serializer,
{
    if !codec::is_writer::<S>() {
        return value.serialize(serializer);
    }
    let mut described = rmp_serde::Serializer::new(Output::default()).with_struct_map().with_human_readable();
    let written = value.serialize(&mut described);
    let Output { bytes, no_room } = described.into_inner();
    match (written, no_room) {
        (Ok(()), _) => serializer.serialize_bytes(&bytes),
        (Err(_), Some(no_room)) => Err(serde::ser::Error::custom(no_room)),
        (Err(error), None) => {
            Err(serde::ser::Error::custom(format_args!("it could not be written as MessagePack: {error}")))
        }
    }
}

/// Bytes that grow, as long as there is memory.
#[derive(Default)]
struct Output {
    bytes: Vec<u8>,
    /// For what there was none.
    no_room: Option<NoRoom>,
}

impl io::Write for Output {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        if self.bytes.try_reserve(data.len()).is_err() {
            self.no_room = Some(NoRoom::of::<u8>(self.bytes.len().saturating_add(data.len())));
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        self.bytes.extend_from_slice(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Deserializes a value as [`Described`] does: for `#[serde(with = "wasm_mt::described")]`.
///
/// # Errors
///
/// Those of the deserializer, and of the value.
///
/// # Examples
///
/// ```
/// # use serde_json::json;
/// // Any other format has the value as it is.
/// let list: Vec<u32> = wasm_mt::described::deserialize(json!([1, 2]))?;
/// assert_eq!(list, [1, 2]);
/// # Ok::<_, serde_json::Error>(())
/// ```
pub fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    if !codec::is_reader::<D>() {
        return T::deserialize(deserializer);
    }
    let bytes = <&'de [u8]>::deserialize(deserializer)?;
    let mut described = rmp_serde::Deserializer::from_read_ref(bytes).with_human_readable();
    described.set_max_depth(MOST_DESCRIBED_LEVELS);
    T::deserialize(&mut described).map_err(|error| {
        serde::de::Error::custom(format_args!("it could not be read as MessagePack: {error}"))
    })
}
