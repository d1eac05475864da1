//! A task whose values come one by one: [`TaskStream`].

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::StreamExt;
use futures::stream::{FusedStream, Stream};
use serde::de::DeserializeOwned;

use crate::channel::Receiver;
use crate::error::Error;
use crate::task::RemoteHandle;

/// What a task sends, as a stream, and in the end its result: see [`spawn_stream`](crate::ExecutorExt::spawn_stream).
///
/// The stream ends when the task has ended and no sender is left. If the task fails, its error is the last item.
///
/// **Dropping the stream cancels the task**, as dropping its handle would.
///
/// The guide has [a chapter on channels and streams](https://github.com/wasm-mt/wasm-mt/blob/main/docs/guide/channels.md).
#[must_use = "dropping a stream cancels its task"]
pub struct TaskStream<T, R> {
    receiver: Receiver<T>,
    handle: RemoteHandle<R>,
    result: Option<Result<R, Error>>,
    /// A sender was lost. The task knows better why, if it was its own.
    lost: Option<Error>,
    /// Nothing more will come.
    has_ended: bool,
}

impl<T, R> TaskStream<T, R> {
    pub(super) fn new(receiver: Receiver<T>, handle: RemoteHandle<R>) -> Self {
        Self { receiver, handle, result: None, lost: None, has_ended: false }
    }
}

impl<T: DeserializeOwned + 'static, R> TaskStream<T, R> {
    /// The task's result. What it has sent and was not received is thrown away.
    ///
    /// ```
    /// use futures::StreamExt;
    /// use wasm_mt::{Error, ExecutorExt, Pool, remote};
    ///
    /// # wasm_mt::run(async {
    /// let pool = Pool::new();
    /// let mut percents = pool.spawn_stream(4, |percent| {
    ///     remote!(async move {
    ///         for n in 1..=100_u32 {
    ///             percent.send(n).await?;
    ///         }
    ///         Ok::<_, Error>("all".to_owned())
    ///     })
    /// });
    /// assert_eq!(percents.next().await.transpose()?, Some(1));
    /// assert_eq!(percents.result().await??, "all");
    /// # Ok::<_, Error>(())
    /// # });
    /// ```
    ///
    /// # Errors
    ///
    /// That of the task.
    pub async fn result(mut self) -> Result<R, Error> {
        while self.next().await.is_some() {}
        self.result.take().unwrap_or_else(|| Err(Error::closed()))
    }
}

impl<T, R> Unpin for TaskStream<T, R> {}

impl<T: DeserializeOwned + 'static, R> Stream for TaskStream<T, R> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.has_ended {
            return Poll::Ready(None);
        }
        // First, since some executors run the task where its handle is polled.
        if this.result.is_none() {
            if let Poll::Ready(result) = Pin::new(&mut this.handle).poll(context) {
                this.result = Some(result);
            }
        }
        loop {
            match this.receiver.poll_next_unpin(context) {
                Poll::Ready(Some(Err(error))) if error.is_worker_lost() => this.lost = Some(error),
                Poll::Ready(Some(item)) => return Poll::Ready(Some(item)),
                Poll::Ready(None) if this.result.is_some() => break,
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
        this.has_ended = true;
        let failed = this.result.as_ref().and_then(|result| result.as_ref().err().cloned());
        Poll::Ready(failed.or_else(|| this.lost.take()).map(Err))
    }
}

impl<T: DeserializeOwned + 'static, R> FusedStream for TaskStream<T, R> {
    fn is_terminated(&self) -> bool {
        self.has_ended
    }
}

impl<T, R> fmt::Debug for TaskStream<T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskStream").finish_non_exhaustive()
    }
}
