//! Captures that only the arguments of macros use.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use futures::{FutureExt as _, select_biased, try_join};
use wasm_mt::yield_now;

use crate::common::on_worker;

macro_rules! map {
    ($($key:expr => $value:expr),* $(,)?) => { BTreeMap::from([$(($key, $value)),*]) };
}

/// Takes statements.
macro_rules! in_order {
    ($($statement:tt)*) => {{ $($statement)* }};
}

/// Takes tokens that are neither expressions nor statements.
macro_rules! add_up {
    ($(+ $value:tt)*) => { 0 $(+ $value)* };
}

macro_rules! text {
    ($($argument:tt)*) => { format!($($argument)*) };
}

remote_test! {
    async fn format_arguments() {
        let (name, width, value) = (String::from("n"), 8, 1.5);
        same!([name, width, value] move || format!("{} {:>w$} {value:?}", name.len(), value + 1.0, w = width));
        same!([name] move || format!("{name} {{name}} {name:?}"));
        same!([width, value] move || format!("{value:width$.1} {0:>width$} {0:.digits$}", value * 2.0, digits = width - 5));
        same!([name] move || { let name = name.len(); format!("{name}") });
    }

    async fn writing_and_printing() {
        let (name, number) = (String::from("n"), 3);
        same!([name, number] move || {
            let mut out = String::new();
            write!(out, "{name}").unwrap();
            writeln!(out, "={:03}", number + 1).unwrap();
            println!("{out}{number}");
            eprintln!("{name}");
            out
        });
    }

    async fn assertions() {
        let (a, b, text) = (1, 2, String::from("{no}"));
        same!([a, b, text] move || {
            assert!(a < b, "{a} is not below {b}");
            assert_eq!(a + 1, b);
            assert_eq!(text, "{no}", "{a}");
            debug_assert_ne!(a, b, "{}", text.len());
        });
    }

    async fn vectors() {
        let (a, n) = (7, 3);
        same!([a, n] move || (vec![a, a + 1], vec![a; n]));
    }

    async fn patterns_in_macros() {
        let (value, limit) = (Some(5), 3);
        same!([value, limit] move || matches!(value, Some(x) if x > limit));
        same!([value] move || matches!(value, Some(0..=9) | None));
    }

    async fn user_macros() {
        let (a, b, c) = (1, 2, 3);
        same!([a, b, c] move || map! { a => b, c => a + b });
        same!([a, b] move || in_order! { let x = a; let y: i32 = x + b; y * 2 });
        same!([a, b, c] move || add_up!(+ a + b + c));
        same!([a] move || text!("{a}"));
    }

    async fn macros_in_macros() {
        let (a, n, list) = (7, 3, vec![1, 2]);
        same!([a, n, list] move || {
            assert!(matches!(list.as_slice(), [first, ..] if *first < n), "{}", format!("{a}"));
            text!("{:?}", vec![vec![a; n], list.iter().map(|x| x + a).collect()])
        });
    }

    async fn macros_that_look_at_no_values() {
        let a = 1;
        same!([a] move || (stringify!(x + y), concat!("a", 1), cfg!(unix), line!() > 0, a).4);
    }

    async fn joins_and_selects() {
        let (a, b) = (1, String::from("b"));
        same_async!([a, b] async move {
            try_join!(async { Ok::<_, String>(a) }, async { yield_now().await; Err::<i32, _>(b) })
        });
        same_async!([a] async move {
            let mut first = Box::pin(async { yield_now().await; a }.fuse());
            let mut second = Box::pin(async { a + 1 }.fuse());
            let mut seen = Vec::new();
            loop {
                select_biased! {
                    x = first => seen.push(x),
                    y = second => seen.push(y + a),
                    complete => break seen,
                }
            }
        });
    }

    async fn expressions_of_another_macro_stay_whole() {
        macro_rules! twice {
            ($value:expr) => { wasm_mt::remote!(move || 2 * $value) };
        }
        macro_rules! twice_later {
            ($value:expr) => { wasm_mt::remote!(async move { 2 * $value }) };
        }
        macro_rules! times {
            ($value:expr) => { wasm_mt::remote!(move |n: i32| n * $value) };
        }
        macro_rules! text_of_twice {
            ($value:expr) => { wasm_mt::remote!(move || format!("{}", 2 * $value)) };
        }
        macro_rules! absolute {
            ($value:expr) => { wasm_mt::remote!(move || $value.abs()) };
        }
        macro_rules! call {
            ($function:expr, $type:ty, $pattern:pat => $result:expr) => {
                wasm_mt::remote!(move || { let $pattern: $type = $function(1); $result })
            };
        }
        let (a, b) = (3, 4_i32);
        assert_eq!(on_worker(twice!(a + b)).await.unwrap(), 14);
        assert_eq!(on_worker(twice!(if a == b { a } else { b })).await.unwrap(), 8);
        assert_eq!(on_worker(twice_later!(a + b)).await.unwrap(), 14);
        assert_eq!(on_worker(times!(a + b).call(10)).await.unwrap(), 70);
        assert_eq!(on_worker(text_of_twice!(a + b)).await.unwrap(), "14");
        assert_eq!(on_worker(absolute!(-b)).await.unwrap(), 4);
        assert_eq!(on_worker(call!(|x| [x, 2], [i32; 2], [1 | 2, x] | [x, _] => -x)).await.unwrap(), -2);
    }
}
