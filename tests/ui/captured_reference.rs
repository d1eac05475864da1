use wasm_mt::remote;

fn slices(text: &str, bytes: &[u8]) {
    let _ = remote!(move || text.len());
    let _ = remote!(async move { bytes.len() });
}

fn references(list: &Vec<u8>, count: &mut u32) {
    let _ = remote!(move || list.len());
    let _ = remote!(move |x: u32| x + *count);
}

fn inside(name: Option<&str>, names: Vec<&str>) {
    let _ = remote!(move || name.is_some());
    let _ = remote!(move || names.len());
}

fn literal() {
    let text = "text";
    let _ = remote!(move || println!("{text}"));
}

fn main() {}
