//! Workers are Web Workers, messages cross by `postMessage`.

mod attachment;

pub(crate) use attachment::Attachment;
