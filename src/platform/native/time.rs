//! Time natively: from std's clock and the crate futures-timer, whose own thread wakes any runtime.

use std::future::Future;
use std::sync::OnceLock;
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::channel::mpsc::{self, UnboundedSender};
use futures::future::BoxFuture;
use futures::task::LocalSpawnExt;
use futures_timer::Delay;

/// Time since some moment of the past; it never goes back.
pub(crate) fn now() -> Duration {
    static CLOCK_START: OnceLock<Instant> = OnceLock::new();
    CLOCK_START.get_or_init(Instant::now).elapsed()
}

/// The step of that clock.
pub(crate) fn clock_tick() -> Duration {
    Duration::from_micros(1)
}

/// Resolves after `duration`.
pub(crate) fn sleep(duration: Duration) -> impl Future<Output = ()> + Send + 'static {
    Delay::new(duration)
}

/// Resolves after everything else that is ready on this thread had its turn.
pub(crate) fn yield_now() -> impl Future<Output = ()> + Send + 'static {
    let mut yielded = false;
    std::future::poll_fn(move |context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
}

/// Runs a small future of this crate, a deadline for example, beside the program: on one thread for all of them. If the
/// system gives no thread for it, there are no deadlines: the threads that could be late will not start either.
pub(crate) fn spawn_service(future: impl Future<Output = ()> + Send + 'static) {
    static SERVICE: OnceLock<Option<UnboundedSender<BoxFuture<'static, ()>>>> = OnceLock::new();
    let service = SERVICE.get_or_init(|| {
        let (sender, mut receiver) = mpsc::unbounded::<BoxFuture<'static, ()>>();
        let run = move || {
            let mut pool = futures_executor::LocalPool::new();
            let spawner = pool.spawner();
            pool.run_until(async move {
                while let Some(future) = receiver.next().await {
                    spawner.spawn_local(future).expect("the pool is alive: it runs this very code");
                }
            });
        };
        thread::Builder::new().name("wasm-mt-service".to_owned()).spawn(run).ok().map(|_detached| sender)
    });
    if let Some(service) = service {
        service.unbounded_send(Box::pin(future)).expect("the service's receiver lives in its endless loop");
    }
}
