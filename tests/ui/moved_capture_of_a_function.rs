use wasm_mt::{RemoteFn, remote};

fn main() {
    let (prefix, suffix) = (String::from("a"), Some(String::from("b")));
    let _: RemoteFn<u32, String> = remote!(move |n| prefix + &n.to_string());
    let _: RemoteFn<u32, String> = remote!(move |n| suffix.unwrap_or_else(|| n.to_string()));
}

fn later() {
    let (prefix, suffix) = (String::from("a"), String::from("b"));
    let _: RemoteFn<u32, String> = remote!(async move |n| prefix + &n.to_string());
    let _: RemoteFn<u32, String> = remote!(move |n| async move { n.to_string() + &{ suffix } });
}

fn behind_statements() {
    let text = String::from("a");
    let _: RemoteFn<usize, String> = remote!(move |n| {
        let more = n + 1;
        async move { text.repeat(more) }
    });
}
