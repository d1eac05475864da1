//! What crosses between a [`Client`](super::Client) and its [`Server`](super::Server).
//!
//! The first message of each side is its greeting and a nonce. All that follows is sealed for this connection.

use super::reply::Signal;
use super::seal::{NONCE, Seal, new_nonce, refused};
use crate::error::Error;

/// The greeting of one side.
pub(super) struct Greeting {
    nonce: [u8; NONCE],
}

/// Which side a greeting is of: a peer's is not to be its own.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Side {
    Client = b'c' as isize,
    Server = b's' as isize,
}

impl Greeting {
    pub(super) fn new() -> Self {
        Self { nonce: new_nonce() }
    }

    pub(super) fn message(&self, side: Side, seal: &Seal) -> Vec<u8> {
        [&[side as u8], self.nonce.as_slice(), &seal.hello()].concat()
    }

    /// The seal of the connection, if the other side's first message is right.
    pub(super) fn answered(&self, side: Side, seal: &Seal, message: &[u8]) -> Result<Seal, Error> {
        let other = if side == Side::Client { Side::Server } else { Side::Client };
        // What is no greeting at all is to be told so.
        let (head, hello) = message.split_at_checked(1 + NONCE).unwrap_or_default();
        seal.check_hello(hello)?;
        if head[0] != other as u8 {
            return Err(Error::codec(
                "both sides of the connection are of one kind; a client needs a server",
            ));
        }
        let nonces = match side {
            Side::Client => [&self.nonce, &head[1..]],
            Side::Server => [&head[1..], &self.nonce],
        };
        Ok(seal.within(&nonces.concat()))
    }
}

/// From a client.
pub(super) enum ClientRequest<'a> {
    Call { number: u64, call: &'a [u8] },
    Signal { number: u64, signal: Signal },
}

const CALL: u8 = 0;

pub(super) fn write_call(number: u64, call: &[u8]) -> Vec<u8> {
    [&[CALL], number.to_le_bytes().as_slice(), call].concat()
}

pub(super) fn write_signal(seal: &Seal, number: u64, signal: Signal) -> Vec<u8> {
    let signal = match signal {
        Signal::Cancel => 1,
        Signal::Abort => 2,
        Signal::Detach => 3,
    };
    let [a, b, c, d, e, f, g, h] = number.to_le_bytes();
    [&[signal], seal.seal_message(&[signal, a, b, c, d, e, f, g, h]).as_slice()].concat()
}

pub(super) fn read_request<'a>(seal: &Seal, message: &'a [u8]) -> Result<ClientRequest<'a>, Error> {
    let (kind, rest) = message.split_first().ok_or_else(refused)?;
    if *kind == CALL {
        let (number, call) = read_answer(rest)?;
        return Ok(ClientRequest::Call { number, call });
    }
    let (kind, number) = seal.open_message(rest)?.split_first().ok_or_else(refused)?;
    let signal = match kind {
        1 => Signal::Cancel,
        2 => Signal::Abort,
        3 => Signal::Detach,
        _ => return Err(refused()),
    };
    Ok(ClientRequest::Signal { number: read_answer(number)?.0, signal })
}

/// From a server.
pub(super) fn write_answer(number: u64, answer: &[u8]) -> Vec<u8> {
    [number.to_le_bytes().as_slice(), answer].concat()
}

pub(super) fn read_answer(message: &[u8]) -> Result<(u64, &[u8]), Error> {
    let (number, answer) = message.split_first_chunk().ok_or_else(refused)?;
    Ok((u64::from_le_bytes(*number), answer))
}
