//! What needs the codec itself: bytes that no `Serialize` writes, lanes, and rollback. Round trips through the public
//! API are in `tests/it/codec`.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde::ser::{Error as _, SerializeSeq, SerializeTuple};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Decoder, decode, encode};
use crate::error::Error;
use crate::platform::{Address, Packet};
use crate::task::transfer::Transfer;

fn packet<T: Serialize + ?Sized>(value: &T) -> Result<Packet, Error> {
    let mut packet = Packet::default();
    encode(value, &mut packet)?;
    Ok(packet)
}

#[track_caller]
fn survives<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    assert_eq!(&decode::<T>(packet(value).expect("it is encoded")).expect("it is decoded"), value);
}

#[track_caller]
fn fails<T: Debug>(result: Result<T, Error>, texts: &[&str]) {
    let error = result.expect_err("it must be refused");
    assert!(error.is_codec(), "{error}");
    for text in texts {
        assert!(error.to_string().contains(text), "no `{text}` in: {error}");
    }
}

fn bytes(bytes: &[u8]) -> Packet {
    Packet { bytes: bytes.to_vec(), ..Packet::default() }
}

#[test]
fn values_are_read_in_the_order_they_were_appended() {
    let mut packet = Packet::default();
    encode(&1u8, &mut packet).unwrap();
    encode(&Transfer(vec![2.0f32]), &mut packet).unwrap();
    encode("three", &mut packet).unwrap();
    encode(&Transfer(vec![4u64].into_boxed_slice()), &mut packet).unwrap();
    packet.addresses.extend([5, 6].map(Address::from_lane));

    let mut decoder = Decoder::new(packet);
    assert_eq!(decoder.take_address(), Some(Address::from_lane(5)));
    assert_eq!(decoder.next::<u8>().unwrap(), 1);
    assert_eq!(decoder.next::<Transfer<Vec<f32>>>().unwrap(), Transfer(vec![2.0]));
    assert_eq!(decoder.next::<String>().unwrap(), "three");
    assert_eq!(decoder.take_address(), Some(Address::from_lane(6)));
    assert_eq!(decoder.take_address(), None);
    assert_eq!(decoder.next::<Transfer<Box<[u64]>>>().unwrap().0[..], [4]);
    decoder.finish().unwrap();
}

#[test]
fn what_is_left_over_is_refused_in_each_lane() {
    let mut rest = packet(&(1u8, 2u8)).unwrap();
    fails(decode::<u8>(rest), &["1 bytes", "0 attachments", "0 trait objects"]);
    rest = packet(&()).unwrap();
    rest.addresses.push(Address::from_lane(1));
    fails(decode::<()>(rest), &["1 trait objects"]);
    rest = packet(&Transfer(vec![1u8])).unwrap();
    fails(decode::<u8>(rest), &["1 attachments"]);
}

#[test]
fn a_value_that_fails_leaves_the_packet_as_it_was() {
    struct Fails;
    impl Serialize for Fails {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut tuple = serializer.serialize_tuple(3)?;
            tuple.serialize_element("some bytes")?;
            tuple.serialize_element(&Transfer(vec![1u8]))?;
            Err(S::Error::custom("out of order"))
        }
    }

    let mut packet = packet(&Transfer(vec![7u8])).unwrap();
    fails(encode(&Fails, &mut packet), &["Fails", "out of order"]);
    assert_eq!(decode::<Transfer<Vec<u8>>>(packet).unwrap().0, [7]);
}

#[cfg(panic = "unwind")]
#[test]
fn a_value_that_panics_leaves_the_packet_as_it_was() {
    struct Panics;
    impl Serialize for Panics {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut tuple = serializer.serialize_tuple(2)?;
            tuple.serialize_element(&Transfer(vec![1u8]))?;
            panic!("out of order")
        }
    }

    let mut packet = packet(&Transfer(vec![7u8])).unwrap();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| encode(&Panics, &mut packet)));
    assert!(panicked.is_err());
    assert_eq!(decode::<Transfer<Vec<u8>>>(packet).unwrap().0, [7]);
}

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

    /// Sequences of sequences; notes the length that each is told.
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

#[test]
fn an_attachment_is_taken_once_and_only_by_its_type() {
    let lanes = packet(&(Transfer(vec![1u32]), Transfer(vec![2u32]))).unwrap();
    assert_eq!(lanes.bytes, [0, 1]);
    let twice = Packet { bytes: vec![0, 0], ..lanes };
    fails(decode::<(Transfer<Vec<u32>>, Transfer<Vec<u32>>)>(twice), &["no such attachment"]);

    let other = packet(&Transfer(vec![1u32])).unwrap();
    fails(decode::<Transfer<Vec<i32>>>(other), &["Vec<i32>"]);

    let forged = bytes(&[0]);
    fails(decode::<Transfer<Vec<u32>>>(forged), &["no such attachment"]);
}

#[test]
fn another_serializer_gets_our_text_also_within_ours() {
    struct ViaJson(Cell<Option<String>>);
    impl Serialize for ViaJson {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let foreign = serde_json::to_string(&Transfer(vec![1u8]));
            self.0.set(Some(foreign.unwrap_err().to_string()));
            Transfer(vec![2u8]).serialize(serializer)
        }
    }

    let text = serde_json::to_string(&Transfer(vec![1u8])).unwrap_err().to_string();
    assert!(text.starts_with("`Transfer` travels only through wasm-mt"), "{text}");
    let read = serde_json::from_str::<Transfer<Vec<u8>>>("[1]").unwrap_err().to_string();
    assert!(read.starts_with("`Transfer` travels only through wasm-mt"), "{read}");

    let within = ViaJson(Cell::default());
    let packet = packet(&within).unwrap();
    assert_eq!(within.0.take(), Some(text));
    assert_eq!(decode::<Transfer<Vec<u8>>>(packet).unwrap().0, [2]);
}

#[test]
fn a_newtype_that_borrows_the_name_of_a_lane_gains_nothing() {
    #[derive(Serialize, Deserialize, Debug)]
    #[serde(rename = "$wasm_mt::Attachment")]
    struct Borrowed<T>(T);

    let ordinary = packet(&Borrowed(5u8)).unwrap();
    assert_eq!(ordinary.bytes, [5]);
    fails(decode::<Borrowed<u8>>(ordinary), &["no such attachment"]);

    let within = packet(&Borrowed(Transfer(vec![1u8]))).unwrap();
    assert_eq!(within.attachments.len(), 1);
    assert_eq!(decode::<Transfer<Vec<u8>>>(within).unwrap().0, [1]);
}

#[test]
fn the_slot_is_closed_after_a_newtype_that_did_not_use_it() {
    /// Borrows the name of a lane, and does not take what the reader puts into the slot.
    #[derive(Serialize, Deserialize, Debug)]
    #[serde(rename = "$wasm_mt::Attachment")]
    struct Borrowed<T>(T);
    #[track_caller]
    fn assert_closed() {
        let written = serde_json::to_string(&Transfer(vec![1u8])).expect_err("the slot is closed");
        assert!(written.to_string().contains("travels only"), "{written}");
        let read = serde_json::from_str::<Transfer<Vec<u8>>>("[1]").expect_err("the slot is closed");
        assert!(read.to_string().contains("travels only"), "{read}");
    }

    packet(&Borrowed(5u8)).unwrap();
    assert_closed();
    let lanes = Packet { bytes: vec![0, 9], ..packet(&Transfer(vec![1u8])).unwrap() };
    assert_eq!(decode::<Borrowed<u8>>(lanes).unwrap().0, 9);
    assert_closed();

    #[cfg(panic = "unwind")]
    {
        struct Panics;
        impl Serialize for Panics {
            fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                panic!("while the slot is open")
            }
        }
        assert!(std::panic::catch_unwind(|| packet(&Borrowed(Panics)).is_ok()).is_err());
        assert_closed();
    }
}

#[test]
fn lengths_that_a_value_announces_are_held_against_it() {
    struct Announces(usize);
    impl Serialize for Announces {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut elements = serializer.serialize_seq(Some(self.0))?;
            elements.serialize_element(&1u8)?;
            elements.end()
        }
    }

    packet(&Announces(1)).unwrap();
    fails(packet(&Announces(2)), &["announced 2", "wrote 1"]);
    fails(packet(&Announces(0)), &["announced 0", "wrote 1"]);
}
