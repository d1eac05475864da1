//! Browsers and their WebDrivers.
//!
//! A browser counts as there when its program and its driver are found; Debian's packages and a driver built by Cargo
//! fill the gaps. The other systems' ways to install are named, not taken.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail};
use fs_err as fs;
use serde_json::json;
use xshell::Shell;

use super::apt;
use super::apt::which;
use crate::progress::{note, run_logged};
use crate::workspace;

/// An engine that the tests and the demo run in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Browser {
    /// Chromium or Chrome, with chromedriver.
    Chromium,
    /// Firefox, with geckodriver.
    Firefox,
    /// WebKitGTK's MiniBrowser, with `WebKitWebDriver`: the engine of Safari.
    Webkit,
}

/// What sets a browser apart.
struct Facts {
    /// Its program, where it is on `PATH`.
    programs: &'static [&'static str],
    driver: &'static str,
    driver_variable: &'static str,
    /// What else must be on `PATH`.
    helpers: &'static [&'static str],
    /// Debian's packages.
    packages: &'static [&'static str],
}

impl Browser {
    /// All of them, in the order in which they run.
    pub(crate) const ALL: [Self; 3] = [Self::Chromium, Self::Firefox, Self::Webkit];

    fn facts(self) -> Facts {
        match self {
            Self::Chromium => Facts {
                programs: &["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"],
                driver: "chromedriver",
                driver_variable: "CHROMEDRIVER",
                helpers: &[],
                packages: &["chromium", "chromium-driver"],
            },
            Self::Firefox => Facts {
                programs: &["firefox-esr", "firefox"],
                driver: "geckodriver",
                driver_variable: "GECKODRIVER",
                helpers: &[],
                packages: &["firefox-esr"],
            },
            Self::Webkit => Facts {
                programs: &["MiniBrowser"],
                driver: "WebKitWebDriver",
                // The test runner drives WebKitGTK as it drives Safari: one protocol, another program.
                driver_variable: "SAFARIDRIVER",
                helpers: &["xvfb-run", "xauth"],
                packages: &["webkit2gtk-driver", "xvfb", "xauth"],
            },
        }
    }

    /// The variable that names the driver, for users and for wasm-bindgen's test runner.
    pub(crate) fn driver_variable(self) -> &'static str {
        self.facts().driver_variable
    }

    fn find_binary(self) -> Option<PathBuf> {
        let on_path = self.facts().programs.iter().find_map(|program| which(program));
        on_path.or_else(|| find_minibrowser().filter(|_| self == Self::Webkit))
    }

    /// A driver that was built by us is in `tools`.
    fn find_driver(self, tools: &Path) -> Option<PathBuf> {
        let built = tools.join("bin").join(self.facts().driver);
        let named = std::env::var_os(self.driver_variable()).map(PathBuf::from);
        named.or_else(|| which(self.facts().driver)).or_else(|| Some(built).filter(|file| file.is_file()))
    }
}

impl fmt::Display for Browser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Chromium => "chromium",
            Self::Firefox => "firefox",
            Self::Webkit => "webkit",
        })
    }
}

/// A browser that is ready to be driven.
#[derive(Clone, Debug)]
pub(crate) struct Installed {
    pub(crate) browser: Browser,
    /// The browser itself.
    pub(crate) binary: PathBuf,
    /// Its WebDriver; takes `--port=N`.
    pub(crate) driver: PathBuf,
    /// What must precede the command that starts the driver: `xvfb-run -a` where the browser cannot do without a
    /// display, else nothing.
    pub(crate) wrapper: Vec<PathBuf>,
    as_root: bool,
}

impl Installed {
    /// The WebDriver capabilities that start this browser unseen: the `alwaysMatch` of a new session.
    pub(crate) fn capabilities(&self) -> serde_json::Value {
        let binary = &self.binary;
        match self.browser {
            Browser::Chromium => {
                let mut args = vec![
                    "--headless=new",
                    "--disable-gpu",
                    // Containers have a small /dev/shm; a page with 64 MiB messages dies of it.
                    "--disable-dev-shm-usage",
                    "--disable-quic",
                    "--no-first-run",
                    "--disable-background-networking",
                    "--disable-component-update",
                    "--disable-sync",
                ];
                if self.as_root {
                    args.push("--no-sandbox");
                }
                json!({ "goog:chromeOptions": { "binary": binary, "args": args } })
            }
            Browser::Firefox => json!({ "moz:firefoxOptions": { "binary": binary, "args": ["-headless"] } }),
            Browser::Webkit => json!({
                "browserName": "MiniBrowser",
                "webkitgtk:browserOptions": { "binary": binary, "args": ["--automation"] },
            }),
        }
    }
}

/// What [`browsers`] found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Browsers {
    pub(crate) installed: Vec<Installed>,
    /// Those that could not be had, with what is missing and the command that installs it.
    pub(crate) missing: Vec<(Browser, String)>,
}

impl Browsers {
    /// All that were wanted. Fails if one is missing.
    pub(crate) fn complete(self) -> anyhow::Result<Vec<Installed>> {
        match self.missing.first() {
            Some((browser, cure)) => bail!("{browser} is missing: {cure}"),
            None => Ok(self.installed),
        }
    }
}

/// Ensures the wanted browsers and drivers, in this order. Fails only if the target folder cannot be used.
pub(crate) fn browsers(shell: &Shell, wanted: &[Browser]) -> anyhow::Result<Browsers> {
    let mut found = Browsers::default();
    let tools = workspace::own_dir(shell, "tools")?;
    for &browser in wanted {
        match ensure(shell, browser, &tools) {
            Ok(installed) => {
                let (program, driver) = (installed.binary.display(), installed.driver.display());
                note(format_args!("{browser}: {program}, driven by {driver}"));
                found.installed.push(installed);
            }
            Err(error) => {
                note(format_args!("{browser}: not to be had: {error:#}"));
                found.missing.push((browser, format!("{error:#}")));
            }
        }
    }
    Ok(found)
}

fn ensure(shell: &Shell, browser: Browser, tools: &Path) -> anyhow::Result<Installed> {
    let Facts { packages, helpers, driver_variable, .. } = browser.facts();
    // That of Firefox is in no package.
    let has_driver = browser == Browser::Firefox || browser.find_driver(tools).is_some();
    let has_helpers = helpers.iter().all(|helper| which(helper).is_some());
    if browser.find_binary().is_none() || !has_driver || !has_helpers {
        let command = apt::command(packages);
        apt::install(shell, packages).with_context(|| {
            format!(
                "install it and its driver (on Debian: `{command}`), or name the driver in {driver_variable}"
            )
        })?;
    }
    if browser == Browser::Firefox && browser.find_driver(tools).is_none() {
        install_geckodriver(shell, tools)
            .context("install the driver (`cargo install geckodriver`), or name it in GECKODRIVER")?;
    }
    let binary = browser.find_binary().context("the browser is not on PATH")?;
    let driver = browser.find_driver(tools).context("its WebDriver is not on PATH")?;
    let wrapper = match browser {
        Browser::Webkit => vec![PathBuf::from("xvfb-run"), PathBuf::from("-a")],
        Browser::Chromium | Browser::Firefox => Vec::new(),
    };
    Ok(Installed { browser, binary, driver, wrapper, as_root: apt::is_root(shell) })
}

/// The MiniBrowser is no program for users, so systems keep it beside the library.
fn find_minibrowser() -> Option<PathBuf> {
    let mut places = vec![PathBuf::from("/usr/libexec")];
    for folder in ["/usr/lib", "/usr/lib64"] {
        places.push(PathBuf::from(folder));
        places.extend(fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()));
    }
    let versions = ["webkit2gtk-4.1", "webkitgtk-6.0", "webkit2gtk-4.0"];
    versions.into_iter().find_map(|version| {
        places.iter().map(|place| place.join(version).join("MiniBrowser")).find(|file| file.is_file())
    })
}

/// Debian does not package geckodriver; its source is on crates.io. A debug build drives as well and builds faster.
fn install_geckodriver(shell: &Shell, tools: &Path) -> anyhow::Result<()> {
    note("building geckodriver, once (cargo install, about two minutes)");
    let build = tools.join("build");
    let mut command = Command::new("cargo");
    command.args(["install", "--debug", "geckodriver", "--root"]).arg(tools).arg("--target-dir").arg(&build);
    run_logged(shell, command, "geckodriver", Duration::from_secs(20 * 60))?;
    Ok(fs::remove_dir_all(&build)?)
}
