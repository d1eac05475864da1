use serde::{Deserialize, Serialize};
use wasm_mt::remote_trait;

#[remote_trait]
trait Shape {
    fn area(&self) -> f64;
}

struct Square(f64);

impl Shape for Square {
    fn area(&self) -> f64 {
        self.0 * self.0
    }
}

#[derive(Serialize)]
struct Half(f64);

impl Shape for Half {
    fn area(&self) -> f64 {
        self.0
    }
}

#[derive(Serialize, Deserialize)]
struct Scaled<T>(T);

impl<T: Shape> Shape for Scaled<T> {
    fn area(&self) -> f64 {
        self.0.area()
    }
}

fn main() {}
