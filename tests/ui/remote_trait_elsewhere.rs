use wasm_mt::remote_trait;

#[remote_trait]
struct Square(f64);

#[remote_trait]
impl Square {
    fn area(&self) -> f64 {
        self.0 * self.0
    }
}

#[remote_trait]
fn area(square: &Square) -> f64 {
    square.area()
}

#[remote_trait(Send)]
trait Shape {}

#[remote_trait(crate = ::wasm_mt, Send)]
trait Solid {}

fn main() {
    area(&Square(1.0));
}
