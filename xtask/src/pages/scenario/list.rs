//! The ways onto a page.

use super::Expected::{IsStartup, IsStartupUnderTypes, Prints};
use super::{COMPUTED, Expected, INLINE, Scenario};
use crate::bindings::BindingsTarget;

/// An ordinary page: bindings as a module, no policy, nothing missing.
pub(super) const PLAIN: Scenario = Scenario {
    name: "plain",
    target: BindingsTarget::Web,
    programs: &["{root}app/app.js"],
    call: "",
    head: "",
    edit: None,
    sandboxed: false,
    policy: "",
    missing: "",
    query: "",
    evaluates: false,
    leaves: false,
    expected: COMPUTED,
};

const NO_MODULES: Scenario = Scenario { target: BindingsTarget::NoModules, ..PLAIN };

/// The host has a script for workers.
const SCRIPT: &str = "?script={root}wasm-mt-worker.js";
const WITH_SCRIPT: Scenario = Scenario { query: SCRIPT, ..PLAIN };

/// A policy under which no worker starts from a blob.
const NO_BLOB: &str = "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'";

const TYPES: &str = "require-trusted-types-for 'script'; trusted-types wasm-mt";
const TYPES_AND_SCRIPT: &str = "require-trusted-types-for 'script'; trusted-types wasm-mt; worker-src 'self'";

/// The page wants the glue unchanged.
const PRELOADED: &str = "<link rel=\"modulepreload\" href=\"{root}app/app.js\" integrity=\"{integrity}\">";

/// A host that gives a program other glue than its page, which wants it unchanged.
const CHANGED: Scenario = Scenario {
    head: "<link rel=\"modulepreload\" href=\"{root}app/app.js\" integrity=\"{integrity}\">
        <script>const other = fetch; self.fetch = (url, options) =>
            other(String(url).replace('app/app.js', 'edited/app.js'), options);</script>",
    edit: Some(|glue| glue.to_owned() + "\nself.postMessage('changed');\n"),
    expected: IsStartup(&["app/app.js", "integrity", "reload the page"]),
    ..PLAIN
};

/// A program of wasm-mt 0.1.
const PORTED: Scenario = Scenario {
    programs: &["{root}app/ported.js"],
    call: "app",
    expected: Prints(&["computed Some(42.0) and 45", "computed importScripts false"]),
    ..PLAIN
};
const PORTED_NO_MODULES: Scenario = Scenario {
    target: BindingsTarget::NoModules,
    expected: Prints(&["computed Some(42.0) and 45", "computed importScripts true"]),
    ..PORTED
};

const EDITED: &[&str] = &["{root}edited/app.js"];

/// A bundler has put the glue into a larger script.
const BUNDLED: Scenario = Scenario { programs: EDITED, edit: Some(bundle), ..PLAIN };
const IS_BUNDLED: Expected = IsStartup(&["edited/app.js", "a bundler", "globalThis.wasmMt"]);

/// Workers of an application that has the glue in a module of its own, and nested ones of theirs.
const OWN_WORKERS: &str = "<script>
    const source = `
        import * as glue from '${location.origin}{root}app/app.js';
        import '${location.origin}{root}wasm-mt-worker.js';
        self.wasm_bindgen = glue;
        self.wasmMt = { createWorker: () => new Worker(self.location.href, { type: 'module' }) };`;
    const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
    globalThis.wasmMt = { createWorker: () => new Worker(url, { type: 'module' }) };
</script>";

const BOTH: &[&str] = &["{root}app/app.js", "{root}app/other.js"];
const BOTH_COMPUTED: Expected = Prints(&["computed 42", "computed page task worker"]);

pub(in crate::pages) const SCENARIOS: &[Scenario] = &[
    PLAIN,
    Scenario { name: "no_modules", ..NO_MODULES },
    Scenario {
        name: "no_modules_with_space_and_query",
        programs: &["{root}my%20app/app.js?version=1"],
        ..NO_MODULES
    },
    Scenario { name: "no_modules_with_policy", policy: NO_BLOB, query: SCRIPT, ..NO_MODULES },
    Scenario {
        name: "policy_with_blob",
        policy: "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:",
        ..PLAIN
    },
    Scenario { name: "policy_without_blob", policy: NO_BLOB, ..WITH_SCRIPT },
    Scenario {
        name: "policy_without_blob_and_no_script",
        policy: NO_BLOB,
        expected: IsStartup(&["content security policy", "script_url"]),
        ..PLAIN
    },
    Scenario {
        name: "worker_script_missing",
        missing: "wasm-mt-worker.js",
        expected: IsStartup(&["wasm-mt-worker.js", "404"]),
        ..WITH_SCRIPT
    },
    Scenario {
        name: "glue_missing",
        missing: "nowhere/",
        query: "?glue={root}nowhere/app.js",
        expected: IsStartup(&["nowhere/app.js", "404", "glue_url"]),
        ..PLAIN
    },
    Scenario {
        name: "glue_of_another_program",
        query: "?glue={root}app/other.js",
        expected: IsStartup(&["app/other.js", "reload the page"]),
        ..PLAIN
    },
    Scenario { name: "query_in_the_glue", programs: &["{root}app/app.js?version=1&x=a:1"], ..PLAIN },
    Scenario { name: "space_in_the_path", programs: &["{root}my%20app/app.js"], ..PLAIN },
    Scenario { name: "brackets_in_the_path", programs: &["{root}(app)@1/app.js"], ..PLAIN },
    Scenario { name: "base_elsewhere", head: "<base href=\"/nowhere/\">", ..PLAIN },
    Scenario {
        name: "glue_within_the_page",
        programs: &[INLINE],
        expected: IsStartup(&["in the page itself", "no-modules"]),
        ..PLAIN
    },
    Scenario { name: "glue_within_the_page_no_modules", programs: &[INLINE], ..NO_MODULES },
    Scenario {
        name: "glue_with_another_global",
        programs: EDITED,
        // As `--no-modules-global` makes it. What starts it on the page knows the usual name.
        edit: Some(|glue| {
            let glue = glue.replacen("let wasm_bindgen =", "let my_program =", 1);
            glue + "\nif (self.document) self.wasm_bindgen = my_program;\n"
        }),
        ..NO_MODULES
    },
    Scenario {
        name: "page_instead_of_the_glue",
        query: "?glue={root}index.html",
        expected: IsStartup(&["index.html", "glue_url"]),
        ..PLAIN
    },
    Scenario {
        name: "glue_without_a_last_semicolon",
        programs: EDITED,
        edit: Some(|glue| glue.trim_end().trim_end_matches(';').to_owned()),
        ..NO_MODULES
    },
    Scenario {
        name: "glue_with_a_last_comment",
        programs: EDITED,
        edit: Some(|glue| glue.trim_end().to_owned() + "// the end"),
        ..PLAIN
    },
    Scenario { name: "trusted_types", programs: BOTH, policy: TYPES, expected: BOTH_COMPUTED, ..PLAIN },
    Scenario { name: "trusted_types_with_script", policy: TYPES_AND_SCRIPT, ..WITH_SCRIPT },
    Scenario { name: "trusted_types_no_modules", policy: TYPES, ..NO_MODULES },
    Scenario {
        name: "trusted_types_no_modules_with_script",
        policy: TYPES_AND_SCRIPT,
        query: SCRIPT,
        ..NO_MODULES
    },
    Scenario {
        name: "trusted_types_without_our_policy",
        policy: "require-trusted-types-for 'script'; trusted-types other",
        expected: IsStartupUnderTypes(&["Trusted Types", "`trusted-types wasm-mt`"]),
        ..PLAIN
    },
    Scenario { name: "trusted_types_that_are_not_required", policy: "trusted-types other", ..PLAIN },
    Scenario { name: "sandboxed", sandboxed: true, ..PLAIN },
    Scenario { name: "sandboxed_no_modules", sandboxed: true, ..NO_MODULES },
    Scenario {
        name: "no_worker_in_the_scope",
        head: "<script>delete self.Worker</script>",
        expected: IsStartup(&["no `Worker`", "InlineExecutor"]),
        ..PLAIN
    },
    Scenario { name: "integrity", head: PRELOADED, ..PLAIN },
    Scenario {
        name: "integrity_of_a_classic_script",
        programs: &["{root}app/app.js\" integrity=\"{integrity}"],
        ..NO_MODULES
    },
    Scenario { name: "integrity_that_is_lost", ..CHANGED },
    Scenario { name: "integrity_that_is_lost_with_script", query: SCRIPT, ..CHANGED },
    Scenario {
        name: "eight_threads_and_one_below_each",
        query: "?threads=8",
        expected: Prints(&["computed 42"; 8]),
        ..PLAIN
    },
    Scenario { name: "program_of_0_1", ..PORTED },
    Scenario { name: "program_of_0_1_no_modules", ..PORTED_NO_MODULES },
    Scenario { name: "two_programs", programs: BOTH, expected: BOTH_COMPUTED, ..PLAIN },
    Scenario { name: "program_of_0_1_evaluated", evaluates: true, ..PORTED_NO_MODULES },
    Scenario {
        name: "program_of_0_1_evaluated_with_buffers",
        evaluates: true,
        query: "?buffers=yes",
        ..PORTED_NO_MODULES
    },
    Scenario {
        name: "evaluated",
        evaluates: true,
        expected: IsStartup(&["was not found", "glue_url"]),
        ..NO_MODULES
    },
    Scenario {
        name: "evaluated_with_glue_url",
        evaluates: true,
        query: "?glue={root}app/app.js",
        ..NO_MODULES
    },
    Scenario {
        name: "left_and_come_back_to",
        programs: &["{root}app/visited.js"],
        leaves: true,
        expected: Prints(&["computed 42", "computed after true"]),
        ..PLAIN
    },
    Scenario {
        name: "target_bundler",
        target: BindingsTarget::Bundler,
        programs: &["{root}app/app_bg.js"],
        expected: IsStartup(&["--target bundler", "--target web"]),
        ..PLAIN
    },
    Scenario { name: "bundled", expected: IS_BUNDLED, ..BUNDLED },
    Scenario {
        name: "bundled_with_glue_url",
        head: "<script>globalThis.wasmMt = { glueUrl: new URL('{root}app/app.js', location) };</script>",
        ..BUNDLED
    },
    Scenario { name: "bundled_with_script", query: SCRIPT, expected: IS_BUNDLED, ..BUNDLED },
    Scenario { name: "bundled_with_workers_of_its_own", head: OWN_WORKERS, ..BUNDLED },
    Scenario {
        name: "bundled_with_workers_without_glue",
        head: "<script>globalThis.wasmMt = { createWorker: () => new Worker('{root}wasm-mt-worker.js') };</script>",
        expected: IsStartup(&["brings no JavaScript of the program", "glue_url"]),
        ..BUNDLED
    },
    Scenario {
        name: "workers_that_are_none",
        head: "<script>globalThis.wasmMt = { createWorker: () => 7 };</script>",
        expected: IsStartup(&["globalThis.wasmMt.createWorker", "7", "must give a Worker"]),
        ..PLAIN
    },
    Scenario {
        name: "policy_without_blob_with_setup",
        policy: NO_BLOB,
        query: "?setup={root}wasm-mt-worker.js",
        ..PLAIN
    },
    Scenario {
        name: "one_program_twice",
        programs: &["{root}app/app.js", "{root}my%20app/app.js"],
        expected: Prints(&["computed 42", "computed 42"]),
        ..PLAIN
    },
];

/// A script as a bundler makes it of glue and application: it exports nothing of the glue's, and starts the program itself.
fn bundle(glue: &str) -> String {
    let without_exports = glue
        .replace("export function ", "function ")
        .replace("export { initSync, __wbg_init as default };", "");
    without_exports
        + "const started = __wbg_init();\nconst wait = () => started;\nexport { wait as default };\n"
}
