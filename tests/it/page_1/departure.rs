//! A page that leaves and comes back: which locks its workers hold, and what they tell. Web only: the tests say that the page
//! leaves, and it stays. A page that truly goes is among the page tests of xtask.

use std::collections::BTreeSet;
use std::pin::pin;

use futures::future::{Either, select};
use js_sys::Array;
use wasm_mt::{Remote, Thread};

use crate::common::javascript;

/// The names of all locks of workers: those that are `held`, or `pending`, which the page watches.
async fn locks(state: &str) -> BTreeSet<String> {
    let source = format!(
        "const locks = (await navigator.locks.query()).{state};
        return locks.map(({{ name }}) => name).filter((name) => name.startsWith('wasm-mt '));"
    );
    Array::from(&javascript(&source).await).iter().filter_map(|name| name.as_string()).collect()
}

/// Waits until just `count` locks are held that were not there `before`.
async fn held(before: &BTreeSet<String>, count: usize) -> Vec<String> {
    loop {
        let held: Vec<String> = locks("held").await.difference(before).cloned().collect();
        if held.len() == count {
            return held;
        }
        wasm_mt::yield_now().await;
    }
}

/// Waits until the page watches a lock that was not there `before`.
async fn watched(before: &BTreeSet<String>) -> String {
    loop {
        let (held, pending) = (locks("held").await, locks("pending").await);
        if let Some(lock) = held.intersection(&pending).find(|lock| !before.contains(*lock)) {
            return lock.clone();
        }
        wasm_mt::yield_now().await;
    }
}

async fn dispatch(event: &str) {
    javascript(&format!("dispatchEvent(new Event('{event}'));")).await;
}

/// A worker that has one of its own, both with a task that does not end.
fn two_levels() -> Thread {
    let thread = Thread::new();
    let task = Remote::new_async((), |()| async {
        Thread::new().spawn_remote(Remote::new_async((), |()| std::future::pending::<()>())).await
    });
    thread.spawn_remote(task).forget();
    thread
}

web_test! { async fn workers_hold_no_lock_while_the_page_is_away() {
    let before = locks("held").await;
    let thread = two_levels();
    let first = held(&before, 2).await;
    dispatch("beforeunload").await;
    held(&before, 0).await;
    dispatch("pagehide").await;
    dispatch("pageshow").await;
    let second = held(&before, 2).await;
    assert!(first.iter().all(|name| !second.contains(name)), "a lock that was let go of tells nothing");
    // The first was granted meanwhile, which is nobody's death.
    assert_eq!(thread.spawn_remote(Remote::new(1, |n: i32| n + 1)).await.unwrap(), 2);
}}

web_test! { async fn a_page_that_stays_after_all_hears_of_ends_again() {
    let thread = Thread::new();
    thread.ready().await.unwrap();
    let before = locks("held").await;
    for _ in 0..3 {
        dispatch("beforeunload").await;
        dispatch("pageshow").await;
    }
    thread.spawn_remote(Remote::new((), |()| ())).await.unwrap();
    let task = thread.spawn_remote(Remote::new_async((), |()| std::future::pending::<()>()));
    // As the browser takes it from a worker that has ended. The locks of the first returns may still come and go.
    let take_locks = async {
        loop {
            let lock = watched(&before).await;
            javascript(&format!("await navigator.locks.request('{lock}', {{ steal: true }}, () => {{}});")).await;
        }
    };
    match select(task, pin!(take_locks)).await {
        Either::Left((ended, _)) => assert!(ended.unwrap_err().is_worker_lost()),
        Either::Right((never, _)) => never,
    }
}}

web_test! { async fn a_worker_that_comes_up_while_the_page_leaves_holds_no_lock() {
    let before = locks("held").await;
    let other = Thread::new();
    other.ready().await.unwrap();
    dispatch("beforeunload").await;
    let thread = Thread::new();
    thread.ready().await.unwrap();
    held(&before, 0).await;
    dispatch("pageshow").await;
    held(&before, 2).await;
    assert!(!thread.is_lost() && !other.is_lost());
}}
