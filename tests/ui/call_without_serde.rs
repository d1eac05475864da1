use wasm_mt::{Thread, actor, call};

struct Point(u32);

fn main() {
    let points = Thread::new().spawn_actor(actor!(|| Ok(vec![Point(1)])));
    let _ = points.call(call!(|points| points.pop().unwrap()));
    let point = Point(2);
    let _ = points.call(call!(move |points| points.push(point)));
}
