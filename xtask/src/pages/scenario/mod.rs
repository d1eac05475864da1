//! One way onto a page, as data.

use std::path::Path;

use anyhow::{Result, bail, ensure};
use base64::Engine as _;
use fs_err as fs;
use sha2::Digest as _;

use super::Record;
use crate::bindings::BindingsTarget;
use crate::web::Site;

pub(super) use list::SCENARIOS;

mod list;

/// One page.
pub(super) struct Scenario {
    /// Its name, and the folder in which everything it needs is served.
    name: &'static str,
    target: BindingsTarget,
    /// The programs on the page; `{root}` stands for the scenario's folder.
    programs: &'static [&'static str],
    /// The exported function that the page calls once a program is there; empty if `main` is all.
    call: &'static str,
    /// What more stands in the head of the page. `{integrity}` stands for that of the glue.
    head: &'static str,
    /// Makes other glue of that of `app`, served as `{root}edited/app.js`.
    edit: Option<fn(&str) -> String>,
    /// The page is in a frame that has no origin.
    sandboxed: bool,
    /// The policy in the header of every answer; empty for none.
    policy: &'static str,
    /// Files below the scenario's folder that are not there; empty for none.
    missing: &'static str,
    /// What the programs are told.
    query: &'static str,
    /// The page fetches the bindings as a text and evaluates that, as the pages of 0.1 did.
    evaluates: bool,
    /// The page asks to be left for another, and to be come back to.
    pub(super) leaves: bool,
    expected: Expected,
}

/// How the programs must end.
#[derive(Clone, Copy)]
enum Expected {
    /// They print these lines, and end without an error.
    Prints(&'static [&'static str]),
    /// The worker cannot start, and the error's text has all these parts.
    IsStartup(&'static [&'static str]),
    /// As `IsStartup` where the engine has Trusted Types, else as `COMPUTED`.
    IsStartupUnderTypes(&'static [&'static str]),
}

const COMPUTED: Expected = Expected::Prints(&["computed 42"]);

/// Stands for a program whose glue is within the page.
const INLINE: &str = "inline";

impl Scenario {
    /// The name under which the page is a test.
    pub(super) fn test(&self) -> String {
        format!("pages::{}", self.name)
    }

    fn root(&self) -> String {
        format!("/{}/", self.name)
    }

    /// `glue`: that of the program `app`.
    fn fill(&self, text: &str, glue: &str) -> String {
        text.replace("{root}", &self.root()).replace("{integrity}", &integrity(glue))
    }

    /// The address of the page.
    pub(super) fn address(&self) -> String {
        self.root() + &self.query.replace("{root}", &self.root())
    }

    /// Writes the page into a folder of its name below `site`.
    pub(super) fn write(&self, site: &Path) -> Result<&Scenario> {
        let folder = site.join(self.name);
        fs::create_dir_all(&folder)?;
        let bindings = site.join(format!("{:?}", self.target));
        let glue = fs::read_to_string(bindings.join("app.js"))?;
        if let Some(edit) = self.edit {
            let edited = folder.join("edited");
            fs::create_dir_all(&edited)?;
            fs::write(edited.join("app.js"), edit(&glue))?;
            fs::copy(bindings.join("app_bg.wasm"), edited.join("app_bg.wasm"))?;
        }
        let call = |glue: &str| match self.call {
            "" => String::new(),
            name => format!(".then(() => {glue}.{name}())"),
        };
        let (mut scripts, mut start) = (String::new(), String::new());
        for (number, program) in self.programs.iter().enumerate() {
            let program = self.fill(program, &glue);
            let inner = format!("{}app/app_bg.wasm", self.root());
            // Policies forbid scripts within the page, so what starts the programs is a file too.
            match self.target {
                BindingsTarget::Web if program == INLINE => {
                    let start = format!("__wbg_init({{ module_or_path: '{inner}' }});");
                    scripts += &format!("<script type=\"module\">\n{glue}\n{start}\n</script>\n");
                }
                BindingsTarget::Web => {
                    let glue = format!("program{number}");
                    let call = call(&glue);
                    start += &format!("import * as {glue} from '{program}';\n{glue}.default(){call};\n");
                }
                // What a bundler makes of the imports in the glue.
                BindingsTarget::Bundler => {
                    start += &format!(
                        "import * as glue from '{program}';\n\
                         WebAssembly.instantiateStreaming(fetch('{inner}'), {{ './app_bg.js': glue }})\n\
                         .then(({{ instance }}) => {{\n\
                         glue.__wbg_set_wasm(instance.exports);\ninstance.exports.__wbindgen_start();\n}});\n"
                    );
                }
                BindingsTarget::NoModules if self.evaluates => {
                    let module = program.replace(".js", "_bg.wasm");
                    let call = call("glue");
                    start += &format!(
                        "fetch('{program}').then((answer) => answer.text()).then((text) => {{\n\
                         const glue = new Function(`return () => {{ ${{text}} return wasm_bindgen; }};`)()();\n\
                         return glue({{ module_or_path: '{module}' }}){call};\n}});\n"
                    );
                }
                BindingsTarget::NoModules if program == INLINE => {
                    scripts += &format!("<script>\n{glue}\n</script>\n");
                    start += &format!("wasm_bindgen({{ module_or_path: '{inner}' }});\n");
                }
                BindingsTarget::NoModules => {
                    scripts += &format!("<script src=\"{program}\"></script>\n");
                    // Of itself this glue finds its module only if its own address ends in `.js`.
                    let module =
                        program.split(['?', '"']).next().unwrap_or_default().replace(".js", "_bg.wasm");
                    let call = call("wasm_bindgen");
                    start += &format!("wasm_bindgen({{ module_or_path: '{module}' }}){call};\n");
                }
                other => unreachable!("{other:?} is for no page"),
            }
        }
        let kind = if self.target == BindingsTarget::NoModules { "" } else { " type=\"module\"" };
        let head = self.fill(self.head, &glue);
        let top = format!(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>{}</title>\n",
            self.name
        );
        let page = format!(
            "{top}{head}\n<script src=\"/harness.js\" data-programs=\"{}\"></script>\n{scripts}\
             <script src=\"{}start.js\"{kind}></script>\n",
            self.programs.len(),
            self.root(),
        );
        fs::write(folder.join("start.js"), &start)?;
        fs::write(folder.join(if self.sandboxed { "frame.html" } else { "index.html" }), &page)?;
        if self.sandboxed {
            let frame = format!(
                "<iframe sandbox=\"allow-scripts\" src=\"frame.html{}\">",
                self.fill(self.query, &glue)
            );
            let page =
                format!("{top}<script src=\"/harness.js\" data-programs=\"0\"></script>\n{frame}</iframe>\n");
            fs::write(folder.join("index.html"), &page)?;
        }
        fs::write(folder.join("wasm-mt-worker.js"), wasm_mt::WORKER_SCRIPT)?;
        Ok(self)
    }

    /// Serves the page below its name, and its programs in several folders there.
    pub(super) fn serve(&self, mut site: Site, folder: &Path) -> Site {
        let root = self.root();
        let bindings = folder.join(format!("{:?}", self.target));
        for place in ["app", "my app", "(app)@1"] {
            site = site.folder(&format!("{root}{place}/"), &bindings);
        }
        if self.sandboxed {
            // A frame without an origin may load modules from a host that lets everybody do so.
            site = site.header(&root, "Access-Control-Allow-Origin", "*");
        }
        if !self.policy.is_empty() {
            site = site.header(&root, "Content-Security-Policy", self.policy);
        }
        if !self.missing.is_empty() {
            site = site.missing(&format!("{root}{}", self.missing));
        }
        site
    }

    /// Compares what the page recorded with what is expected.
    pub(super) fn check(&self, record: &Record) -> Result<()> {
        ensure!(record.verdict == "ended", "the page is {}: {}", record.verdict, record.output);
        let errors: Vec<Option<String>> = serde_json::from_str(&record.errors)?;
        ensure!(
            record.mains == self.programs.len().to_string(),
            "`main` ran {} times for {} programs",
            record.mains,
            self.programs.len()
        );
        let expected = match self.expected {
            Expected::IsStartupUnderTypes(parts) if record.types == "true" => Expected::IsStartup(parts),
            Expected::IsStartupUnderTypes(_) => COMPUTED,
            expected => expected,
        };
        match (expected, errors.into_iter().flatten().next()) {
            (Expected::Prints(lines), None) => {
                let mut printed: Vec<&str> = record.output.lines().collect();
                printed.sort_unstable();
                ensure!(printed == lines, "it printed {printed:?}");
            }
            (Expected::Prints(_), Some(error)) => bail!("it ended with an error: {error}\n{}", record.output),
            (Expected::IsStartup(parts) | Expected::IsStartupUnderTypes(parts), Some(error)) => {
                ensure!(record.output.contains("is_startup: true"), "the error is not `is_startup`: {error}");
                for part in parts {
                    ensure!(error.contains(part), "the error does not say {part:?}: {error}");
                }
            }
            (_, None) => bail!("it ended without an error: {}", record.output),
        }
        Ok(())
    }
}

/// What `integrity` says of a script.
fn integrity(script: &str) -> String {
    let hash = sha2::Sha256::digest(script);
    format!("sha256-{}", base64::engine::general_purpose::STANDARD.encode(hash))
}

#[cfg(test)]
mod tests {
    use super::list::PLAIN;
    use super::*;

    fn record(output: &str, errors: &str, mains: &str) -> Record {
        let (output, errors, mains) = (output.to_owned(), errors.to_owned(), mains.to_owned());
        Record { verdict: "ended".to_owned(), output, errors, mains, types: "true".to_owned() }
    }

    #[test]
    fn a_right_record_passes() {
        PLAIN.check(&record("computed 42", "[null]", "1")).unwrap();
    }

    #[test]
    fn a_main_that_ran_in_a_worker_fails() {
        PLAIN.check(&record("computed 42", "[null]", "2")).unwrap_err();
    }

    #[test]
    fn a_program_that_ends_with_an_error_fails() {
        PLAIN.check(&record("computed 42", "[\"no\"]", "1")).unwrap_err();
    }

    #[test]
    fn an_error_of_another_kind_than_expected_fails() {
        let scenario = Scenario { expected: Expected::IsStartup(&["404"]), ..PLAIN };
        scenario.check(&record("is_startup: true", "[\"status 404\"]", "1")).unwrap();
        scenario.check(&record("is_startup: true", "[\"status 500\"]", "1")).unwrap_err();
        scenario.check(&record("is_startup: false", "[\"status 404\"]", "1")).unwrap_err();
    }
}
