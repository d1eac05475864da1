//! Channels between tasks.

use std::future::IntoFuture;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use futures::future::{join, try_join_all};
use futures::stream::FusedStream;
use futures::{StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use wasm_mt::executor::current;
use wasm_mt::{
    Error, Executor, ExecutorExt, InlineExecutor, Pool, Receiver, RemoteFn, Sender, Strategy, Thread,
    Transfer, channel, remote, unbounded, watch, yield_now,
};
use web_time::Instant;

/// Sends numbers from a worker.
async fn count_to(last: u32, sender: Sender<u32>) -> Result<(), Error> {
    for n in 1..=last {
        sender.send(n).await?;
    }
    Ok(())
}

/// All values that come.
async fn all(receiver: Receiver<u32>) -> Result<Vec<u32>, Error> {
    receiver.try_collect().await
}

/// The one error among what comes, and the values.
async fn with_error(receiver: Receiver<u32>) -> (Vec<u32>, Vec<Error>) {
    let (mut values, mut errors) = (Vec::new(), Vec::new());
    let mut received = receiver;
    while let Some(item) = received.next().await {
        match item {
            Ok(value) => values.push(value),
            Err(error) => errors.push(error),
        }
    }
    assert!(received.is_terminated());
    (values, errors)
}

remote_test! {
    async fn who_no_longer_waits_for_the_end_of_a_receiver_is_not_kept() {
        struct Quiet;

        impl Wake for Quiet {
            fn wake(self: Arc<Self>) {}
        }

        let (sender, receiver) = unbounded::<u32>();
        let wakers: Vec<_> = (0..10).map(|_| Arc::new(Quiet)).collect();
        for waker in &wakers {
            let waker = Waker::from(waker.clone());
            let closed = std::pin::pin!(sender.closed());
            assert!(closed.poll(&mut Context::from_waker(&waker)).is_pending());
        }
        assert!(wakers.iter().all(|waker| Arc::strong_count(waker) == 1));
        let closed = sender.closed();
        drop(receiver);
        closed.await;
    }

    async fn values_come_in_order_and_the_stream_ends_with_the_last_sender() {
        let thread = Thread::new();
        for capacity in [0, 1, 3, 1000] {
            let (sender, receiver) = channel(capacity);
            let task = thread.spawn_remote(remote!(async move { count_to(100, sender).await }));
            assert!(all(receiver).await.unwrap().into_iter().eq(1..=100), "{capacity}");
            task.await.unwrap().unwrap();
        }
        let (sender, receiver) = unbounded();
        let task = thread.spawn_remote(remote!(async move { count_to(1000, sender).await }));
        assert!(all(receiver).await.unwrap().into_iter().eq(1..=1000));
        task.await.unwrap().unwrap();
    }

    async fn what_a_synchronous_task_sends_comes_while_it_runs_or_at_its_end() {
        let (sender, receiver) = unbounded();
        let task = remote!(move || (1..=100).try_for_each(|n| sender.try_send(n).map_err(Error::from)));
        task.await.unwrap().unwrap();
        assert!(all(receiver).await.unwrap().into_iter().eq(1..=100));
    }

    async fn a_task_receives_what_the_page_sends() {
        for capacity in [1, 16] {
            let (sender, receiver) = channel(capacity);
            let sum = remote!(async move { Ok::<u32, Error>(all(receiver).await?.into_iter().sum()) }).into_future();
            for n in 0..100 {
                sender.send(n).await.unwrap();
            }
            drop(sender);
            assert_eq!(sum.await.unwrap().unwrap(), 4950);
        }
    }

    async fn one_worker_sends_to_another() {
        let (one, other) = (Thread::new(), Thread::new());
        let (sender, receiver) = channel(4);
        let sum = other.spawn_remote(remote!(async move { all(receiver).await }));
        let sent = one.spawn_remote(remote!(async move { count_to(200, sender).await }));
        assert!(sum.await.unwrap().unwrap().into_iter().eq(1..=200));
        sent.await.unwrap().unwrap();
    }

    async fn the_values_of_each_of_many_senders_keep_their_order() {
        let pool = Pool::builder().strategy(Strategy::WorkStealing).threads(3).build();
        let (sender, receiver) = channel(8);
        let tasks = (0..20_u32).map(|task| {
            let sender = sender.clone();
            pool.spawn_remote(remote!(async move {
                for n in 0..50_u32 {
                    sender.send(task * 1000 + n).await?;
                }
                Ok::<_, Error>(())
            }))
        });
        let tasks = try_join_all(tasks.collect::<Vec<_>>());
        drop(sender);
        let (tasks, values) = join(tasks, all(receiver)).await;
        tasks.unwrap().into_iter().for_each(Result::unwrap);
        let values = values.unwrap();
        assert_eq!(values.len(), 1000);
        for task in 0..20 {
            let own = values.iter().filter(|value| **value / 1000 == task).map(|value| value % 1000);
            assert!(own.eq(0..50), "task {task}");
        }
    }

    async fn a_bounded_channel_holds_as_much_as_it_says() {
        // Nobody receives: neither a task that blocks its thread can send more, nor one that waits.
        let thread = Thread::new();
        for capacity in [1, 5] {
            let (sender, _receiver) = channel(capacity);
            let sent = thread.spawn_remote(remote!(move || {
                let full = (0..).find_map(|n: usize| sender.try_send(n).err());
                full.map(|full| (full.is_full(), full.into_inner()))
            }));
            assert_eq!(sent.await.unwrap(), Some((true, capacity)));
            let (sender, _receiver) = channel(capacity);
            let sent = thread.spawn_remote(remote!(async move {
                let mut sent = 0_usize;
                while sender.try_send(sent).is_ok() {
                    sent += 1;
                    yield_now().await;
                }
                sent
            }));
            assert_eq!(sent.await.unwrap(), capacity);
            // A sender that comes later has no more room than the one before left.
            let (sender, mut receiver) = channel::<u32>(capacity);
            let mut room = Vec::new();
            for _ in 0..3 {
                let sender = sender.clone();
                let sent = thread.spawn_remote(remote!(move || (0..).take_while(|n| sender.try_send(*n).is_ok()).count()));
                room.push(sent.await.unwrap());
            }
            assert_eq!(room, [capacity, 0, 0]);
            receiver.next().await.unwrap().unwrap();
        }
    }

    async fn senders_learn_that_the_receiver_is_gone() {
        let thread = Thread::new();
        let (sender, receiver) = channel(2);
        let task = thread.spawn_remote(remote!(async move { count_to(u32::MAX, sender).await }));
        let first: Vec<_> = receiver.take(3).collect().await;
        assert_eq!(first.len(), 3);
        let error = task.await.unwrap().unwrap_err();
        assert!(error.is_closed(), "{error}");
        // Here too, and one that waits.
        let (sender, receiver) = channel(1);
        sender.send(1).await.unwrap();
        let (waiting, ()) = join(sender.send(2), async move { drop(receiver) }).await;
        assert!(waiting.unwrap_err().is_closed());
        assert!(sender.is_closed());
        let error = sender.try_send(3).unwrap_err();
        assert!(error.is_closed() && !error.is_full());
        assert_eq!(error.into_inner(), 3);
    }

    async fn a_receiver_on_a_worker_that_is_dropped_closes_the_channel() {
        let (sender, receiver) = channel::<u32>(1);
        let first = remote!(async move {
            let mut receiver = receiver;
            receiver.next().await
        });
        let first = first.into_future();
        let mut sent = 0;
        let error = loop {
            match sender.send(sent).await {
                Ok(()) => sent += 1,
                Err(error) => break error,
            }
        };
        assert!(error.is_closed(), "{error}");
        assert_eq!(first.await.unwrap().unwrap().unwrap(), 0);
    }

    async fn the_loss_of_a_senders_worker_is_one_error_and_the_others_go_on() {
        let (lost, other) = (Thread::new(), Thread::new());
        let (sender, receiver) = unbounded();
        let doomed = sender.clone();
        let task = lost.spawn_remote(remote!(move || {
            doomed.try_send(1).unwrap();
            let _second = doomed.clone();
            if doomed.try_send(2).is_ok() {
                panic!("with two senders");
            }
        }));
        assert!(task.await.unwrap_err().is_panic());
        other.spawn_remote(remote!(async move { sender.send(3).await })).await.unwrap().unwrap();
        let (mut values, errors) = with_error(receiver).await;
        values.sort_unstable();
        assert_eq!(values, [1, 2, 3]);
        assert!(errors.len() == 1 && errors[0].is_worker_lost(), "{errors:?}");
    }

    async fn the_loss_of_the_receivers_worker_closes_the_channel() {
        let thread = Thread::new();
        let (sender, receiver) = channel::<u32>(1);
        let task = thread.spawn_remote(remote!(async move {
            let mut receiver = receiver;
            if receiver.next().await.is_some() {
                panic!("with the receiver");
            }
        }));
        let (error, task) = join(
            async {
                loop {
                    if let Err(error) = sender.send(1).await {
                        break error;
                    }
                }
            },
            task,
        )
        .await;
        assert!(error.is_closed(), "{error}");
        assert!(task.unwrap_err().is_panic());
    }

    async fn an_executor_that_is_dropped_loses_its_ends() {
        let (sender, mut receiver) = unbounded();
        let thread = Thread::new();
        let task = thread.spawn_remote(remote!(async move {
            sender.send(1).await?;
            futures::future::pending::<Result<(), Error>>().await
        }));
        assert_eq!(receiver.next().await.unwrap().unwrap(), 1);
        drop(thread);
        assert!(task.await.unwrap_err().is_closed());
        let (values, errors) = with_error(receiver).await;
        assert!(values.is_empty());
        assert!(errors.len() == 1 && errors[0].is_worker_lost(), "{errors:?}");
    }

    async fn a_task_that_is_cancelled_lets_go_of_its_ends() {
        let pool = Pool::builder().threads(1).strategy(Strategy::Serial).build();
        // One that has not begun, behind one that waits for it.
        let (sender, receiver) = unbounded();
        let (end, ended) = unbounded::<u32>();
        let first = pool.spawn_remote(remote!(async move { all(ended).await }));
        let own = sender.clone();
        let cancelled = pool.spawn_remote(remote!(async move { count_to(3, own).await }));
        let own = sender.clone();
        drop(pool.spawn_remote(remote!(async move { count_to(3, own).await })));
        drop((sender, cancelled, end));
        assert!(first.await.unwrap().unwrap().is_empty());
        let (values, errors) = with_error(receiver).await;
        assert!(values.is_empty() && errors.is_empty(), "{values:?} {errors:?}");
        // One that awaits something.
        let (sender, mut receiver) = unbounded();
        let task = pool.spawn_remote(remote!(async move {
            sender.send(7).await?;
            futures::future::pending::<Result<(), Error>>().await
        }));
        assert_eq!(receiver.next().await.unwrap().unwrap(), 7);
        drop(task);
        assert!(receiver.next().await.is_none());
    }

    async fn a_receiver_takes_along_what_it_has_not_received() {
        let (one, other) = (Thread::new(), Thread::new());
        let (sender, receiver) = channel(4);
        // It goes to a worker, back, and on, and values are on their way all the time.
        let source = Thread::new();
        let task = source.spawn_remote(remote!(async move { count_to(400, sender).await }));
        let mut receiver: Receiver<u32> = receiver;
        let mut values = Vec::new();
        for thread in [&one, &other, &one, &one] {
            values.push(receiver.next().await.unwrap().unwrap());
            let some = remote!(async move {
                let mut receiver: Receiver<u32> = receiver;
                let some: Result<Vec<_>, _> = receiver.by_ref().take(20).try_collect().await;
                Ok::<_, Error>((some?, receiver))
            });
            let (some, back) = thread.spawn_remote(some).await.unwrap().unwrap();
            values.extend(some);
            receiver = back;
        }
        values.extend(all(receiver).await.unwrap());
        assert!(values.iter().copied().eq(1..=400), "{values:?}");
        task.await.unwrap().unwrap();
    }

    async fn a_channel_that_a_task_makes_can_leave_it() {
        let pool = Pool::builder().threads(2).build();
        let task = remote!(async move {
            let (sender, receiver) = channel(2);
            // Some values are in it when it leaves.
            sender.send(0).await?;
            let child = remote!(async move { count_to(50, sender).await }).into_future();
            child.forget();
            Ok::<_, Error>(receiver)
        });
        let receiver: Receiver<u32> = pool.spawn_remote(task).await.unwrap().unwrap();
        assert!(all(receiver).await.unwrap().into_iter().eq(0..=50));
        // Its sender leaves, and the receiver stays.
        let (give, mut given) = unbounded();
        let task = remote!(async move {
            let (sender, receiver) = channel::<u32>(2);
            give.send(sender).await?;
            all(receiver).await
        });
        let task = pool.spawn_remote(task);
        let sender: Sender<u32> = given.next().await.unwrap().unwrap();
        count_to(50, sender).await.unwrap();
        assert!(task.await.unwrap().unwrap().into_iter().eq(1..=50));
        // Both stay.
        let task = remote!(async move {
            let (sender, receiver) = channel(2);
            let (sent, received) = join(count_to(50, sender), all(receiver)).await;
            sent?;
            received
        });
        assert!(pool.spawn_remote(task).await.unwrap().unwrap().into_iter().eq(1..=50));
    }

    async fn ends_cross_within_values_and_channels() {
        #[derive(Serialize, Deserialize)]
        struct Request {
            number: u32,
            answer: Sender<u32>,
        }

        let (requests, served) = channel::<Request>(2);
        let server = remote!(async move {
            while let Some(request) = served.next().await {
                let Request { number, answer } = request?;
                answer.send(number * 2).await?;
            }
            Ok::<_, Error>(())
        });
        let server = server.into_future();
        for number in 0..5 {
            let (answer, answers) = channel(1);
            requests.send(Request { number, answer }).await.unwrap();
            assert_eq!(all(answers).await.unwrap(), [number * 2]);
        }
        drop(requests);
        server.await.unwrap().unwrap();
    }

    async fn a_pool_within_a_worker_reaches_the_page() {
        let (sender, receiver) = channel(3);
        let (back, returned) = channel(3);
        let task = remote!(async move {
            let inner = Thread::new();
            let up = inner.spawn_remote(remote!(async move { count_to(60, sender).await }));
            let down = inner.spawn_remote(remote!(async move { all(returned).await }));
            up.await??;
            down.await?
        });
        let task = task.into_future();
        let values = all(receiver).await.unwrap();
        assert!(values.iter().copied().eq(1..=60));
        for value in values {
            back.send(value).await.unwrap();
        }
        drop(back);
        assert!(task.await.unwrap().unwrap().into_iter().eq(1..=60));
    }

    async fn a_receiver_is_sent_once() {
        let thread = Thread::new();
        let (_sender, receiver) = unbounded::<u32>();
        let task = remote!(async move { all(receiver).await }).retry(1);
        assert!(thread.spawn_remote(task).await.unwrap_err().is_codec());
        let (_sender, receiver) = unbounded::<u32>();
        let function: RemoteFn<u32, bool> = remote!(move |_n| receiver.is_terminated());
        let error = thread.spawn_remote(function.call(1)).await.unwrap_err();
        assert!(error.is_codec() && error.to_string().contains("one place"), "{error}");
        // A sender may be sent again.
        let (sender, receiver) = unbounded();
        let function: RemoteFn<u32, ()> = remote!(move |n| sender.try_send(n).unwrap());
        thread.par_map(0..10, function).try_collect::<Vec<_>>().await.unwrap();
        let mut values = all(receiver).await.unwrap();
        values.sort_unstable();
        assert!(values.into_iter().eq(0..10));
    }

    async fn bulk_data_goes_through_channels() {
        let (sender, mut receiver) = channel(1);
        let task = remote!(async move {
            for n in 0..4_u8 {
                sender.send(Transfer(vec![n; 100_000])).await?;
            }
            Ok::<_, Error>(())
        });
        let task = task.into_future();
        for n in 0..4 {
            let Transfer(block) = receiver.next().await.unwrap().unwrap();
            assert_eq!(block, vec![n; 100_000]);
        }
        task.await.unwrap().unwrap();
        assert!(receiver.next().await.is_none());
    }

    async fn only_the_newest_value_is_kept() {
        let thread = Thread::new();
        for is_async in [false, true] {
            let (sender, receiver) = watch();
            let task = thread.spawn_remote(remote!(async move {
                for n in 1..=10_000_u32 {
                    sender.send(n).await?;
                    if is_async && n % 1000 == 0 {
                        yield_now().await;
                    }
                }
                Ok::<_, Error>(())
            }));
            let seen = all(receiver).await.unwrap();
            task.await.unwrap().unwrap();
            assert!(seen.windows(2).all(|pair| pair[0] < pair[1]), "{seen:?}");
            assert_eq!(seen.last(), Some(&10_000));
        }
        // On the page none is left out for long, and what is not received is replaced.
        let (sender, mut receiver) = watch();
        for n in 0..10 {
            sender.try_send(n).unwrap();
        }
        assert_eq!(receiver.try_recv().unwrap().unwrap(), 9);
        assert!(receiver.try_recv().is_none());
        drop(sender);
        assert!(receiver.try_recv().is_none() && receiver.is_terminated());
    }

    async fn each_channel_of_newest_values_has_its_own_pace() {
        let thread = Thread::new();
        let ((one, first), (other, second)) = (watch(), watch());
        let task = thread.spawn_remote(remote!(move || {
            for n in 1..=60_u32 {
                let begun = Instant::now();
                while begun.elapsed() < Duration::from_millis(5) {}
                one.try_send(n)?;
                other.try_send(n)?;
            }
            Ok::<_, Error>(())
        }));
        let (first, second) = join(all(first), all(second)).await;
        task.await.unwrap().unwrap();
        for seen in [first.unwrap(), second.unwrap()] {
            assert!(seen.len() > 2 && seen.last() == Some(&60), "{seen:?}");
        }
    }

    async fn a_task_knows_from_its_beginning_that_the_receiver_is_gone() {
        let thread = Thread::new();
        let (sender, receiver) = channel::<u32>(1);
        drop(receiver);
        assert!(thread.spawn_remote(remote!(move || sender.is_closed())).await.unwrap());
    }

    async fn functions_that_a_worker_makes_send_from_wherever_they_run() {
        let pool = Pool::builder().strategy(Strategy::WorkStealing).threads(2).build();
        let (sender, receiver) = unbounded();
        let task = remote!(async move {
            let function: RemoteFn<u32, ()> = remote!(move |n| sender.try_send(n).unwrap());
            let executor = current();
            let calls = (100..200).map(|n| executor.spawn_remote(function.call(n)));
            try_join_all(calls.collect::<Vec<_>>()).await?;
            executor.par_map(0..100, function).try_collect::<Vec<_>>().await
        });
        pool.spawn_remote(task).await.unwrap().unwrap();
        pool.close().await;
        let (mut values, _) = with_error(receiver).await;
        values.sort_unstable();
        assert!(values.into_iter().eq(0..200));
    }

    async fn an_end_that_waits_in_a_channel_is_not_lost_with_its_sender() {
        let (requests, mut served) = unbounded::<(Sender<u32>, Receiver<u32>)>();
        let thread = Thread::new();
        let (answer, answers) = unbounded();
        let (number, numbers) = unbounded();
        let request = remote!(move || requests.try_send((answer, numbers)).unwrap());
        thread.spawn_remote(request).await.unwrap();
        drop(thread);
        number.send(20).await.unwrap();
        drop(number);
        let (answer, mut numbers) = served.next().await.unwrap().unwrap();
        answer.send(numbers.next().await.unwrap().unwrap() + 1).await.unwrap();
        drop(answer);
        assert_eq!(all(answers).await.unwrap(), [21]);
    }

    async fn the_newest_value_comes_even_if_its_worker_has_ended() {
        let thread = Thread::new();
        let (sender, receiver) = watch();
        let task = remote!(move || (0..=100_u32).try_for_each(|n| sender.try_send(n).map_err(Error::from)));
        thread.spawn_remote(task).await.unwrap().unwrap();
        thread.close().await;
        assert_eq!(all(receiver).await.unwrap().last(), Some(&100));
    }

    async fn a_value_that_is_refused_is_as_it_was_given() {
        let (requests, mut served) = channel::<Receiver<u32>>(1);
        let (_first, receiver) = unbounded();
        requests.try_send(receiver).unwrap();
        let (number, receiver) = unbounded();
        let refused = requests.try_send(receiver).unwrap_err();
        assert!(refused.is_full());
        number.send(5).await.unwrap();
        assert_eq!(refused.into_inner().next().await.unwrap().unwrap(), 5);
        served.next().await.unwrap().unwrap();
    }

    async fn a_stream_of_a_task_has_what_it_sends_and_its_result() {
        for executor in [&Thread::new() as &dyn Executor, &InlineExecutor::new(), &Pool::builder().threads(2).build()] {
            let numbers = |fails| {
                executor.spawn_stream(2, move |sender| {
                    remote!(async move {
                        count_to(20, sender).await?;
                        if fails { Err(Error::other("on purpose")) } else { Ok("all".to_owned()) }
                    })
                })
            };
            let mut stream = numbers(false);
            let values: Vec<_> = stream.by_ref().take(5).try_collect().await.unwrap();
            assert!(values.into_iter().eq(1..=5));
            assert_eq!(stream.result().await.unwrap().unwrap(), "all");
            let values: Vec<_> = numbers(true).try_collect().await.unwrap();
            assert!(values.into_iter().eq(1..=20));
            assert!(numbers(true).result().await.unwrap().unwrap_err().is_other());
        }
    }

    async fn the_error_of_a_task_is_the_last_item_of_its_stream() {
        let thread = Thread::new();
        let mut stream = thread.spawn_stream(8, |sender| {
            remote!(move || {
                if sender.try_send(1_u32).is_ok() {
                    panic!("on purpose");
                }
            })
        });
        assert_eq!(stream.next().await.unwrap().unwrap(), 1);
        assert!(stream.next().await.unwrap().unwrap_err().is_panic());
        assert!(stream.next().await.is_none() && stream.is_terminated());
        assert!(stream.result().await.unwrap_err().is_panic());
    }

    async fn a_stream_that_is_dropped_cancels_its_task() {
        let thread = Thread::new();
        let (witness, mut seen) = unbounded::<u32>();
        let mut stream = thread.spawn_stream(1, |sender| {
            remote!(async move {
                let _witness: Sender<u32> = witness;
                count_to(u32::MAX, sender).await
            })
        });
        assert_eq!(stream.next().await.unwrap().unwrap(), 1);
        drop(stream);
        assert!(seen.next().await.is_none());
    }

    async fn a_worker_that_replaces_a_lost_one_gets_a_sender_of_its_own() {
        let (sender, mut receiver) = unbounded();
        let pool = Pool::builder()
            .threads(1)
            .on_start(remote!(move || sender.try_send(1_u32).unwrap()))
            .build();
        assert_eq!(receiver.next().await.unwrap().unwrap(), 1);
        let lost = pool.spawn_remote(remote!(|| -> () { panic!("on purpose") }));
        assert!(lost.await.unwrap_err().is_panic());
        assert_eq!(receiver.next().await.unwrap().unwrap(), 1);
    }
}

#[cfg(not(target_family = "wasm"))]
native_test! {
    fn a_worker_that_is_given_up_loses_the_ends_of_channels_that_it_made() {
        use std::sync::atomic::{AtomicBool, Ordering};

        static IS_OVER: AtomicBool = AtomicBool::new(false);
        static WAS_REFUSED: AtomicBool = AtomicBool::new(false);

        wasm_mt::run(async {
            let thread = Thread::new();
            let (give, mut given) = unbounded();
            let task = remote!(move || {
                let (sender, receiver) = channel::<u32>(1);
                let (other_sender, other_receiver) = channel::<u32>(1);
                give.try_send((receiver, sender.clone(), other_sender)).unwrap();
                while !IS_OVER.load(Ordering::Acquire) {
                    std::hint::spin_loop();
                }
                // It is too late for all that was here.
                let clone = sender.clone();
                WAS_REFUSED.store(clone.try_send(1).is_err(), Ordering::Release);
                std::mem::forget(clone);
                drop(other_receiver);
            });
            let task = thread.spawn_remote(task.timeout(Duration::from_millis(20)));
            let (mut receiver, here, other): (Receiver<u32>, Sender<u32>, Sender<u32>) =
                given.next().await.unwrap().unwrap();
            assert!(task.await.unwrap_err().is_timeout());
            assert!(receiver.next().await.unwrap().unwrap_err().is_worker_lost());
            assert!(other.send(1).await.unwrap_err().is_closed());
            IS_OVER.store(true, Ordering::Release);
            while !WAS_REFUSED.load(Ordering::Acquire) {
                yield_now().await;
            }
            // The sender that is here is the last.
            here.send(2).await?;
            drop(here);
            assert_eq!(all(receiver).await?, [2]);
            Ok::<_, Error>(())
        });
    }
}

#[cfg(target_family = "wasm")]
web_test! {
    async fn a_value_that_cannot_be_posted_is_an_error_in_its_place() {
        use js_sys::ArrayBuffer;
        use wasm_mt::Js;

        let thread = Thread::new();
        let (sender, receiver) = channel::<Transfer<Js<ArrayBuffer>>>(1);
        let task = remote!(async move {
            let buffer = ArrayBuffer::new(8);
            for _ in 0..3 {
                // The second time it is elsewhere.
                sender.send(Transfer(Js(buffer.clone()))).await?;
            }
            Ok::<_, Error>(())
        });
        let task = thread.spawn_remote(task);
        let items: Vec<_> = receiver.collect().await;
        task.await.unwrap().unwrap();
        let errors = items.iter().filter(|item| item.as_ref().is_err_and(Error::is_codec)).count();
        assert_eq!((items.len(), errors), (3, 2));
        // Downwards too.
        let (sender, receiver) = channel::<Transfer<Js<ArrayBuffer>>>(1);
        let count = remote!(async move {
            let mut receiver: Receiver<Transfer<Js<ArrayBuffer>>> = receiver;
            let (mut values, mut errors) = (0, 0);
            while let Some(item) = receiver.next().await {
                if item.is_ok() { values += 1 } else { errors += 1 }
            }
            (values, errors)
        });
        let count = thread.spawn_remote(count);
        let buffer = ArrayBuffer::new(8);
        for _ in 0..3 {
            sender.send(Transfer(Js(buffer.clone()))).await.unwrap();
        }
        drop(sender);
        assert_eq!(count.await.unwrap(), (1, 2));
    }
}
