//! Types that postcard would misread or cannot carry: errors that name the type and its cure.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use wasm_mt::Remote;

use super::{Worker, assert_refused};
use crate::common::on_worker;

/// Asserts that a type is refused as an argument and as a result.
macro_rules! refused {
    ($type:ty, $value:expr, $texts:expr) => {{
        assert_refused(on_worker(Remote::new($value, |_: $type| ())).await, &$texts);
        assert_refused(on_worker(Remote::new((), |()| -> $type { $value })).await, &$texts);
    }};
}

#[derive(Serialize, Deserialize)]
struct SkipsSome {
    id: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
}

#[derive(Serialize, Deserialize)]
enum VariantSkipsSome {
    Book {
        #[serde(skip_serializing_if = "Option::is_none")]
        title: Option<String>,
    },
}

#[derive(Serialize, Deserialize)]
struct TupleSkipsSome(
    u8,
    #[serde(skip_serializing_if = "Option::is_none", default)] Option<u8>,
    #[serde(default)] u8,
);

#[derive(Serialize, Deserialize)]
struct NotWritten {
    #[serde(skip_serializing)]
    _a: u8,
    b: u8,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct NotWrittenWithDefaults {
    #[serde(skip_serializing)]
    a: u8,
    b: u8,
}

#[derive(Serialize, Deserialize)]
struct NotRead {
    a: u8,
    #[serde(skip_deserializing)]
    b: u8,
}

/// As many are written as are read, but others.
#[derive(Serialize, Deserialize)]
struct User {
    #[serde(skip_deserializing)]
    id: u32,
    #[serde(skip_serializing)]
    _password: u32,
}

/// Writes its fields in another order than it reads them.
#[derive(Deserialize)]
struct OtherOrder {
    width: u32,
    height: u32,
}

impl Serialize for OtherOrder {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("OtherOrder", 2)?;
        fields.serialize_field("height", &self.height)?;
        fields.serialize_field("width", &self.width)?;
        fields.end()
    }
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct TupleNotWritten(#[serde(skip_serializing)] u8, u8);

#[derive(Serialize, Deserialize)]
enum VariantNotWritten {
    Value(#[serde(skip_serializing)] u8),
}

#[derive(Serialize, Deserialize)]
enum VariantNotRead {
    Value {
        a: u8,
        #[serde(skip_deserializing)]
        b: u8,
    },
}

#[derive(Serialize, Deserialize)]
enum SkipsVariant {
    First,
    #[serde(skip)]
    _Second,
    Third,
    Fourth,
}

#[derive(Serialize, Deserialize)]
struct OneSidedName {
    #[serde(rename(serialize = "a"))]
    field: u8,
}

#[derive(Serialize, Deserialize)]
struct Flat {
    id: u8,
    #[serde(flatten)]
    rest: BTreeMap<String, u8>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Number(u8),
    Text(String),
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "type")]
enum InternallyTagged {
    Point { x: u8 },
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "type", content = "content")]
enum AdjacentlyTagged {
    Unit,
    Point { x: u8 },
}

/// Reads less than it writes.
struct ReadsLess;

impl Serialize for ReadsLess {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (1u8, "rest").serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ReadsLess {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u8::deserialize(deserializer).map(|_| ReadsLess)
    }
}

/// Reads more than it writes.
struct ReadsMore;

impl Serialize for ReadsMore {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        1u8.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ReadsMore {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <(u8, String)>::deserialize(deserializer).map(|_| ReadsMore)
    }
}

/// Writes one type, reads another.
struct ReadsText;

impl Serialize for ReadsText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        vec![0xffu8; 4].serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ReadsText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|_| ReadsText)
    }
}

struct Ignores;

impl Serialize for Ignores {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        1u8.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Ignores {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Ignores)
    }
}

remote_test! {
    async fn a_field_that_is_skipped_in_some_values_is_named() {
        refused!(SkipsSome, SkipsSome { id: 1, title: None }, ["field `title` of `SkipsSome`", "skip_serializing_if", "remove", "`Described`"]);
        refused!(VariantSkipsSome, VariantSkipsSome::Book { title: None }, ["field `title` of `Book`", "skip_serializing_if"]);
        refused!(TupleSkipsSome, TupleSkipsSome(1, None, 2), ["`TupleSkipsSome`", "#[serde(skip)]"]);
        refused!(
            (u8, Vec<SkipsSome>),
            (1, vec![SkipsSome { id: 1, title: Some("a".into()) }, SkipsSome { id: 1, title: None }]),
            ["field `title` of `SkipsSome`"]
        );

        // a value in which nothing is skipped is as good as any
        let title = on_worker(Remote::new(SkipsSome { id: 1, title: Some("a".into()) }, |s: SkipsSome| s.title));
        assert_eq!(title.await.unwrap().as_deref(), Some("a"));
    }

    async fn a_field_that_is_skipped_on_one_side_is_refused() {
        refused!(NotWritten, NotWritten { _a: 1, b: 2 }, ["`NotWritten`", "skip_serializing", "#[serde(skip)]"]);
        refused!(
            NotWrittenWithDefaults,
            NotWrittenWithDefaults { a: 1, b: 2 },
            ["`NotWrittenWithDefaults`", "skip_serializing", "#[serde(skip)]"]
        );
        refused!(NotRead, NotRead { a: 1, b: 2 }, ["`NotRead`", "skip_deserializing", "#[serde(skip)]"]);
        refused!(TupleNotWritten, TupleNotWritten(1, 2), ["`TupleNotWritten`", "skip_serializing", "#[serde(skip)]"]);
        refused!(VariantNotWritten, VariantNotWritten::Value(1), ["`Value`", "skip_serializing", "#[serde(skip)]"]);
        refused!(VariantNotRead, VariantNotRead::Value { a: 1, b: 2 }, ["`Value`", "skip_deserializing"]);
    }

    async fn skips_that_cancel_out_are_refused() {
        refused!(User, User { id: 1, _password: 2 }, ["`User`", "skip_serializing", "skip_deserializing"]);
    }

    async fn fields_in_another_order_are_refused() {
        refused!(OtherOrder, OtherOrder { width: 1, height: 2 }, ["`OtherOrder`", "fields that it writes"]);
    }

    async fn names_that_differ_between_the_sides_are_refused() {
        refused!(OneSidedName, OneSidedName { field: 1 }, ["`OneSidedName`", "rename"]);
    }

    async fn variants_behind_a_skipped_one_are_refused() {
        refused!(SkipsVariant, SkipsVariant::Third, ["`SkipsVariant`", "put skipped variants last"]);
        refused!(SkipsVariant, SkipsVariant::Fourth, ["SkipsVariant"]);
        on_worker(Remote::new(SkipsVariant::First, |_: SkipsVariant| ())).await.unwrap();
    }

    async fn types_that_ask_what_comes_next_are_refused() {
        let rest = || BTreeMap::from([("b".to_owned(), 2)]);
        let cure = "`Described(value)`, or give its field `#[serde(with = \"wasm_mt::described\")]`";
        refused!(Flat, Flat { id: 1, rest: BTreeMap::from([("b".to_owned(), 2)]) }, ["Flat`", "flatten", cure]);
        refused!(Untagged, Untagged::Number(1), ["Untagged`", "untagged", cure]);
        refused!(Untagged, Untagged::Text("a".into()), ["Untagged`", "untagged", cure]);
        refused!(InternallyTagged, InternallyTagged::Point { x: 1 }, ["InternallyTagged`", "tag", cure]);
        refused!(AdjacentlyTagged, AdjacentlyTagged::Unit, ["AdjacentlyTagged`", "content", cure]);
        refused!(AdjacentlyTagged, AdjacentlyTagged::Point { x: 1 }, ["AdjacentlyTagged`", "content", cure]);
        refused!(serde_json::Value, serde_json::json!({"a": [1, null]}), ["Value`", "serde_json::Value", cure]);
        refused!(Ignores, Ignores, ["Ignores`", "unknown type"]);

        // so does the other cure
        let json = serde_json::to_string(&Flat { id: 1, rest: rest() }).unwrap();
        let id = on_worker(Remote::new(json, |json: String| serde_json::from_str::<Flat>(&json).unwrap().id));
        assert_eq!(id.await.unwrap(), 1);
    }

    async fn the_field_that_holds_such_a_type_is_named() {
        #[derive(Serialize, Deserialize)]
        struct Message {
            id: u8,
            body: Option<serde_json::Value>,
        }
        refused!(Message, Message { id: 1, body: Some(true.into()) }, ["field `body` of `Message`", "serde_json::Value"]);
    }

    async fn what_is_left_over_or_missing_is_refused() {
        refused!(ReadsLess, ReadsLess, ["5 bytes", "left over", "`Deserialize` read all that `Serialize` writes"]);
        refused!(ReadsMore, ReadsMore, ["ReadsMore`", "agree"]);
        refused!(ReadsText, ReadsText, ["ReadsText`", "another type", "agree"]);
    }

    async fn a_refusal_leaves_the_thread_in_order() {
        let worker = Worker::new();
        assert_refused(worker.echo(serde_json::Value::Null).await, &[]);
        let result = Remote::new((), |()| SkipsSome { id: 1, title: None });
        assert_refused(worker.0.spawn_remote(result).await, &[]);
        worker.survives("still here".to_owned()).await;
    }

    async fn an_error_tells_which_task_it_is_of() {
        let error = on_worker(Remote::new(serde_json::Value::Null, |_: serde_json::Value| ())).await.unwrap_err();
        assert!(error.to_string().contains("refusals.rs:"), "{error}");
    }
}
