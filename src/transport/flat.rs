//! Packets as bytes.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::Error;
use crate::platform::{Address, Attachment, Packet};

/// The lanes of a packet, one behind the other.
#[derive(Serialize, Deserialize)]
pub(super) struct Flat<'a> {
    #[serde(borrow)]
    heads: Bytes<'a>,
    bytes: Bytes<'a>,
    /// As distances.
    addresses: Vec<i64>,
    attachments: Vec<Block<'a>>,
}

/// A call, and what its task is to the other side.
#[derive(Serialize, Deserialize)]
pub(super) struct FlatCall<'a> {
    pub(super) is_async: bool,
    pub(super) timeout: Option<Duration>,
    pub(super) retries: u32,
    #[serde(borrow)]
    pub(super) call: Flat<'a>,
}

/// What came of it.
#[derive(Serialize, Deserialize)]
pub(super) enum FlatOutcome<'a> {
    Ok(#[serde(borrow)] Flat<'a>),
    Err(Error),
}

/// Bytes that are copied at once.
struct Bytes<'a>(&'a [u8]);

impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Bytes<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&[u8]>::deserialize(deserializer).map(Bytes)
    }
}

/// Numbers as they lie in memory.
#[derive(Serialize, Deserialize)]
struct Block<'a> {
    /// Which of [`NumberType`].
    number: u8,
    #[serde(borrow)]
    bytes: Bytes<'a>,
}

/// An attachment whose numbers are here.
pub(super) struct Numbers {
    number: NumberType,
    bytes: Vec<u8>,
}

macro_rules! number_types {
    ($($variant:ident $number:ty,)*) => {
        /// The numbers that attachments hold.
        #[derive(Clone, Copy)]
        enum NumberType {
            $($variant),*
        }

        impl Numbers {
            /// `None` if the attachment is something else.
            fn of(attachment: Attachment) -> Option<Result<Self, Error>> {
                $(if attachment.is_vec_of::<$number>() {
                    let numbers = attachment.into_vec::<$number>().transpose()?;
                    return Some(numbers.map_err(Error::from).map(|numbers| Self {
                        number: NumberType::$variant,
                        bytes: bytemuck::cast_slice(&numbers).to_vec(),
                    }));
                })*
                None
            }
        }

        impl Block<'_> {
            fn attachment(&self) -> Option<Result<Attachment, Error>> {
                $(if self.number == NumberType::$variant as u8 {
                    if self.bytes.0.len() % size_of::<$number>() != 0 {
                        return None;
                    }
                    let numbers: Vec<$number> = bytemuck::pod_collect_to_vec(self.bytes.0);
                    return Some(Attachment::from_slice(&numbers).map_err(Error::from));
                })*
                None
            }
        }
    };
}

number_types! {
    U8 u8,
    U16 u16,
    U32 u32,
    U64 u64,
    Usize usize,
    I8 i8,
    I16 i16,
    I32 i32,
    I64 i64,
    Isize isize,
    F32 f32,
    F64 f64,
}

impl Numbers {
    fn as_block(&self) -> Block<'_> {
        Block { number: self.number as u8, bytes: Bytes(&self.bytes) }
    }
}

/// A packet whose attachments are bytes.
pub(super) struct Flattened {
    packet: Packet,
    blocks: Vec<Numbers>,
}

impl Flattened {
    /// Takes the attachments of a packet apart. Its addresses MUST be within the reach of its build.
    pub(super) fn new(mut packet: Packet, reach: &RangeInclusive<isize>) -> Result<Self, Error> {
        let attachments = std::mem::take(&mut packet.attachments);
        let blocks =
            attachments.into_iter().map(|attachment| Numbers::of(attachment).unwrap_or_else(stays_here));
        let blocks = blocks.collect::<Result<_, _>>()?;
        if !packet.addresses.iter().all(|address| reach.contains(&address.distance())) {
            return Err(Error::codec(
                "a function of it lies in a library that was loaded beside the program, so it means nothing to another \
                 process; link that library into the program",
            ));
        }
        Ok(Self { packet, blocks })
    }

    pub(super) fn as_flat(&self) -> Flat<'_> {
        Flat {
            heads: Bytes(&self.packet.heads),
            bytes: Bytes(&self.packet.bytes),
            addresses: self.packet.addresses.iter().map(|address| address.distance() as i64).collect(),
            attachments: self.blocks.iter().map(Numbers::as_block).collect(),
        }
    }
}

#[cold]
fn stays_here<T>() -> Result<T, Error> {
    Err(Error::codec(
        "it holds what cannot leave its process: an end of a channel, an actor, a `TaskStream` or a JavaScript value; \
         send values, and `Transfer` for blocks of numbers",
    ))
}

impl Flat<'_> {
    /// The packet, which a peer of this build has written.
    pub(super) fn into_packet(self, reach: &RangeInclusive<isize>) -> Option<Result<Packet, Error>> {
        let address = |distance: i64| {
            let distance = isize::try_from(distance).ok().filter(|distance| reach.contains(distance))?;
            Some(Address::from_distance(distance))
        };
        let mut packet = Packet {
            heads: self.heads.0.to_vec(),
            bytes: self.bytes.0.to_vec(),
            addresses: self.addresses.into_iter().map(address).collect::<Option<_>>()?,
            ..Packet::default()
        };
        for block in self.attachments {
            match block.attachment()? {
                Ok(attachment) => packet.attachments.push(attachment),
                Err(error) => return Some(Err(error)),
            }
        }
        Some(Ok(packet))
    }
}

/// Appends a value.
pub(super) fn write(value: &impl Serialize, bytes: Vec<u8>) -> Vec<u8> {
    postcard::to_extend(value, bytes).expect("bytes and numbers can be written")
}

/// The value that these bytes are, all of them.
pub(super) fn read<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Option<T> {
    let (value, rest) = postcard::take_from_bytes(bytes).ok()?;
    rest.is_empty().then_some(value)
}
