//! Which program this is.

use std::fmt;

/// Names one build of one program: a hash of its file.
///
/// A task crosses as the addresses of its functions. They mean something to a process of the same build only.
///
/// ```
/// use wasm_mt::transport::Build;
///
/// let module = b"\0asm and so on";
/// assert_eq!(Build::of(module), Build::of(module));
/// assert_ne!(Build::of(module), Build::of(b"\0asm and other things"));
/// assert_eq!(Build::of(module).to_string().len(), 64);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Build([u8; 32]);

impl Build {
    /// The program whose file holds these bytes: on the web, its WebAssembly module.
    #[must_use]
    pub fn of(file: &[u8]) -> Self {
        Self(*blake3::hash(file).as_bytes())
    }

    /// The hash itself.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub(super) fn of_reader(reader: impl std::io::Read) -> std::io::Result<Self> {
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(reader)?;
        Ok(Self(*hasher.finalize().as_bytes()))
    }
}

/// In hexadecimal digits.
impl fmt::Display for Build {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        blake3::Hash::from_bytes(self.0).fmt(f)
    }
}

impl fmt::Debug for Build {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Build({self})")
    }
}
