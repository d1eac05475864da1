use wasm_mt::{Remote, remote};

struct Scene {
    width: u32,
}

impl Scene {
    fn area(&self) -> u32 {
        self.width * self.width
    }

    fn field(&self) -> Remote<u32> {
        remote!(move || self.width + 1)
    }

    fn method(&self) -> Remote<u32> {
        remote!(async move { self.area() })
    }

    fn format_string(self) -> Remote<String> {
        remote!(move || format!("{}", self.width))
    }

    fn in_the_list(self) -> Remote<u32> {
        remote!([self] move || self.width)
    }

    fn beside_a_list(self) -> Remote<u32> {
        remote!([width = self.width] move || width + self.area())
    }
}

fn main() {}
