//! Channels between tasks, wherever they run: [`Sender`], [`Receiver`].
//!
//! Both ends are values of serde's that cross between memories as attachments ([`crossing`]). What a memory knows of a channel is
//! its [`Core`](core::Core), which is pure; the [`shared`] half does what that says. Natively all threads share one memory, so
//! there is one core, and items go from end to end without a detour. They are encoded all the same.

mod core;
mod crossing;
mod shared;
#[cfg(test)]
mod tests;

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use futures::future::poll_fn;
use futures::stream::{FusedStream, Stream};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use self::core::Mode;
use self::shared::End;
use crate::error::Error;
use crate::platform::{Attachment, Packet};
use crate::task::{self, side_table};

/// A channel that holds up to `capacity` values that nobody has received; zero counts as one.
///
/// Both ends can be captured by tasks, be parts of their results, and be sent through channels, before and after their first use.
/// Values go by the page: a worker that sends to another sends to the page, which sends on.
///
/// The bound holds for each way into a memory: each worker that sends may have `capacity` values on their way to the page,
/// or waiting there; and as many are on their way to a receiver on a worker. Natively it is that of the whole channel.
///
/// The guide has [a chapter on channels](https://github.com/wasm-mt/wasm-mt/blob/main/docs/guide/channels.md).
///
/// ```
/// use futures::TryStreamExt;
/// use wasm_mt::{Error, channel, remote};
///
/// # wasm_mt::run(async {
/// let (squares, results) = channel(16);
/// let task = remote!(async move {
///     for n in 1..=100_u64 {
///         squares.send(n * n).await?; // waits while there are 16
///     }
///     Ok::<_, Error>(())
/// });
/// let task = task.into_future();
/// let results: Vec<u64> = results.try_collect().await?; // ends when the last sender is gone
/// assert_eq!(results.iter().sum::<u64>(), 338_350);
/// task.await??;
/// # Ok::<_, Error>(())
/// # });
/// # use std::future::IntoFuture;
/// ```
#[must_use]
pub fn channel<T>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    open(Mode::Bounded { capacity: u32::try_from(capacity).unwrap_or(u32::MAX) })
}

/// A channel that holds as many values as are sent: a sender never waits, and a receiver that is slow costs memory.
///
/// ```
/// use futures::StreamExt;
/// use wasm_mt::{Error, remote, unbounded};
///
/// # wasm_mt::run(async {
/// let (sender, mut lines) = unbounded();
/// let task = remote!(move || {
///     for n in 0..3 {
///         sender.try_send(format!("line {n}"))?; // synchronous tasks can send too
///     }
///     Ok::<_, Error>(())
/// });
/// task.await??;
/// assert_eq!(lines.next().await.transpose()?.as_deref(), Some("line 0"));
/// # Ok::<_, Error>(())
/// # });
/// ```
#[must_use]
pub fn unbounded<T>() -> (Sender<T>, Receiver<T>) {
    open(Mode::Unbounded)
}

/// A channel that holds the newest value only, for progress and the like: a value that was not received in time is replaced, and a
/// sender never waits.
///
/// The last value always comes. What a synchronous task sends leaves at most every 4 ms, and when the task has ended. What an
/// asynchronous one sends leaves when it awaits something that is not ready, such as [`yield_now`](crate::yield_now).
///
/// ```
/// use futures::StreamExt;
/// use wasm_mt::{Error, remote, watch};
///
/// # wasm_mt::run(async {
/// let (progress, mut seen) = watch();
/// let task = remote!(move || {
///     for percent in 0..=100 {
///         progress.try_send(percent)?;
///     }
///     Ok::<_, Error>(())
/// });
/// task.await??;
/// let mut last = None;
/// while let Some(percent) = seen.next().await.transpose()? {
///     assert!(last < Some(percent)); // some are left out
///     last = Some(percent);
/// }
/// assert_eq!(last, Some(100));
/// # Ok::<_, Error>(())
/// # });
/// ```
#[must_use]
pub fn watch<T>() -> (Sender<T>, Receiver<T>) {
    open(Mode::Latest)
}

fn open<T>(mode: Mode) -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = shared::open(mode);
    (
        Sender { end: sender, value: PhantomData },
        Receiver { end: Mutex::new(Some(receiver)), value: PhantomData },
    )
}

/// The sending end of a [`channel`]: a value that tasks can capture.
///
/// A clone is one more sender of the same channel. The values of one sender come in the order in which they were sent.
///
/// When a worker is lost that has a sender, the receiver gets one error that
/// [`is_worker_lost`](Error::is_worker_lost), and goes on with the other senders. So it does when a sender is dropped by a panic.
///
/// # Synchronous tasks
///
/// On the web a task that does not await hears nothing while it runs, so neither does its sender: of a bounded channel it may
/// send `capacity` values, and then [`try_send`](Self::try_send) fails. What it sends leaves at once, one message each; send
/// a `Vec` of many small values.
///
/// # Examples
///
/// ```
/// use futures::TryStreamExt;
/// use wasm_mt::{Error, Pool, Receiver, channel, remote};
///
/// # wasm_mt::run(async {
/// let pool = Pool::new();
/// let (sender, words) = channel(4);
/// for word in ["sea", "shore"] {
///     let (sender, word) = (sender.clone(), word.to_owned());
///     let task = remote!(async move { sender.send(word).await });
///     pool.spawn_remote(task).forget();
/// }
/// drop(sender); // or the stream would not end
/// let mut words: Vec<String> = words.try_collect().await?;
/// words.sort(); // each sender has an order of its own only
/// assert_eq!(words, ["sea", "shore"]);
/// # Ok::<_, Error>(())
/// # });
/// ```
pub struct Sender<T> {
    end: End,
    value: PhantomData<fn(T)>,
}

impl<T: Serialize + 'static> Sender<T> {
    /// Sends a value, as soon as there is room for it. A future that is dropped has sent nothing.
    ///
    /// That it was sent does not mean that it will be received: the receiver may be dropped before.
    ///
    /// # Errors
    ///
    /// - [`is_closed`](Error::is_closed): the receiver is gone.
    /// - [`is_codec`](Error::is_codec): the value cannot be encoded, or on the web be posted.
    ///
    /// # Examples
    ///
    /// ```
    /// use wasm_mt::{Error, channel};
    ///
    /// # wasm_mt::run(async {
    /// let (sender, receiver) = channel(1);
    /// sender.send(1).await?; // there is room for it
    /// drop(receiver);
    /// assert!(sender.send(2).await.unwrap_err().is_closed());
    /// # Ok::<_, Error>(())
    /// # });
    /// ```
    pub async fn send(&self, value: T) -> Result<(), Error> {
        let mut packet = Some(self.encode(&value)?);
        drop(value);
        poll_fn(|context| {
            while let Some(value) = packet.take() {
                // Registered before it is tried: what makes room meanwhile wakes.
                let admission = self.end.poll_admission(context);
                packet = self.end.send(value)?;
                if packet.is_some() && admission.is_pending() {
                    return Poll::Pending;
                }
            }
            Poll::Ready(Ok(()))
        })
        .await
    }

    /// Sends a value if there is room for it.
    ///
    /// # Errors
    ///
    /// Gives the value back, with the reason: that of [`send`](Self::send), or
    /// [`is_queue_full`](Error::is_queue_full).
    ///
    /// # Examples
    ///
    /// ```
    /// use wasm_mt::channel;
    ///
    /// let (sender, mut receiver) = channel(1);
    /// sender.try_send("sea".to_owned())?;
    /// let refused = sender.try_send("shore".to_owned()).unwrap_err();
    /// assert!(refused.is_full());
    ///
    /// assert_eq!(receiver.try_recv().transpose()?.as_deref(), Some("sea"));
    /// sender.try_send(refused.into_inner())?;
    /// # Ok::<_, wasm_mt::Error>(())
    /// ```
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        // Before it is encoded: that takes a `Receiver` out of it.
        let sent =
            self.end.check().and_then(|()| self.encode(&value)).and_then(|packet| self.end.send(packet));
        match sent {
            Ok(None) => Ok(()),
            Ok(Some(_)) => Err(TrySendError { value, error: Error::channel_full() }),
            Err(error) => Err(TrySendError { value, error }),
        }
    }

    fn encode(&self, value: &T) -> Result<Packet, Error> {
        let mut packet = Packet::default();
        task::encode(value, &mut packet)?;
        if !packet.residents.is_empty() {
            return Err(Error::codec(
                "a `Shared` does not go through channels; capture it in the task that receives",
            ));
        }
        packet.attachments.iter().try_for_each(Attachment::check)?;
        Ok(packet)
    }
}

impl<T> Sender<T> {
    /// True if the receiver is gone: what is sent would be lost. A sender on a worker learns that with some delay, and on the web a
    /// synchronous task does not learn it while it runs.
    ///
    /// ```
    /// use wasm_mt::unbounded;
    ///
    /// let (sender, receiver) = unbounded::<u32>();
    /// assert!(!sender.is_closed());
    /// drop(receiver);
    /// assert!(sender.is_closed());
    /// ```
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.end.is_closed()
    }

    /// Resolves when the receiver is gone, to end what nobody would receive.
    ///
    /// ```
    /// use futures::future::{Either, select};
    /// use wasm_mt::{Error, Thread, channel, remote};
    ///
    /// # wasm_mt::run(async {
    /// let (sender, receiver) = channel::<u32>(1);
    /// let thread = Thread::new();
    /// let task = thread.spawn_remote(remote!(async move {
    ///     let work = std::pin::pin!(std::future::pending::<()>()); // what would be sent
    ///     matches!(select(work, std::pin::pin!(sender.closed())).await, Either::Right(_))
    /// }));
    /// drop(receiver);
    /// assert!(task.await?);
    /// # Ok::<_, Error>(())
    /// # });
    /// ```
    pub async fn closed(&self) {
        let mut closing = self.end.closing();
        poll_fn(|context| closing.poll(context)).await;
    }

    /// The number of its channel, in all memories.
    pub(crate) fn number(&self) -> u64 {
        self.end.channel.id
    }

    /// Sends what is encoded already.
    pub(crate) fn send_packet(&self, packet: Packet) -> Result<(), Error> {
        self.end.send(packet)?.map_or(Ok(()), |_| Err(Error::channel_full()))
    }

    /// Itself, to cross within a packet.
    pub(crate) fn into_attachment(self) -> Attachment {
        Attachment::of_end(Box::new(self.end))
    }

    /// What [`into_attachment`](Self::into_attachment) gave.
    pub(crate) fn from_attachment(attachment: Attachment) -> Option<Self> {
        Some(Self { end: detach(attachment).filter(End::is_sender)?, value: PhantomData })
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self { end: self.end.clone_sender(), value: PhantomData }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

/// Serializable by this crate only: within what crosses to other memories.
impl<T> Serialize for Sender<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        side_table::serialize(serializer, "Sender", || {
            Ok::<_, Error>(Attachment::of_end(Box::new(self.end.clone_sender())))
        })
    }
}

impl<'de, T> Deserialize<'de> for Sender<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let end = side_table::deserialize(deserializer, "Sender", |attachment| {
            Ok(detach(attachment).filter(End::is_sender))
        })?;
        Ok(Self { end, value: PhantomData })
    }
}

/// The receiving end of a [`channel`]: a stream, and a value that a task can capture.
///
/// It ends when there are no senders any more and everything was received. Dropping it makes senders fail. What was sent and not
/// received is then thrown away.
///
/// It can be moved to other tasks, also when values wait in it: those go with it. Since there is one only, a
/// [`RemoteFn`](crate::RemoteFn) cannot capture it, and no task with [`retry`](crate::Remote::retry): such tasks fail with an error
/// that [`is_codec`](Error::is_codec).
///
/// ```
/// use futures::StreamExt;
/// use wasm_mt::{Error, Receiver, channel, remote};
///
/// # wasm_mt::run(async {
/// let (sender, receiver) = channel(4);
/// let sum = remote!(async move {
///     let mut receiver: Receiver<u32> = receiver;
///     let mut sum = 0;
///     while let Some(n) = receiver.next().await {
///         sum += n?;
///     }
///     Ok::<_, Error>(sum)
/// });
/// let sum = sum.into_future();
/// for n in 0..10 {
///     sender.send(n).await?;
/// }
/// drop(sender);
/// assert_eq!(sum.await??, 45);
/// # Ok::<_, Error>(())
/// # });
/// # use std::future::IntoFuture;
/// ```
pub struct Receiver<T> {
    /// `None`: it was serialized, and is elsewhere.
    end: Mutex<Option<End>>,
    value: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned + 'static> Receiver<T> {
    /// The next value, if it is there; `None` if none is there now, or if none will come
    /// ([`is_terminated`](FusedStream::is_terminated)).
    ///
    /// # Errors
    ///
    /// As an item of the stream: the loss of a sender, or a value that cannot be decoded.
    ///
    /// # Examples
    ///
    /// ```
    /// use futures::stream::FusedStream;
    /// use wasm_mt::channel;
    ///
    /// let (sender, mut receiver) = channel(2);
    /// assert!(receiver.try_recv().is_none()); // nothing was sent yet
    /// sender.try_send(7)?;
    /// drop(sender);
    /// assert_eq!(receiver.try_recv().transpose()?, Some(7));
    /// assert!(receiver.try_recv().is_none() && receiver.is_terminated());
    /// # Ok::<_, wasm_mt::Error>(())
    /// ```
    pub fn try_recv(&mut self) -> Option<Result<T, Error>> {
        match self.end()?.poll_receive(None) {
            Poll::Ready(value) => value.map(|value| value.and_then(task::decode)),
            Poll::Pending => None,
        }
    }
}

impl<T> Receiver<T> {
    /// The next item of the stream, encoded.
    pub(crate) fn poll_packet(&mut self, context: &Context<'_>) -> Poll<Option<Result<Packet, Error>>> {
        self.end().map_or(Poll::Ready(None), |end| end.poll_receive(Some(context)))
    }

    fn end(&mut self) -> Option<&mut End> {
        self.end.get_mut().unwrap_or_else(PoisonError::into_inner).as_mut()
    }

    fn take(&self) -> Option<End> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Each item is a value, or an error: the loss of a sender with its worker, or a value that cannot be decoded. The stream goes
/// on after an error.
impl<T: DeserializeOwned + 'static> Stream for Receiver<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(end) = self.end() else { return Poll::Ready(None) };
        let received = end.poll_receive(Some(context));
        received.map(|value| value.map(|value| value.and_then(task::decode)))
    }
}

impl<T: DeserializeOwned + 'static> FusedStream for Receiver<T> {
    fn is_terminated(&self) -> bool {
        let end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        end.as_ref().is_none_or(End::is_terminated)
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}

/// Serializable by this crate only, and once: within what crosses to other memories.
impl<T> Serialize for Receiver<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        side_table::serialize(serializer, "Receiver", || match self.take() {
            Some(end) => Ok(Attachment::of_end(Box::new(end))),
            None => Err(Error::codec("this `Receiver` was sent before; there is one only of each channel")),
        })
    }
}

impl<'de, T> Deserialize<'de> for Receiver<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let end = side_table::deserialize(deserializer, "Receiver", |attachment| {
            Ok(detach(attachment).filter(|end| !end.is_sender()))
        })?;
        Ok(Self { end: Mutex::new(Some(end)), value: PhantomData })
    }
}

fn detach(attachment: Attachment) -> Option<End> {
    attachment.into_end()?.downcast().ok().map(|end| *end)
}

/// A value that [`Sender::try_send`] has not sent, and why.
///
/// By `?` it becomes an [`Error`], without the value.
///
/// ```
/// use wasm_mt::{Error, Sender, channel};
///
/// /// Sends a line if there is room for it, and gives it back if there is none.
/// fn offer(sender: &Sender<String>, line: String) -> Result<Option<String>, Error> {
///     match sender.try_send(line) {
///         Ok(()) => Ok(None),
///         Err(refused) if refused.is_full() => Ok(Some(refused.into_inner())),
///         Err(refused) => Err(refused.into()),
///     }
/// }
///
/// let (sender, receiver) = channel(1);
/// assert_eq!(offer(&sender, "sea".to_owned())?, None);
/// assert_eq!(offer(&sender, "shore".to_owned())?.as_deref(), Some("shore"));
/// drop(receiver);
/// assert!(offer(&sender, "sand".to_owned()).unwrap_err().is_closed());
/// # Ok::<_, Error>(())
/// ```
pub struct TrySendError<T> {
    value: T,
    error: Error,
}

impl<T> TrySendError<T> {
    /// The value, as it was given.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// Why it was not sent: its text says what to do.
    ///
    /// ```
    /// use wasm_mt::channel;
    ///
    /// let (sender, _receiver) = channel(1);
    /// sender.try_send(1)?;
    /// let refused = sender.try_send(2).unwrap_err();
    /// assert!(refused.error().is_queue_full());
    /// assert!(refused.to_string().contains("await `send`"));
    /// # Ok::<_, wasm_mt::Error>(())
    /// ```
    pub fn error(&self) -> &Error {
        &self.error
    }

    /// True if there is no room for it now: [`is_queue_full`](Error::is_queue_full).
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.error.is_queue_full()
    }

    /// True if the receiver is gone: [`is_closed`](Error::is_closed).
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.error.is_closed()
    }
}

impl<T> From<TrySendError<T>> for Error {
    fn from(error: TrySendError<T>) -> Self {
        error.error
    }
}

impl<T> fmt::Debug for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TrySendError").field(&self.error).finish()
    }
}

impl<T> fmt::Display for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<T> std::error::Error for TrySendError<T> {}
