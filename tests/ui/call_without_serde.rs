use wasm_mt::{ActorCall, call};

struct Point(u32);

fn main() {
    let _: ActorCall<Vec<Point>, Point> = call!(|points| points.pop().unwrap());
    let point = Point(2);
    let _: ActorCall<Vec<Point>, ()> = call!(move |points| points.push(point));
}
