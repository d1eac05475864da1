use wasm_mt::{remote, remote_trait};

trait Sound {
    fn play(&self);
}

#[remote_trait]
trait Shape {
    fn area(&self) -> f64;
}

fn no_attribute(sound: Box<dyn Sound>) {
    let _ = remote!(move || sound.play());
}

fn with_send(shape: Box<dyn Shape + Send>) {
    let _ = remote!(move || shape.area());
}

fn main() {}
