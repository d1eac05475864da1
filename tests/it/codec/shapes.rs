//! Every shape of serde's data model, at its edges.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::marker::PhantomData;
use std::net::IpAddr;
use std::num::{NonZeroU8, Wrapping};
use std::ops::{Bound, Range, RangeInclusive};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use wasm_mt::Remote;

use super::{Worker, assert_refused};
use crate::common::on_worker;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Unit;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Empty {}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct EmptyTuple();

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Newtype(u32);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Generic<'a, T, U>
where
    T: Clone,
{
    value: T,
    text: Cow<'a, str>,
    marker: PhantomData<U>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Shape {
    Unit,
    Newtype(Newtype),
    Tuple(i8, String),
    EmptyTuple(),
    Struct { x: f64, name: Option<String> },
    Empty {},
    Nested(Box<Shape>),
    Result(Result<u8, String>),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Tree {
    name: String,
    children: Vec<Tree>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum List {
    End,
    Node(u8, Box<List>),
}

fn list(length: usize) -> List {
    (0..length).fold(List::End, |rest, i| List::Node(i as u8, Box::new(rest)))
}

remote_test! {
    async fn integers_survive_at_their_limits() {
        let worker = Worker::new();
        worker.survives((u8::MIN, u8::MAX, i8::MIN, i8::MAX)).await;
        worker.survives((u16::MIN, u16::MAX, i16::MIN, i16::MAX)).await;
        worker.survives((u32::MIN, u32::MAX, i32::MIN, i32::MAX)).await;
        worker.survives((u64::MIN, u64::MAX, i64::MIN, i64::MAX)).await;
        worker.survives((u128::MIN, u128::MAX, i128::MIN, i128::MAX)).await;
        worker.survives((usize::MIN, usize::MAX, isize::MIN, isize::MAX)).await;
        worker.survives((0u8, -1i8, 127u32, 128u32, -64i32, -65i32, 1u128 << 64)).await;
        worker.survives((true, false)).await;
        worker.survives((NonZeroU8::MAX, Wrapping(7u16))).await;
    }

    async fn floats_survive_bit_by_bit() {
        let worker = Worker::new();
        let quiet_with_payload = 0x7fc0_1234u32;
        for bits in [0, 1, 1 << 31, quiet_with_payload, f32::INFINITY.to_bits(), f32::MIN_POSITIVE.to_bits()] {
            assert_eq!(worker.echo(f32::from_bits(bits)).await.unwrap().to_bits(), bits);
        }
        let quiet_with_payload = 0xfff8_0000_dead_beefu64;
        for bits in [0, 1, 1 << 63, quiet_with_payload, f64::NEG_INFINITY.to_bits(), f64::MAX.to_bits()] {
            assert_eq!(worker.echo(f64::from_bits(bits)).await.unwrap().to_bits(), bits);
        }
    }

    async fn text_survives_in_every_script() {
        let worker = Worker::new();
        for text in ["", "a", "\0", "Zürich", "日本語", "עברית", "e\u{301}", "👩‍👩‍👧‍👦", "\u{10ffff}", "\u{fffd}\r\n"] {
            worker.survives(text.to_owned()).await;
            worker.survives(text.chars().collect::<Vec<_>>()).await;
            worker.survives((Cow::<'static, str>::Owned(text.to_owned()), Box::<str>::from(text))).await;
            worker.survives(PathBuf::from(text)).await;
        }
    }

    async fn nothing_survives() {
        let worker = Worker::new();
        worker.survives(()).await;
        worker.survives((Unit, Empty {}, EmptyTuple(), PhantomData::<String>)).await;
        worker.survives(([0u8; 0], Vec::<String>::new(), String::new(), BTreeMap::<u8, u8>::new())).await;
        worker.survives(vec![(); 100_000]).await;
        worker.survives(vec![Unit; 3]).await;
    }

    async fn options_survive_nested() {
        let worker = Worker::new();
        worker.survives((None::<u8>, Some(5u8), Some(()), None::<()>)).await;
        worker.survives((None::<Option<Option<u8>>>, Some(None::<Option<u8>>), Some(Some(None::<u8>)), Some(Some(Some(1u8))))).await;
    }

    async fn structs_and_enums_survive() {
        let worker = Worker::new();
        worker.survives(Newtype(3)).await;
        worker.survives(Generic { value: vec![Unit], text: "a".into(), marker: PhantomData::<String> }).await;
        let shapes = vec![
            Shape::Unit,
            Shape::Newtype(Newtype(1)),
            Shape::Tuple(-1, "a".into()),
            Shape::EmptyTuple(),
            Shape::Struct { x: -0.0, name: Some("b".into()) },
            Shape::Empty {},
            Shape::Nested(Box::new(Shape::Nested(Box::new(Shape::Unit)))),
            Shape::Result(Ok(1)),
            Shape::Result(Err("no".into())),
        ];
        for shape in &shapes {
            worker.survives(shape.clone()).await;
        }
        worker.survives(shapes).await;
    }

    async fn collections_survive() {
        let worker = Worker::new();
        worker.survives((vec![1, 2, 3], VecDeque::from([1u8]), Box::<[i16]>::from([-1]), [[1u8; 3]; 2])).await;
        worker.survives(BTreeMap::from([("a".to_owned(), BTreeSet::from([Some(1), None]))])).await;
        worker.survives(HashMap::from([((1u8, 'x'), vec![Shape::Unit])])).await;
        worker.survives(HashSet::from([u64::MAX])).await;
        worker.survives(ByteBuf::from(vec![0, 255])).await;
        // the order of a hash map differs there, so compare only here
        let many = (0..1000u32).map(|i| (i, i.to_string())).collect::<HashMap<_, _>>();
        let task = Remote::new(many.clone(), |many: HashMap<u32, String>| (many.len(), many));
        assert_eq!(worker.0.spawn_remote(task).await.unwrap(), (1000, many));
    }

    async fn arrays_of_many_elements_survive_by_another_crate() {
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        struct Block {
            #[serde(with = "serde_big_array::BigArray")]
            bytes: [u8; 64],
            end: u8,
        }
        let worker = Worker::new();
        worker.survives(Block { bytes: std::array::from_fn(|i| i as u8), end: 9 }).await;
        worker.survives(vec![serde_big_array::Array([0.5f64; 33]), serde_big_array::Array([1.5; 33])]).await;
    }

    async fn types_of_the_standard_library_survive() {
        let worker = Worker::new();
        worker.survives((Duration::new(1, 999_999_999), SystemTime::UNIX_EPOCH + Duration::from_millis(1))).await;
        worker.survives((Range { start: 1, end: 2 }, RangeInclusive::new('a', 'z'))).await;
        worker.survives((Bound::Included(1), Bound::Excluded("x".to_owned()), Bound::<u8>::Unbounded)).await;
        worker.survives(["127.0.0.1".parse::<IpAddr>().unwrap(), "::1".parse().unwrap()]).await;
    }

    async fn sequences_and_maps_of_unknown_length_survive() {
        /// Serializes through iterators that do not know their length.
        #[derive(Clone, Debug, PartialEq, Deserialize)]
        struct Unsized(Vec<u32>, BTreeMap<u8, Vec<u8>>);
        impl Serialize for Unsized {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeTupleStruct;
                struct Filtered<'a>(&'a Unsized, bool);
                impl Serialize for Filtered<'_> {
                    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                        match self.1 {
                            false => serializer.collect_seq(self.0.0.iter().filter(|_| true)),
                            true => serializer.collect_map(self.0.1.iter().filter(|_| true)),
                        }
                    }
                }
                let mut fields = serializer.serialize_tuple_struct("Unsized", 2)?;
                fields.serialize_field(&Filtered(self, false))?;
                fields.serialize_field(&Filtered(self, true))?;
                fields.end()
            }
        }
        let worker = Worker::new();
        for length in [0, 1, 127, 128, 20_000] {
            let map = (0..length.min(200) as u8).map(|i| (i, vec![i; 3])).collect();
            worker.survives(Unsized((0..length).collect(), map)).await;
        }
    }

    async fn text_that_formats_itself_survives() {
        #[derive(Clone, Debug, PartialEq, Deserialize)]
        struct Formatted(String);
        impl Serialize for Formatted {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_newtype_struct("Formatted", &Text(&self.0))
            }
        }
        struct Text<'a>(&'a str);
        impl Serialize for Text<'_> {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(&format_args!("{}{}", self.0, '!'))
            }
        }
        let text = "ß".repeat(100);
        assert_eq!(on_worker(Remote::new(Formatted(text.clone()), |t: Formatted| t.0)).await.unwrap(), text + "!");
    }

    async fn recursive_types_survive() {
        let worker = Worker::new();
        let leaf = Tree { name: "leaf".into(), children: vec![] };
        let branch = Tree { name: "branch".into(), children: vec![leaf.clone(); 3] };
        worker.survives(Tree { name: "root".into(), children: vec![branch, leaf] }).await;
        worker.survives(list(0)).await;
        worker.survives(list(128)).await;
    }

    async fn nesting_without_end_is_refused() {
        let worker = Worker::new();
        assert_refused(worker.echo(list(129)).await, &["List", "nested more than", "send it flat"]);
        worker.survives(1).await;
    }
}
