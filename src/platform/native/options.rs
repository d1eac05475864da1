//! How a worker is to be started, as far as only the web has it.

use crate::error::Error;

/// Not read: natively there is no script and no glue, but a program may set them for its other target.
#[derive(Clone, Debug, Default)]
pub(crate) struct WebOptions {
    pub(crate) script: Option<String>,
    pub(crate) glue: Option<String>,
}

/// Nothing is made by them.
#[expect(clippy::unnecessary_wraps, reason = "the seam; on the web it may come too late")]
pub(crate) fn install(_options: WebOptions) -> Result<(), Error> {
    Ok(())
}
