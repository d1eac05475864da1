//! Trait objects in tasks.

mod forms;
mod refusals;

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use wasm_mt::{Remote, RemoteFn, Thread, Transfer, remote, remote_trait};

use crate::common::on_worker;

#[remote_trait]
trait Shape {
    fn area(&self) -> f64;

    fn grow(&mut self, _factor: f64) {}

    fn into_area(self: Box<Self>) -> f64 {
        self.area()
    }
}

#[derive(Serialize, Deserialize)]
struct Square(f64);

impl Shape for Square {
    fn area(&self) -> f64 {
        self.0 * self.0
    }

    fn grow(&mut self, factor: f64) {
        self.0 *= factor;
    }
}

#[derive(Serialize, Deserialize)]
struct Rectangle {
    width: f64,
    height: f64,
}

impl Shape for Rectangle {
    fn area(&self) -> f64 {
        self.width * self.height
    }
}

#[derive(Serialize, Deserialize)]
struct Point;

impl Shape for Point {
    fn area(&self) -> f64 {
        0.0
    }
}

#[derive(Serialize, Deserialize)]
struct Times<T>(f64, T);

impl<T: Shape + Serialize + DeserializeOwned> Shape for Times<T> {
    fn area(&self) -> f64 {
        self.0 * self.1.area()
    }
}

#[derive(Serialize, Deserialize)]
struct Group {
    name: String,
    members: Vec<Box<dyn Shape>>,
}

impl Shape for Group {
    fn area(&self) -> f64 {
        self.members.iter().map(|member| member.area()).sum()
    }
}

/// A shape that is nothing but another one.
#[derive(Serialize, Deserialize)]
struct Same(Box<dyn Shape>);

impl Shape for Same {
    fn area(&self) -> f64 {
        self.0.area()
    }
}

fn nested(levels: usize) -> Box<dyn Shape> {
    (1..levels).fold(Box::new(Square(2.0)), |inner, _| Box::new(Same(inner)))
}

fn shapes() -> Vec<Box<dyn Shape>> {
    vec![
        Box::new(Square(3.0)),
        Box::new(Point),
        Box::new(Times(2.0, Rectangle { width: 2.0, height: 5.0 })),
        Box::new(Times(2.0, Times(3.0, Square(1.0)))),
        Box::new(Square(1.0)),
    ]
}

fn areas(shapes: &[Box<dyn Shape>]) -> Vec<f64> {
    shapes.iter().map(|shape| shape.area()).collect()
}

const AREAS: [f64; 5] = [9.0, 0.0, 20.0, 6.0, 1.0];

remote_test! {
    async fn an_object_crosses_as_an_argument() {
        let shape: Box<dyn Shape> = Box::new(Square(3.0));
        assert_eq!(on_worker(remote!(move || shape.area())).await.unwrap(), 9.0);
        let shape: Box<dyn Shape> = Box::new(Rectangle { width: 2.0, height: 5.0 });
        assert_eq!(on_worker(Remote::new(shape, |shape: Box<dyn Shape>| shape.into_area())).await.unwrap(), 10.0);
        let shape: Box<dyn Shape> = Box::new(Point);
        assert_eq!(on_worker(remote!(async move { shape.area() })).await.unwrap(), 0.0);
    }

    async fn an_object_crosses_as_a_result() {
        let side = 4.0;
        let mut shape = on_worker(remote!(move || -> Box<dyn Shape> { Box::new(Square(side)) })).await.unwrap();
        assert_eq!(shape.area(), 16.0);
        shape.grow(2.0);
        assert_eq!(shape.area(), 64.0);

        // there and back again, changed there
        let shape = on_worker(remote!(async move || { shape.grow(0.5); shape })).await.unwrap();
        assert_eq!(shape.area(), 16.0);
    }

    async fn objects_cross_inside_other_values() {
        #[derive(Serialize, Deserialize)]
        enum Layer {
            Empty,
            One { id: u8, shape: Box<dyn Shape> },
            Many(Vec<Box<dyn Shape>>),
        }
        type Scene = (Layer, Option<Box<dyn Shape>>, BTreeMap<String, Box<dyn Shape>>, Layer, Layer, [Box<dyn Shape>; 2]);
        let scene: Scene = (
            Layer::One { id: 7, shape: Box::new(Square(1.0)) },
            Some(Box::new(Point)),
            BTreeMap::from([("a".to_owned(), Box::new(Square(2.0)) as _), ("b".to_owned(), shapes().remove(2))]),
            Layer::Empty,
            Layer::Many(shapes()),
            [nested(3), nested(1)],
        );
        let scene = on_worker(Remote::new(scene, |scene: Scene| {
            assert_eq!(areas(&scene.5), [4.0, 4.0]);
            scene
        }));
        let (one, some, map, empty, many, _) = scene.await.unwrap();
        assert!(matches!(one, Layer::One { id: 7, shape } if shape.area() == 1.0));
        assert_eq!(some.unwrap().area(), 0.0);
        assert_eq!((map["a"].area(), map["b"].area()), (4.0, 20.0));
        assert!(matches!(empty, Layer::Empty));
        assert!(matches!(many, Layer::Many(shapes) if areas(&shapes) == AREAS));
    }

    async fn each_object_of_a_vector_is_of_its_own_type() {
        let shapes = shapes();
        let (there, shapes) = on_worker(remote!(move || (areas(&shapes), shapes))).await.unwrap();
        assert_eq!(there, AREAS);
        assert_eq!(areas(&shapes), AREAS);
    }

    async fn an_object_holds_objects() {
        let group = Group { name: "inner".into(), members: shapes() };
        let group = Group { name: "outer".into(), members: vec![Box::new(Square(2.0)), Box::new(group), Box::new(Point)] };
        let shape: Box<dyn Shape> = Box::new(Times(10.0, group));
        let shape = on_worker(remote!(move || shape)).await.unwrap();
        assert_eq!(shape.area(), 400.0);
    }

    async fn a_task_that_is_called_again_brings_its_objects_again() {
        let thread = Thread::new();
        let captured: Vec<Box<dyn Shape>> = vec![Box::new(Square(2.0)), Box::new(Point)];
        let sum: RemoteFn<Box<dyn Shape>, f64> = remote!(move |shape| areas(&captured).iter().sum::<f64>() + shape.area());
        assert_eq!(thread.spawn_remote(sum.call(Box::new(Square(1.0)))).await.unwrap(), 5.0);
        assert_eq!(thread.spawn_remote(sum.call(Box::new(Rectangle { width: 1.0, height: 3.0 }))).await.unwrap(), 7.0);
    }

    async fn an_object_brings_its_attachments() {
        #[derive(Serialize, Deserialize)]
        struct Raster(u8, Transfer<Vec<f64>>);
        impl Shape for Raster {
            fn area(&self) -> f64 {
                self.1.0.iter().sum()
            }
        }
        let shapes: Vec<Box<dyn Shape>> = vec![
            Box::new(Raster(1, Transfer(vec![1.0; 10_000]))),
            Box::new(Square(1.0)),
            Box::new(Raster(2, Transfer(vec![0.5; 10]))),
        ];
        let transferred = Transfer(vec![1u8]);
        let shapes = on_worker(remote!(move || (transferred, shapes).1)).await.unwrap();
        assert_eq!(areas(&shapes), [10_000.0, 1.0, 5.0]);
    }
}
