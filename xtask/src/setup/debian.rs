//! Debian's own toolchain, for where rustup cannot download.
//!
//! Debian ships a recent compiler for its browsers (`rustc-web`) and that compiler's source, but no standard library for
//! wasm32. We build it from that source and keep it in a sysroot of our own under the target folder:
//!
//! ```text
//! wasm-toolchain/
//!   bin/rustc, rustdoc                         scripts that start those of /usr/bin with this sysroot
//!   lib/rustlib/<host>/lib                     -> /usr/lib/rustlib/<host>/lib, for build scripts and macros
//!   lib/rustlib/<host>/bin/rust-lld            -> rustup's linker; Debian has none of this name
//!   lib/rustlib/wasm32-unknown-unknown/lib/    what we built
//!   stamp                                      which compiler this was made for
//! ```
//!
//! Nothing outside is written to, except by `apt-get`. With another compiler the sysroot is built anew.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail};
use fs_err as fs;
use xshell::{Shell, cmd};

use super::apt;
use super::script;
use super::wasm::{TARGET, Wasm};
use crate::progress::{note, run_logged};
use crate::workspace;

const PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "rust-web-clippy"];
const PROGRAMS: [&str; 5] = ["rustc", "rustdoc", "cargo", "cargo-clippy", "clippy-driver"];
const SOURCE: &str = "/usr/lib/rustlib/src/rust/library/std/Cargo.toml";

/// True if a library folder of a sysroot holds a standard library.
pub(super) fn has_std(libraries: &Path) -> bool {
    let entries = fs::read_dir(libraries).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-"))
}

/// The toolchain, if it was built before for the compiler that is installed now.
pub(super) fn ready(shell: &Shell) -> anyhow::Result<Option<Wasm>> {
    if !is_installed() {
        return Ok(None);
    }
    let sysroot = sysroot(shell)?;
    let made_for = fs::read_to_string(sysroot.join("stamp")).unwrap_or_default();
    Ok((made_for == stamp(shell)?).then(|| toolchain(&sysroot)))
}

/// Installs Debian's packages where they are missing, and builds the standard library for wasm32.
pub(super) fn build(shell: &Shell) -> anyhow::Result<Wasm> {
    if !is_installed() {
        apt::install(shell, &PACKAGES)
            .with_context(|| format!("on Debian: `{}`", apt::command(&PACKAGES)))?;
    }
    if let Some(wasm) = ready(shell)? {
        return Ok(wasm);
    }
    let built = build_std(shell)?;
    let sysroot = sysroot(shell)?;
    let fresh = sysroot.with_extension("new");
    // Cargo tells compilers apart by their version, not by their library: what was built with another is of no use, and
    // Cargo would not notice.
    let stale = workspace::target_dir(shell)?.join(TARGET);
    for old in [&fresh, &sysroot, &stale] {
        if old.exists() {
            fs::remove_dir_all(old)?;
        }
    }
    assemble(shell, &fresh, &built)?;
    fs::rename(&fresh, &sysroot)?;
    Ok(toolchain(&sysroot))
}

fn is_installed() -> bool {
    let programs = PROGRAMS.iter().all(|name| Path::new("/usr/bin").join(name).is_file());
    programs && Path::new(SOURCE).is_file()
}

fn sysroot(shell: &Shell) -> anyhow::Result<PathBuf> {
    Ok(workspace::own_dir(shell, "")?.join("wasm-toolchain"))
}

fn stamp(shell: &Shell) -> anyhow::Result<String> {
    Ok(cmd!(shell, "/usr/bin/rustc -vV").quiet().read()?)
}

fn toolchain(sysroot: &Path) -> Wasm {
    let cargo = PathBuf::from("/usr/bin/cargo");
    Wasm {
        // Through `cargo clippy`, rustup's own would be found first: Cargo prefers its home to PATH.
        clippy: PathBuf::from("/usr/bin/cargo-clippy"),
        env: vec![
            ("CARGO", cargo.clone()),
            ("RUSTC", sysroot.join("bin/rustc")),
            ("RUSTDOC", sysroot.join("bin/rustdoc")),
            // For clippy, which cargo-clippy starts without the script.
            ("SYSROOT", sysroot.to_path_buf()),
        ],
        cargo,
    }
}

/// Builds the standard library as a dependency of an empty crate; the answer is the folder of its libraries.
fn build_std(shell: &Shell) -> anyhow::Result<PathBuf> {
    note("building the standard library for wasm32 from Debian's source, once (about a minute)");
    let package = workspace::own_dir(shell, "wasm-std")?;
    fs::create_dir_all(package.join("src"))?;
    fs::write(package.join("src/lib.rs"), "#![no_std]\n")?;
    // The profile is that of the library which rustup ships.
    let manifest = "[package]\nname = \"empty\"\nedition = \"2024\"\n\n[workspace]\n\n[profile.release]\ncodegen-units = 1\n";
    fs::write(package.join("Cargo.toml"), manifest)?;
    let target = package.join("target");
    if target.exists() {
        fs::remove_dir_all(&target)?;
    }
    let mut command = Command::new("/usr/bin/cargo");
    command
        .current_dir(&package)
        .args(["build", "--release", "-Zbuild-std=std,panic_abort,test", "--target", TARGET])
        .arg("--target-dir")
        .arg(&target)
        .env("CARGO", "/usr/bin/cargo")
        .env("RUSTC", "/usr/bin/rustc")
        .env("RUSTC_BOOTSTRAP", "1")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        // Without bitcode in the libraries, link-time optimization fails.
        .env("RUSTFLAGS", "-Cembed-bitcode=yes");
    run_logged(shell, command, "wasm-std", Duration::from_secs(20 * 60))?;
    Ok(target.join(TARGET).join("release/deps"))
}

fn assemble(shell: &Shell, sysroot: &Path, built: &Path) -> anyhow::Result<()> {
    let stamp = stamp(shell)?;
    let host = stamp.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names no host")?;
    let rustlib = sysroot.join("lib/rustlib");
    let libraries = rustlib.join(TARGET).join("lib");
    for folder in [&sysroot.join("bin"), &libraries, &rustlib.join(host).join("bin")] {
        fs::create_dir_all(folder)?;
    }
    for program in ["rustc", "rustdoc"] {
        // It finds its sysroot beside itself, so that the target folder may be moved.
        let text = format!("exec /usr/bin/{program} --sysroot \"${{0%/bin/{program}}}\" \"$@\"");
        script::write(&sysroot.join("bin").join(program), &text)?;
    }
    link(&Path::new("/usr/lib/rustlib").join(host).join("lib"), &rustlib.join(host).join("lib"))?;
    link(&linker(shell)?, &rustlib.join(host).join("bin/rust-lld"))?;
    for entry in fs::read_dir(built)? {
        let file = entry?.path();
        let name = file.file_name().context("a folder's entry has a name")?.to_string_lossy().into_owned();
        if name.ends_with(".rlib") && !name.starts_with("libempty-") {
            fs::copy(&file, libraries.join(&name))?;
        }
    }
    if !has_std(&libraries) {
        bail!("the build in {} left no standard library", built.display());
    }
    fs::write(sysroot.join("stamp"), stamp)?;
    Ok(())
}

/// The linker that comes with the compiler which runs this program.
fn linker(shell: &Shell) -> anyhow::Result<PathBuf> {
    let sysroot = cmd!(shell, "rustc --print sysroot").quiet().read()?;
    let places = fs::read_dir(Path::new(&sysroot).join("lib/rustlib"))?;
    let linker = places.flatten().map(|place| place.path().join("bin/rust-lld")).find(|file| file.is_file());
    linker.with_context(|| {
        format!("there is no rust-lld in {sysroot}: run with a toolchain that rustup installed")
    })
}

#[cfg(unix)]
fn link(to: &Path, at: &Path) -> anyhow::Result<()> {
    Ok(fs::os::unix::fs::symlink(to, at)?)
}

#[cfg(not(unix))]
fn link(_to: &Path, _at: &Path) -> anyhow::Result<()> {
    bail!("this way is for Debian only")
}
