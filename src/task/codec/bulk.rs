#![expect(unsafe_code, reason = "types that are compared by their ids alone cannot be cast")]
//! Sequences of numbers that are encoded as they lie in memory: bytes and floating-point numbers.
//!
//! serde hands them over one by one, which takes ten times as long as copying them. Here a `Vec` or slice of such numbers is
//! recognized by its type, and so is the visitor with which serde reads a `Vec`. A type with a visitor of its own reads element by
//! element. The encoding is the same in either case.
//!
//! Type ids are those of `typeid`, which leaves lifetimes out: two types with one id differ in lifetimes at most. What is cast is a
//! borrowed sequence for as long as it is borrowed, and numbers, which have none.

use std::any::TypeId;
use std::fmt;
use std::mem::ManuallyDrop;
use std::ptr;

use serde::de::{Deserialize, Deserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::fault::Fault;
use super::reader::Reader;
use crate::platform::NoRoom;

/// The value as one of this type, if it is that.
fn cast<T, U>(value: &T) -> Option<&U> {
    let is_same = typeid::of::<T>() == typeid::of::<U>();
    // SAFETY: the types differ in lifetimes at most. Callers keep what is borrowed within the borrow of `value`.
    is_same.then(|| unsafe { &*ptr::from_ref(value).cast::<U>() })
}

/// The value as one of this type, if it is that.
fn cast_owned<T: 'static, U>(value: T) -> Option<U> {
    let value = ManuallyDrop::new(value);
    let is_same = typeid::of::<T>() == typeid::of::<U>();
    // SAFETY: the types are the same, since the first has no lifetimes. The value is not used again.
    is_same.then(|| unsafe { ptr::from_ref(&*value).cast::<U>().read() })
}

macro_rules! bulk {
    ($($number:ty)*) => {
        /// How many numbers a sequence has, and all their bytes.
        #[inline]
        pub(super) fn bytes_of<I>(sequence: &I) -> Option<(usize, &[u8])> {
            $(
                if let Some(numbers) = cast::<I, &Vec<$number>>(sequence) {
                    return Some((numbers.len(), bytemuck::cast_slice(numbers)));
                }
                if let Some(numbers) = cast::<I, &[$number]>(sequence) {
                    return Some((numbers.len(), bytemuck::cast_slice(numbers)));
                }
            )*
            None
        }

        /// Reads a sequence of so many elements, if this is the visitor of a `Vec` of numbers.
        #[inline]
        pub(super) fn read<'de, V: Visitor<'de>>(
            reader: &mut Reader<'de, '_>,
            length: usize,
        ) -> Option<Result<V::Value, Fault>> {
            $(if typeid::of::<V>() == visitor_of::<Vec<$number>>() {
                let numbers = reader.bytes(length, size_of::<$number>()).and_then(collect::<$number>);
                return Some(numbers.and_then(|numbers| cast_owned(numbers).ok_or_else(Fault::too_many)));
            })*
            None
        }
    };
}

// Whose encoding is their memory: where that is not little-endian, only those of one byte.
#[cfg(target_endian = "little")]
bulk!(u8 i8 f32 f64);
#[cfg(target_endian = "big")]
bulk!(u8 i8);

fn collect<T: bytemuck::AnyBitPattern>(bytes: &[u8]) -> Result<Vec<T>, Fault> {
    let mut numbers = Vec::new();
    let no_room = |_| Fault::new(NoRoom::of::<u8>(bytes.len()).to_string());
    numbers.try_reserve_exact(bytes.len() / size_of::<T>()).map_err(no_room)?;
    numbers.extend(bytes.chunks_exact(size_of::<T>()).map(bytemuck::pod_read_unaligned::<T>));
    Ok(numbers)
}

/// The type of the visitor by which a type reads itself, if it is a sequence.
#[inline]
pub(super) fn visitor_of<T: for<'de> Deserialize<'de>>() -> TypeId {
    match T::deserialize(VisitorProbe) {
        Err(SeenVisitor(Some(visitor))) => visitor,
        _ => TypeId::of::<()>(),
    }
}

/// Looks at the visitor that it is given, and reads nothing.
struct VisitorProbe;

impl<'de> Deserializer<'de> for VisitorProbe {
    type Error = SeenVisitor;

    #[inline]
    fn deserialize_seq<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, SeenVisitor> {
        Err(SeenVisitor(Some(typeid::of::<V>())))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, SeenVisitor> {
        Err(SeenVisitor(None))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// The type of a visitor.
#[derive(Debug)]
struct SeenVisitor(Option<TypeId>);

impl fmt::Display for SeenVisitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a visitor was looked at")
    }
}

impl std::error::Error for SeenVisitor {}

impl serde::de::Error for SeenVisitor {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self(None)
    }
}
