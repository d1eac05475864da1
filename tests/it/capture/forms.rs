//! The forms of a task: closures and blocks, sync and async, with and without an open argument, an explicit list.

use std::num::ParseIntError;

use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_mt::{Remote, RemoteFn, remote, yield_now};

use crate::common::on_worker;

remote_test! {
    async fn a_closure() {
        let (count, text) = (3, String::from("ab"));
        same!([count, text] move || text.repeat(count));
    }

    async fn a_closure_without_captures_needs_no_move() {
        same!([] || 6 * 7);
        same!([] move || 6 * 7);
    }

    async fn an_async_block() {
        let (count, text) = (3, String::from("ab"));
        same_async!([count, text] async move {
            yield_now().await;
            text.repeat(count)
        });
    }

    async fn an_async_block_without_captures_needs_no_move() {
        assert_eq!(on_worker(remote!(async { yield_now().await; 42 })).await.unwrap(), 42);
    }

    async fn an_async_closure() {
        let (count, text) = (3, String::from("ab"));
        same_async!([count, text] async move || {
            yield_now().await;
            text.repeat(count)
        });
        same_async!([count] async move || count + 1);
        same_async!([] async || 42);
    }

    async fn a_closure_that_ends_in_an_async_block() {
        let count = 3;
        same_async!([count] move || async move { yield_now().await; count + 1 });
        same_async!([count] move || {
            let more = count + 1;
            async move { yield_now().await; more }
        });
    }

    async fn a_closure_with_the_type_of_its_result() {
        let text = String::from("12");
        same!([text] move || -> Result<i32, String> {
            if text.is_empty() {
                return Err("empty".into());
            }
            let number: i32 = text.parse().map_err(|error: ParseIntError| error.to_string())?;
            Ok(number)
        });
    }

    async fn an_async_closure_with_the_type_of_its_result() {
        for text in ["12", "x", ""].map(String::from) {
            same_async!([text] async move || -> Result<i32, String> {
                if text.is_empty() {
                    return Err("empty".into());
                }
                yield_now().await;
                let number: i32 = text.parse().map_err(|error: ParseIntError| error.to_string())?;
                Ok(number)
            });
        }
    }

    async fn question_marks_inside() {
        for text in ["12", "x"].map(String::from) {
            same!([text] move || Ok::<i32, String>(text.parse::<i32>().map_err(|error| error.to_string())? + 1));
            same_async!([text] async move { Ok::<i32, String>(text.parse::<i32>().map_err(|error| error.to_string())? + 1) });
            same!([text] move || Some(text.chars().next()?.to_digit(10)? + 1));
        }
    }

    async fn an_open_argument() {
        let factor = 3;
        let scale: RemoteFn<i32, i32> = remote!(move |x| factor * x);
        assert_eq!(on_worker(scale.call(5)).await.unwrap(), 15);
        assert_eq!(on_worker(scale.call(7)).await.unwrap(), 21);
    }

    async fn an_open_argument_with_its_type() {
        let factor = 3;
        let scale = remote!(move |x: i32| factor * x);
        assert_eq!(on_worker(scale.call(5)).await.unwrap(), 15);
    }

    async fn an_open_argument_whose_type_the_use_tells() {
        fn all<R>(arguments: Vec<i32>, function: &RemoteFn<i32, R>) -> Vec<Remote<R>>
        where
            R: Serialize + DeserializeOwned + 'static,
        {
            arguments.into_iter().map(|x| function.call(x)).collect()
        }
        let offset = 1;
        for (task, expected) in all(vec![1, 2, 3], &remote!(move |x| x.pow(2) + offset)).into_iter().zip([2, 5, 10]) {
            assert_eq!(on_worker(task).await.unwrap(), expected);
        }
    }

    async fn a_pattern_as_open_argument() {
        let offset = 1;
        let function = remote!(move |(x, mut y): (i32, i32)| { y += offset; x * y });
        assert_eq!(on_worker(function.call((2, 3))).await.unwrap(), 8);
    }

    async fn an_open_argument_of_async_tasks() {
        let factor = 3;
        let closure: RemoteFn<i32, i32> = remote!(async move |x| { yield_now().await; factor * x });
        let block: RemoteFn<i32, i32> = remote!(move |x| async move { yield_now().await; factor * x });
        let typed = remote!(async move |x: i32| -> Result<i32, String> {
            yield_now().await;
            if x < 0 { return Err("negative".into()) }
            Ok(factor * x)
        });
        assert_eq!(on_worker(closure.call(5)).await.unwrap(), 15);
        assert_eq!(on_worker(block.call(5)).await.unwrap(), 15);
        assert_eq!(on_worker(typed.call(5)).await.unwrap(), Ok(15));
        assert_eq!(on_worker(typed.call(-5)).await.unwrap(), Err("negative".into()));
    }

    async fn an_open_argument_without_captures_needs_no_move() {
        let double: RemoteFn<i32, i32> = remote!(|x| x * 2);
        assert_eq!(on_worker(double.call(5)).await.unwrap(), 10);
        let later: RemoteFn<i32, i32> = remote!(async |x| x * 2);
        assert_eq!(on_worker(later.call(5)).await.unwrap(), 10);
    }

    async fn an_explicit_list_names_values() {
        let (count, text) = (2, String::from("ab"));
        let task = remote!([count, twice = text.repeat(2), one = 1] move || twice.repeat(count + one));
        assert_eq!(on_worker(task).await.unwrap(), "abab".repeat(3));
        assert_eq!(text, "ab", "only its clone was moved");
    }

    async fn an_explicit_list_is_evaluated_here() {
        async fn task_of(text: &str) -> Result<Remote<i32>, ParseIntError> {
            Ok(remote!([n = text.parse::<i32>()?, m = async { 1 }.await] move || n + m))
        }
        assert_eq!(on_worker(task_of("41").await.unwrap()).await.unwrap(), 42);
        assert!(task_of("x").await.is_err());
    }

    async fn an_explicit_list_for_every_form() {
        let n = 1;
        assert_eq!(on_worker(remote!([m = n + 1] async move { m })).await.unwrap(), 2);
        assert_eq!(on_worker(remote!([m = n + 1] async move || m)).await.unwrap(), 2);
        assert_eq!(on_worker(remote!([m = n + 1] move |x: i32| m * x).call(5)).await.unwrap(), 10);
        assert_eq!(on_worker(remote!([] || 1)).await.unwrap(), 1);
    }

    async fn an_explicit_list_reaches_fields_of_self() {
        struct Scene { width: u32 }
        impl Scene {
            fn task(&self) -> Remote<u32> {
                remote!([width = self.width] move || width * 2)
            }
        }
        assert_eq!(on_worker(Scene { width: 4 }.task()).await.unwrap(), 8);
    }

    async fn parentheses_and_a_comma_at_the_end() {
        let n = 1;
        assert_eq!(on_worker(remote!((move || n + 1),)).await.unwrap(), 2);
    }

    async fn a_closure_that_comes_through_another_macro() {
        macro_rules! through {
            ($task:expr) => { remote!($task) };
        }
        macro_rules! through_twice {
            ($task:expr) => { through!($task) };
        }
        let (count, text) = (3, String::from("ab"));
        let expected = text.repeat(count);
        let again = text.clone();
        assert_eq!(on_worker(through!(move || text.repeat(count))).await.unwrap(), expected);
        assert_eq!(on_worker(through_twice!(async move { again.repeat(count) })).await.unwrap(), expected);
    }

    async fn a_body_that_comes_through_another_macro() {
        macro_rules! task_of {
            ($function:ident, $value:expr) => { remote!(move || $function($value)) };
        }
        fn double(x: i32) -> i32 {
            x * 2
        }
        let n = 4;
        assert_eq!(on_worker(task_of!(double, n + 1)).await.unwrap(), 10);
    }

    async fn names_of_a_macro_and_of_its_caller_stay_apart() {
        macro_rules! add_one {
            ($value:expr) => {{
                let n = 1;
                remote!(move || $value + n)
            }};
        }
        let n = 40;
        assert_eq!(on_worker(add_one!(n)).await.unwrap(), 41);
    }

    async fn more_captures_than_a_tuple_holds() {
        let (a, b, c, d, e, f, g, h, i, j) = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
        let (k, l) = (String::from("k"), vec!["l".to_string()]);
        same!([a, b, c, d, e, f, g, h, i, j, k, l] move || (a + b + c + d + e + f + g + h + i + j, k.clone() + &l[0]));
        let (m, n, o, p, q, r) = (12, 13, 14, 15, 16, 17u8);
        same!([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r] move || {
            let small = [a, b, c, d, e, f, g, h, i, j, m, n, o, p, q];
            (small.map(i64::from), k.clone() + &l[0], r)
        });
    }

    async fn a_task_of_a_task() {
        let (a, b) = (3, String::from("x"));
        let task = remote!(async move {
            let c = a + 1;
            on_worker(remote!(move || format!("{b}{}", a + c))).await
        });
        assert_eq!(on_worker(task).await.unwrap().unwrap(), "x7");
    }

    async fn a_task_of_a_task_with_an_explicit_list() {
        let (a, b) = (3, String::from("x"));
        let task = remote!(async move { on_worker(remote!([a, c = b.repeat(2)] move || format!("{c}{a}"))).await });
        assert_eq!(on_worker(task).await.unwrap().unwrap(), "xx3");
    }

    async fn a_task_that_never_returns_a_value() {
        let task: Remote<String> = remote!(|| panic!("on purpose"));
        assert!(on_worker(task).await.unwrap_err().is_panic());
        let nothing: Result<(), _> = on_worker(remote!(|| panic!("on purpose"))).await;
        assert!(nothing.unwrap_err().is_panic());
    }

    async fn the_name_of_a_task_is_the_line_of_its_macro() {
        let line = line!() + 1;
        let task: Remote<()> = remote!(|| panic!("on purpose"));
        let name = format!("forms.rs:{line}:");
        assert!(format!("{task:?}").contains(&name), "{task:?} is made at {name}");
    }

    async fn types_that_only_the_body_tells() {
        fn twice(x: u64) -> u64 {
            x * 2
        }
        let number = "21".parse().unwrap();
        assert_eq!(on_worker(remote!(move || twice(number))).await.unwrap(), 42);
        let mut list = Vec::new();
        list.extend([1, 2]);
        assert_eq!(on_worker(remote!(move || { list.push(3u8); list })).await.unwrap(), [1, 2, 3]);
    }

    async fn a_task_per_item_of_an_iterator() {
        let offset = 1;
        let tasks = (0..3).map(|i| remote!(move || i * i + offset));
        for (task, expected) in tasks.zip([1, 2, 5]) {
            assert_eq!(on_worker(task).await.unwrap(), expected);
        }
    }

    async fn names_of_the_enclosing_impl() {
        struct Counter<'a>(&'a u32);
        impl Counter<'_> {
            const STEP: u32 = 2;
            fn next(n: u32) -> u32 {
                n + Self::STEP
            }
            fn task(&self) -> Remote<u32> {
                let n = *self.0;
                remote!(move || Self::next(n) * Self::STEP)
            }
        }
        assert_eq!(on_worker(Counter(&3).task()).await.unwrap(), 10);
    }

    async fn a_value_of_an_unnamed_type() {
        fn length(text: impl AsRef<str> + Serialize + DeserializeOwned + 'static) -> Remote<usize> {
            remote!(move || text.as_ref().len())
        }
        assert_eq!(on_worker(length(String::from("text"))).await.unwrap(), 4);
    }

    async fn generics_of_the_enclosing_function() {
        async fn text_of<T>(value: T) -> String
        where
            T: ToString + Serialize + DeserializeOwned + Clone + 'static,
        {
            let copy = value.clone();
            let expected = value.to_string();
            assert_eq!(on_worker(remote!(move || T::to_string(&copy))).await.unwrap(), expected);
            on_worker(remote!(async move { value.to_string() })).await.unwrap()
        }
        assert_eq!(text_of(5u8).await, "5");
        assert_eq!(text_of(String::from("x")).await, "x");
    }

    async fn const_generics_of_the_enclosing_function() {
        async fn sum<const N: usize>() -> usize {
            on_worker(remote!(|| (0..N).sum())).await.unwrap()
        }
        assert_eq!(sum::<4>().await, 6);
    }
}
