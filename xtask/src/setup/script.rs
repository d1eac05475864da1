//! Scripts that stand in for programs.

use std::path::Path;

use anyhow::Result;

/// Writes a script of the shell that can be started.
#[cfg(unix)]
pub(super) fn write(at: &Path, text: &str) -> Result<()> {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    fs_err::write(at, format!("#!/bin/sh\n{text}\n"))?;
    Ok(fs_err::set_permissions(at, Permissions::from_mode(0o755))?)
}

#[cfg(not(unix))]
pub(super) fn write(at: &Path, _text: &str) -> Result<()> {
    anyhow::bail!("{} would be a script of the shell: this way is for Unix only", at.display())
}
