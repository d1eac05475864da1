//! A call of an object whose actor is in another memory.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{ActorCall, run};
use crate::error::Error;
use crate::platform::{Attachment, Packet, Resident};
use crate::schedule::{TaskKind, TaskOptions};
use crate::task::bounds;
use crate::task::codec;
use crate::task::encoded::{Encoded, carried};
use crate::task::entry::{location, read_location};
use crate::task::handle::RemoteHandle;
use crate::task::job::Job;
use crate::wire::{PacketReader, Put, Take};

/// A call on its way to another memory, without its types.
pub(crate) struct FarCall {
    options: TaskOptions,
    call: Packet,
    /// What awaits the result here.
    pub(crate) answer: Job,
}

impl<T, R> ActorCall<T, R>
where
    R: Serialize + DeserializeOwned + 'static,
{
    /// The call of the object of this name. If there is none, the handle holds the error.
    pub(crate) fn into_far(self, name: u64) -> (Option<FarCall>, RemoteHandle<R>) {
        let Encoded { call, options, made_at } = self.encoded;
        let (reply, handle) = RemoteHandle::new(made_at, codec::decode::<R>);
        (
            FarCall::new(
                call,
                options,
                name,
                Job::new(Encoded::of(TaskKind::Async, Ok(Packet::default()), made_at), reply),
            ),
            handle,
        )
    }
}

impl FarCall {
    fn new(
        call: Result<Packet, Error>,
        options: TaskOptions,
        name: u64,
        answer: Option<Job>,
    ) -> Option<Self> {
        let answer = answer?;
        let checked = call.and_then(|call| {
            call.attachments.iter().try_for_each(Attachment::check)?;
            Ok(call)
        });
        match checked {
            Ok(mut call) => {
                call.residents.push(Resident::Named(name));
                let options =
                    TaskOptions { timeout: bounds::inherited(options.timeout), aside: true, ..options };
                Some(Self { options, call: carried(call), answer })
            }
            Err(error) => {
                answer.fail(error);
                None
            }
        }
    }

    /// What asks for it: its result is to go to `answers`.
    pub(crate) fn into_request(self, answers: Attachment) -> (Packet, Job) {
        let mut request = Packet::default();
        false.put(&mut request);
        self.options.put(&mut request);
        self.call.put(&mut request);
        Packet { attachments: vec![answers], ..Packet::default() }.put(&mut request);
        (request, self.answer)
    }
}

/// What another memory asks for.
pub(crate) enum ActorRequest {
    Call(Box<Requested>),
    /// The call whose answers go to the channel of this number is to run whatever becomes of that.
    Detach(u64),
}

/// The task of a request, and where its result goes to.
pub(crate) struct Requested {
    pub(crate) job: Option<Job>,
    pub(crate) handle: RemoteHandle<Packet>,
    pub(crate) answers: Attachment,
    /// It ends the object.
    pub(crate) closes: bool,
}

/// Asks for the second.
pub(crate) fn write_detach(number: u64) -> Packet {
    let mut request = Packet::default();
    true.put(&mut request);
    number.put(&mut request);
    request
}

/// Reads what another memory asks of this object.
pub(crate) fn read_request(request: Packet, object: &Resident) -> Option<ActorRequest> {
    let mut reader = PacketReader::new(request);
    if bool::take(&mut reader)? {
        return u64::take(&mut reader).map(ActorRequest::Detach);
    }
    let options = TaskOptions::take(&mut reader)?;
    let mut call = Packet::take(&mut reader)?;
    let answers = Packet::take(&mut reader)?.attachments.pop()?;
    let made_at = read_location(&Packet { addresses: vec![location(&call)?], ..Packet::default() })?;
    let closes = run::is_closing(&call);
    call.residents.push(object.clone());
    let (reply, handle) = RemoteHandle::new(made_at, Ok);
    let job = Job::without_limit(Encoded { call: Ok(call), options, made_at }, reply);
    Some(ActorRequest::Call(Box::new(Requested { job, handle, answers, closes })))
}

/// The answer to a request.
pub(crate) fn write_answer(outcome: Result<Packet, Error>) -> Packet {
    let mut answer = Packet::default();
    outcome.put(&mut answer);
    answer
}

/// What [`write_answer`] wrote.
pub(crate) fn read_answer(answer: Packet) -> Option<Result<Packet, Error>> {
    Take::take(&mut PacketReader::new(answer))
}
