//! Memory, stack and time: a packet takes what it holds, whatever it claims.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde::ser::SerializeTuple;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::super::decode;
use super::{bytes, fails, packet, survives};
use crate::task::remote_trait;

#[test]
fn lengths_that_the_bytes_cannot_fill_allocate_nothing() {
    let claim = packet(&(u32::MAX as usize)).unwrap().bytes;
    fails(decode::<Vec<u8>>(bytes(&claim)), &["end before"]);
    fails(decode::<Vec<[u64; 16]>>(bytes(&claim)), &["end before"]);
    fails(decode::<String>(bytes(&claim)), &["end before"]);
    fails(decode::<BTreeMap<u8, u8>>(bytes(&claim)), &["end before"]);

    /// Believes the hint, as careless types do.
    #[derive(Debug)]
    struct Careless;
    impl<'de> Deserialize<'de> for Careless {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Visitor;
            impl<'de> serde::de::Visitor<'de> for Visitor {
                type Value = Careless;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("a sequence")
                }
                fn visit_seq<A: serde::de::SeqAccess<'de>>(self, elements: A) -> Result<Careless, A::Error> {
                    assert_eq!(elements.size_hint(), None);
                    Ok(Careless)
                }
            }
            deserializer.deserialize_seq(Visitor)
        }
    }
    fails(decode::<Careless>(bytes(&claim)), &["more than it reads"]);
}

#[test]
fn sequences_within_one_another_share_the_bytes() {
    thread_local! {
        static HINTS: Cell<Vec<Option<usize>>> = const { Cell::new(Vec::new()) };
    }

    /// Sequences of sequences; notes the length that each is given.
    #[derive(Debug)]
    struct Notes;
    impl<'de> Deserialize<'de> for Notes {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Visitor;
            impl<'de> serde::de::Visitor<'de> for Visitor {
                type Value = Notes;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("sequences")
                }
                fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut elements: A) -> Result<Notes, A::Error> {
                    HINTS.set([HINTS.take(), vec![elements.size_hint()]].concat());
                    while elements.next_element::<Notes>()?.is_some() {}
                    Ok(Notes)
                }
            }
            deserializer.deserialize_seq(Visitor)
        }
    }

    decode::<Notes>(bytes(&[2, 1, 0, 2, 0, 0])).unwrap();
    assert_eq!(HINTS.take(), [2, 1, 0, 2, 0, 0].map(Some));
    // Two bytes are left for the inner one, and two sequences are to come behind it.
    fails(decode::<Notes>(bytes(&[3, 2, 0, 0])), &["end before"]);
    assert_eq!(HINTS.take()[..2], [Some(3), None]);
}

#[test]
#[cfg_attr(miri, ignore = "so many elements take hours")]
fn elements_that_take_no_bytes_are_bounded() {
    /// Takes no bytes, and memory.
    #[derive(Clone, Default, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(from = "()", into = "()")]
    struct Large([u64; 16]);
    impl From<()> for Large {
        fn from((): ()) -> Self {
            Self::default()
        }
    }
    impl From<Large> for () {
        fn from(_: Large) {}
    }

    survives(&vec![(); 1_000_000]);
    survives(&vec![vec![(); 3]; 1000]);
    survives(&vec![Large::default(); 100]);
    let claim = packet(&usize::MAX).unwrap().bytes;
    fails(decode::<Vec<()>>(bytes(&claim)), &["no bytes", "send their number"]);
    fails(decode::<BTreeMap<(), ()>>(bytes(&claim)), &["no bytes"]);
    let many = packet(&vec![Large::default(); 10_000]).unwrap();
    fails(decode::<Vec<Large>>(many), &["no bytes"]);
    // All of a value share the bound.
    let many = packet(&vec![vec![(); 600_000]; 2]).unwrap();
    fails(decode::<Vec<Vec<()>>>(many), &["no bytes"]);
}

#[test]
fn nesting_is_bounded_both_ways() {
    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Nested(Option<Box<Nested>>);
    fn nested(levels: usize) -> Nested {
        (1..levels).fold(Nested(None), |inner, _| Nested(Some(Box::new(inner))))
    }

    survives(&nested(128));
    fails(packet(&nested(130)), &["nested more than 128 levels"]);
    fails(decode::<Nested>(bytes(&[1; 10_000])), &["nested more than 128 levels"]);
}

/// What plain postcard takes is what serde's own frames take, and little more.
#[test]
#[cfg_attr(miri, ignore = "it measures the stack of compiled code")]
fn large_values_take_no_more_stack_than_in_plain_postcard() {
    thread_local! {
        static DEEPEST: Cell<usize> = const { Cell::new(0) };
    }

    /// Notes how deep the stack is where it is read.
    #[derive(Clone, Copy, Debug, PartialEq, Serialize)]
    struct Leaf(u64);
    impl<'de> Deserialize<'de> for Leaf {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let here = 0_u8;
            DEEPEST.set(DEEPEST.get().min(std::ptr::from_ref(&here).addr()));
            u64::deserialize(deserializer).map(Leaf)
        }
    }

    /// 16 KiB.
    type Table = [[[Leaf; 8]; 8]; 32];
    const TABLE: Table = [[[Leaf(7); 8]; 8]; 32];

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Named {
        id: u8,
        table: Table,
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Newtype(Table);
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Tuple(u8, Table);
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Variants {
        Newtype(Table),
        Tuple(Table, u8),
        Struct { table: Table },
    }

    /// How much stack a decoding takes.
    fn stack(decode: impl FnOnce()) -> usize {
        let here = 0_u8;
        let start = std::ptr::from_ref(&here).addr();
        DEEPEST.set(start);
        decode();
        start - DEEPEST.get()
    }

    #[track_caller]
    fn compare<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
        let plain = postcard::to_stdvec(value).expect("it is encoded");
        let ours = packet(value).expect("it is encoded");
        let plain = stack(|| assert!(postcard::from_bytes::<T>(&plain).as_ref() == Ok(value)));
        let ours = stack(|| assert!(decode::<T>(ours).as_ref().ok() == Some(value)));
        assert!(ours <= plain + plain / 4, "{ours} bytes, plain postcard takes {plain}");
    }

    compare(&TABLE);
    compare(&vec![TABLE]);
    compare(&BTreeMap::from([(1_u8, TABLE)]));
    compare(&Some(TABLE));
    compare(&(1_u8, TABLE));
    compare(&Named { id: 1, table: TABLE });
    compare(&Newtype(TABLE));
    compare(&Tuple(1, TABLE));
    compare(&Variants::Newtype(TABLE));
    compare(&Variants::Tuple(TABLE, 1));
    compare(&Variants::Struct { table: TABLE });
    compare(&Some(Some((Newtype(TABLE), Some(Variants::Newtype(TABLE))))));
}

#[test]
#[cfg_attr(miri, ignore = "so many elements take hours")]
fn sequences_of_nothing_within_one_another_are_bounded_together() {
    // Each inner one has a byte for each of its elements, but the same bytes as the others.
    let length = packet(&2000_usize).unwrap().bytes;
    let many = bytes(&[length.repeat(2001), vec![0; 2000]].concat());
    fails(decode::<Vec<Vec<Box<()>>>>(many), &["no bytes"]);
}

#[test]
fn trait_objects_that_take_no_bytes_are_not_bounded() {
    #[remote_trait(crate = crate)]
    trait Nothing {}
    #[derive(Serialize, Deserialize)]
    struct Unit;
    impl Nothing for Unit {}

    let number = if cfg!(miri) { 1_000 } else { 100_000 };
    let many = (0..number).map(|_| Box::new(Unit) as Box<dyn Nothing>).collect::<Vec<_>>();
    assert_eq!(decode::<Vec<Box<dyn Nothing>>>(packet(&many).unwrap()).unwrap().len(), many.len());
}

/// Nests what holds no more than one level of a recursive type: nothing derived is like that.
#[test]
fn nesting_is_bounded_in_every_shape() {
    /// A part that says whether there is another, and that, by the shape of this number.
    #[derive(Debug)]
    struct Nested<const SHAPE: u8>(Option<Box<Self>>);

    impl<const SHAPE: u8> Serialize for Nested<SHAPE> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            use serde::ser::{SerializeStruct, SerializeTupleStruct};
            let Some(inner) = &self.0 else { return serializer.serialize_bool(false) };
            match SHAPE {
                0 => {
                    let mut parts = serializer.serialize_tuple(1)?;
                    parts.serialize_element(inner)?;
                    parts.end()
                }
                1 => {
                    let mut parts = serializer.serialize_tuple_struct("Nested", 1)?;
                    parts.serialize_field(inner)?;
                    parts.end()
                }
                2 => {
                    let mut parts = serializer.serialize_struct("Nested", 1)?;
                    parts.serialize_field("inner", inner)?;
                    parts.end()
                }
                _ => serializer.serialize_newtype_struct("Nested", inner),
            }
        }
    }

    impl<'de, const SHAPE: u8> Deserialize<'de> for Nested<SHAPE> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Visitor<const SHAPE: u8>;
            impl<'de, const SHAPE: u8> serde::de::Visitor<'de> for Visitor<SHAPE> {
                type Value = Nested<SHAPE>;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("something nested")
                }
                fn visit_seq<A: serde::de::SeqAccess<'de>>(
                    self,
                    mut parts: A,
                ) -> Result<Nested<SHAPE>, A::Error> {
                    parts.next_element().map(Nested)
                }
                fn visit_newtype_struct<D: Deserializer<'de>>(
                    self,
                    inner: D,
                ) -> Result<Nested<SHAPE>, D::Error> {
                    Box::deserialize(inner).map(Some).map(Nested)
                }
            }
            match SHAPE {
                0 => deserializer.deserialize_tuple(1, Visitor),
                1 => deserializer.deserialize_tuple_struct("Nested", 1, Visitor),
                2 => deserializer.deserialize_struct("Nested", &["inner"], Visitor),
                _ => deserializer.deserialize_newtype_struct("Nested", Visitor),
            }
        }
    }

    const LEVELS: usize = if cfg!(miri) { 1_000 } else { 20_000 };

    fn is_bounded<const SHAPE: u8>(level: &[u8]) {
        let mut nested = (0..LEVELS).fold(Nested::<SHAPE>(None), |inner, _| Nested(Some(Box::new(inner))));
        fails(packet(&nested), &["nested more than 512 levels"]);
        // Its drop would nest as deep.
        while let Some(inner) = nested.0.take() {
            nested = *inner;
        }
        fails(decode::<Nested<SHAPE>>(bytes(&level.repeat(LEVELS))), &["nested more than 512 levels"]);
    }

    is_bounded::<0>(&[0]);
    is_bounded::<1>(&[1]);
    let field = packet(&Nested::<2>(Some(Box::new(Nested(None))))).unwrap().bytes;
    is_bounded::<2>(&field[..2]);
    is_bounded::<3>(&[0]);
}
