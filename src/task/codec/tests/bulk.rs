//! A sequence of numbers has the same encoding whether it is copied or written element by element.

use std::collections::VecDeque;
use std::fmt;

use proptest::prelude::*;
use serde::de::{SeqAccess, Visitor};

use super::*;
use crate::task::codec::bulk::{bytes_of, visitor_of};

/// Hands its elements over one by one, and takes them one by one.
#[derive(Debug, PartialEq)]
struct Slow<T>(Vec<T>);

impl<T: Serialize> Serialize for Slow<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Slow<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each<T>(Vec<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Each<T> {
            type Value = Slow<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("numbers")
            }

            fn visit_seq<A: SeqAccess<'de>>(mut self, mut sequence: A) -> Result<Slow<T>, A::Error> {
                while let Some(number) = sequence.next_element()? {
                    self.0.push(number);
                }
                Ok(Slow(self.0))
            }
        }

        deserializer.deserialize_seq(Each(Vec::new()))
    }
}

/// Each form is written alike and reads the others.
#[track_caller]
fn agree<T: Serialize + DeserializeOwned + Clone + PartialEq + Debug>(numbers: &[T]) {
    let vec = numbers.to_vec();
    // Behind texts of several lengths, so that they are not aligned.
    for before in 0..3_u8 {
        let text = "x".repeat(usize::from(before));
        let fast = packet(&(&text, &vec, true)).unwrap();
        for same in [
            packet(&(&text, numbers, true)),
            packet(&(&text, &Slow(vec.clone()), true)),
            packet(&(&text, &VecDeque::from(vec.clone()), true)),
            packet(&(&text, &vec.clone().into_boxed_slice(), true)),
        ] {
            assert_eq!(same.unwrap().bytes, fast.bytes);
        }
        let again = || bytes(&fast.bytes);
        assert_eq!(decode::<(String, Vec<T>, bool)>(again()).unwrap().1, vec);
        assert_eq!(decode::<(String, Box<[T]>, bool)>(again()).unwrap().1[..], vec);
        assert_eq!(decode::<(String, Slow<T>, bool)>(again()).unwrap().1, Slow(vec.clone()));
        assert_eq!(decode::<(String, VecDeque<T>, bool)>(again()).unwrap().1, vec);
        for length in 0..fast.bytes.len() {
            assert!(decode::<(String, Vec<T>, bool)>(bytes(&fast.bytes[..length])).is_err());
        }
    }
}

const CASES: u32 = if cfg!(miri) { 2 } else { 64 };

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn numbers_that_are_copied_are_like_others(
        bytes in prop::collection::vec(any::<u8>(), 0..20),
        signed in prop::collection::vec(any::<i8>(), 0..20),
        singles in prop::collection::vec(-1e9_f32..1e9, 0..20),
        doubles in prop::collection::vec(-1e9_f64..1e9, 0..20),
        others in prop::collection::vec(any::<u32>(), 0..20),
    ) {
        agree(&bytes);
        agree(&signed);
        agree(&singles);
        agree(&doubles);
        agree(&others);
    }
}

#[test]
fn numbers_keep_every_bit() {
    let bits = [0x7ff0_dead_beef_0001, (-0.0_f64).to_bits(), 1];
    let doubles = bits.map(f64::from_bits).to_vec();
    let there = decode::<Vec<f64>>(packet(&doubles).unwrap()).unwrap();
    assert!(there.into_iter().map(f64::to_bits).eq(bits));
    survives(&vec![vec![1_u8, 2], Vec::new(), vec![3]]);
    survives(&vec![Some(vec![1.5_f32]), None]);
}

#[test]
fn a_length_that_lies_allocates_nothing() {
    // As many elements as there are numbers, eight bytes each, behind a varint of ten bytes.
    let lies = bytes(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 7, 7, 7, 7, 7, 7, 7, 7]);
    fails(decode::<Vec<f64>>(lies), &["Vec<f64>"]);
    fails(decode::<Vec<u8>>(bytes(&[9, 1, 2])), &["Vec<u8>"]);
}

#[test]
fn sequences_of_numbers_are_recognized() {
    assert_eq!(bytes_of(&&vec![1_u8, 2]), Some((2, &[1, 2][..])));
    assert_eq!(bytes_of(&&[-1_i8][..]), Some((1, &[255][..])));
    assert_eq!(bytes_of(&&vec![true]), None);
    assert_eq!(bytes_of(&[1_u8].iter()), None);
    let visitors =
        [visitor_of::<Vec<u8>>(), visitor_of::<Vec<f64>>(), visitor_of::<Slow<u8>>(), visitor_of::<u8>()];
    for (nth, visitor) in visitors.iter().enumerate() {
        assert!(!visitors[..nth].contains(visitor), "{nth}");
    }
    // That of a value which is no sequence.
    assert_eq!(visitors[3], visitor_of::<bool>());
}
