//! Any value comes back as it was, and a task sees it as a plain call does.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use proptest::{array, option};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use wasm_mt::{Error, Remote, Thread, Transfer};

const CASES: usize = if cfg!(target_family = "wasm") { 50 } else { 300 };

/// One of each shape that serde knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Value {
    scalars: Scalars,
    texts: Texts,
    shapes: Vec<Shape>,
    collections: Collections,
    tree: Tree,
    bulk: Bulk,
    unit: Unit,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Scalars {
    truth: bool,
    bytes: (u8, i8),
    shorts: (u16, i16),
    words: (u32, i32),
    longs: (u64, i64),
    longest: (u128, i128),
    sizes: (usize, isize),
    letter: char,
    single: Single,
    double: Double,
}

/// A float that is equal if its bits are.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Single(f32);

impl PartialEq for Single {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

/// A float that is equal if its bits are.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Double(f64);

impl PartialEq for Double {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Texts {
    owned: String,
    boxed: Box<str>,
    bytes: ByteBuf,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Shape {
    Unit,
    Newtype(Double),
    Tuple(u8, String),
    Struct { x: Single, name: Option<String> },
    Optional(Option<Option<bool>>),
    Result(Result<u16, String>),
    Nested(Box<Shape>),
    Many(Vec<Shape>),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Collections {
    map: BTreeMap<String, Vec<Option<i64>>>,
    keyed: BTreeMap<(u8, bool), Unit>,
    set: BTreeSet<char>,
    array: [i16; 4],
    empty: [u64; 0],
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Tree(String, Vec<Tree>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Bulk(Transfer<Vec<u16>>, Option<Transfer<Box<[i64]>>>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Unit;

fn text() -> impl Strategy<Value = String> {
    vec(any::<char>(), 0..12).prop_map(String::from_iter)
}

fn single() -> impl Strategy<Value = Single> {
    any::<u32>().prop_map(|bits| Single(f32::from_bits(bits)))
}

fn double() -> impl Strategy<Value = Double> {
    any::<u64>().prop_map(|bits| Double(f64::from_bits(bits)))
}

fn scalars() -> impl Strategy<Value = Scalars> {
    let small = (any::<bool>(), any::<(u8, i8)>(), any::<(u16, i16)>(), any::<(u32, i32)>());
    let large = (any::<(u64, i64)>(), any::<(u128, i128)>(), any::<(usize, isize)>());
    (small, large, any::<char>(), single(), double()).prop_map(|(small, large, letter, single, double)| {
        let ((truth, bytes, shorts, words), (longs, longest, sizes)) = (small, large);
        Scalars { truth, bytes, shorts, words, longs, longest, sizes, letter, single, double }
    })
}

fn texts() -> impl Strategy<Value = Texts> {
    (text(), text(), vec(any::<u8>(), 0..300)).prop_map(|(owned, boxed, bytes)| Texts {
        owned,
        boxed: boxed.into(),
        bytes: bytes.into(),
    })
}

fn shape() -> impl Strategy<Value = Shape> {
    let flat = prop_oneof![
        Just(Shape::Unit),
        double().prop_map(Shape::Newtype),
        (any::<u8>(), text()).prop_map(|(n, text)| Shape::Tuple(n, text)),
        (single(), option::of(text())).prop_map(|(x, name)| Shape::Struct { x, name }),
        option::of(option::of(any::<bool>())).prop_map(Shape::Optional),
        any::<u16>().prop_map(|n| Shape::Result(Ok(n))),
        text().prop_map(|text| Shape::Result(Err(text))),
    ];
    flat.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|shape| Shape::Nested(Box::new(shape))),
            vec(inner, 0..4).prop_map(Shape::Many),
        ]
    })
}

fn collections() -> impl Strategy<Value = Collections> {
    let map = btree_map(text(), vec(option::of(any::<i64>()), 0..4), 0..4);
    let keyed = btree_map(any::<(u8, bool)>(), Just(Unit), 0..4);
    let array = array::uniform4(any::<i16>());
    (map, keyed, btree_set(any::<char>(), 0..4), array).prop_map(|(map, keyed, set, array)| Collections {
        map,
        keyed,
        set,
        array,
        empty: [],
    })
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = text().prop_map(|text| Tree(text, vec![]));
    leaf.prop_recursive(5, 20, 3, |inner| {
        (text(), vec(inner, 0..3)).prop_map(|(text, children)| Tree(text, children))
    })
}

fn bulk() -> impl Strategy<Value = Bulk> {
    (vec(any::<u16>(), 0..50), option::of(vec(any::<i64>(), 0..50)))
        .prop_map(|(numbers, more)| Bulk(Transfer(numbers), more.map(|more| Transfer(more.into()))))
}

fn value() -> impl Strategy<Value = Value> {
    (scalars(), texts(), vec(shape(), 0..5), collections(), tree(), bulk()).prop_map(
        |(scalars, texts, shapes, collections, tree, bulk)| Value {
            scalars,
            texts,
            shapes,
            collections,
            tree,
            bulk,
            unit: Unit,
        },
    )
}

/// What a task makes of a value: it depends on all parts, and is a value itself.
fn turned(mut value: Value) -> (String, Value) {
    let seen = format!("{value:?}");
    value.shapes.reverse();
    value.tree = Tree(value.texts.owned.clone(), vec![value.tree]);
    value.scalars.bytes.0 = value.scalars.bytes.0.wrapping_add(1);
    value.bulk.0.0.reverse();
    (seen, value)
}

/// Looks for a value for which `holds` gives false, and for a small one of these.
async fn assert_for_all<T: Debug>(values: impl Strategy<Value = T>, holds: impl AsyncFn(T) -> bool) {
    let mut runner = TestRunner::deterministic();
    for _ in 0..CASES {
        let mut value = values.new_tree(&mut runner).expect("no strategy here rejects values");
        if holds(value.current()).await {
            continue;
        }
        let mut smallest = format!("{:?}", value.current());
        let mut smaller = value.simplify();
        while smaller {
            if holds(value.current()).await {
                smaller = value.complicate();
            } else {
                smallest = format!("{:?}", value.current());
                smaller = value.simplify();
            }
        }
        panic!("it does not hold for {smallest}");
    }
}

remote_test! {
    async fn a_task_gives_what_a_plain_call_gives() {
        let thread = Thread::new();
        assert_for_all(value(), async |value: Value| {
            let there: Result<_, Error> = thread.spawn_remote(Remote::new(value.clone(), turned)).await;
            there.is_ok_and(|there| there == turned(value))
        }).await;
    }

    async fn many_values_in_flight_do_not_mix() {
        let thread = Thread::new();
        assert_for_all(vec(shape(), 1..20), async |shapes: Vec<Shape>| {
            let sent = shapes.iter().map(|shape| thread.spawn_remote(Remote::new(shape.clone(), |shape: Shape| shape)));
            let handles = sent.collect::<Vec<_>>();
            for (handle, shape) in handles.into_iter().zip(&shapes) {
                if handle.await.ok().as_ref() != Some(shape) {
                    return false;
                }
            }
            true
        }).await;
    }
}
