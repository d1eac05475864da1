use std::rc::Rc;
use wasm_mt::{ActorCall, Thread, actor, call};

fn main() {
    let list = Thread::new().spawn_actor(actor!(|| Ok(vec![Rc::new(String::from("sea"))])));
    let _ = list.call(call!(|list| list[0].as_str()));
    let _: ActorCall<Vec<String>, &String> = call!(async |list| &list[0]);
}
