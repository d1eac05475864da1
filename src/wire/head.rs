//! How heads are encoded: a derive of our own.
//!
//! Every field is one or a few numbers, and every number one call of the same two functions. Derived serde over postcard did
//! the same work for 3.4 KB more of each program's module (gzip), most of it in the visitors of the two message types.

use std::time::Duration;

use crate::error::Error;
use crate::schedule::{Completion, HandleSignal, Site, Strategy, TaskId, TaskKind, TaskOptions, WorkerId};

/// A value in the head of a message.
pub(crate) trait Head: Sized {
    fn put(&self, out: &mut Vec<u8>);

    /// Takes the value from the front; `None` if it is not there.
    fn take(input: &mut &[u8]) -> Option<Self>;
}

/// Seven bits a byte, the lowest first; all but the last byte have the highest bit set (LEB128).
#[inline(never)]
fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

#[inline(never)]
fn take_number(input: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let (byte, rest) = input.split_first()?;
        *input = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

macro_rules! numbers {
    ($($number:ty)*) => {$(
        impl Head for $number {
            fn put(&self, out: &mut Vec<u8>) {
                put_number(out, *self as u64);
            }

            fn take(input: &mut &[u8]) -> Option<Self> {
                take_number(input)?.try_into().ok()
            }
        }
    )*};
}

numbers!(u32 u64 usize);

impl Head for bool {
    fn put(&self, out: &mut Vec<u8>) {
        put_number(out, u64::from(*self));
    }

    fn take(input: &mut &[u8]) -> Option<Self> {
        Some(take_number(input)? != 0)
    }
}

impl Head for Duration {
    fn put(&self, out: &mut Vec<u8>) {
        put_number(out, self.as_secs());
        put_number(out, u64::from(self.subsec_nanos()));
    }

    fn take(input: &mut &[u8]) -> Option<Self> {
        Some(Self::from_secs(u64::take(input)?).saturating_add(Self::from_nanos(u64::take(input)?)))
    }
}

impl Head for String {
    fn put(&self, out: &mut Vec<u8>) {
        put_bytes(out, self.as_bytes());
    }

    fn take(input: &mut &[u8]) -> Option<Self> {
        Self::from_utf8(take_bytes(input)?.to_vec()).ok()
    }
}

impl Head for Error {
    fn put(&self, out: &mut Vec<u8>) {
        let Ok(bytes) = postcard::to_stdvec(self) else {
            unreachable!("an error is text, which can be encoded")
        };
        put_bytes(out, &bytes);
    }

    fn take(input: &mut &[u8]) -> Option<Self> {
        postcard::from_bytes(take_bytes(input)?).ok()
    }
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    bytes.len().put(out);
    out.extend_from_slice(bytes);
}

fn take_bytes<'h>(input: &mut &'h [u8]) -> Option<&'h [u8]> {
    let length = usize::take(input)?;
    let (bytes, rest) = input.split_at_checked(length)?;
    *input = rest;
    Some(bytes)
}

impl<T: Head> Head for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.is_some().put(out);
        if let Some(value) = self {
            value.put(out);
        }
    }

    fn take(input: &mut &[u8]) -> Option<Self> {
        Some(if bool::take(input)? { Some(T::take(input)?) } else { None })
    }
}

impl<T: Head, E: Head> Head for Result<T, E> {
    fn put(&self, out: &mut Vec<u8>) {
        self.is_ok().put(out);
        match self {
            Ok(value) => value.put(out),
            Err(error) => error.put(out),
        }
    }

    fn take(input: &mut &[u8]) -> Option<Self> {
        Some(if bool::take(input)? { Ok(T::take(input)?) } else { Err(E::take(input)?) })
    }
}

impl<T: Head> Head for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.len().put(out);
        self.iter().for_each(|each| each.put(out));
    }

    fn take(input: &mut &[u8]) -> Option<Self> {
        let count = usize::take(input)?;
        // Each takes a byte at least: no more is allocated than can come.
        let mut all = Self::with_capacity(count.min(input.len()));
        for _ in 0..count {
            all.push(T::take(input)?);
        }
        Some(all)
    }
}

/// Implements [`Head`]: variant by variant, field by field, in the order of the list. The compiler sees to it that none is
/// left out.
macro_rules! head {
    (struct $name:ty { $($field:ident),* $(,)? }) => {
        impl $crate::wire::head::Head for $name {
            fn put(&self, out: &mut Vec<u8>) {
                let Self { $($field),* } = self;
                $($field.put(out);)*
            }

            fn take(input: &mut &[u8]) -> Option<Self> {
                Some(Self { $($field: $crate::wire::head::Head::take(input)?),* })
            }
        }
    };
    (enum $name:ty { $($variant:ident $({ $($field:ident),* })?),* $(,)? }) => {
        const _: () = {
            enum Tag {
                $($variant),*
            }

            impl $crate::wire::head::Head for $name {
                fn put(&self, out: &mut Vec<u8>) {
                    match self {
                        $(Self::$variant $({ $($field),* })? => {
                            (Tag::$variant as u32).put(out);
                            $($($field.put(out);)*)?
                        })*
                    }
                }

                fn take(input: &mut &[u8]) -> Option<Self> {
                    let tag = u32::take(input)?;
                    $(if tag == Tag::$variant as u32 {
                        return Some(Self::$variant $({ $($field: $crate::wire::head::Head::take(input)?),* })?);
                    })*
                    None
                }
            }
        };
    };
}

pub(super) use head;

impl Head for WorkerId {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
    }

    fn take(input: &mut &[u8]) -> Option<Self> {
        u32::take(input).map(Self)
    }
}

impl Head for Site {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
    }

    fn take(input: &mut &[u8]) -> Option<Self> {
        u64::take(input).map(Self)
    }
}

head!(struct TaskId { owner, number });
head!(struct TaskOptions { site, kind, timeout, retries, detached, pinned });
head!(
    enum TaskKind {
        Sync,
        Async,
    }
);
head!(
    enum Strategy {
        Serial,
        Parallel,
        WorkStealing,
    }
);
head!(
    enum HandleSignal {
        Cancel,
        Abort,
        Detach,
    }
);
head!(
    enum Completion {
        Answered,
        Cancelled,
        TimedOut,
        Blamed,
        WorkerLost,
        NoWorkers,
        QueueFull,
        Closed,
    }
);

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(value: &impl Head) -> Vec<u8> {
        let mut bytes = Vec::new();
        value.put(&mut bytes);
        bytes
    }

    #[test]
    fn numbers_of_every_size_come_back() {
        for number in [0, 1, 0x7f, 0x80, u64::from(u32::MAX), u64::MAX] {
            let bytes = bytes(&number);
            let mut input = &bytes[..];
            assert_eq!(u64::take(&mut input), Some(number));
            assert!(input.is_empty());
            assert_eq!(u64::take(&mut &bytes[..bytes.len() - 1]), None);
        }
        assert_eq!(bytes(&u64::MAX).len(), 10);
        assert_eq!(u32::take(&mut &bytes(&u64::MAX)[..]), None, "it does not fit");
        assert_eq!(u64::take(&mut &[0x80; 11][..]), None, "it does not end");
    }

    #[test]
    fn a_count_that_lies_allocates_nothing() {
        assert_eq!(Vec::<u32>::take(&mut &bytes(&usize::MAX)[..]), None);
        assert_eq!(String::take(&mut &bytes(&usize::MAX)[..]), None);
    }
}
