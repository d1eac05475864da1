//! The strict deserializer: leaves come from postcard, what is made of parts is counted and checked here.
//!
//! Each function in the way of a value holds it once at most, as [`whole`] shows: an unoptimized build gives every variable and
//! every `?` a place of its own on the stack, and values such as arrays are large.

use std::any::Any;

use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer, Visitor};

use super::bulk;
use super::fault::Fault;
use super::fingerprint::{self, Shape};
use super::object::ObjectEntry;
use super::parts::{ElementReader, FieldReader, whole};
use super::reader::Reader;
use super::{serializer_slot, side_table};

impl<'de> Reader<'de, '_> {
    /// Parts without names.
    #[inline]
    fn tuple<V: Visitor<'de>>(
        &mut self,
        owner: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let mut fields = FieldReader::new(self, owner, &[], length);
        let result = visitor.visit_seq(&mut fields);
        whole(result, owner, fields.left)
    }

    #[inline]
    fn counted_tuple<V: Visitor<'de>>(
        &mut self,
        owner: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let written: usize = self.leaf()?;
        if written != length {
            return Err(other_fields(owner));
        }
        self.tuple(owner, length, visitor)
    }

    /// A trait object of the type that is wanted, boxed.
    fn object(&mut self) -> Result<Box<dyn Any>, Fault> {
        let entry = ObjectEntry::at(self.addresses.next(), serializer_slot::wanted()?)?;
        self.enter_turn()?;
        entry.decode(self)
    }

    #[inline]
    fn fields<V: Visitor<'de>>(
        &mut self,
        owner: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let length: usize = self.leaf()?;
        let fingerprint: u8 = self.leaf()?;
        // more names than fields: some are aliases
        if names.len() == length && self.fingerprint_of(names) != fingerprint {
            return Err(other_fields(owner));
        }
        let mut fields = FieldReader::new(self, owner, names, length);
        let result = visitor.visit_seq(&mut fields);
        whole(result, owner, fields.left)
    }
}

#[cold]
fn other_fields(owner: &str) -> Fault {
    Fault::new(format!(
        "`{owner}` does not read the fields that it writes, as with `skip_serializing(_if)`, `skip_deserializing`, \
         or `rename` on one side only; use `#[serde(skip)]`, and the same names on both sides"
    ))
}

macro_rules! leaves {
    ($($method:ident: $type:ty => $visit:ident,)*) => {
        $(
            #[inline]
            fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
                visitor.$visit(self.leaf::<$type>()?)
            }
        )*
    };
}

impl<'de> Deserializer<'de> for &mut Reader<'de, '_> {
    type Error = Fault;

    leaves! {
        deserialize_bool: bool => visit_bool,
        deserialize_i8: i8 => visit_i8,
        deserialize_i16: i16 => visit_i16,
        deserialize_i32: i32 => visit_i32,
        deserialize_i64: i64 => visit_i64,
        deserialize_i128: i128 => visit_i128,
        deserialize_u8: u8 => visit_u8,
        deserialize_u16: u16 => visit_u16,
        deserialize_u32: u32 => visit_u32,
        deserialize_u64: u64 => visit_u64,
        deserialize_u128: u128 => visit_u128,
        deserialize_f32: f32 => visit_f32,
        deserialize_f64: f64 => visit_f64,
        deserialize_char: char => visit_char,
        deserialize_str: &'de str => visit_borrowed_str,
        deserialize_string: &'de str => visit_borrowed_str,
        deserialize_bytes: &'de [u8] => visit_borrowed_bytes,
        deserialize_byte_buf: &'de [u8] => visit_borrowed_bytes,
    }

    #[inline]
    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Fault> {
        Err(Fault::self_describing("an enum with `untagged` or `tag`, or a type like `serde_json::Value`"))
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Fault> {
        Err(Fault::self_describing("a struct with `flatten`, or an enum with `tag` and `content`"))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Fault> {
        Err(Fault::self_describing("it passes over a value of unknown type"))
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.leaf::<u8>()? {
            0 => visitor.visit_none(),
            1 => {
                self.enter_turn()?;
                visitor.visit_some(self)
            }
            _ => Err(postcard::Error::DeserializeBadOption.into()),
        }
    }

    #[inline]
    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    #[inline]
    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match name {
            side_table::ATTACHMENT => {
                let attachment = self.attachment()?;
                side_table::deliver(attachment, || visitor.visit_newtype_struct(self))
            }
            serializer_slot::OBJECT => {
                let object = self.object()?;
                serializer_slot::hand_over(object, || visitor.visit_newtype_struct(self))
            }
            _ => {
                self.enter_part()?;
                visitor.visit_newtype_struct(self)
            }
        }
    }

    #[inline]
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let length = self.leaf()?;
        self.enter_turn()?;
        if let Some(numbers) = bulk::read::<V>(self, length) {
            return numbers;
        }
        let mut elements = ElementReader::new(self, length);
        let result = visitor.visit_seq(&mut elements);
        whole(result, "sequence", elements.left)
    }

    #[inline]
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let length = self.leaf()?;
        self.enter_turn()?;
        let mut entries = ElementReader::new(self, length);
        let result = visitor.visit_map(&mut entries);
        whole(result, "map", entries.left)
    }

    #[inline]
    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Fault> {
        self.enter_part()?;
        self.tuple("tuple", length, visitor)
    }

    #[inline]
    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.enter_part()?;
        self.counted_tuple(name, length, visitor)
    }

    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.enter_part()?;
        self.fields(name, fields, visitor)
    }

    #[inline]
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_enum(Enum { reader: self, name, variants })
    }
}

struct Enum<'r, 'de, 'l> {
    reader: &'r mut Reader<'de, 'l>,
    name: &'static str,
    variants: &'static [&'static str],
}

impl<'r, 'de, 'l> de::EnumAccess<'de> for Enum<'r, 'de, 'l> {
    type Error = Fault;
    type Variant = Variant<'r, 'de, 'l>;

    #[inline]
    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), Fault> {
        let index: u32 = self.reader.leaf()?;
        let fingerprint: u8 = self.reader.leaf()?;
        let variant = self.variants.get(index as usize).copied().unwrap_or(self.name);
        if !self.variants.is_empty() && !fingerprint::is_named(fingerprint, variant) {
            self.may_be_alias(index, fingerprint)?;
        }
        let value = seed.deserialize(IntoDeserializer::<Fault>::into_deserializer(index))?;
        Ok((value, Variant { reader: self.reader, name: variant, fingerprint }))
    }
}

impl Enum<'_, '_, '_> {
    /// Aliases push the names of later variants back; skipped variants pull them forward.
    #[cold]
    fn may_be_alias(&self, index: u32, fingerprint: u8) -> Result<(), Fault> {
        if self.variants.iter().skip(index as usize).any(|name| fingerprint::is_named(fingerprint, name)) {
            return Ok(());
        }
        Err(Fault::new(format!(
            "`{}` does not read variant {index} as it writes it, as when a variant before it is skipped or this one \
             is renamed on one side only; put skipped variants last, and use the same names on both sides",
            self.name
        )))
    }
}

struct Variant<'r, 'de, 'l> {
    reader: &'r mut Reader<'de, 'l>,
    name: &'static str,
    fingerprint: u8,
}

impl Variant<'_, '_, '_> {
    #[inline]
    fn expect(&self, shape: Shape) -> Result<(), Fault> {
        if fingerprint::has_shape(self.fingerprint, shape) { Ok(()) } else { Err(other_fields(self.name)) }
    }
}

impl<'de> de::VariantAccess<'de> for Variant<'_, 'de, '_> {
    type Error = Fault;

    #[inline]
    fn unit_variant(self) -> Result<(), Fault> {
        self.expect(Shape::Unit)
    }

    #[inline]
    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Fault> {
        self.expect(Shape::Newtype)?;
        self.reader.enter_turn()?;
        seed.deserialize(self.reader)
    }

    #[inline]
    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Fault> {
        self.expect(Shape::Tuple)?;
        self.reader.enter_turn()?;
        self.reader.counted_tuple(self.name, length, visitor)
    }

    #[inline]
    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.expect(Shape::Struct)?;
        self.reader.enter_turn()?;
        self.reader.fields(self.name, fields, visitor)
    }
}
