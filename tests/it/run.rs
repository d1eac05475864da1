//! A task runs on a worker and its result comes back.

use wasm_mt::Remote;

use crate::common::on_worker;

remote_test! {
    async fn a_function_runs_on_a_worker() {
        fn add((a, b): (i32, i32)) -> i32 {
            a + b
        }
        assert_eq!(on_worker(Remote::new((2, 3), add)).await.unwrap(), 5);
    }

    async fn an_async_closure_runs_on_a_worker() {
        let task = Remote::new_async((2, 3), |(a, b): (i32, i32)| async move {
            wasm_mt::yield_now().await;
            a * b
        });
        assert_eq!(on_worker(task).await.unwrap(), 6);
    }

    async fn a_panic_comes_back_with_its_message_and_place() {
        let error = on_worker(Remote::new(7, |n: i32| -> i32 { panic!("no {n}") })).await.unwrap_err();
        assert!(error.is_panic(), "{error}");
        assert!(error.to_string().contains("no 7"), "{error}");
        assert!(error.to_string().contains("run.rs:"), "{error}");
    }
}
