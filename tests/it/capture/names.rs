//! Names that are captures, and names that are not: fields, methods, functions, constants, paths.

use serde::{Deserialize, Serialize};

use crate::common::on_worker;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Point {
    x: i32,
    y: i32,
}

impl Point {
    fn norm(&self) -> i32 {
        self.x * self.x + self.y * self.y
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum Shade {
    Light,
    Dark,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Unit;

const OFFSET: i32 = 100;
static GREETING: &str = "hello";

fn double(x: i32) -> i32 {
    x * 2
}

fn convert<T: From<u8>>(x: u8) -> T {
    T::from(x)
}

remote_test! {
    async fn fields_methods_and_indices() {
        let (point, list, index) = (Point { x: 3, y: 4 }, vec![Point { x: 1, y: 1 }], 0);
        same!([point, list, index] move || point.x + point.norm() + list[index].y + list.len() as i32);
    }

    async fn a_whole_variable_goes_along_for_one_field() {
        let point = Point { x: 3, y: 4 };
        let task = wasm_mt::remote!(move || point.x);
        assert_eq!(on_worker(task).await.unwrap(), 3);
    }

    async fn captures_that_the_body_changes() {
        let (mut_count, list) = (1, vec![1, 2]);
        same!([mut_count, list] move || {
            mut_count += 1;
            list.push(mut_count);
            list.iter_mut().for_each(|x| *x *= 2);
            list.clone()
        });
        same_async!([mut_count, list] async move {
            mut_count += 1;
            list.push(mut_count);
            wasm_mt::yield_now().await;
            list
        });
    }

    async fn captures_that_the_body_assigns() {
        let (a, b) = (1, 2);
        same!([a, b] move || { (a, b) = (b, a); a *= 10; (a, b) });
    }

    async fn struct_shorthand() {
        let (x, y) = (3, 4);
        same!([x, y] move || Point { x, y });
        let base = Point { x: 1, y: 2 };
        same!([x, base] move || Point { x, ..base.clone() });
    }

    async fn constants_statics_and_variants() {
        let shade = Shade::Light;
        same!([shade] move || { use Shade::*; (OFFSET, GREETING.len(), shade == Dark, Light, Unit, i32::MAX) });
        same!([] || None::<i32>);
    }

    #[expect(unused_qualifications, reason = "with them, a function is no capture")]
    async fn functions_by_name() {
        let list = vec![1, 2, 3];
        same!([list] move || list.iter().copied().map(self::double).map(i64::from).sum::<i64>());
        same!([list] move || list.iter().map(|&x| double(x)).collect::<Vec<_>>());
    }

    async fn turbofish() {
        let n = 7;
        same!([n] move || convert::<u64>(n) + [1u8].into_iter().map(convert::<u64>).sum::<u64>());
    }

    async fn ranges_casts_and_operators() {
        let (a, b) = (2, 9);
        same!([a, b] move || (a..b).map(|x| f64::from(x) / -1.0).chain((a..=b).map(f64::from)).collect::<Vec<_>>());
        same!([a, b] move || "abcdefghijkl"[a as usize..][..b as usize].to_string());
    }

    async fn raw_names() {
        let r#type = 4;
        same!([r#type] move || r#type + 1);
        same!([r#type] move || format!("{type}"));
    }

    async fn names_of_other_scripts() {
        let größe = 4;
        let 数 = 5;
        same!([größe, 数] move || größe * 数);
    }

    async fn names_that_the_expansion_uses_itself() {
        let (draft, captured, probe0) = (1, 2, 3);
        same!([draft, captured, probe0] move || draft + captured + probe0);
    }

    async fn methods_of_all_types_with_names_that_the_expansion_uses_itself() {
        #[expect(dead_code, reason = "the expansion must not call them")]
        trait Extension: Sized {
            fn check<D, M>(self, draft: D, _: M) -> D { draft }
            fn argument(self) {}
            fn result(self) {}
            fn into_remote(self) {}
            fn into_remote_fn(self) {}
        }
        impl<T> Extension for T {}
        let n = 3;
        same!([n] move || n + 1);
        let function = wasm_mt::remote!(move |x: i32| x + n);
        assert_eq!(on_worker(function.call(4)).await.unwrap(), 7);
    }

    async fn nothing_in_scope_but_the_macro() {
        mod bare {
            #![no_implicit_prelude]
            pub(super) fn task() -> ::wasm_mt::Remote<u8> {
                let n = 1;
                ::wasm_mt::remote!(move || n + 1)
            }
        }
        assert_eq!(on_worker(bare::task()).await.unwrap(), 2);
    }

    async fn types_that_serde_borrows_for_but_owns() {
        let text = std::borrow::Cow::Borrowed("text");
        same!([text] move || text.len());
    }
}
