//! A matrix of faults: each kind of fault x each executor x each situation.
//!
//! [`faults`] lists the faults, [`subjects`] the executors, [`cases`] the situations, and chooses the cases: every fault with every executor
//! and in every situation, and every executor in every situation, where it applies. [`run`] runs a case, [`demands`] says what
//! must hold in it. To add a fault is to add an entry to a list.
//!
//! In a browser each module `page_N` here is run on a page of its own: endless loops starve WebKit, and no engine holds more
//! than some hundred instances of a module. Cases are dealt to groups, and groups to pages, in turn.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, and says where")]

mod cases;
mod demands;
mod faults;
#[cfg(not(target_family = "wasm"))]
mod native;
mod notes;
mod run;
mod subjects;
mod value;
#[cfg(target_family = "wasm")]
mod web;

use cases::group;

/// What exists on one target only.
#[cfg(not(target_family = "wasm"))]
use native as target;
#[cfg(target_family = "wasm")]
use web as target;

/// Makes tests for both targets of one body: `#[test]` within `wasm_mt::run` natively, `#[wasm_bindgen_test]` on the web.
macro_rules! remote_test {
    ($(async fn $name:ident() $body:block)*) => {$(
        #[cfg(not(target_family = "wasm"))]
        #[test]
        fn $name() {
            wasm_mt::run(async { $body });
        }

        #[cfg(target_family = "wasm")]
        #[wasm_bindgen_test::wasm_bindgen_test]
        async fn $name() $body
    )*};
}

mod page_1 {
    use super::group;

    remote_test! {
        async fn group_1() { group(1).await }
        async fn group_7() { group(7).await }
        async fn group_13() { group(13).await }
        async fn group_19() { group(19).await }
    }
}

mod page_2 {
    use super::group;

    remote_test! {
        async fn group_2() { group(2).await }
        async fn group_8() { group(8).await }
        async fn group_14() { group(14).await }
        async fn group_20() { group(20).await }
    }
}

mod page_3 {
    use super::group;

    remote_test! {
        async fn group_3() { group(3).await }
        async fn group_9() { group(9).await }
        async fn group_15() { group(15).await }
        async fn group_21() { group(21).await }
    }
}

mod page_4 {
    use super::group;

    remote_test! {
        async fn group_4() { group(4).await }
        async fn group_10() { group(10).await }
        async fn group_16() { group(16).await }
        async fn group_22() { group(22).await }
    }
}

mod page_5 {
    use super::group;

    remote_test! {
        async fn group_5() { group(5).await }
        async fn group_11() { group(11).await }
        async fn group_17() { group(17).await }
        async fn group_23() { group(23).await }
    }
}

mod page_6 {
    use super::group;

    remote_test! {
        async fn group_6() { group(6).await }
        async fn group_12() { group(12).await }
        async fn group_18() { group(18).await }
        async fn group_24() { group(24).await }
        async fn every_pair_has_a_case_and_no_page_too_many_loops() { super::cases::check_cover() }
    }
}
