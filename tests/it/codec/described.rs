//! Types that ask what comes next, in the wrapper with which they cross.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wasm_mt::{Described, Transfer, remote};

use super::{Worker, assert_refused};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Flat {
    id: u8,
    #[serde(flatten)]
    place: Place,
    #[serde(flatten)]
    rest: BTreeMap<String, Untagged>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Place {
    /// Written in another way for humans.
    address: IpAddr,
    height: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Untagged {
    Number(i64),
    Exact(f64),
    Text(String),
    ByNumber(BTreeMap<u32, bool>),
    List(Vec<Untagged>),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
enum InternallyTagged {
    Unit,
    Point { x: u8 },
    Flat(Box<Flat>),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "content")]
enum AdjacentlyTagged {
    Unit,
    Tuple(u8, String),
    Inner(InternallyTagged),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct SkipsSome {
    id: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
}

/// One of many whose other parts cross as ever.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Message {
    id: u32,
    #[serde(with = "wasm_mt::described")]
    body: Value,
    pixels: Transfer<Vec<u8>>,
    #[serde(with = "wasm_mt::described")]
    rest: Option<Vec<InternallyTagged>>,
    end: String,
}

fn flat() -> Flat {
    let rest = [
        ("number", Untagged::Number(-1)),
        ("exact", Untagged::Exact(0.1 + 0.2)),
        ("text", Untagged::Text("Zürich".into())),
        ("by number", Untagged::ByNumber(BTreeMap::from([(7, true)]))),
        ("list", Untagged::List(vec![Untagged::Number(i64::MAX), Untagged::List(vec![])])),
    ];
    let place = Place { address: [127, 0, 0, 1].into(), height: -0.0 };
    Flat { id: 1, place, rest: rest.map(|(name, value)| (name.to_owned(), value)).into() }
}

fn value() -> Value {
    json!({"a": [1, -2, 0.5, null, true], "b": {"": "text"}, "large": u64::MAX, "small": i64::MIN, "float": 1e300})
}

remote_test! {
    async fn types_that_ask_what_comes_next_cross_in_the_wrapper() {
        let worker = Worker::new();
        worker.survives(Described(value())).await;
        worker.survives(Described(flat())).await;
        worker.survives(vec![
            Described(InternallyTagged::Unit),
            Described(InternallyTagged::Point { x: 1 }),
            Described(InternallyTagged::Flat(Box::new(flat()))),
        ]).await;
        worker.survives((
            Described(AdjacentlyTagged::Unit),
            Described(AdjacentlyTagged::Tuple(1, "a".into())),
            Some(Described(AdjacentlyTagged::Inner(InternallyTagged::Point { x: 2 }))),
        )).await;
        worker.survives(Described(SkipsSome { id: 1, title: None })).await;
        worker.survives(Described(SkipsSome { id: 1, title: Some("a".into()) })).await;
        worker.survives(BTreeMap::from([("a".to_owned(), Described(value()))])).await;
    }

    async fn every_shape_crosses_in_the_wrapper() {
        let worker = Worker::new();
        worker.survives(Described((u64::MAX, i64::MIN, u128::MAX, i128::MIN, true, 'x', "text".to_owned()))).await;
        worker.survives(Described((f32::INFINITY, f64::MIN_POSITIVE, 1.0f64 / 3.0, -0.0f32))).await;
        worker.survives(Described(((), [(); 0], [1u8; 3], None::<u8>, Some(1u8), vec![Ok::<_, String>(1u8), Err("no".into())]))).await;
        worker.survives(Described(BTreeMap::from([((1u8, 'a'), vec![BTreeMap::from([(-1i32, false)])])]))).await;
        worker.survives(Described(Described(value()))).await;
        let nan = worker.echo(Described(f64::NAN)).await.unwrap().0;
        assert_eq!(nan.to_bits(), f64::NAN.to_bits());
    }

    async fn a_field_crosses_by_an_attribute() {
        let worker = Worker::new();
        let message = Message {
            id: 1,
            body: value(),
            pixels: Transfer(vec![1, 2]),
            rest: Some(vec![InternallyTagged::Unit, InternallyTagged::Point { x: 1 }]),
            end: "end".into(),
        };
        worker.survives(message.clone()).await;
        worker.survives(vec![Message { rest: None, ..message.clone() }, message]).await;
    }

    async fn captures_and_results_can_be_wrapped() {
        let body = Described(value());
        let task = remote!(move || {
            let mut body = body.0;
            body["a"].as_array_mut().unwrap().push("seen".into());
            Described(body)
        });
        let Described(body) = crate::common::on_worker(task).await.unwrap();
        assert_eq!(body["a"], json!([1, -2, 0.5, null, true, "seen"]));
    }

    async fn other_formats_see_the_value_alone() {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct Body {
            #[serde(with = "wasm_mt::described")]
            body: Value,
        }
        let both = (Described(InternallyTagged::Point { x: 1 }), Body { body: json!([1]) });
        let text = serde_json::to_string(&both).unwrap();
        assert_eq!(text, r#"[{"type":"Point","x":1},{"body":[1]}]"#);
        assert_eq!(serde_json::from_str::<(Described<InternallyTagged>, Body)>(&text).unwrap(), both);
    }

    async fn what_cannot_be_described_is_refused() {
        let worker = Worker::new();
        let transfer = worker.echo(Described(Transfer(vec![1u8]))).await;
        assert_refused(transfer, &["Described<", "`Transfer` travels only through wasm-mt"]);
        let deep = (0..200).fold(Value::Null, |inner, _| json!([inner]));
        assert_refused(worker.echo(Described(deep)).await, &["Described<", "depth limit"]);
        // Of another type at the other end.
        #[derive(Debug, Deserialize)]
        struct ReadsOther(Described<u8>);
        impl Serialize for ReadsOther {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_newtype_struct("ReadsOther", &Described(format!("{:?}", self.0)))
            }
        }
        assert_refused(worker.echo(ReadsOther(Described(1))).await, &["ReadsOther", "as MessagePack"]);
        worker.survives(Described(value())).await;
    }
}
