//! How much stack a task has, and what is said when that is not enough.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use wasm_mt::{Remote, remote};

use crate::common::on_worker;

/// 8 KiB.
type Page = [[u64; 32]; 32];

fn pages<const PAGES: usize>() -> Box<[Page; PAGES]> {
    vec![[[7; 32]; 32]; PAGES].try_into().unwrap()
}

/// Tuples that nest: a way in which nothing derived does.
struct Nested(Option<Box<Nested>>);

impl Nested {
    fn new(levels: usize) -> Self {
        (0..levels).fold(Nested(None), |inner, _| Nested(Some(Box::new(inner))))
    }

    fn levels(&self) -> usize {
        std::iter::successors(self.0.as_ref(), |nested| nested.0.as_ref()).count()
    }
}

impl Serialize for Nested {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Some(inner) => (true, inner).serialize(serializer),
            None => (false, ()).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Nested {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Nested;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a pair")
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut pair: A) -> Result<Nested, A::Error> {
                Ok(Nested(if pair.next_element()?.unwrap() {
                    pair.next_element()?
                } else {
                    pair.next_element::<()>()?;
                    None
                }))
            }
        }
        deserializer.deserialize_tuple(2, Visitor)
    }
}

remote_test! {
    async fn large_arrays_cross_on_the_usual_stack() {
        let sum = |pages: &[Page]| pages.iter().flatten().flatten().sum::<u64>();
        // Serde alone takes some ten times as much in an unoptimized build.
        let there = on_worker(Remote::new(pages::<8>(), |pages: Box<[Page; 8]>| pages)).await.unwrap();
        assert_eq!(sum(&*there), sum(&*pages::<8>()));
        if cfg!(not(target_family = "wasm")) {
            let there = on_worker(Remote::new(pages::<24>(), |pages: Box<[Page; 24]>| pages)).await.unwrap();
            assert_eq!(sum(&*there), sum(&*pages::<24>()));
        }
    }

    async fn the_deepest_nesting_crosses_on_the_usual_stack() {
        let deepest = 511; // and the pair in which it ends
        let back = on_worker(Remote::new(Nested::new(deepest), |nested: Nested| nested)).await.unwrap();
        assert_eq!(back.levels(), deepest);
        let error = on_worker(Remote::new(Nested::new(deepest + 1), |nested: Nested| nested)).await.err().unwrap();
        assert!(error.is_codec() && error.to_string().contains("nested more than 512 levels"), "{error}");
    }
}

#[cfg(not(target_family = "wasm"))]
native_test! { fn workers_have_the_stack_that_their_builder_gives_them() {
    use wasm_mt::{Pool, Thread};

    wasm_mt::run(async {
        // 256 KiB, and some ten times as much while it is read.
        let task = || Remote::new(pages::<32>(), |pages: Box<[Page; 32]>| pages.len());
        let thread = Thread::builder().stack_size(32 << 20).build();
        assert_eq!(thread.spawn_remote(task()).await.unwrap(), 32);
        let pool = Pool::builder().threads(1).stack_size(32 << 20).build();
        assert_eq!(pool.spawn_remote(task()).await.unwrap(), 32);
    });
}}

#[cfg(not(target_family = "wasm"))]
native_test! { fn a_stack_that_the_system_does_not_have_is_a_failed_start() {
    use wasm_mt::Thread;

    wasm_mt::run(async {
        for size in [usize::MAX, 1 << 46] {
            let thread = Thread::builder().stack_size(size).build();
            let error = thread.spawn_remote(remote!(|| ())).await.unwrap_err();
            assert!(error.is_startup() && error.to_string().contains("less stack"), "{error}");
        }
        let thread = Thread::builder().stack_size(0).build();
        thread.spawn_remote(remote!(|| ())).await.expect("the least that the system gives");
    });
}}

#[cfg(target_family = "wasm")]
web_test! { async fn an_exhausted_stack_is_named() {
    fn dig(depth: u64) -> u64 {
        if depth == u64::MAX { 0 } else { std::hint::black_box(dig(std::hint::black_box(depth + 1))) + 1 }
    }
    let error = on_worker(remote!(|| dig(0))).await.unwrap_err();
    assert!(error.to_string().contains("its stack is exhausted"), "{error}");
    let error = on_worker(Remote::new(pages::<32>(), |pages: Box<[Page; 32]>| pages.len())).await.unwrap_err();
    assert!(error.to_string().contains("its stack is exhausted") && error.to_string().contains("link"), "{error}");
}}
