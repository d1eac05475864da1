//! What crosses, and what cannot.

use futures::TryStreamExt;
use futures::future::try_join_all;
use serde::{Deserialize, Serialize};
use wasm_mt::executor::current;
use wasm_mt::{
    ExecutorExt, Remote, RemoteFn, Shared, Thread, Transfer, actor, channel, remote, remote_trait,
};

use super::{connect, pool};

#[remote_trait]
trait Shape {
    fn area(&self) -> f64;
}

#[derive(Serialize, Deserialize)]
struct Square(f64);

impl Shape for Square {
    fn area(&self) -> f64 {
        self.0 * self.0
    }
}

/// There and back, all bits.
fn echo<T: wasm_mt::Transferable + 'static>(block: T) -> Remote<Transfer<T>> {
    Remote::new(Transfer(block), |block| block)
}

remote_test! {
    async fn values_tasks_and_functions_cross() {
        let client = connect(pool());
        let (name, factor) = ("sea".to_owned(), 3);
        assert_eq!(client.spawn_remote(remote!(move || name.repeat(factor))).await.unwrap(), "seaseasea");
        let later = remote!(async move {
            wasm_mt::yield_now().await;
            factor + 1
        });
        assert_eq!(client.spawn_remote(later).await.unwrap(), 4);
        let triple: RemoteFn<u32, u32> = remote!(move |n| n * factor as u32);
        let tripled: Vec<_> = client.par_map(0..1000, triple.clone()).try_collect().await.unwrap();
        assert!(tripled.into_iter().eq((0..1000).map(|n| 3 * n)));
        assert_eq!(client.spawn_remote(triple.call(5)).await.unwrap(), 15);
        let parent = remote!(async move { current().spawn_remote(remote!(move || factor * 2)).await });
        assert_eq!(client.spawn_remote(parent).await.unwrap().unwrap(), 6);
        let shape: Box<dyn Shape> = Box::new(Square(3.0));
        assert_eq!(client.spawn_remote(remote!(move || shape.area())).await.unwrap(), 9.0);
    }

    async fn a_function_with_much_captured_crosses_and_so_does_what_is_shared() {
        let client = connect(pool());
        let points: Vec<u32> = (0..100_000).collect();
        let shared = Shared::new(points.clone());
        let get: RemoteFn<u32, u32> = remote!(move |n| points[n as usize]);
        let results: Vec<_> = client.par_map(0..1000, get).try_collect().await.unwrap();
        assert!(results.into_iter().eq(0..1000));
        let tasks = (0..10_usize).map(|n| {
            let shared = shared.clone();
            client.spawn_remote(remote!(move || shared[n]))
        });
        assert!(try_join_all(tasks).await.unwrap().into_iter().eq(0..10));
        // It comes back as the one that is here.
        let captured = shared.clone();
        let back = client.spawn_remote(remote!(move || captured)).await.unwrap();
        assert!(std::ptr::eq(&*back, &*shared));
    }

    async fn blocks_of_every_number_cross_bit_by_bit() {
        macro_rules! blocks {
            ($client:ident, $($number:ty)*) => {$(
                let numbers: Vec<$number> = vec![<$number>::MIN, 0 as $number, 1 as $number, <$number>::MAX];
                assert_eq!($client.spawn_remote(echo(numbers.clone())).await.unwrap().0, numbers);
            )*};
        }
        let client = connect(pool());
        blocks!(client, u8 u16 u32 u64 usize i8 i16 i32 i64 isize f32 f64);
        let nan = f64::from_bits(0x7ff8_0000_0000_1234);
        let back = client.spawn_remote(echo(vec![nan].into_boxed_slice())).await.unwrap().0;
        assert_eq!(back[0].to_bits(), nan.to_bits());
        let mebibyte: Vec<u8> = (0..1 << 20).map(|n| n as u8).collect();
        assert_eq!(client.spawn_remote(echo(mebibyte.clone())).await.unwrap().0, mebibyte);
        let two = remote!(|| (Transfer(vec![1_u8]), Transfer(vec![0.5_f32; 2]), 7));
        assert_eq!(client.spawn_remote(two).await.unwrap(), (Transfer(vec![1]), Transfer(vec![0.5; 2]), 7));
    }

    async fn what_cannot_leave_its_process_is_an_error_that_says_so() {
        let client = connect(pool());
        let (sender, _receiver) = channel::<u32>(1);
        let error = client.spawn_remote(remote!(move || drop(sender))).await.unwrap_err();
        assert!(error.is_codec() && error.to_string().contains("end of a channel"), "{error}");
        let error = client.spawn_remote(remote!(|| channel::<u32>(1).0)).await.unwrap_err();
        assert!(error.is_codec() && error.to_string().contains("end of a channel"), "{error}");
        let object = Thread::new().spawn_actor(actor!(|| Ok(0)));
        let error = client.spawn_remote(remote!(move || drop(object))).await.unwrap_err();
        assert!(error.is_codec() && error.to_string().contains("actor"), "{error}");
        assert_eq!(client.spawn_remote(remote!(|| 6 * 7)).await.unwrap(), 42);
    }

    async fn errors_cross_with_their_text() {
        let client = connect(pool());
        let error = client.spawn_remote(remote!(|| -> u32 { panic!("a bug") })).await.unwrap_err();
        let line = line!() - 1;
        assert!(error.is_panic(), "{error}");
        let text = error.to_string();
        assert!(text.contains("a bug") && text.contains(&format!("values.rs:{line}")), "{text}");
        let error = client.spawn_remote(remote!(|| serde_json::json!([1]))).await.unwrap_err();
        assert!(error.is_codec(), "{error}");
    }
}
