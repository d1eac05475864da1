//! Types of many shapes, and a value of each.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::task::{Transfer, remote_trait};

#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    flag: bool,
    numbers: (u8, i16, u32, i64, u128),
    floats: [f32; 2],
    letter: char,
    text: Option<Box<str>>,
    kinds: Vec<Kind>,
    map: BTreeMap<String, Vec<Option<i64>>>,
    keyed: BTreeMap<(u8, bool), ()>,
    tree: Tree,
    bulk: Option<Transfer<Vec<u16>>>,
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Kind {
    Empty,
    One(f64),
    Two(u8, String),
    Named { x: i32, name: Option<String> },
    Inner(Box<Kind>),
    Many(Vec<Kind>),
    Fallible(Result<u16, String>),
}

#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Tree(String, Vec<Tree>);

/// Each element is large, and takes a byte at least.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Large(Option<[u64; 8]>);

/// Takes no bytes.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Nothing;

#[remote_trait(crate = crate)]
pub(super) trait Drawable {
    fn area(&self) -> u64;
}

#[derive(Serialize, Deserialize)]
struct Square(u32);

impl Drawable for Square {
    fn area(&self) -> u64 {
        u64::from(self.0).pow(2)
    }
}

#[derive(Serialize, Deserialize)]
struct Group {
    name: String,
    parts: Vec<Box<dyn Drawable>>,
}

impl Drawable for Group {
    fn area(&self) -> u64 {
        self.parts.iter().fold(self.name.len() as u64, |sum, part| sum.saturating_add(part.area()))
    }
}

/// An object of another trait.
#[remote_trait(crate = crate)]
pub(super) trait Countable {}

impl Countable for Square {}

pub(super) fn record() -> Record {
    Record {
        flag: true,
        numbers: (1, -2, 3, -4, 5),
        floats: [6.5, f32::NAN],
        letter: 'é',
        text: Some("text".into()),
        kinds: kinds(),
        map: BTreeMap::from([(String::new(), vec![]), ("key".into(), vec![None, Some(-7)])]),
        keyed: BTreeMap::from([((8, false), ()), ((8, true), ())]),
        tree: tree(),
        bulk: Some(Transfer(vec![9; 3])),
    }
}

pub(super) fn kinds() -> Vec<Kind> {
    vec![
        Kind::Empty,
        Kind::One(0.1),
        Kind::Two(2, "two".into()),
        Kind::Named { x: -3, name: Some("three".into()) },
        Kind::Inner(Box::new(Kind::Many(vec![Kind::Empty, Kind::Named { x: 4, name: None }]))),
        Kind::Fallible(Ok(5)),
        Kind::Fallible(Err("six".into())),
    ]
}

pub(super) fn tree() -> Tree {
    let leaf = |name: &str| Tree(name.into(), vec![]);
    Tree("root".into(), vec![leaf("a"), Tree(String::new(), vec![leaf("b"), leaf("c")])])
}

pub(super) fn larges() -> Vec<Large> {
    vec![Large(None), Large(Some([u64::MAX; 8])), Large(None)]
}

pub(super) fn object() -> Box<dyn Drawable> {
    let parts: Vec<Box<dyn Drawable>> =
        vec![Box::new(Square(2)), Box::new(Group { name: "inner".into(), parts: vec![] })];
    Box::new(Group { name: "outer".into(), parts })
}

pub(super) fn other_object() -> Box<dyn Countable> {
    Box::new(Square(3))
}
