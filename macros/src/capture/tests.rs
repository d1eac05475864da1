//! What the analysis takes for captures, form by form. That such tasks run, `tests/it/capture` of the crate shows.

use super::find;
use crate::grammar::Task;

#[track_caller]
fn captures(task: &str, expected: &[&str]) {
    let parsed: Task = syn::parse_str(task).expect("the task parses");
    let found: Vec<String> = match find(&parsed.code) {
        Ok(found) => found.iter().map(ToString::to_string).collect(),
        Err(error) => error.into_iter().map(|error| error.to_string()).collect(),
    };
    assert_eq!(found, expected, "{task}");
}

#[test]
fn uses_in_expressions() {
    captures("move || a + b.field - c.method(d) * e[f]", &["a", "b", "c", "d", "e", "f"]);
    captures("move || (&a, &mut b, *c, -d, !e, f?, g as u64)", &["a", "b", "c", "d", "e", "f", "g"]);
    captures("move || [a, b, [c; 4].len()]", &["a", "b", "c"]);
    captures("move || (a..b, c..=d, ..e, f..)", &["a", "b", "c", "d", "e", "f"]);
    captures("move || { a = 1; b += 2; (c, _) = d; return e }", &["a", "b", "c", "d", "e"]);
    captures("async move { a.await?; b.c.await }", &["a", "b"]);
    captures("move || { 'a: loop { break 'a b; } }", &["b"]);
    captures("move || unsafe { a.b() }", &["a"]);
    captures("move || a.b.c.d", &["a"]);
    captures("move || a.0.1", &["a"]);
}

#[test]
fn each_once_in_the_order_of_use() {
    captures("move || b + a + b + a", &["b", "a"]);
}

#[test]
fn nothing_that_is_no_variable() {
    captures("|| f(1) + module::g(2) + self::h + Type::new().n + N + None + _N", &[]);
    captures("|| double::<i32>", &[]);
    captures("|| (f)(1)", &[]);
    captures("|| <Vec<u8>>::with_capacity(1)", &[]);
    captures("|| std::iter::repeat(1).map(u64::from).collect::<Vec<_>>()", &[]);
    captures("|| [0; n]", &[]);
    captures("|| { let _: [u8; n] = x::<{ n }>(); const { n } }", &[]);
}

#[test]
fn callees_are_functions_but_what_they_are_called_on_is_not() {
    captures("move || (a.callback)(b)", &["a", "b"]);
    captures("move || a(b)(c)", &["b", "c"]);
}

#[test]
fn a_bare_name_as_an_argument() {
    captures("move || list.iter().map(double)", &["list", "double"]);
    captures("move || list.iter().map(self::double)", &["list"]);
}

#[test]
fn shadowing() {
    captures("move || { let a = a; a }", &["a"]);
    captures("move || { let a = 1; a }", &[]);
    captures("move || { { let a = 1; a }; a }", &["a"]);
    captures("move || { let a = b; let b = a; b }", &["b"]);
    captures("move || { let a; a = 1; a }", &[]);
    captures("move || { a; let a = 1; }", &["a"]);
}

#[test]
fn patterns() {
    captures("|| { let (a, [b, .., c], &d, e @ 1..=2) = f(); a + b + c + d + e }", &[]);
    captures("|| { let Point { x, y: z, .. } = p(); x + z }", &[]);
    captures("move || { let Point { x: z, .. } = p(); x + z }", &["x"]);
    captures(
        "|| { let ref a = 1; let mut b = 2; let Some(ref mut c) = d() else { return }; (a, b, c) }",
        &[],
    );
    captures("|| { let (A(x) | B(x)) = f(); x }", &[]);
    captures("|| { let all @ [first, rest @ ..] = f(); (all, first, rest) }", &[]);
    captures("|| { let x: u64 = 1; x }", &[]);
}

#[test]
fn conditions_bind_for_their_block_only() {
    captures("move || if let Some(x) = a { x } else { x }", &["a", "x"]);
    captures(
        "move || if let Some(x) = a && let Some(y) = x.b(c) && x > y { x } else { d }",
        &["a", "c", "d"],
    );
    captures("move || { while let Some(x) = a.next() { x; } x }", &["a", "x"]);
    captures("move || { let Some(x) = a else { return b }; x }", &["a", "b"]);
    captures("move || { let x = 1 else { x }; }", &["x"]);
}

#[test]
fn loops() {
    captures("move || for (i, x) in a.iter().enumerate() { b.push(i + x) }", &["a", "b"]);
    captures("move || { for i in 0..i { i; } }", &["i"]);
    captures("move || 'outer: for i in 0..n { loop { if i > m { break 'outer } } }", &["n", "m"]);
}

#[test]
fn match_arms_and_guards() {
    captures("move || match a { Some(x) if x > b => x, Some(MAX) | None => c, n => n }", &["a", "b", "c"]);
    captures("move || match a { x if let Some(y) = x => y, x => y }", &["a", "y"]);
    captures("move || match a { x @ 0..=9 => x, _ => x }", &["a", "x"]);
}

#[test]
fn closures_and_async_blocks_inside() {
    captures("move || list.map(|x| x + a).filter(|&(x, y)| x > y + b)", &["list", "a", "b"]);
    captures("move || { let f = |a| a + b; f(a) }", &["b", "a"]);
    captures("async move { let f = async { a + b }; f.await + c }", &["a", "b", "c"]);
    captures("move || async move |x| x + a", &["a"]);
}

#[test]
fn the_open_argument_is_bound() {
    captures("move |x| x + a", &["a"]);
    captures("move |(x, Point { y, .. }): (u8, Point)| x + y + a", &["a"]);
    captures("async move |x: u8| -> u8 { x + a }", &["a"]);
    captures("move |x| async move { x + a }", &["a"]);
}

#[test]
fn struct_literals() {
    captures("move || Point { x, y: z, ..base }", &["x", "z", "base"]);
    captures("move || Point { x: 1, y: 2 }", &[]);
}

#[test]
fn items_inside_are_their_own_world() {
    captures("|| { fn f(a: u8) -> u8 { a + b } f(1) }", &[]);
    captures(
        "|| { const N: u8 = 1; static M: u8 = 2; struct P { x: u8 } impl P { fn f(&self) -> u8 { self.x } } N }",
        &[],
    );
    captures("move || { x.map(double); fn double(x: u8) -> u8 { x } }", &["x"]);
    captures("move || { use std::cmp::max as most; use a::{b, c::d}; x.f(most, b, d) }", &["x"]);
    captures("move || { { fn a() {} } f(a) }", &["a"]);
    captures("|| { macro_rules! m { ($x:expr) => { $x + y } } }", &[]);
}

#[test]
fn raw_names() {
    captures("move || r#type + r#match.r#fn", &["r#type", "r#match"]);
    captures("move || { let r#type = 1; r#type }", &[]);
}

#[test]
fn self_is_refused_everywhere() {
    let refused =
        "a task cannot capture `self`: bind what it uses of it before, `let value = self.value.clone();`";
    captures("move || self.value", &[refused]);
    captures("move || self.f(self)", &[refused, refused]);
    captures("move || println!(\"{self}\")", &[refused]);
    captures("move || format!(\"{}\", self.x)", &[refused]);
    captures("|| Self::f()", &[]);
}

#[test]
fn format_strings() {
    captures(
        r#"move || format!("{a} {b:?} {{c}} {d:>e$.f$} {0:g$} {:.*}", 1, h)"#,
        &["h", "a", "b", "d", "e", "f", "g"],
    );
    captures(r#"move || println!("{x} {y}", x = a, y = 1)"#, &["a"]);
    captures(r#"move || write!(out, "{a}")"#, &["out", "a"]);
    captures(r#"move || writeln!(out)"#, &["out"]);
    captures(r#"move || assert!(a > 1, "{b}")"#, &["a", "b"]);
    captures(r#"move || assert_eq!(text, "{no}", "{a}")"#, &["text", "a"]);
    captures(r#"move || panic!("{a:#?}")"#, &["a"]);
    captures(r##"move || format!(r#"{a}"#)"##, &["a"]);
    captures(r#"move || format!("{type}")"#, &["r#type"]);
    captures(r#"move || { let a = 1; format!("{a}{b}") }"#, &["b"]);
    captures(r#"move || vec!["{no}"]"#, &[]);
    captures(r#"move || format!("{:?}", str)"#, &["str"]);
    captures(r#"move || console_ln!("{:?} {b}", str)"#, &["str", "b"]);
    captures(r#"async move { exec_js!(th, "return { a: {b} };").await }"#, &["th"]);
    captures(r#"async move { wasm_mt::pool_exec_js_async!(pool, "({a})", |r| r) }"#, &["pool"]);
}

#[test]
fn format_strings_with_odd_fills_and_faults() {
    captures(r#"move || format!("{a:}>4}{b}")"#, &["a", "b"]);
    captures(r#"move || format!("{a:é^w$}")"#, &["a", "w"]);
    captures(r#"move || format!("{a:+#010.3e}")"#, &["a"]);
    captures(r#"move || format!("{a:0w$}")"#, &["a", "w"]);
    captures(r#"move || format!("{ a } {0} {} { ")"#, &["a"]);
    captures(r#"move || format!("{a} } {b}")"#, &["a"]);
    captures(r#"move || format!("{a.b} {²}")"#, &[]);
}

#[test]
fn macros_of_the_standard_library() {
    captures("move || vec![a, b]", &["a", "b"]);
    captures("move || vec![a; n]", &["a", "n"]);
    captures("move || dbg!(a).b", &["a"]);
    captures("move || matches!(a, Some(x) if x > b)", &["a", "b"]);
    captures("move || matches!(a.b(), 0..=9 | 20)", &["a"]);
    captures(
        "|| (cfg!(unix), stringify!(a + b), concat!(\"a\", 1), line!(), env!(\"X\"), offset_of!(P, x))",
        &[],
    );
    captures("|| std::println!()", &[]);
}

#[test]
fn macros_of_others() {
    captures(r#"move || wasm_mt::println!("{a}")"#, &["a"]);
    captures(r#"move || info!(target: "t", user = b, ?c, %d, "{a}")"#, &["b", "c", "d", "a"]);
    captures("move || ensure!(a > b, \"{c}\")", &["a", "b", "c"]);
    captures("move || hashmap! { a => b, c => d }", &["a", "b", "c", "d"]);
    captures("move || on!(a, Some(x) => x + b, Point { x, .. } => x)", &["a", "b"]);
    captures("move || my_block! { let x = a; let y: u8 = x; x + y + b }", &["a", "b"]);
    captures("move || size!(u8, usize, a)", &["a"]);
    captures("move || json!({ \"a\": a, \"b\": [b, null], \"c\": null })", &["a", "b"]);
    captures("move || join!(a, async { b.await })", &["a", "b"]);
    captures("move || set! { a = b; }", &["a", "b"]);
}

#[test]
fn select() {
    captures(
        "async move { select! { x = a => x, y = b.next() => y + c, complete => d } }",
        &["a", "b", "c", "d"],
    );
    captures("async move { select! { biased; Some(x) = a, if b => { x } default => c } }", &["a", "b", "c"]);
}

#[test]
fn tokens_of_unknown_grammar() {
    captures(
        "move || odd!(a b.c d::e f(g) h! { i } j: k, l = m, n == o, ..p)",
        &["a", "b", "g", "i", "k", "m", "n", "o", "p"],
    );
    captures("move || odd!(=> let x = a; x + b, for y in c { y + x } |z, w| z + d)", &["a", "b", "c", "d"]);
    captures("move || odd!(=> match a { Some(x) if x > b => x, n => c })", &["a", "b", "n", "c"]);
    captures("move || odd!(<- #[attribute(no)] 'label a != b as u8 fn f(x: u8) { y } c)", &["a", "b", "c"]);
    captures("move || odd!(<- println!(\"{a}\") self::f Type N)", &["a"]);
}

#[test]
fn a_task_inside_captures_from_the_outer_one() {
    captures("async move { remote!(move |x| x + a).call(b).await }", &["a", "b"]);
    captures("async move { let b = 1; wasm_mt::remote!(async move { a + b }).await }", &["a"]);
    captures("async move { remote!([a, b = c.clone()] move || a + b + no).await }", &["a", "c"]);
    captures("async move { list.call(call!(move |list| list.push(a))).await }", &["list", "a"]);
    captures("async move { pool.spawn_actor(actor!(move || Ok(a + b))) }", &["pool", "a", "b"]);
    captures("move || call!(a, b + 1)", &["a", "b"]);
}

#[test]
fn the_explicit_list_is_all() {
    let task: Task = syn::parse_str("[a, b = c.clone(),] move || a + d").expect("the task parses");
    let names: Vec<String> = task.captures.iter().flatten().map(|capture| capture.name.to_string()).collect();
    assert_eq!(names, ["a", "b"]);
}
