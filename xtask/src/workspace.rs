//! Where things are: the workspace, and the place for what the commands make.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::Context as _;
use fs_err as fs;
use xshell::{Shell, cmd};

/// The root of the workspace.
///
/// Cargo says at run time where this package is; the path known at compile time serves when the program is started by hand.
pub(crate) fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let package = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        package
            .ancestors()
            .find(|dir| dir.join("Cargo.lock").is_file())
            .map_or(package.clone(), Path::to_path_buf)
    })
}

/// Cargo's target folder, wherever the user's configuration puts it.
pub(crate) fn target_dir(shell: &Shell) -> anyhow::Result<PathBuf> {
    static TARGET: OnceLock<PathBuf> = OnceLock::new();
    if let Some(dir) = TARGET.get() {
        return Ok(dir.clone());
    }
    let text = cmd!(shell, "cargo metadata --no-deps --format-version 1").quiet().read()?;
    let metadata: serde_json::Value =
        serde_json::from_str(&text).context("failed to read `cargo metadata`")?;
    let dir = metadata["target_directory"].as_str().context("`cargo metadata` names no target directory")?;
    Ok(TARGET.get_or_init(|| PathBuf::from(dir)).clone())
}

/// A folder of our own under the target folder: `target/xtask/<name>`, created if it is missing.
pub(crate) fn own_dir(shell: &Shell, name: &str) -> anyhow::Result<PathBuf> {
    let dir = target_dir(shell)?.join("xtask").join(name);
    fs::create_dir_all(&dir)?;
    Ok(dir)
}
