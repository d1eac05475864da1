//! Functions with an open argument: inference, what is captured, calls by reference.

use std::cell::{Cell, RefCell};
use std::num::ParseIntError;
use std::rc::Rc;
use std::time::Duration;

use futures::TryStreamExt;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use wasm_mt::{Error, ExecutorExt, Hint, Remote, RemoteFn, Strategy, Thread, Transfer, remote, yield_now};

use crate::common::on_worker;

#[derive(Clone, Serialize, Deserialize)]
struct Point {
    x: i32,
    y: i32,
}

/// What the function gives for each item, by `par_map`. Nothing but this tells the function its types.
async fn map<X, R>(items: impl IntoIterator<Item = X>, function: RemoteFn<X, R>) -> Vec<R>
where
    X: Serialize + DeserializeOwned + 'static,
    R: Serialize + DeserializeOwned + 'static,
{
    Thread::new().par_map(items, function).try_collect().await.unwrap()
}

fn words() -> [String; 3] {
    ["a", "bc", ""].map(String::from)
}

remote_test! {
    async fn the_use_tells_the_type_of_the_argument() {
        let more = 10;
        assert_eq!(map(words(), remote!(|word| word.len())).await, [1, 2, 0]);
        assert_eq!(map(words(), remote!(move |word| word.len() + more)).await, [11, 12, 10]);
        assert_eq!(map(words(), remote!(async move |word| word.len() + more)).await, [11, 12, 10]);
        assert_eq!(map(words(), remote!(move |word| async move { word.len() + more })).await, [11, 12, 10]);
        assert_eq!(map(words(), RemoteFn::new(more, |more, hint| hint.closure(move |word| word.len() + more))).await, [11, 12, 10]);
        let results = map(words(), RemoteFn::new_async(more, |more, hint| hint.async_closure(async move |word| word.len() + more)));
        assert_eq!(results.await, [11, 12, 10]);
    }

    async fn patterns_take_the_argument_apart() {
        let factor = 2;
        let pairs = || (0..3).map(|n| (n, [n.to_string(), "b".into()]));
        assert_eq!(map(pairs(), remote!(move |(n, [a, b])| (n * factor, a.len() + b.len()))).await, [(0, 2), (2, 2), (4, 2)]);
        assert_eq!(map(pairs(), remote!(async move |(n, [a, _])| (n * factor, a))).await[1], (2, "1".to_string()));
        assert_eq!(map(pairs(), remote!(move |(n, ..)| async move { n * factor })).await, [0, 2, 4]);
        let points = (0..3).map(|x| Point { x, y: x + 1 });
        assert_eq!(map(points, remote!(move |Point { x, y: mut z }| { z += factor; x * z })).await, [0, 4, 10]);
        assert_eq!(map([()], remote!(move |()| factor)).await, [2]);
        assert_eq!(map([7], remote!(move |_| factor)).await, [2]);
    }

    async fn question_marks_and_the_type_of_the_result() {
        let more = 1;
        let expected = [None, None, Some(6)];
        let texts = || ["", "x", "5"].map(String::from);
        assert_eq!(map(texts(), remote!(move |text| Some(text.chars().next()?.to_digit(10)? + more))).await, expected);
        assert_eq!(map(texts(), remote!(move |text| -> Option<u32> {
            if text.is_empty() {
                return None;
            }
            Some(text.parse::<u32>().ok()? + more)
        })).await, expected);
        assert_eq!(map(texts(), remote!(async move |text| -> Option<u32> {
            yield_now().await;
            if text.is_empty() {
                return None;
            }
            Some(text.parse::<u32>().ok()? + more)
        })).await, expected);
        let results = map(texts(), remote!(move |text| async move {
            if text.is_empty() {
                return Ok(0);
            }
            let number: u32 = text.parse().map_err(|error: ParseIntError| error.to_string())?;
            Ok::<_, String>(number + more)
        })).await;
        assert_eq!(results[0], Ok(0));
        assert!(results[1].is_err());
        assert_eq!(results[2], Ok(6));
    }

    async fn captures_are_lent_to_each_call() {
        let (text, list) = (String::from("ab"), vec![1, 2, 3]);
        let function = remote!(move |n: usize| text.repeat(n) + &list[n].to_string());
        assert_eq!(map(0..3, function).await, ["1", "ab2", "abab3"]);
    }

    async fn an_async_function_borrows_its_captures_across_an_await() {
        let (text, list) = (String::from("ab"), vec![1, 2, 3]);
        let (text2, list2) = (text.clone(), list.clone());
        let closure = remote!(async move |n: usize| {
            let (text, number) = (text.as_str(), &list[n]);
            yield_now().await;
            text.repeat(n) + &number.to_string()
        });
        let block = remote!(move |n: usize| async move {
            let (text, number) = (text2.as_str(), &list2[n]);
            yield_now().await;
            text.repeat(n) + &number.to_string()
        });
        let list = vec![4, 5, 6];
        let within_a_block = remote!(move |n: usize| {
            async move {
                let number = &list[n];
                yield_now().await;
                *number
            }
        });
        let by_hand = RemoteFn::new_async(vec![7, 8, 9], |list, hint| {
            hint.async_closure(async move |n: usize| {
                let number = &list[n];
                yield_now().await;
                *number
            })
        });
        assert_eq!(map(0..3, closure).await, ["1", "ab2", "abab3"]);
        assert_eq!(on_worker(block.call(2)).await.unwrap(), "abab3");
        assert_eq!(map(0..3, block).await, ["1", "ab2", "abab3"]);
        assert_eq!(map(0..3, within_a_block).await, [4, 5, 6]);
        assert_eq!(map(0..3, by_hand).await, [7, 8, 9]);
    }

    async fn statements_before_an_async_block_end_before_it_is_awaited() {
        let (text, more) = (String::from("ab"), 1);
        let results = map(words(), remote!(move |word| {
            let held = Rc::new(word.len());
            let (count, weak, text) = (*held + more, Rc::downgrade(&held), text.clone());
            async move {
                yield_now().await;
                (text.repeat(count), weak.upgrade().is_some())
            }
        }));
        assert_eq!(results.await, ["abab", "ababab", "ab"].map(|text| (text.to_string(), false)));
    }

    async fn cells_can_be_changed() {
        let (count, seen) = (Cell::new(0), RefCell::new(vec![0]));
        let function = remote!(move |n: u32| {
            count.set(count.get() + n);
            seen.borrow_mut().push(n);
            // How much of it an earlier call has left is not told.
            count.get() >= n && seen.borrow().last() == Some(&n)
        });
        assert_eq!(map(1..4, function).await, [true; 3]);
    }

    async fn a_changed_capture_is_a_clone() {
        let list = vec![1];
        let function = remote!(move |n: u32| {
            let mut list = list.clone();
            list.push(n);
            list
        });
        assert_eq!(map(2..4, function).await, [[1, 2], [1, 3]]);
    }

    async fn shadowed_names() {
        let (x, y) = (1, 2);
        let sync = remote!(move |x: i32| { let z = y; let y = x * 10; y + z });
        assert_eq!(on_worker(sync.call(x + 4)).await.unwrap(), 52);
        let later = remote!(async move |x: i32| { let z = y; let y = x * 10; y + z });
        assert_eq!(on_worker(later.call(x + 4)).await.unwrap(), 52);
    }

    async fn names_that_the_expansion_uses_itself() {
        let (hint, captured, draft, function) = (1, 2, 3, 4);
        let sync = remote!(move |probe0: i32| hint + captured + draft + function + probe0);
        assert_eq!(on_worker(sync.call(5)).await.unwrap(), 15);
        let later = remote!(async move |hint: i32| hint + captured + draft + function);
        assert_eq!(on_worker(later.call(5)).await.unwrap(), 14);
    }

    async fn tasks_and_functions_in_the_body() {
        let (a, b) = (3, String::from("x"));
        let task = remote!(move |n: u32| async move {
            let b = b.clone();
            let c = a + n;
            on_worker(remote!(move || format!("{b}{}", a + c))).await
        });
        assert_eq!(on_worker(task.call(1)).await.unwrap().unwrap(), "x7");
        let function = remote!(async move |n: u32| {
            let squares = remote!(move |m: u32| m * m + a + n);
            Thread::new().par_map(0..3, squares).try_collect::<Vec<_>>().await
        });
        assert_eq!(on_worker(function.call(1)).await.unwrap().unwrap(), [4, 5, 8]);
    }

    async fn names_of_a_macro_and_of_its_caller_stay_apart() {
        macro_rules! plus {
            ($value:expr) => {{
                let n = 1;
                remote!(move |x: i32| x * $value + n)
            }};
        }
        macro_rules! later {
            ($($body:tt)*) => {{
                let n = 100;
                remote!(move |x: i32| async move { n + x + { $($body)* } })
            }};
        }
        macro_rules! through {
            ($function:expr) => { remote!($function) };
        }
        let (n, x) = (40, 2);
        assert_eq!(on_worker(plus!(n + x).call(2)).await.unwrap(), 85);
        assert_eq!(on_worker(later!(n + x).call(3)).await.unwrap(), 145);
        assert_eq!(on_worker(through!(move |x: i32| x + n).call(3)).await.unwrap(), 43);
        assert_eq!(on_worker(through!(move |x: i32| async move { x + n }).call(3)).await.unwrap(), 43);
    }

    async fn more_captures_than_a_tuple_holds() {
        let (a, b, c, d, e, f, g, h, i, j, k, l, m) = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
        let (text, list) = (String::from("t"), vec!["l".to_string()]);
        let function = remote!(move |n: i32| {
            (a + b + c + d + e + f + g + h + i + j + k + l + m + n, format!("{text}{}", list[0]))
        });
        assert_eq!(map(0..2, function).await, [(78, "tl".into()), (79, "tl".into())]);
        let later = remote!(async move |n: i32| a + b + c + d + e + f + g + h + i + j + k + l + m + n);
        assert_eq!(map(0..2, later).await, [78, 79]);
    }

    async fn an_explicit_list() {
        let (count, text) = (2, String::from("ab"));
        let sync = remote!([count, twice = text.repeat(2)] move |n: usize| twice.repeat(count + n));
        let later = remote!([count, twice = text.repeat(2)] async move |n: usize| twice.repeat(count + n));
        let block = remote!([count, twice = text.repeat(2)] move |n: usize| async move { twice.repeat(count + n) });
        for function in [sync, later, block] {
            assert_eq!(map(0..2, function).await, ["ab".repeat(4), "ab".repeat(6)]);
        }
    }

    async fn generics_of_the_enclosing_function() {
        async fn texts<T, const N: usize>(value: T) -> Vec<String>
        where
            T: ToString + Serialize + DeserializeOwned + 'static,
        {
            map(0..N, remote!(move |n| value.to_string().repeat(n))).await
        }
        assert_eq!(texts::<_, 3>(5u8).await, ["", "5", "55"]);
    }

    async fn a_limit_and_another_try_are_for_each_call() {
        let thread = Thread::new();
        let waits = 2;
        let function = remote!(async move |n: u32| {
            if n == waits {
                std::future::pending::<()>().await;
            }
            n
        });
        let function = function.timeout(Duration::from_millis(300)).retry(1);
        let (fine, late) = (thread.spawn_remote(function.call(1)), thread.spawn_remote(function.call(2)));
        assert_eq!(fine.await.unwrap(), 1);
        assert!(late.await.unwrap_err().is_timeout());
    }

    async fn a_call_that_may_run_again_does_on_the_next_worker() {
        thread_local! {
            static RUNS: Cell<u32> = const { Cell::new(0) };
        }
        let pool = wasm_mt::Pool::builder().strategy(Strategy::Parallel).threads(1).build();
        // On the worker that is lost it never ends; on the next it does, since that is told so before.
        let more = vec![1];
        let waits = remote!(async move |n: u32| {
            while RUNS.get() == 0 {
                yield_now().await;
            }
            RUNS.get() + n + more[0]
        });
        let again = pool.spawn_remote(waits.retry(1).call(2));
        let culprit = pool.spawn_remote(remote!(|| -> u32 { panic!("beside it") }));
        assert!(culprit.await.unwrap_err().is_panic());
        pool.spawn_remote(remote!(|| RUNS.set(7))).await.unwrap();
        assert_eq!(again.await.unwrap(), 10);
    }

    async fn clones_have_what_was_captured() {
        let bulk = Transfer(vec![1u32, 2, 3]);
        let function = remote!(move |n: usize| bulk.0[n]);
        let copy = function.clone();
        assert_eq!(map(0..3, function).await, [1, 2, 3]);
        assert_eq!(map(0..3, copy).await, [1, 2, 3]);
        let text = String::from("ab");
        let task = remote!(move || text.len());
        assert_eq!(on_worker(task.clone()).await.unwrap(), 2);
        assert_eq!(on_worker(task).await.unwrap(), 2);
    }

    async fn the_name_of_a_function_is_the_line_of_its_macro() {
        let line = line!() + 1;
        let function: RemoteFn<(), ()> = remote!(|()| panic!("on purpose"));
        let name = format!("functions.rs:{line}:");
        assert!(format!("{function:?}").contains(&name), "{function:?} is made at {name}");
        assert!(on_worker(function.call(())).await.unwrap_err().to_string().contains(&name));
        let by_hand = RemoteFn::new((), |(), _: Hint<u32, u32>| |n| n);
        assert!(format!("{by_hand:?}").contains("functions.rs:"));
    }

    async fn a_function_that_panics_when_it_is_made_fails_its_call() {
        fn make(n: u32, _: Hint<u32, u32>) -> impl Fn(u32) -> u32 {
            assert!(n != 1, "cannot be made");
            move |m| n + m
        }
        async fn call(n: u32) -> Result<u32, Error> {
            on_worker(RemoteFn::new(n, make).call(1)).await
        }
        assert_eq!(call(2).await.unwrap(), 3);
        let error = call(1).await.unwrap_err();
        assert!(error.is_panic() && error.to_string().contains("cannot be made"), "{error}");
    }

    async fn a_task_for_an_argument_that_cannot_be_encoded_says_so() {
        struct Never;
        impl Serialize for Never {
            fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                Err(serde::ser::Error::custom("never"))
            }
        }
        impl<'de> Deserialize<'de> for Never {
            fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
                Ok(Self)
            }
        }
        let function: RemoteFn<Never, u32> = remote!(|_| 1);
        let task: Remote<u32> = function.call(Never);
        assert!(on_worker(task).await.unwrap_err().is_codec());
    }
}
