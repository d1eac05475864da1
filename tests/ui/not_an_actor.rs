use wasm_mt::{ActorCall, ActorInit, actor, call};

fn main() {
    let n = 1;
    let _: ActorInit<u32> = actor!();
    let _: ActorInit<u32> = actor!(n);
    let _: ActorInit<u32> = actor!(|n| Ok(n));
    let _: ActorCall<u32, u32> = call!();
    let _: ActorCall<u32, u32> = call!(n);
    let _: ActorCall<u32, u32> = call!(|| 1);
    let _: ActorCall<u32, u32> = call!(async { 1 });
    let _: ActorCall<u32, u32> = call!(|count, more| *count + more);
    let _: ActorCall<u32, u32> = call!(|count| *count + n);
}
