//! Values that many tasks use.

use futures::future::try_join_all;
use futures::{StreamExt, TryStreamExt};
use serde::{Deserialize, Deserializer, Serialize};
use wasm_mt::executor::current;
use wasm_mt::{
    ExecutorExt, InlineExecutor, Pool, Remote, RemoteFn, Shared, Strategy, Thread, Transfer, remote,
};

use crate::scene::{DECODED, DROPPED, Scene};

fn scene() -> Shared<Scene> {
    Shared::new(Scene::new())
}

/// A point, and how often this worker has decoded the scene.
fn point(scene: &Shared<Scene>, n: u32) -> Remote<(u32, u32)> {
    let scene = scene.clone();
    remote!(move || (scene.points[n as usize], DECODED.get()))
}

fn decoded() -> Remote<u32> {
    remote!(|| DECODED.get())
}

remote_test! {
    async fn a_value_is_decoded_once_on_each_worker_whatever_uses_it() {
        for strategy in [Strategy::Serial, Strategy::Parallel, Strategy::WorkStealing] {
            let pool = Pool::builder().strategy(strategy).threads(2).build();
            let scene = scene();
            let tasks = (0..100).map(|n| pool.spawn_remote(point(&scene, n)));
            let results = try_join_all(tasks).await.unwrap();
            assert!(results.into_iter().eq((0..100).map(|n| (n, 1))), "{strategy:?}");
            // A function with a small capture, a call of it, and items.
            let captured = scene.clone();
            let function: RemoteFn<u32, u32> = remote!(move |n| captured.points[n as usize] + 1);
            let results: Vec<_> = pool.par_map(0..1000, function.clone()).try_collect().await.unwrap();
            assert!(results.into_iter().eq(1..=1000), "{strategy:?}");
            assert_eq!(pool.spawn_remote(function.call(5)).await.unwrap(), 6);
            let items = (0..10).map(|n| (scene.clone(), n));
            let function: RemoteFn<(Shared<Scene>, u32), u32> = remote!(|(scene, n)| scene.points[n as usize]);
            let results: Vec<_> = pool.par_map(items, function).try_collect().await.unwrap();
            assert!(results.into_iter().eq(0..10), "{strategy:?}");
            let decoded = try_join_all(pool.broadcast(decoded())).await.unwrap();
            assert!(decoded.iter().all(|times| *times <= 1), "{strategy:?}: {decoded:?}");
        }
    }

    async fn a_function_that_lives_on_its_workers_can_have_captured_one() {
        let pool = Pool::builder().threads(2).build();
        let (scene, large) = (scene(), vec![1_u32; 10_000]);
        let captured = scene.clone();
        let function: RemoteFn<u32, u32> =
            remote!(move |n| captured.points[n as usize] + large[n as usize]);
        let results: Vec<_> = pool.par_map(0..1000, function.clone()).try_collect().await.unwrap();
        assert!(results.into_iter().eq(1..=1000));
        // Beside another argument that is shared.
        let argument: RemoteFn<Shared<Scene>, u32> = {
            let (captured, large) = (scene.clone(), vec![1_u32; 10_000]);
            remote!(move |scene| scene.points[7] + captured.points[8] + large[9])
        };
        assert_eq!(pool.spawn_remote(argument.call(scene.clone())).await.unwrap(), 16);
        drop((scene, function, argument));
        assert_eq!(pool.stats().resident_bytes, 0);
    }

    async fn workers_forget_a_value_when_its_last_owner_is_gone() {
        let pool = Pool::builder().threads(1).build();
        let scene = scene();
        pool.spawn_remote(point(&scene, 0)).await.unwrap();
        assert!(pool.stats().resident_bytes > 10_000);
        let call = point(&scene, 1);
        drop(scene);
        assert!(pool.stats().resident_bytes > 10_000);
        assert_eq!(pool.spawn_remote(call).await.unwrap(), (1, 1));
        assert_eq!(pool.stats().resident_bytes, 0);
        // The message is ahead of this task.
        assert_eq!(pool.spawn_remote(remote!(|| DROPPED.get())).await.unwrap(), 1);
    }

    async fn a_worker_that_replaces_a_lost_one_gets_it_again() {
        let pool = Pool::builder().threads(1).build();
        let scene = scene();
        assert_eq!(pool.spawn_remote(point(&scene, 3)).await.unwrap(), (3, 1));
        let lost = pool.spawn_remote(remote!(|| if DECODED.get() == 1 { panic!("on purpose") }));
        assert!(lost.await.unwrap_err().is_panic());
        assert_eq!(pool.spawn_remote(point(&scene, 4)).await.unwrap(), (4, 1));
    }

    async fn a_task_gives_it_to_tasks_that_it_makes() {
        let pool = Pool::builder().strategy(Strategy::WorkStealing).threads(2).build();
        let scene = scene();
        let parent = remote!(async move {
            let pool = current();
            let children = (0..50).map(|n| pool.spawn_remote(point(&scene, n)));
            let children = try_join_all(children.collect::<Vec<_>>()).await?;
            // One of its own, for tasks here and elsewhere.
            let own = Shared::new(vec![7_u32; 1000]);
            let own = (0..50_usize).map(|n| {
                let own = own.clone();
                pool.spawn_remote(remote!(move || own[n]))
            });
            let own = try_join_all(own.collect::<Vec<_>>()).await?;
            Ok::<_, wasm_mt::Error>((children, own))
        });
        let (children, own) = pool.spawn_remote(parent).await.unwrap().unwrap();
        assert!(children.into_iter().map(|(point, _)| point).eq(0..50));
        assert_eq!(own, [7; 50]);
    }

    async fn a_result_holds_one_that_comes_from_the_page() {
        let thread = Thread::new();
        let scene = scene();
        let given = scene.clone();
        let back = thread.spawn_remote(remote!(move || given)).await.unwrap();
        assert!(std::ptr::eq(&*back, &*scene), "it is the one that is here");
    }

    async fn values_within_values_and_without_workers() {
        #[derive(Serialize, Deserialize)]
        struct World {
            scene: Shared<Scene>,
            block: Transfer<Vec<u8>>,
        }

        let world = Shared::new(World { scene: scene(), block: Transfer(vec![5; 1000]) });
        let sum = |world: Shared<World>| remote!(move || world.scene.points[3] + u32::from(world.block.0[999]));
        assert_eq!(Thread::new().spawn_remote(sum(world.clone())).await.unwrap(), 8);
        assert_eq!(InlineExecutor::new().spawn_remote(sum(world.clone())).await.unwrap(), 8);
        let pool = Pool::builder().threads(2).build();
        let tasks: Vec<_> = (0..20).map(|_| pool.spawn_remote(sum(world.clone()))).collect();
        assert_eq!(try_join_all(tasks).await.unwrap(), [8; 20]);
    }

    async fn what_cannot_cross_is_the_error_of_each_task() {
        struct Broken;

        impl Serialize for Broken {
            fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                Err(serde::ser::Error::custom("on purpose"))
            }
        }

        impl<'de> Deserialize<'de> for Broken {
            fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
                Ok(Self)
            }
        }

        let thread = Thread::new();
        let broken = Shared::new(Broken);
        for _ in 0..2 {
            let broken = broken.clone();
            let task = remote!(move || size_of_val(&*broken));
            let error = thread.spawn_remote(task).await.unwrap_err();
            assert!(error.is_codec() && error.to_string().contains("on purpose"), "{error}");
        }
        assert_eq!(thread.spawn_remote(decoded()).await.unwrap(), 0);
        let text = serde_json::to_string(&scene()).unwrap_err().to_string();
        assert!(text.contains("travels only through wasm-mt"), "{text}");
    }

    async fn it_is_captured_and_not_sent() {
        let (sender, _receiver) = wasm_mt::unbounded();
        let error = sender.send(scene()).await.unwrap_err();
        assert!(error.is_codec() && error.to_string().contains("capture it"), "{error}");
        // One that a task has made is not known to the page.
        let thread = Thread::new();
        let made = thread.spawn_remote(remote!(|| Shared::new(vec![DECODED.get()])));
        assert!(cfg!(not(target_family = "wasm")) || made.await.unwrap_err().is_codec());
    }

    async fn streams_and_chunks_use_it_too() {
        let pool = Pool::builder().threads(2).build();
        let scene = scene();
        let stream = pool.spawn_stream(4, |sender| {
            remote!(async move {
                for n in 0..10_usize {
                    sender.send(scene.points[n]).await?;
                }
                Ok::<_, wasm_mt::Error>(())
            })
        });
        let points: Vec<_> = stream.map(Result::unwrap).collect().await;
        assert!(points.into_iter().eq(0..10));
    }
}
