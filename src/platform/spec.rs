//! How a worker is to be started.

use super::backend::WebOptions;

/// How a worker is to be started.
#[derive(Clone, Debug, Default)]
pub(crate) struct WorkerSpec {
    /// Shown by debuggers.
    pub(crate) name: Option<String>,
    /// In bytes. Read natively only: on the web the linker has said it.
    pub(crate) stack_size: Option<usize>,
    /// What matters on the web only.
    pub(crate) web: WebOptions,
}
