//! Objects that are not sent, or not as what they are.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use wasm_mt::{Error, Remote, remote, remote_trait};

use super::{Group, Point, Shape, Square, nested};
use crate::common::on_worker;

/// Asserts that a codec error was given, and that its text tells all of this.
#[track_caller]
fn assert_refused<T>(result: Result<T, Error>, texts: &[&str]) {
    let Err(error) = result else { panic!("it must be refused: {texts:?}") };
    assert!(error.is_codec(), "{error}");
    for text in texts {
        assert!(error.to_string().contains(text), "no {text:?} in: {error}");
    }
}

remote_test! {
    async fn objects_are_nested_no_deeper_than_other_values() {
        let deep = nested(128);
        let deep = on_worker(remote!(move || { assert_eq!(deep.area(), 4.0); deep })).await.unwrap();
        assert_eq!(deep.area(), 4.0);
        let deeper = nested(129);
        assert_refused(on_worker(remote!(move || deeper.area())).await, &["nested more than 128 levels"]);
        assert_refused(on_worker(remote!(|| nested(129))).await, &["nested more than 128 levels"]);
    }

    async fn an_object_of_another_trait_is_refused() {
        #[remote_trait]
        trait Sound {}
        impl Sound for Square {}

        #[derive(Serialize)]
        struct Writes(Box<dyn Shape>);
        impl<'de> Deserialize<'de> for Writes {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <Box<dyn Sound>>::deserialize(deserializer).map(|_| Writes(Box::new(Point)))
            }
        }
        let argument = Remote::new(Writes(Box::new(Square(1.0))), |_: Writes| ());
        assert_refused(on_worker(argument).await, &["Writes`", "of another trait", "agree"]);
        let result = Remote::new((), |()| Writes(Box::new(Square(1.0))));
        assert_refused(on_worker(result).await, &["Writes`", "of another trait", "agree"]);
    }

    async fn an_object_that_is_written_or_read_alone_is_refused() {
        struct WritesOnly;
        impl Serialize for WritesOnly {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                (&Square(1.0) as &dyn Shape).serialize(serializer)
            }
        }
        impl<'de> Deserialize<'de> for WritesOnly {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Square::deserialize(deserializer).map(|_| WritesOnly)
            }
        }
        assert_refused(on_worker(Remote::new(WritesOnly, |_| ())).await, &["1 trait objects", "left over"]);

        struct ReadsOnly;
        impl Serialize for ReadsOnly {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                Square(1.0).serialize(serializer)
            }
        }
        impl<'de> Deserialize<'de> for ReadsOnly {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <Box<dyn Shape>>::deserialize(deserializer).map(|_| ReadsOnly)
            }
        }
        assert_refused(on_worker(Remote::new(ReadsOnly, |_| ())).await, &["no trait object", "agree"]);
    }

    async fn what_the_codec_refuses_is_refused_in_an_object() {
        #[derive(Serialize, Deserialize)]
        struct Skips {
            #[serde(skip_serializing_if = "Option::is_none")]
            title: Option<String>,
        }
        impl Shape for Skips {
            fn area(&self) -> f64 {
                0.0
            }
        }
        let group = Group { name: "a".into(), members: vec![Box::new(Skips { title: None })] };
        let shape: Box<dyn Shape> = Box::new(group);
        let text = ["field `title` of `Skips`", "skip_serializing_if", "remove"];
        assert_refused(on_worker(remote!(move || shape.area())).await, &text);

        #[derive(Serialize, Deserialize)]
        struct NotRead {
            #[serde(skip_deserializing)]
            a: u8,
        }
        impl Shape for NotRead {
            fn area(&self) -> f64 {
                self.a.into()
            }
        }
        let shape: Box<dyn Shape> = Box::new(NotRead { a: 1 });
        assert_refused(on_worker(remote!(move || shape.area())).await, &["`NotRead`", "skip_deserializing"]);
    }

    async fn other_formats_get_our_text() {
        let shape: Box<dyn Shape> = Box::new(Square(1.0));
        let text = serde_json::to_string(&shape).unwrap_err().to_string();
        assert!(text.contains("Shape` travels only through wasm-mt") && text.contains("concrete type"), "{text}");
        let Err(error) = serde_json::from_str::<Vec<Box<dyn Shape>>>("[1]") else { panic!("it must be refused") };
        assert!(error.to_string().contains("Shape` travels only through wasm-mt"), "{error}");
    }

    async fn other_formats_get_our_text_within_ours() {
        #[derive(Deserialize)]
        struct ViaJson(String);
        impl Serialize for ViaJson {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let text = serde_json::to_string(&(&Point as &dyn Shape)).unwrap_err().to_string();
                serializer.serialize_newtype_struct("ViaJson", &text)
            }
        }
        impl Shape for ViaJson {
            fn area(&self) -> f64 {
                let text = "travels only through wasm-mt";
                if self.0.contains(text) { 1.0 } else { 0.0 }
            }
        }
        let shape: Box<dyn Shape> = Box::new(ViaJson(String::new()));
        assert_eq!(on_worker(remote!(move || shape.area())).await.unwrap(), 1.0);
    }

    async fn a_panic_while_an_object_writes_itself_spoils_nothing_else() {
        #[derive(Deserialize)]
        struct Panics;
        impl Serialize for Panics {
            fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                panic!("out of order")
            }
        }
        impl Shape for Panics {
            fn area(&self) -> f64 {
                0.0
            }
        }
        let error = on_worker(remote!(|| -> Box<dyn Shape> { Box::new(Panics) })).await;
        let error = error.err().unwrap();
        assert!(error.is_panic() && error.to_string().contains("out of order"), "{error}");
    }
}
