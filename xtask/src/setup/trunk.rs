//! Trunk, which builds and bundles web applications.

use std::env;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;
use fs_err as fs;
use xshell::Shell;

use super::script;
use super::wasm::Wasm;
use crate::progress::{note, run_logged};
use crate::workspace;

const VERSION: &str = "0.21.14";

/// It has some 300 dependencies.
const LIMIT: Duration = Duration::from_secs(90 * 60);

/// Builds Trunk with Cargo, once, and gives a command that starts it. The generator of bindings that it calls is this program's.
pub(crate) fn trunk(shell: &Shell, wasm: &Wasm) -> Result<Command> {
    let folder = workspace::own_dir(shell, &format!("trunk-{VERSION}"))?;
    let program = folder.join("bin/trunk");
    if !program.is_file() {
        note(format_args!("building Trunk {VERSION}, once (several minutes)"));
        let mut install = Command::new("cargo");
        install.args([
            "install",
            "trunk",
            "--version",
            VERSION,
            "--locked",
            "--no-default-features",
            "--debug",
        ]);
        install.arg("--root").arg(&folder).env("CARGO_PROFILE_DEV_DEBUG", "none");
        run_logged(shell, install, "trunk", LIMIT)?;
    }
    let tools = folder.join("tools");
    fs::create_dir_all(&tools)?;
    let this = env::current_exe()?;
    script::write(&tools.join("wasm-bindgen"), &format!("exec \"{}\" wasm-bindgen \"$@\"", this.display()))?;
    script::write(&tools.join("cargo"), &format!("exec \"{}\" \"$@\"", wasm.cargo.display()))?;
    let others = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([tools].into_iter().chain(env::split_paths(&others)))?;
    let mut command = Command::new(program);
    command.envs(wasm.env.iter().cloned()).env("PATH", path).env("TRUNK_OFFLINE", "true");
    Ok(command)
}
