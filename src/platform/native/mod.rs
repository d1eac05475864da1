//! Workers are `std::thread`s, messages cross in a channel.

mod attachment;

pub(crate) use attachment::Attachment;
