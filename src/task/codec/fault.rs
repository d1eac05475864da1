//! What went wrong inside a value, before the crate's error names the whole of it.

use std::fmt;

use serde::de::{Expected, Unexpected};

/// The error type of our serializer and deserializer: one pointer, so that results stay in registers.
pub(super) struct Fault(Box<Cause>);

struct Cause {
    /// "what went wrong; what to do"
    text: String,
    /// The innermost field, for texts that do not name one themselves.
    field: Option<String>,
}

/// Appended where both sides read and write, but not the same.
pub(super) const AGREE: &str = "let `Serialize` and `Deserialize` of the type agree";

impl Fault {
    #[cold]
    pub(super) fn new(text: impl Into<String>) -> Self {
        Fault(Box::new(Cause { text: text.into(), field: None }))
    }

    /// Notes the field, unless one nearer to the cause was noted before.
    #[cold]
    pub(super) fn note_field(&mut self, owner: &str, field: &str) {
        self.0.field.get_or_insert_with(|| format!("field `{field}` of `{owner}`"));
    }

    #[cold]
    pub(super) fn too_deep(most: u16) -> Self {
        Fault::new(format!(
            "it is nested more than {most} levels deep; send it flat, for example as a `Vec` of nodes with indices"
        ))
    }

    #[cold]
    pub(super) fn too_many() -> Self {
        Fault::new(format!("it has too many elements that take no bytes; send their number, or {AGREE}"))
    }

    #[cold]
    pub(super) fn self_describing(asks: &str) -> Self {
        Fault::new(format!(
            "it asks what comes next ({asks}), which this encoding does not say; wrap the value, `Described(value)`, or give its \
             field `#[serde(with = \"wasm_mt::described\")]`, both of wasm-mt's feature `described`; or send it as a `String` of JSON"
        ))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(field) = &self.0.field {
            write!(f, "{field}: ")?;
        }
        f.write_str(&self.0.text)
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fault({self})")
    }
}

impl std::error::Error for Fault {}

impl serde::ser::Error for Fault {
    fn custom<T: fmt::Display>(text: T) -> Self {
        Fault::new(text.to_string())
    }
}

impl serde::de::Error for Fault {
    fn custom<T: fmt::Display>(text: T) -> Self {
        Fault::new(text.to_string())
    }

    // The texts of serde show the value, whatever it is: a program would carry the formatting of floats for that alone.

    #[cold]
    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Fault::new(format!("there is something else than {expected}; {AGREE}"))
    }

    #[cold]
    fn invalid_value(value: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Fault::new(match value {
            Unexpected::Unsigned(number) => format!("there is {number} and not {expected}; {AGREE}"),
            _ => format!("there is a value that is not {expected}; {AGREE}"),
        })
    }
}

impl From<postcard::Error> for Fault {
    #[cold]
    fn from(error: postcard::Error) -> Self {
        Fault::new(match error {
            postcard::Error::DeserializeUnexpectedEnd => {
                format!("the bytes end before the value does; {AGREE}")
            }
            postcard::Error::SerializeBufferFull => {
                "there is no memory for it; send it in several parts".to_owned()
            }
            _ => format!("the bytes are of another type; {AGREE}"),
        })
    }
}
