//! What goes wrong comes back as a value, and only to whom it concerns.

use std::time::Duration;

use wasm_mt::{Error, Remote, Thread, remote};

use crate::common::on_worker;

fn forever() -> Remote<()> {
    Remote::new_async((), |()| std::future::pending::<()>())
}

remote_test! {
    async fn a_panic_loses_the_thread_and_resolves_every_other_handle() {
        let thread = Thread::new();
        let before = thread.spawn_remote(forever());
        let culprit = thread.spawn_remote(Remote::new((), |()| -> u8 { panic!("on purpose") }));
        let behind = (0..3).map(|_| thread.spawn_remote(Remote::new((), |()| 1))).collect::<Vec<_>>();

        let error = culprit.await.unwrap_err();
        assert!(error.is_panic() && !error.is_worker_lost(), "{error}");
        assert!(error.to_string().contains("on purpose") && error.to_string().contains("error.rs:"), "{error}");
        let error = before.await.unwrap_err();
        assert!(error.is_worker_lost() && !error.is_panic(), "{error}");
        assert!(error.to_string().contains("on purpose"), "{error}");
        for handle in behind {
            assert!(handle.await.unwrap_err().is_worker_lost());
        }
        assert!(thread.is_lost());
        assert!(thread.spawn_remote(Remote::new((), |()| 1)).await.unwrap_err().is_worker_lost());
    }

    async fn a_panic_after_an_await_is_the_panic_of_its_task() {
        let thread = Thread::new();
        let bystander = thread.spawn_remote(forever());
        let culprit = thread.spawn_remote(Remote::new_async(3, |n: i32| async move {
            wasm_mt::yield_now().await;
            assert_eq!(n, 4, "numbers differ");
        }));
        let error = culprit.await.unwrap_err();
        assert!(error.is_panic(), "{error}");
        assert!(error.to_string().contains("numbers differ"), "{error}");
        assert!(bystander.await.unwrap_err().is_worker_lost());
    }

    async fn a_panic_in_the_drop_of_a_cancelled_task_loses_the_thread() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("dropped");
            }
        }
        let thread = Thread::new();
        let cancelled = thread.spawn_remote(Remote::new_async((), |()| async {
            let _bomb = Bomb;
            std::future::pending::<()>().await;
        }));
        let bystander = thread.spawn_remote(forever());
        thread.spawn_remote(Remote::new((), |()| ())).await.unwrap();
        drop(cancelled);
        let error = bystander.await.unwrap_err();
        assert!(error.is_worker_lost(), "{error}");
        assert!(error.to_string().contains("dropped"), "{error}");
    }

    async fn the_error_names_the_place_of_the_task() {
        let line = line!() + 1;
        let error = on_worker(Remote::new((), |()| -> () { panic!("here") })).await.unwrap_err();
        assert!(error.to_string().contains(&format!("error.rs:{line}:")), "{error}");
    }

    async fn an_error_is_a_result_as_any_other() {
        let made_there = on_worker(Remote::new_async((), |()| async {
            on_worker(Remote::new((), |()| -> u8 { panic!("inner") })).await
        }));
        let error: Error = made_there.await.unwrap().unwrap_err();
        assert!(error.is_panic(), "{error}");
        assert!(error.to_string().contains("inner"), "{error}");
    }

    async fn a_panic_in_on_start_is_a_failed_start() {
        let thread = Thread::builder().on_start(Remote::new((), |()| panic!("no logger"))).build();
        let task = thread.spawn_remote(Remote::new((), |()| 1));
        let error = thread.ready().await.unwrap_err();
        assert!(error.is_startup(), "{error}");
        assert!(error.to_string().contains("no logger") && error.to_string().contains("on_start"), "{error}");
        assert!(task.await.unwrap_err().is_startup());
    }

    async fn a_panic_of_what_on_start_has_begun_blames_no_task_of_the_pool() {
        let starts = remote!(async {
            let _lost: Result<(), Error> = remote!(|| panic!("no logger")).await;
        });
        let thread = Thread::builder().on_start(starts).build();
        let error = thread.ready().await.unwrap_err().to_string();
        assert!(error.contains("no logger") && error.contains("its `on_start`, or what that had begun"), "{error}");
        assert!(!error.contains("another task"), "{error}");
    }

    async fn a_worker_that_is_not_ready_in_time_is_a_failed_start() {
        let thread = Thread::builder().start_timeout(Duration::from_millis(100)).on_start(forever()).build();
        let error = thread.spawn_remote(Remote::new((), |()| 1)).await.unwrap_err();
        assert!(error.is_startup(), "{error}");
        assert!(error.to_string().contains("100 ms") && error.to_string().contains("start_timeout"), "{error}");
    }
}

#[cfg(target_family = "wasm")]
web_test! { async fn a_trap_in_on_start_blames_no_task() {
    let traps = [
        remote!(|| core::arch::wasm32::unreachable()),
        remote!(async {
            wasm_mt::yield_now().await;
            core::arch::wasm32::unreachable()
        }),
    ];
    for on_start in traps {
        let thread = Thread::builder().on_start(on_start).build();
        let error = thread.ready().await.unwrap_err();
        assert!(error.is_startup(), "{error}");
        let error = error.to_string();
        assert!(error.contains("its `on_start`, or what that had begun, made it trap"), "{error}");
        assert!(!error.contains("task had left") && !error.contains("another task"), "{error}");
    }
}}

#[cfg(not(target_family = "wasm"))]
native_test! { fn a_panic_that_the_task_catches_is_no_panic_of_the_task() {
    wasm_mt::run(async {
        let thread = Thread::new();
        let caught = Remote::new((), |()| std::panic::catch_unwind(|| panic!("caught")).is_err());
        assert!(thread.spawn_remote(caught).await.unwrap());
        assert_eq!(thread.spawn_remote(Remote::new((), |()| 1)).await.unwrap(), 1);
    });
}}

#[cfg(target_family = "wasm")]
web_test! { async fn an_error_is_an_error_for_javascript() {
    let error = on_worker(Remote::new((), |()| -> u8 { panic!("on purpose") })).await.unwrap_err();
    let thrown = wasm_bindgen::JsValue::from(error.clone());
    let thrown = wasm_bindgen::JsCast::dyn_into::<js_sys::Error>(thrown).unwrap();
    assert_eq!(String::from(thrown.message()), error.to_string());
} }
