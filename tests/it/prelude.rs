//! Programs that import nothing but the prelude.

use wasm_mt::prelude::*;

#[remote_trait]
trait Shape {
    fn area(&self) -> u32;
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Square(u32);

impl Shape for Square {
    fn area(&self) -> u32 {
        self.0 * self.0
    }
}

remote_test! {
    async fn the_prelude_is_all_that_a_program_needs() {
        use futures::StreamExt;

        let pool: Pool = Pool::builder().strategy(Strategy::Parallel).threads(2).build();
        let handle: RemoteHandle<u32> = pool.spawn_remote(remote!(|| 1));
        assert_eq!(handle.await.unwrap(), 1);
        let shape: Box<dyn Shape> = Box::new(Square(3));
        let task: Remote<u32> = remote!(move || shape.area());
        assert_eq!(Thread::new().spawn_remote(task).await.unwrap(), 9);
        let double: RemoteFn<u32, Transfer<Vec<u32>>> = remote!(|n| Transfer(vec![2 * n]));
        let doubled: Vec<_> = pool.par_map(0..3, double).map(|result| result.unwrap().0[0]).collect().await;
        assert_eq!(doubled, [0, 2, 4]);
        let executors: [Box<dyn Executor>; 4] = [
            Box::new(SerialExecutor::new()),
            Box::new(ParallelExecutor::new()),
            Box::new(WorkStealingExecutor::new()),
            Box::new(InlineExecutor::new()),
        ];
        for executor in executors {
            assert_eq!(executor.spawn_remote(remote!(|| 2)).await.unwrap(), 2);
        }
    }

    async fn what_std_and_programs_have_too_is_not_in_the_prelude() {
        // Each of these is ambiguous, or another, if the prelude has it.
        println!("{}", stringify!(of std));
        fn run() -> Result<(), std::fmt::Error> {
            Ok(())
        }
        run().unwrap();
    }
}

#[cfg(target_family = "wasm")]
web_test! { async fn the_prelude_has_what_the_web_has_beside() {
    let script: Remote<Js<wasm_bindgen::JsValue>> = exec_js("return 1;");
    assert_eq!(Thread::new().spawn_remote(script).await.unwrap().0, 1);
    assert_eq!(Thread::new().spawn_remote(exec_js_async("return 2;")).await.unwrap().0, 2);
}}
