//! Scripts that stand in for programs.

use std::path::Path;

use anyhow::Result;

/// Writes a script of the shell that can be started.
#[cfg(unix)]
pub(super) fn write(at: &Path, text: &str) -> Result<()> {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use anyhow::Context as _;

    fs::write(at, format!("#!/bin/sh\n{text}\n"))
        .with_context(|| format!("failed to write {}", at.display()))?;
    fs::set_permissions(at, fs::Permissions::from_mode(0o755))
        .with_context(|| format!("failed to make {} executable", at.display()))
}

#[cfg(not(unix))]
pub(super) fn write(at: &Path, _text: &str) -> Result<()> {
    anyhow::bail!("{} would be a script of the shell: this way is for Unix only", at.display())
}
