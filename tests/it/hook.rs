//! Panic hooks that the program sets: what a panic said and where reaches its error all the same.

use std::panic::{self, PanicHookInfo};
use std::sync::Mutex;

use wasm_mt::{Error, Pool, Remote, Thread, remote};

use crate::common::ran_alone;

/// Sets a hook of the program's own.
fn set_own() {
    panic::set_hook(Box::new(|info| eprintln!("{info}")));
}

/// What the task fails with, and the line on which it does.
fn panics() -> (Remote<()>, String) {
    let line = line!() + 1;
    let task = remote!(|| panic!("a panic behind a hook"));
    (task, format!("hook.rs:{line}:"))
}

fn says_what_and_where(error: &Error, place: &str) {
    assert!(error.is_panic(), "{error}");
    let text = error.to_string();
    assert!(
        text.contains("a panic behind a hook") && text.contains(&format!("panicked at tests/it/{place}")),
        "{text}"
    );
}

type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Send + Sync>;

/// Where the program keeps a hook that it has taken.
static TAKEN: Mutex<Option<Hook>> = Mutex::new(None);

remote_test! {
    async fn a_task_may_set_a_hook_and_panic_at_once() {
        if ran_alone("hook::a_task_may_set_a_hook_and_panic_at_once") {
            return;
        }
        let pool = Pool::builder().threads(1).build();
        for _ in 0..2 {
            let line = line!() + 3;
            let task = remote!(|| {
                set_own();
                panic!("a panic behind a hook");
            });
            let error: Error = pool.spawn_remote::<()>(task).await.unwrap_err();
            says_what_and_where(&error, &format!("hook.rs:{line}:"));
        }
    }

    async fn a_task_may_set_a_hook_for_later_ones() {
        if ran_alone("hook::a_task_may_set_a_hook_for_later_ones") {
            return;
        }
        let pool = Pool::builder().threads(1).build();
        for _ in 0..2 {
            pool.spawn_remote(remote!(|| set_own())).await.unwrap();
            let (task, place) = panics();
            says_what_and_where(&pool.spawn_remote(task).await.unwrap_err(), &place);
        }
    }

    async fn on_start_may_set_a_hook() {
        if ran_alone("hook::on_start_may_set_a_hook") {
            return;
        }
        let pool = Pool::builder().threads(1).on_start(remote!(|| set_own())).build();
        let (task, place) = panics();
        says_what_and_where(&pool.spawn_remote(task).await.unwrap_err(), &place);
        let thread = Thread::builder()
            .on_start(remote!(async {
                set_own();
                wasm_mt::yield_now().await;
                panic!("a panic behind a hook");
            }))
            .build();
        let error = thread.ready().await.unwrap_err();
        assert!(error.is_startup() && error.to_string().contains("hook.rs:"), "{error}");
        assert!(error.to_string().contains("a panic behind a hook"), "{error}");
    }

    async fn a_hook_that_was_taken_may_be_put_back() {
        if ran_alone("hook::a_hook_that_was_taken_may_be_put_back") {
            return;
        }
        let pool = Pool::builder().threads(1).build();
        let task = remote!(async {
            let before = panic::take_hook();
            set_own();
            wasm_mt::yield_now().await;
            panic::set_hook(before);
        });
        pool.spawn_remote(task).await.unwrap();
        let (task, place) = panics();
        says_what_and_where(&pool.spawn_remote(task).await.unwrap_err(), &place);
    }

    async fn a_hook_that_is_kept_away_costs_one_place_at_most() {
        if ran_alone("hook::a_hook_that_is_kept_away_costs_one_place_at_most") {
            return;
        }
        let pool = Pool::builder().threads(1).build();
        let task = remote!(|| {
            *TAKEN.lock().unwrap() = Some(panic::take_hook());
            set_own();
        });
        pool.spawn_remote(task).await.unwrap();
        let (task, place) = panics();
        let error = pool.spawn_remote(task).await.unwrap_err();
        if cfg!(target_family = "wasm") {
            says_what_and_where(&error, &place);
        } else {
            assert!(error.to_string().contains("it panicked: a panic behind a hook"), "{error}");
        }
        let (task, place) = panics();
        says_what_and_where(&pool.spawn_remote(task).await.unwrap_err(), &place);
    }
}

#[cfg(not(target_family = "wasm"))]
native_test! { fn the_hook_of_the_program_is_called_too() {
    use std::sync::atomic::{AtomicU32, Ordering};

    static CALLS: AtomicU32 = AtomicU32::new(0);

    if ran_alone("hook::the_hook_of_the_program_is_called_too::native") {
        return;
    }
    let count = || {
        panic::set_hook(Box::new(|_| {
            CALLS.fetch_add(1, Ordering::Relaxed);
        }));
    };
    wasm_mt::run(async move {
        let pool = Pool::builder().threads(2).build();
        pool.ready().await.unwrap();
        // Of the thread that owns the pool, and of a worker.
        count();
        let (task, place) = panics();
        says_what_and_where(&pool.spawn_remote(task).await.unwrap_err(), &place);
        assert_eq!(CALLS.load(Ordering::Relaxed), 1);
        pool.spawn_remote(Remote::new((), move |()| {
            panic::set_hook(Box::new(|_| {
                CALLS.fetch_add(10, Ordering::Relaxed);
            }));
        })).await.unwrap();
        let (task, place) = panics();
        says_what_and_where(&pool.spawn_remote(task).await.unwrap_err(), &place);
        assert_eq!(CALLS.load(Ordering::Relaxed), 11);
    });
}}

#[cfg(target_family = "wasm")]
web_test! { async fn console_error_panic_hook_may_be_set_by_a_task_or_at_the_start() {
    let at_start = Pool::builder().threads(1).on_start(remote!(|| console_error_panic_hook::set_once())).build();
    let (task, place) = panics();
    says_what_and_where(&at_start.spawn_remote(task).await.unwrap_err(), &place);
    let pool = Pool::builder().threads(1).build();
    pool.spawn_remote(remote!(|| console_error_panic_hook::set_once())).await.unwrap();
    let (task, place) = panics();
    says_what_and_where(&pool.spawn_remote(task).await.unwrap_err(), &place);
    let line = line!() + 3;
    let task = remote!(|| {
        console_error_panic_hook::set_once();
        panic!("a panic behind a hook");
    });
    let error: Error = pool.spawn_remote::<()>(task).await.unwrap_err();
    says_what_and_where(&error, &format!("hook.rs:{line}:"));
}}
