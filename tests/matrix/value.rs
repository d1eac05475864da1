//! What the tasks of the matrix give.

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Value {
    /// The number of the task.
    Number(u32),
    Unencodable(Unencodable),
    Undecodable(Undecodable),
    /// What only the browser can carry.
    #[cfg(target_family = "wasm")]
    Js(wasm_mt::Js<wasm_bindgen::JsValue>),
}

/// Cannot be encoded.
#[derive(Debug, Deserialize)]
pub(crate) struct Unencodable;

impl Serialize for Unencodable {
    fn serialize<S: Serializer>(&self, _serializer: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom("it does not want to be written"))
    }
}

/// Can be encoded, and not decoded.
#[derive(Debug, Serialize)]
pub(crate) struct Undecodable(pub(crate) u8);

impl<'de> Deserialize<'de> for Undecodable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u8::deserialize(deserializer)?;
        Err(D::Error::custom("it does not want to be read"))
    }
}
