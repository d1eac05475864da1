//! Where names are bound: blocks, patterns, closures, items.

use wasm_mt::yield_now;

remote_test! {
    async fn shadowing() {
        let (a, b) = (1, 2);
        same!([a, b] move || {
            let c = { let a = a + b; a * 2 };
            let b = c + a;
            let a = b;
            (a, b, c)
        });
    }

    async fn patterns_of_let() {
        let pair = (1, [2, 3, 4], Some(5));
        same!([pair] move || {
            let (a, [b, rest @ ..], ref c) = pair;
            let Some(d) = c else { return 0 };
            a + b + rest.iter().sum::<i32>() + d
        });
    }

    async fn let_else_uses_what_it_shadows() {
        let (value, fallback) = (None::<i32>, 7);
        same!([value, fallback] move || {
            let Some(value) = value else { return fallback };
            value
        });
    }

    async fn if_let_and_chains() {
        let (a, b, limit) = (Some(3), Some(4), 10);
        same!([a, b, limit] move || if let Some(x) = a && let Some(y) = b && x + y < limit { x * y } else { limit });
        same!([a, limit] move || {
            let (mut next, mut sum) = (a, 0);
            while let Some(x) = next && sum < limit {
                sum += x;
                next = (x > 1).then(|| x - 1);
            }
            sum
        });
    }

    async fn match_arms_and_guards() {
        let (value, limit) = (Some(5), 3);
        same!([value, limit] move || match value {
            Some(x) if x > limit => x,
            Some(y @ (0 | 1)) => y + limit,
            Some(i32::MAX) | None => 0,
            Some(limit) => limit,
        });
    }

    async fn for_loops_and_labels() {
        let (rows, limit) = (vec![vec![1, 2], vec![3, 4]], 4);
        same!([rows, limit] move || {
            let mut seen = Vec::new();
            'rows: for (number, row) in rows.iter().enumerate() {
                for &cell in row {
                    if cell >= limit { break 'rows }
                    seen.push((number, cell));
                }
            }
            let last = 'found: { if seen.is_empty() { break 'found None } seen.pop() };
            (seen, last)
        });
    }

    async fn nested_closures() {
        let (list, offset, factor) = (vec![1, 2, 3], 10, 3);
        same!([list, offset, factor] move || {
            let scale = |x: &i32| x * factor;
            list.iter().map(|x| scale(x) + offset).filter(|x| x % 2 == 0).fold(1, |product, x| product * x % 1000)
        });
    }

    async fn nested_async_blocks() {
        let (a, b) = (1, String::from("b"));
        same_async!([a, b] async move {
            let first = async { yield_now().await; a + 1 };
            let second = async move { yield_now().await; b };
            (first.await, second.await)
        });
    }

    async fn items_inside() {
        let n = 4;
        same!([n] move || {
            use std::cmp::max as most;
            const LIMIT: i32 = 3;
            struct Pair { n: i32 }
            impl Pair { fn twice(&self) -> i32 { self.n * 2 } }
            fn half(n: i32) -> i32 { n / 2 }
            [n].map(half)[0] + most(n, LIMIT) + [(1, 2)].map(|(a, b)| most(a, b))[0] + Pair { n }.twice()
        });
    }

    async fn an_open_argument_shadows() {
        let (x, y) = (1, 2);
        let function = wasm_mt::remote!(move |x: i32| x * 10 + y);
        assert_eq!(crate::common::on_worker(function.call(x + 4)).await.unwrap(), 52);
    }
}
