use wasm_mt::{RemoteFn, remote};

fn main() {
    let (list, count) = (vec![1], 0);
    let _: RemoteFn<u32, ()> = remote!(move |n| list.push(n));
    let _: RemoteFn<u32, u32> = remote!(move |n| {
        count += n;
        count
    });
}

fn later() {
    let (list, count) = (vec![1], 0);
    let _: RemoteFn<u32, ()> = remote!(async move |n| list.push(n));
    let _: RemoteFn<u32, u32> = remote!(move |n| async move {
        count += n;
        count
    });
}
