//! How a trait object crosses: as its concrete value, and an entry that knows how to read one.
//!
//! An [`ObjectEntry`] is a promoted static, one per trait and concrete type; its address means the same on both sides, as
//! that of a task's entry does (`task::entry`). It is put into the lane of addresses, in the order in which objects
//! are written, and is never in the bytes: whatever a crafted `Serialize` writes, it cannot choose what is read.
//!
//! What writes the entry must know trait and type, but the object that is serialized knows its trait only, and the type
//! is told by its table of methods. So a remote trait has a supertrait, `Object`, in `__private`, which tells how it and
//! the two traits here play together.

use std::any::{Any, TypeId, type_name};
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, Error as _, Visitor};
use serde::ser::Error as _;
use serde::{Deserializer, Serialize, Serializer};

use super::fault::{AGREE, Fault};
use super::reader::Reader;
use super::serializer_slot;
use super::writer::Writer;
use crate::platform::{Address, Tag, Tagged};

/// Stands for a trait where its object cannot be named.
pub trait Marker: 'static {
    /// `dyn Trait`.
    type Object: ?Sized + 'static;
}

/// A value of type `C` can be such an object.
pub trait Holds<C>: Marker {
    /// Forgets the type.
    fn hold(value: Box<C>) -> Box<Self::Object>;
}

/// Our writer, for an object to write itself.
pub struct ObjectWriter<'w>(&'w mut Writer);

impl ObjectWriter<'_> {
    /// Writes a value, to be read as an object of the trait that `M` stands for.
    pub(crate) fn write<C, M>(self, value: &C)
    where
        C: Serialize + DeserializeOwned,
        M: Holds<C>,
    {
        self.0.write_object(Address::of(ObjectEntry::of::<C, M>()), value);
    }
}

/// Reads a concrete value as an object of a trait: all for one trait and type.
pub(super) struct ObjectEntry {
    /// The type of the trait object, `dyn Trait`.
    object: fn() -> TypeId,
    /// Gives a `Box<dyn Trait>`, boxed.
    decode: fn(&mut Reader<'_, '_>) -> Result<Box<dyn Any>, Fault>,
}

impl Tag for ObjectEntry {
    const TAG: u64 = 0x6f62_6a65_6374_0003;
}

impl ObjectEntry {
    fn of<C, M>() -> &'static Tagged<ObjectEntry>
    where
        C: DeserializeOwned,
        M: Holds<C>,
    {
        const { &Tagged::new(ObjectEntry { object: TypeId::of::<M::Object>, decode: decode::<C, M> }) }
    }

    /// The entry at an address of the lane, if it is one for such an object.
    pub(super) fn at(address: Option<Address>, object: TypeId) -> Result<&'static ObjectEntry, Fault> {
        let Some(address) = address else {
            return Err(Fault::new(format!("there is no trait object left; {AGREE}")));
        };
        let Some(entry) = address.get::<ObjectEntry>() else {
            return Err(Fault::new(
                "the trait object was written by another build of the program; reload the page so that both sides \
                 run the same one",
            ));
        };
        if (entry.object)() == object {
            Ok(entry)
        } else {
            Err(Fault::new(format!("the trait object is of another trait; {AGREE}")))
        }
    }

    pub(super) fn decode(&self, reader: &mut Reader<'_, '_>) -> Result<Box<dyn Any>, Fault> {
        (self.decode)(reader)
    }
}

fn decode<C, M>(reader: &mut Reader<'_, '_>) -> Result<Box<dyn Any>, Fault>
where
    C: DeserializeOwned,
    M: Holds<C>,
{
    let value = C::deserialize(reader)?;
    Ok(Box::new(M::hold(Box::new(value))))
}

/// Serializes an object of the trait that `M` stands for, which writes itself.
pub(crate) fn serialize<M, S>(serializer: S, write: impl Fn(ObjectWriter<'_>)) -> Result<S::Ok, S::Error>
where
    M: Marker,
    S: Serializer,
{
    serializer
        .serialize_newtype_struct(serializer_slot::OBJECT, &ObjectOffer { write, marker: PhantomData::<M> })
}

struct ObjectOffer<F, M> {
    write: F,
    marker: PhantomData<M>,
}

impl<F: Fn(ObjectWriter<'_>), M: Marker> Serialize for ObjectOffer<F, M> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(mut borrowed) = serializer_slot::borrow() else {
            return Err(S::Error::custom(foreign::<M>()));
        };
        (self.write)(ObjectWriter(&mut borrowed.writer));
        drop(borrowed);
        serializer.serialize_unit()
    }
}

/// Deserializes an object of the trait that `M` stands for.
///
/// # Errors
///
/// Fails if the deserializer is not ours, and if what was written is no such object.
pub fn deserialize<'de, M, D>(deserializer: D) -> Result<Box<M::Object>, D::Error>
where
    M: Marker,
    D: Deserializer<'de>,
{
    serializer_slot::want(TypeId::of::<M::Object>(), || {
        deserializer.deserialize_newtype_struct(serializer_slot::OBJECT, ObjectVisitor(PhantomData::<M>))
    })
}

struct ObjectVisitor<M>(PhantomData<M>);

impl<'de, M: Marker> Visitor<'de> for ObjectVisitor<M> {
    type Value = Box<M::Object>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a `{}` in a task's arguments or result", type_name::<M::Object>())
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, _: D) -> Result<Self::Value, D::Error> {
        let object = serializer_slot::receive().and_then(|object| object.downcast().ok());
        object.map(|object| *object).ok_or_else(|| D::Error::custom(foreign::<M>()))
    }
}

#[cold]
fn foreign<M: Marker>() -> String {
    format!(
        "`{}` travels only through wasm-mt, in a task's arguments or result; \
         give other formats its concrete type",
        type_name::<M::Object>()
    )
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::platform::Packet;
    use crate::task::codec::{Decoder, decode, encode};
    use crate::task::remote_trait;

    #[remote_trait(crate = crate)]
    trait Shape {
        fn area(&self) -> u32;
    }

    #[derive(Serialize, Deserialize)]
    struct Square(u32);

    impl Shape for Square {
        fn area(&self) -> u32 {
            self.0 * self.0
        }
    }

    #[derive(Serialize, Deserialize)]
    struct Double(Box<dyn Shape>);

    impl Shape for Double {
        fn area(&self) -> u32 {
            2 * self.0.area()
        }
    }

    #[remote_trait(crate = crate,)]
    trait Other {}

    impl Other for Square {}

    fn shape(side: u32) -> Box<dyn Shape> {
        Box::new(Square(side))
    }

    fn packet<T: Serialize + ?Sized>(value: &T) -> Packet {
        let mut packet = Packet::default();
        encode(value, &mut packet).expect("it is encoded");
        packet
    }

    #[track_caller]
    fn fails(packet: Packet, texts: &[&str]) {
        let error = decode::<Box<dyn Shape>>(packet).err().expect("it must be refused");
        assert!(error.is_codec(), "{error}");
        for text in texts {
            assert!(error.to_string().contains(text), "no `{text}` in: {error}");
        }
    }

    #[test]
    fn the_bytes_are_those_of_the_value_and_the_type_is_beside_them() {
        let packet = packet(&vec![shape(3), Box::new(Double(shape(4)))]);
        assert_eq!(packet.bytes, [2, 3, 4]);
        assert_eq!(packet.addresses.len(), 3);
        assert_eq!(packet.addresses[0], packet.addresses[2]);
        let shapes = decode::<Vec<Box<dyn Shape>>>(packet).expect("it is decoded");
        assert_eq!(shapes.iter().map(|shape| shape.area()).collect::<Vec<_>>(), [9, 32]);
    }

    #[test]
    fn objects_stand_behind_the_entries_of_the_call() {
        let mut packet = Packet { addresses: [5, 6].map(Address::from_lane).to_vec(), ..Packet::default() };
        encode(&shape(2), &mut packet).expect("it is encoded");
        encode(&(1u8, shape(3)), &mut packet).expect("it is encoded");
        let mut decoder = Decoder::new(packet);
        assert_eq!(
            (decoder.take_address(), decoder.take_address()),
            (Some(Address::from_lane(5)), Some(Address::from_lane(6)))
        );
        assert_eq!(decoder.next::<Box<dyn Shape>>().expect("it is decoded").area(), 4);
        assert_eq!(decoder.next::<(u8, Box<dyn Shape>)>().expect("it is decoded").1.area(), 9);
        decoder.finish().expect("all is read");
    }

    #[test]
    fn an_entry_that_is_none_is_refused() {
        let genuine = packet(&shape(1)).addresses[0].number();
        for forged in [0, 1, genuine + 1, usize::MAX] {
            let packet = Packet { addresses: vec![Address::from_lane(forged)], ..packet(&shape(1)) };
            fails(packet, &["Shape", "another build", "reload"]);
        }
    }

    #[test]
    fn the_entry_of_a_task_is_no_object() {
        let task = crate::task::Remote::new(7, |side: u32| side).into_call().expect("it is encoded");
        let packet = Packet { addresses: vec![task.addresses[0]], ..packet(&shape(1)) };
        fails(packet, &["another build"]);
    }

    #[test]
    fn an_entry_of_another_trait_is_refused() {
        let other: Box<dyn Other> = Box::new(Square(1));
        fails(packet(&other), &["Shape", "another trait", "agree"]);
    }

    #[test]
    fn a_missing_entry_and_one_too_many_are_refused() {
        let whole = || packet(&shape(1));
        fails(Packet { addresses: Vec::new(), ..whole() }, &["no trait object left", "agree"]);
        let entry = whole().addresses[0];
        fails(Packet { addresses: vec![entry; 2], ..whole() }, &["1 trait objects", "left over"]);
    }

    #[test]
    fn an_entry_of_another_type_reads_no_more_than_its_bytes() {
        let double: Box<dyn Shape> = Box::new(Double(shape(1)));
        let addresses = vec![packet(&double).addresses[0]];
        fails(Packet { addresses: addresses.clone(), ..packet(&shape(1)) }, &["no trait object left"]);
        let endless = Packet { addresses: vec![addresses[0]; 200], ..Packet::default() };
        fails(endless, &["nested more than 128 levels"]);
    }

    #[test]
    fn objects_count_as_levels_both_ways() {
        fn nested(levels: usize) -> Box<dyn Shape> {
            (1..levels).fold(shape(1), |inner, _| Box::new(Double(inner)))
        }

        let deepest = packet(&nested(128));
        assert!(decode::<Box<dyn Shape>>(deepest).is_ok());
        let error = encode(&nested(129), &mut Packet::default()).expect_err("it must be refused");
        assert!(error.to_string().contains("nested more than 128 levels"), "{error}");

        let beside = vec![nested(127), nested(127), nested(127)];
        assert!(decode::<Vec<Box<dyn Shape>>>(packet(&beside)).is_ok(), "a level is left again");
        let error = encode(&Some(nested(128)), &mut Packet::default()).expect_err("it must be refused");
        assert!(error.to_string().contains("nested more than 128 levels"), "{error}");
    }

    #[test]
    fn an_object_that_fails_leaves_the_packet_as_it_was() {
        struct Fails(Box<dyn Shape>);
        impl Serialize for Fails {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_some(&self.0)?;
                Err(S::Error::custom("out of order"))
            }
        }
        impl<'de> Deserialize<'de> for Fails {
            fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
                Err(D::Error::custom("out of order"))
            }
        }
        impl Shape for Fails {
            fn area(&self) -> u32 {
                0
            }
        }

        let mut packet = packet(&shape(2));
        let fails: Box<dyn Shape> = Box::new(Double(Box::new(Fails(shape(1)))));
        let error = encode(&(1u8, &fails), &mut packet).expect_err("it must be refused");
        assert!(error.is_codec() && error.to_string().contains("out of order"), "{error}");
        assert_eq!(decode::<Box<dyn Shape>>(packet).expect("it is decoded").area(), 4);
    }

    #[cfg(panic = "unwind")]
    #[test]
    fn an_object_that_panics_leaves_the_packet_as_it_was() {
        struct Panics;
        impl Serialize for Panics {
            fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                panic!("out of order")
            }
        }
        impl<'de> Deserialize<'de> for Panics {
            fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
                panic!("out of order")
            }
        }
        impl Shape for Panics {
            fn area(&self) -> u32 {
                0
            }
        }

        let mut packet = packet(&shape(2));
        let panics: Box<dyn Shape> = Box::new(Double(Box::new(Panics)));
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            encode(&(shape(1), panics), &mut packet)
        }));
        assert!(panicked.is_err());
        assert!(serializer_slot::borrow().is_none(), "the slot is closed");
        assert_eq!(decode::<Box<dyn Shape>>(packet).expect("it is decoded").area(), 4);
    }

    #[test]
    fn a_newtype_that_borrows_the_name_of_objects_is_refused() {
        #[derive(Serialize, Deserialize)]
        #[serde(rename = "$wasm_mt::Object")]
        struct Borrowed<T>(T);

        let mut kept = packet(&shape(2));
        let error = encode(&Borrowed(5u8), &mut kept).expect_err("it must be refused");
        assert!(error.to_string().contains("reserved"), "{error}");
        let error = encode(&Borrowed((5u8, shape(1))), &mut kept).expect_err("it must be refused");
        assert!(error.to_string().contains("reserved"), "{error}");
        let error = decode::<Borrowed<Square>>(packet(&shape(2))).err().expect("it must be refused");
        assert!(error.to_string().contains("reserved"), "{error}");
        assert_eq!(decode::<Box<dyn Shape>>(kept).expect("it is decoded").area(), 4);
    }

    #[test]
    fn a_foreign_reader_finds_no_object_in_the_slot() {
        /// Reads an object from text while the reader hands one over.
        struct ReadsText;
        impl<'de> Deserialize<'de> for ReadsText {
            fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
                let error = serde_json::from_str::<Box<dyn Shape>>("1").err().expect("it must be refused");
                Err(D::Error::custom(error))
            }
        }
        impl Serialize for ReadsText {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_unit()
            }
        }
        impl Shape for ReadsText {
            fn area(&self) -> u32 {
                0
            }
        }

        let object: Box<dyn Shape> = Box::new(ReadsText);
        fails(packet(&object), &["travels only through wasm-mt"]);
    }
}
