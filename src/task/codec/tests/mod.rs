//! What needs the codec itself: bytes that no `Serialize` writes, lanes, and rollback. Round trips through the public
//! API are in `tests/it/codec`.

mod bounds;
mod bulk;

use std::cell::Cell;
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

#[test]
fn parts_end_where_they_end() {
    /// Reads on until there is nothing more.
    #[derive(Debug, PartialEq)]
    struct Greedy<const SHAPE: u8>(Vec<u8>);
    impl<'de, const SHAPE: u8> Deserialize<'de> for Greedy<SHAPE> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Visitor<const SHAPE: u8>;
            impl<'de, const SHAPE: u8> serde::de::Visitor<'de> for Visitor<SHAPE> {
                type Value = Greedy<SHAPE>;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("numbers")
                }
                fn visit_seq<A: serde::de::SeqAccess<'de>>(
                    self,
                    mut parts: A,
                ) -> Result<Self::Value, A::Error> {
                    std::iter::from_fn(|| parts.next_element().transpose())
                        .collect::<Result<_, _>>()
                        .map(Greedy)
                }
            }
            match SHAPE {
                0 => deserializer.deserialize_tuple(2, Visitor),
                1 => deserializer.deserialize_tuple_struct("Two", 2, Visitor),
                _ => deserializer.deserialize_struct("Named", &["a", "b", "alias of b"], Visitor),
            }
        }
    }

    #[derive(Serialize)]
    struct Two(u8, u8);
    #[derive(Serialize)]
    struct Named {
        a: u8,
        b: u8,
    }

    assert_eq!(decode::<Greedy<0>>(packet(&(1_u8, 2_u8)).unwrap()).unwrap().0, [1, 2]);
    assert_eq!(decode::<Greedy<1>>(packet(&Two(1, 2)).unwrap()).unwrap().0, [1, 2]);
    // A name more than there are fields may be an alias, or a field that is not written and has a default.
    fails(
        decode::<Greedy<2>>(packet(&Named { a: 1, b: 2 }).unwrap()),
        &["`Named` reads more than the 2 fields"],
    );
}

#[test]
fn a_value_whose_bytes_are_lost_is_an_error_with_their_number() {
    let lost = Packet { bytes: Vec::new(), lost: 7, ..packet("values").unwrap() };
    fails(decode::<String>(lost), &["String", "no memory for its 7 bytes"]);
}
