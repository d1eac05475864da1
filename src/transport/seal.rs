#![expect(unsafe_code, reason = "a program may say by itself which build it is")]
//! What proves that bytes come from a peer of the same build that has the same secret.

use std::fmt;
use std::io;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use super::build::Build;
use crate::error::Error;
use crate::platform;

/// How many bytes prove where a message comes from.
pub(super) const TAG: usize = 16;
/// How many tell a call from all others.
pub(super) const NONCE: usize = 16;
/// Secrets are at least so long, in bytes.
const SECRET: usize = 16;

pub(super) type Mac = [u8; TAG];

/// What a sealed message is. It is a part of what the tag is computed of, so that none can stand for another.
#[derive(Clone, Copy)]
pub(super) enum SealedKind {
    Hello = 1,
    Message,
    Call,
    Answer,
}

/// Seals tasks and their answers, and opens those of peers.
///
/// A task crosses as addresses, so opening one may run any code. A `Seal` opens only what was sealed by a process
/// of the same [`Build`] that has the same secret. It proves that by a keyed hash (BLAKE3, 128 bits) of each message, whose
/// key is derived of both. **It hides nothing**: where others can read what crosses, or send again what has crossed, use TLS below it,
/// and [`within`](Self::within) for each connection.
///
/// **A page that is built without optimization** should have `blake3` optimized, by `blake3.opt-level = 1` below
/// `[profile.dev.package]` in the program's `Cargo.toml`. WebKit 2.50 miscompiles it otherwise, while it runs: now and then a
/// message that was sealed by a peer is refused.
///
/// Cloning is cheap.
///
/// ```
/// use wasm_mt::transport::Seal;
///
/// let (page, node) = (Seal::new(b"known to us alone")?, Seal::new(b"known to us alone")?);
/// node.check_hello(&page.hello())?;
///
/// let stranger = Seal::new(b"guessed by another")?;
/// assert!(node.check_hello(&stranger.hello()).is_err());
/// # Ok::<_, wasm_mt::Error>(())
/// ```
#[derive(Clone)]
pub struct Seal {
    build: Build,
    key: Arc<[u8; 32]>,
    /// Its statics and functions are within these distances.
    reach: RangeInclusive<isize>,
}

impl Seal {
    /// The seal of this program, by a secret of at least 16 bytes that all its processes have and nobody else.
    ///
    /// The first one reads the file that the program, or the library that this code is a part of, was loaded from, to hash it. Only
    /// Linux says which that is: elsewhere a program says by [`of_build`](Self::of_build) which build it is.
    ///
    /// # Errors
    ///
    /// [`is_startup`](Error::is_startup) if the file cannot be read, [`is_other`](Error::is_other) if the secret is too short.
    pub fn new(secret: impl AsRef<[u8]>) -> Result<Self, Error> {
        let (build, reach) = own_build()?;
        Self::with(build, secret.as_ref(), reach)
    }

    /// The seal of a program that knows by itself which build it is: a page, by the bytes of its WebAssembly module.
    ///
    /// # Safety
    ///
    /// Two programs MUST NOT say that they are the same build and have the same secret, unless they are the same file: each calls
    /// what lies where the other one has a function.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub unsafe fn of_build(build: Build, secret: impl AsRef<[u8]>) -> Result<Self, Error> {
        let reach = platform::Image::reach().map_err(|error| unreadable(&error))?;
        Self::with(build, secret.as_ref(), reach)
    }

    fn with(build: Build, secret: &[u8], reach: RangeInclusive<isize>) -> Result<Self, Error> {
        if secret.len() < SECRET {
            let length = secret.len();
            return Err(Error::other(format!(
                "the secret of the seal has {length} bytes; give one of {SECRET} bytes or more that nobody can guess"
            )));
        }
        let material = [build.as_bytes(), secret].concat();
        let key = Arc::new(blake3::derive_key("wasm-mt 0.2 transport: build and secret", &material));
        Ok(Self { build, key, reach })
    }

    /// A seal for one connection: what was sealed for another one, by the same peers, is refused.
    ///
    /// `context` is what both sides know of the connection, and what is new each time: random bytes of both, say.
    ///
    /// ```
    /// # use wasm_mt::transport::Seal;
    /// let seal = Seal::new(b"known to us alone")?;
    /// let (today, tomorrow) = (seal.within(b"today"), seal.within(b"tomorrow"));
    /// let message = today.seal_message(b"stop");
    /// assert_eq!(today.open_message(&message)?, b"stop");
    /// assert!(tomorrow.open_message(&message).is_err());
    /// # Ok::<_, wasm_mt::Error>(())
    /// ```
    #[must_use]
    pub fn within(&self, context: &[u8]) -> Self {
        let material = [self.key.as_slice(), context].concat();
        let key = Arc::new(blake3::derive_key("wasm-mt 0.2 transport: connection", &material));
        Self { key, ..self.clone() }
    }

    /// The build that it was made for.
    #[must_use]
    pub fn build(&self) -> Build {
        self.build
    }

    /// What a side sends first, so that the other can tell what is wrong.
    #[must_use]
    pub fn hello(&self) -> Vec<u8> {
        let tag = self.tag(SealedKind::Hello, &[self.build.as_bytes()]);
        [HELLO, self.build.as_bytes().as_slice(), &tag].concat()
    }

    /// Checks the first message of the other side.
    ///
    /// # Errors
    ///
    /// [`is_codec`](Error::is_codec), with a text that says whether it is another build, has another secret, or speaks of something
    /// else.
    pub fn check_hello(&self, hello: &[u8]) -> Result<(), Error> {
        let parts = hello.strip_prefix(HELLO).and_then(|rest| rest.split_last_chunk::<TAG>());
        let Some((build, tag)) = parts.and_then(|(build, tag)| Some((Build::read(build)?, tag))) else {
            return Err(Error::codec(
                "the peer does not greet as wasm-mt does; make sure that both sides are programs with this version of it",
            ));
        };
        if build != self.build {
            return Err(Error::codec(format!(
                "the peer is another build ({}, this one is {}); start the same executable on both sides",
                short(build),
                short(self.build),
            )));
        }
        if !self.is_tag(tag, SealedKind::Hello, &[build.as_bytes()]) {
            return Err(Error::codec("the peer has another secret; configure the same one on both sides"));
        }
        Ok(())
    }

    /// Seals a message of the transport's own.
    #[must_use]
    pub fn seal_message(&self, message: &[u8]) -> Vec<u8> {
        [self.tag(SealedKind::Message, &[message]).as_slice(), message].concat()
    }

    /// The message that a peer has sealed.
    ///
    /// # Errors
    ///
    /// [`is_codec`](Error::is_codec) if it was not sealed so.
    pub fn open_message<'a>(&self, sealed: &'a [u8]) -> Result<&'a [u8], Error> {
        let (tag, message) = sealed.split_first_chunk::<TAG>().ok_or_else(refused)?;
        if self.is_tag(tag, SealedKind::Message, &[message]) { Ok(message) } else { Err(refused()) }
    }

    pub(super) fn reach(&self) -> &RangeInclusive<isize> {
        &self.reach
    }

    pub(super) fn tag(&self, what: SealedKind, parts: &[&[u8]]) -> Mac {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(&[what as u8]);
        for part in parts {
            hasher.update(part);
        }
        let mut tag = [0; TAG];
        hasher.finalize_xof().fill(&mut tag);
        tag
    }

    /// In a time that does not tell how much of it is right.
    pub(super) fn is_tag(&self, tag: &Mac, what: SealedKind, parts: &[&[u8]]) -> bool {
        let expected = self.tag(what, parts);
        let different =
            tag.iter().zip(expected).fold(0, |different, (left, right)| different | (left ^ right));
        std::hint::black_box(different) == 0
    }
}

/// The secret is not shown.
impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seal({})", self.build)
    }
}

/// What a greeting begins with. The number is that of the form of all messages.
const HELLO: &[u8] = b"wasm-mt transport 1\n";

/// Enough to tell two builds apart by eye.
fn short(build: Build) -> String {
    build.to_string()[..12].to_owned()
}

#[cold]
pub(super) fn refused() -> Error {
    Error::codec("a message was not sealed by a peer of this build with this secret; it was refused")
}

/// Tells a call from all others of all processes.
pub(super) fn new_nonce() -> [u8; NONCE] {
    static PROCESS: OnceLock<u64> = OnceLock::new();
    static LAST: AtomicU64 = AtomicU64::new(0);

    let process = PROCESS.get_or_init(platform::realm).to_le_bytes();
    let number = LAST.fetch_add(1, Ordering::Relaxed).to_le_bytes();
    let mut nonce = [0; NONCE];
    nonce[..8].copy_from_slice(&process);
    nonce[8..].copy_from_slice(&number);
    nonce
}

/// The build of this process, and how far its statics and functions reach.
fn own_build() -> Result<(Build, RangeInclusive<isize>), Error> {
    static BUILD: OnceLock<(Build, RangeInclusive<isize>)> = OnceLock::new();

    if let Some(build) = BUILD.get() {
        return Ok(build.clone());
    }
    let read = || {
        let image = platform::Image::open()?;
        Ok((Build::of_reader(image.file)?, image.reach))
    };
    let build = read().map_err(|error| unreadable(&error))?;
    Ok(BUILD.get_or_init(|| build).clone())
}

#[cold]
fn unreadable(error: &io::Error) -> Error {
    Error::startup(format!(
        "the program's own file, whose hash tells builds apart, is not known here or cannot be read ({error}); say by \
         `Seal::of_build`, or in a fleet by `Config::build` of wasm-mt-nats, which build it is"
    ))
}
