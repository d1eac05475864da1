//! Each shape of serde's data model that has parts, read to its end and beyond.

use std::fmt;

use serde::de::{EnumAccess, IgnoredAny, MapAccess, SeqAccess, VariantAccess, Visitor};
use serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Worker;

const SEQUENCE: u8 = 0;
const UNSIZED_SEQUENCE: u8 = 1;
const MAP: u8 = 2;
const UNSIZED_MAP: u8 = 3;
const TUPLE: u8 = 4;
const TUPLE_STRUCT: u8 = 5;
const STRUCT: u8 = 6;
const STRUCT_WITHOUT_NAMES: u8 = 7;
const TUPLE_VARIANT: u8 = 8;
const STRUCT_VARIANT: u8 = 9;

const NAMES: &[&str] = &["a", "b", "c"];
const VARIANTS: &[&str] = &["First", "Parts"];

/// Three numbers of this shape.
#[derive(Clone, Debug, PartialEq)]
struct Parts<const SHAPE: u8>([u32; 3]);

macro_rules! write_parts {
    ($parts:expr, $compound:expr, $method:ident) => {{
        let mut compound = $compound?;
        for part in $parts {
            compound.$method(part)?;
        }
        compound.end()
    }};
    ($parts:expr, $compound:expr, named $method:ident) => {{
        let mut compound = $compound?;
        for (name, part) in NAMES.iter().zip($parts) {
            compound.$method(name, part)?;
        }
        compound.end()
    }};
}

impl<const SHAPE: u8> Serialize for Parts<SHAPE> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let parts = &self.0;
        match SHAPE {
            SEQUENCE => write_parts!(parts, serializer.serialize_seq(Some(3)), serialize_element),
            UNSIZED_SEQUENCE => write_parts!(parts, serializer.serialize_seq(None), serialize_element),
            MAP => write_parts!(parts, serializer.serialize_map(Some(3)), named serialize_entry),
            UNSIZED_MAP => write_parts!(parts, serializer.serialize_map(None), named serialize_entry),
            TUPLE => write_parts!(parts, serializer.serialize_tuple(3), serialize_element),
            TUPLE_STRUCT => write_parts!(parts, serializer.serialize_tuple_struct("P", 3), serialize_field),
            STRUCT | STRUCT_WITHOUT_NAMES => {
                write_parts!(parts, serializer.serialize_struct("P", 3), named serialize_field)
            }
            TUPLE_VARIANT => {
                write_parts!(parts, serializer.serialize_tuple_variant("P", 1, "Parts", 3), serialize_field)
            }
            STRUCT_VARIANT => {
                write_parts!(parts, serializer.serialize_struct_variant("P", 1, "Parts", 3), named serialize_field)
            }
            _ => unreachable!("there is no such shape"),
        }
    }
}

/// Reads parts of this shape on and on.
struct Reads<const SHAPE: u8>;

impl<'de, const SHAPE: u8> Visitor<'de> for Reads<SHAPE> {
    type Value = Vec<u32>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("parts")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Vec<u32>, A::Error> {
        let mut read = Vec::new();
        loop {
            assert!(parts.size_hint().is_none_or(|hint| hint == 3 - read.len()), "a hint is right");
            match parts.next_element()? {
                Some(part) => read.push(part),
                None => break,
            }
        }
        // The end stays the end, whoever asks.
        assert_eq!(parts.next_element::<u32>()?, None);
        assert!(parts.next_element::<IgnoredAny>()?.is_none());
        Ok(read)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Vec<u32>, A::Error> {
        let mut read = Vec::new();
        while let Some((key, part)) = entries.next_entry::<String, u32>()? {
            assert_eq!(key, NAMES[read.len()]);
            read.push(part);
        }
        assert!(entries.next_key::<IgnoredAny>()?.is_none());
        assert!(entries.next_entry::<String, u32>()?.is_none());
        Ok(read)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, variant: A) -> Result<Vec<u32>, A::Error> {
        let (index, content) = variant.variant::<Index>()?;
        assert_eq!(index.0, 1);
        match SHAPE {
            TUPLE_VARIANT => content.tuple_variant(3, self),
            _ => content.struct_variant(NAMES, self),
        }
    }
}

/// The index of a variant.
struct Index(u64);

impl<'de> Deserialize<'de> for Index {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ReadsIndex;
        impl Visitor<'_> for ReadsIndex {
            type Value = Index;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a variant")
            }

            fn visit_u64<E>(self, index: u64) -> Result<Index, E> {
                Ok(Index(index))
            }
        }
        deserializer.deserialize_identifier(ReadsIndex)
    }
}

impl<'de, const SHAPE: u8> Deserialize<'de> for Parts<SHAPE> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let reads = Reads::<SHAPE>;
        let parts = match SHAPE {
            SEQUENCE | UNSIZED_SEQUENCE => deserializer.deserialize_seq(reads),
            MAP | UNSIZED_MAP => deserializer.deserialize_map(reads),
            TUPLE => deserializer.deserialize_tuple(3, reads),
            TUPLE_STRUCT => deserializer.deserialize_tuple_struct("P", 3, reads),
            STRUCT => deserializer.deserialize_struct("P", NAMES, reads),
            STRUCT_WITHOUT_NAMES => deserializer.deserialize_struct("P", &[], reads),
            _ => deserializer.deserialize_enum("P", VARIANTS, reads),
        };
        Ok(Self(parts?.try_into().expect("there are three")))
    }
}

remote_test! {
    async fn every_shape_is_read_to_its_end_and_beyond() {
        let worker = Worker::new();
        let numbers = [1, 300, u32::MAX];
        worker.survives(vec![Parts::<SEQUENCE>(numbers); 2]).await;
        worker.survives(vec![Parts::<UNSIZED_SEQUENCE>(numbers); 2]).await;
        worker.survives(vec![Parts::<MAP>(numbers); 2]).await;
        worker.survives(vec![Parts::<UNSIZED_MAP>(numbers); 2]).await;
        worker.survives(vec![Parts::<TUPLE>(numbers); 2]).await;
        worker.survives(vec![Parts::<TUPLE_STRUCT>(numbers); 2]).await;
        worker.survives(vec![Parts::<STRUCT>(numbers); 2]).await;
        worker.survives(vec![Parts::<STRUCT_WITHOUT_NAMES>(numbers); 2]).await;
        worker.survives(vec![Parts::<TUPLE_VARIANT>(numbers); 2]).await;
        worker.survives(vec![Parts::<STRUCT_VARIANT>(numbers); 2]).await;
    }
}
