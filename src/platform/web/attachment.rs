//! A value that travels beside the bytes: moved, not encoded.

/// A boxed value, moved to the other side.
#[derive(Debug)]
pub(crate) struct Attachment {}
