//! The strict serializer: leaves go to postcard, what is made of parts is counted and fingerprinted here.

use std::fmt::{self, Write as _};

use serde::Serialize;
use serde::ser::{self, Serializer};

use super::depth::Depth;
use super::fault::{AGREE, Fault};
use super::fingerprint::{self, Shape};
use super::writer::Writer;
use super::{bulk, serializer_slot, side_table};

impl Writer {
    /// A value, behind which it goes back to this depth.
    #[inline]
    fn content<T: Serialize + ?Sized>(&mut self, depth: Depth, value: &T) -> Result<(), Fault> {
        value.serialize(&mut *self)?;
        self.depth = depth;
        Ok(())
    }

    fn attachment<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        if let Some(attachment) = side_table::collect(|| value.serialize(&mut *self))? {
            self.length(self.attachments.len())?;
            self.attachments.push(attachment);
        }
        Ok(())
    }

    fn object<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        let depth = self.enter_turn()?;
        serializer_slot::lend(self, |idle| value.serialize(idle))?;
        self.depth = depth;
        Ok(())
    }

    #[inline]
    fn fields(&mut self, owner: &'static str, length: usize, depth: Depth) -> Result<FieldWriter<'_>, Fault> {
        self.length(length)?;
        let fingerprint = self.bytes().len();
        self.push(0)?;
        Ok(FieldWriter {
            writer: self,
            owner,
            fingerprint,
            names: fingerprint::FieldNames::default(),
            missing: length,
            depth,
        })
    }
}

macro_rules! leaves {
    ($($method:ident: $type:ty,)*) => {
        $(
            #[inline]
            fn $method(self, value: $type) -> Result<(), Fault> {
                Serializer::$method(&mut self.out, value)?;
                Ok(())
            }
        )*
    };
}

impl<'w> Serializer for &'w mut Writer {
    type Ok = ();
    type Error = Fault;
    type SerializeSeq = ElementWriter<'w>;
    type SerializeTuple = ElementWriter<'w>;
    type SerializeTupleStruct = ElementWriter<'w>;
    type SerializeTupleVariant = ElementWriter<'w>;
    type SerializeMap = ElementWriter<'w>;
    type SerializeStruct = FieldWriter<'w>;
    type SerializeStructVariant = FieldWriter<'w>;

    leaves! {
        serialize_bool: bool,
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_i128: i128,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
        serialize_u128: u128,
        serialize_f32: f32,
        serialize_f64: f64,
        serialize_char: char,
        serialize_str: &str,
        serialize_bytes: &[u8],
    }

    #[inline]
    fn is_human_readable(&self) -> bool {
        false
    }

    #[inline]
    fn serialize_none(self) -> Result<(), Fault> {
        self.serialize_u8(0)
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Fault> {
        self.serialize_u8(1)?;
        let depth = self.enter_turn()?;
        self.content(depth, value)
    }

    #[inline]
    fn serialize_unit(self) -> Result<(), Fault> {
        Ok(())
    }

    #[inline]
    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Fault> {
        Ok(())
    }

    #[inline]
    fn serialize_unit_variant(self, _: &'static str, index: u32, variant: &'static str) -> Result<(), Fault> {
        self.variant(index, variant, Shape::Unit)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Fault> {
        match name {
            side_table::ATTACHMENT => self.attachment(value),
            serializer_slot::OBJECT => self.object(value),
            _ => {
                let depth = self.enter_part()?;
                self.content(depth, value)
            }
        }
    }

    #[inline]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Fault> {
        self.variant(index, variant, Shape::Newtype)?;
        let depth = self.enter_turn()?;
        self.content(depth, value)
    }

    #[inline]
    fn serialize_seq(self, length: Option<usize>) -> Result<ElementWriter<'w>, Fault> {
        let depth = self.enter_turn()?;
        let start = self.bytes().len();
        if let Some(length) = length {
            self.length(length)?;
        }
        Ok(ElementWriter { writer: self, owner: "sequence", start, announced: length, count: 0, depth })
    }

    #[inline]
    fn serialize_map(self, length: Option<usize>) -> Result<ElementWriter<'w>, Fault> {
        let map = self.serialize_seq(length)?;
        Ok(ElementWriter { owner: "map", ..map })
    }

    #[inline]
    fn serialize_tuple(self, length: usize) -> Result<ElementWriter<'w>, Fault> {
        let depth = self.enter_part()?;
        Ok(ElementWriter { writer: self, owner: "tuple", start: 0, announced: Some(length), count: 0, depth })
    }

    #[inline]
    fn serialize_tuple_struct(self, owner: &'static str, length: usize) -> Result<ElementWriter<'w>, Fault> {
        self.length(length)?;
        let depth = self.enter_part()?;
        Ok(ElementWriter { writer: self, owner, start: 0, announced: Some(length), count: 0, depth })
    }

    #[inline]
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<ElementWriter<'w>, Fault> {
        self.variant(index, variant, Shape::Tuple)?;
        self.length(length)?;
        let depth = self.enter_turn()?;
        Ok(ElementWriter { writer: self, owner: variant, start: 0, announced: Some(length), count: 0, depth })
    }

    #[inline]
    fn serialize_struct(self, owner: &'static str, length: usize) -> Result<FieldWriter<'w>, Fault> {
        let depth = self.enter_part()?;
        self.fields(owner, length, depth)
    }

    #[inline]
    fn serialize_struct_variant(
        self,
        _: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<FieldWriter<'w>, Fault> {
        self.variant(index, variant, Shape::Struct)?;
        let depth = self.enter_turn()?;
        self.fields(variant, length, depth)
    }

    #[inline]
    fn collect_seq<I>(self, sequence: I) -> Result<(), Fault>
    where
        I: IntoIterator<Item: Serialize>,
    {
        if let Some((length, bytes)) = bulk::bytes_of(&sequence) {
            let depth = self.enter_turn()?;
            self.length(length)?;
            self.extend(bytes)?;
            self.depth = depth;
            return Ok(());
        }
        let mut elements = sequence.into_iter();
        let length = match elements.size_hint() {
            (least, Some(most)) if least == most => Some(least),
            _ => None,
        };
        let mut writer = self.serialize_seq(length)?;
        elements.try_for_each(|element| writer.element(&element))?;
        writer.finish()
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, value: &T) -> Result<(), Fault> {
        let start = self.bytes().len();
        write!(self.out.output, "{value}")
            .map_err(|_| Fault::new("its `Display` failed; let it fail only if the formatter does"))?;
        let length = self.bytes().len() - start;
        self.insert_length(start, length)
    }
}

/// Parts without names: of a sequence, map or tuple.
pub(super) struct ElementWriter<'w> {
    writer: &'w mut Writer,
    owner: &'static str,
    /// Where an unknown length goes.
    start: usize,
    announced: Option<usize>,
    count: usize,
    depth: Depth,
}

impl ElementWriter<'_> {
    #[inline]
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        self.count += 1;
        value.serialize(&mut *self.writer)
    }

    #[inline]
    fn finish(self) -> Result<(), Fault> {
        self.writer.depth = self.depth;
        match self.announced {
            Some(announced) if announced == self.count => Ok(()),
            Some(announced) => Err(miscounted(self.owner, announced, self.count)),
            None => self.writer.insert_length(self.start, self.count),
        }
    }
}

/// Parts with names.
pub(super) struct FieldWriter<'w> {
    writer: &'w mut Writer,
    owner: &'static str,
    /// Where the byte goes that is mixed from the names.
    fingerprint: usize,
    names: fingerprint::FieldNames,
    missing: usize,
    depth: Depth,
}

impl FieldWriter<'_> {
    #[inline]
    fn field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Fault> {
        self.names.add(name);
        self.missing = self.missing.wrapping_sub(1);
        value.serialize(&mut *self.writer).map_err(|mut fault| {
            fault.note_field(self.owner, name);
            fault
        })
    }

    #[cold]
    fn skip(&self, name: &str) -> Result<(), Fault> {
        Err(Fault::new(format!(
            "field `{name}` of `{}` is skipped in some values (`skip_serializing_if`), which the encoding does not \
             say; remove that attribute, use `#[serde(skip)]`, or wrap the whole value in `Described`, of wasm-mt's feature \
             `described`",
            self.owner
        )))
    }

    #[inline]
    fn finish(self) -> Result<(), Fault> {
        if self.missing != 0 {
            return Err(Fault::new(format!(
                "`{}` does not write the fields that it announced; {AGREE}",
                self.owner
            )));
        }
        self.writer.depth = self.depth;
        self.writer.bytes()[self.fingerprint] = self.names.byte();
        Ok(())
    }
}

#[cold]
fn miscounted(owner: &str, announced: usize, count: usize) -> Fault {
    Fault::new(format!("a `{owner}` announced {announced} elements and wrote {count}; {AGREE}"))
}

macro_rules! compound {
    ($state:ident: $($trait:ident::$method:ident,)*) => {
        $(
            impl ser::$trait for $state<'_> {
                type Ok = ();
                type Error = Fault;

                #[inline]
                fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
                    self.element(value)
                }

                #[inline]
                fn end(self) -> Result<(), Fault> {
                    self.finish()
                }
            }
        )*
    };
}

compound! {
    ElementWriter:
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field,
}

impl ser::SerializeMap for ElementWriter<'_> {
    type Ok = ();
    type Error = Fault;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Fault> {
        self.element(key)
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Fault> {
        value.serialize(&mut *self.writer)
    }

    #[inline]
    fn end(self) -> Result<(), Fault> {
        self.finish()
    }
}

macro_rules! named {
    ($($trait:ident,)*) => {
        $(
            impl ser::$trait for FieldWriter<'_> {
                type Ok = ();
                type Error = Fault;

                #[inline]
                fn serialize_field<T: Serialize + ?Sized>(
                    &mut self,
                    name: &'static str,
                    value: &T,
                ) -> Result<(), Fault> {
                    self.field(name, value)
                }

                #[inline]
                fn skip_field(&mut self, name: &'static str) -> Result<(), Fault> {
                    self.skip(name)
                }

                #[inline]
                fn end(self) -> Result<(), Fault> {
                    self.finish()
                }
            }
        )*
    };
}

named! {
    SerializeStruct,
    SerializeStructVariant,
}
