//! The ways onto a page.

use super::{COMPUTED, Expected, INLINE, Scenario};
use crate::bindings::BindingsTarget;

/// An ordinary page: bindings as a module, no policy, nothing missing.
pub(super) const PLAIN: Scenario = Scenario {
    name: "plain",
    target: BindingsTarget::Web,
    programs: &["{root}app/app.js"],
    call: None,
    head: "",
    edit: None,
    sandboxed: false,
    policy: None,
    missing: None,
    query: "",
    evaluates: false,
    leaves: false,
    expected: COMPUTED,
};

macro_rules! types {
    () => {
        "require-trusted-types-for 'script'; trusted-types wasm-mt"
    };
}
const TYPES: &str = types!();

macro_rules! preloaded {
    () => {
        "<link rel=\"modulepreload\" href=\"{root}app/app.js\" integrity=\"{integrity}\">"
    };
}
const PRELOADED: &str = preloaded!();

/// A host that gives a program other glue than its page.
macro_rules! changed {
    () => {
        "<script>const other = fetch; self.fetch = (url, options) => \
             other(String(url).replace('app/app.js', 'edited/app.js'), options);</script>"
    };
}

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
const BOTH_COMPUTED: Expected = Expected::Prints(&["computed 42", "computed page task worker"]);

pub(in crate::pages) const SCENARIOS: &[Scenario] = &[
    PLAIN,
    Scenario {
        name: "no_modules",
        target: BindingsTarget::NoModules,
        programs: &["{root}app/app.js"],
        ..PLAIN
    },
    Scenario {
        name: "no_modules_with_space_and_query",
        target: BindingsTarget::NoModules,
        programs: &["{root}my%20app/app.js?version=1"],
        ..PLAIN
    },
    Scenario {
        name: "no_modules_with_policy",
        target: BindingsTarget::NoModules,
        policy: Some("script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'"),
        query: "?script={root}wasm-mt-worker.js",
        ..PLAIN
    },
    Scenario {
        name: "policy_with_blob",
        policy: Some("script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:"),
        ..PLAIN
    },
    Scenario {
        name: "policy_without_blob",
        policy: Some("script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'"),
        query: "?script={root}wasm-mt-worker.js",
        ..PLAIN
    },
    Scenario {
        name: "policy_without_blob_and_no_script",
        policy: Some("script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'"),
        expected: Expected::IsStartup(&["content security policy", "script_url"]),
        ..PLAIN
    },
    Scenario {
        name: "worker_script_missing",
        missing: Some("wasm-mt-worker.js"),
        query: "?script={root}wasm-mt-worker.js",
        expected: Expected::IsStartup(&["wasm-mt-worker.js", "404"]),
        ..PLAIN
    },
    Scenario {
        name: "glue_missing",
        missing: Some("nowhere/"),
        query: "?glue={root}nowhere/app.js",
        expected: Expected::IsStartup(&["nowhere/app.js", "404", "glue_url"]),
        ..PLAIN
    },
    Scenario {
        name: "glue_of_another_program",
        query: "?glue={root}app/other.js",
        expected: Expected::IsStartup(&["app/other.js", "reload the page"]),
        ..PLAIN
    },
    Scenario { name: "query_in_the_glue", programs: &["{root}app/app.js?version=1&x=a:1"], ..PLAIN },
    Scenario { name: "space_in_the_path", programs: &["{root}my%20app/app.js"], ..PLAIN },
    Scenario { name: "brackets_in_the_path", programs: &["{root}(app)@1/app.js"], ..PLAIN },
    Scenario { name: "base_elsewhere", head: "<base href=\"/nowhere/\">", ..PLAIN },
    Scenario {
        name: "glue_within_the_page",
        programs: &[INLINE],
        expected: Expected::IsStartup(&["in the page itself", "no-modules"]),
        ..PLAIN
    },
    Scenario {
        name: "glue_within_the_page_no_modules",
        target: BindingsTarget::NoModules,
        programs: &[INLINE],
        ..PLAIN
    },
    Scenario {
        name: "glue_with_another_global",
        target: BindingsTarget::NoModules,
        programs: &["{root}edited/app.js"],
        // As `--no-modules-global` makes it. What starts it on the page knows the usual name.
        edit: Some(|glue| {
            let glue = glue.replacen("let wasm_bindgen =", "let my_program =", 1);
            glue + "\nif (self.document) self.wasm_bindgen = my_program;\n"
        }),
        ..PLAIN
    },
    Scenario {
        name: "page_instead_of_the_glue",
        query: "?glue={root}index.html",
        expected: Expected::IsStartup(&["index.html", "glue_url"]),
        ..PLAIN
    },
    Scenario {
        name: "glue_without_a_last_semicolon",
        target: BindingsTarget::NoModules,
        programs: &["{root}edited/app.js"],
        edit: Some(|glue| glue.trim_end().trim_end_matches(';').to_owned()),
        ..PLAIN
    },
    Scenario {
        name: "glue_with_a_last_comment",
        programs: &["{root}edited/app.js"],
        edit: Some(|glue| glue.trim_end().to_owned() + "// the end"),
        ..PLAIN
    },
    Scenario { name: "trusted_types", programs: BOTH, policy: Some(TYPES), expected: BOTH_COMPUTED, ..PLAIN },
    Scenario {
        name: "trusted_types_with_script",
        policy: Some(concat!(types!(), "; worker-src 'self'")),
        query: "?script={root}wasm-mt-worker.js",
        ..PLAIN
    },
    Scenario {
        name: "trusted_types_no_modules",
        target: BindingsTarget::NoModules,
        policy: Some(TYPES),
        ..PLAIN
    },
    Scenario {
        name: "trusted_types_no_modules_with_script",
        target: BindingsTarget::NoModules,
        policy: Some(concat!(types!(), "; worker-src 'self'")),
        query: "?script={root}wasm-mt-worker.js",
        ..PLAIN
    },
    Scenario {
        name: "trusted_types_without_our_policy",
        policy: Some("require-trusted-types-for 'script'; trusted-types other"),
        expected: Expected::IsStartupUnderTypes(&["Trusted Types", "`trusted-types wasm-mt`"]),
        ..PLAIN
    },
    Scenario { name: "trusted_types_that_are_not_required", policy: Some("trusted-types other"), ..PLAIN },
    Scenario { name: "sandboxed", sandboxed: true, ..PLAIN },
    Scenario { name: "sandboxed_no_modules", target: BindingsTarget::NoModules, sandboxed: true, ..PLAIN },
    Scenario {
        name: "no_worker_in_the_scope",
        head: "<script>delete self.Worker</script>",
        expected: Expected::IsStartup(&["no `Worker`", "InlineExecutor"]),
        ..PLAIN
    },
    Scenario { name: "integrity", head: PRELOADED, ..PLAIN },
    Scenario {
        name: "integrity_of_a_classic_script",
        target: BindingsTarget::NoModules,
        programs: &["{root}app/app.js\" integrity=\"{integrity}"],
        ..PLAIN
    },
    Scenario {
        name: "integrity_that_is_lost",
        head: concat!(preloaded!(), changed!()),
        edit: Some(|glue| glue.to_owned() + "\nself.postMessage('changed');\n"),
        expected: Expected::IsStartup(&["app/app.js", "integrity", "reload the page"]),
        ..PLAIN
    },
    Scenario {
        name: "integrity_that_is_lost_with_script",
        head: concat!(preloaded!(), changed!()),
        edit: Some(|glue| glue.to_owned() + "\nself.postMessage('changed');\n"),
        query: "?script={root}wasm-mt-worker.js",
        expected: Expected::IsStartup(&["app/app.js", "integrity", "reload the page"]),
        ..PLAIN
    },
    Scenario {
        name: "eight_threads_and_one_below_each",
        query: "?threads=8",
        expected: Expected::Prints(&["computed 42"; 8]),
        ..PLAIN
    },
    Scenario {
        name: "program_of_0_1",
        programs: &["{root}app/ported.js"],
        call: Some("app"),
        expected: Expected::Prints(&["computed Some(42.0) and 45", "computed importScripts false"]),
        ..PLAIN
    },
    Scenario {
        name: "program_of_0_1_no_modules",
        target: BindingsTarget::NoModules,
        programs: &["{root}app/ported.js"],
        call: Some("app"),
        expected: Expected::Prints(&["computed Some(42.0) and 45", "computed importScripts true"]),
        ..PLAIN
    },
    Scenario { name: "two_programs", programs: BOTH, expected: BOTH_COMPUTED, ..PLAIN },
    Scenario {
        name: "program_of_0_1_evaluated",
        target: BindingsTarget::NoModules,
        programs: &["{root}app/ported.js"],
        call: Some("app"),
        evaluates: true,
        expected: Expected::Prints(&["computed Some(42.0) and 45", "computed importScripts true"]),
        ..PLAIN
    },
    Scenario {
        name: "program_of_0_1_evaluated_with_buffers",
        target: BindingsTarget::NoModules,
        programs: &["{root}app/ported.js"],
        call: Some("app"),
        evaluates: true,
        query: "?buffers=yes",
        expected: Expected::Prints(&["computed Some(42.0) and 45", "computed importScripts true"]),
        ..PLAIN
    },
    Scenario {
        name: "evaluated",
        target: BindingsTarget::NoModules,
        evaluates: true,
        expected: Expected::IsStartup(&["was not found", "glue_url"]),
        ..PLAIN
    },
    Scenario {
        name: "evaluated_with_glue_url",
        target: BindingsTarget::NoModules,
        evaluates: true,
        query: "?glue={root}app/app.js",
        ..PLAIN
    },
    Scenario {
        name: "left_and_come_back_to",
        programs: &["{root}app/visited.js"],
        leaves: true,
        expected: Expected::Prints(&["computed 42", "computed after true"]),
        ..PLAIN
    },
    Scenario {
        name: "target_bundler",
        target: BindingsTarget::Bundler,
        programs: &["{root}app/app_bg.js"],
        expected: Expected::IsStartup(&["--target bundler", "--target web"]),
        ..PLAIN
    },
    Scenario {
        name: "bundled",
        programs: &["{root}edited/app.js"],
        edit: Some(bundle),
        expected: Expected::IsStartup(&["edited/app.js", "a bundler", "globalThis.wasmMt"]),
        ..PLAIN
    },
    Scenario {
        name: "bundled_with_glue_url",
        programs: &["{root}edited/app.js"],
        edit: Some(bundle),
        head: "<script>globalThis.wasmMt = { glueUrl: new URL('{root}app/app.js', location) };</script>",
        ..PLAIN
    },
    Scenario {
        name: "bundled_with_script",
        programs: &["{root}edited/app.js"],
        edit: Some(bundle),
        query: "?script={root}wasm-mt-worker.js",
        expected: Expected::IsStartup(&["edited/app.js", "a bundler", "globalThis.wasmMt"]),
        ..PLAIN
    },
    Scenario {
        name: "bundled_with_workers_of_its_own",
        programs: &["{root}edited/app.js"],
        edit: Some(bundle),
        head: OWN_WORKERS,
        ..PLAIN
    },
    Scenario {
        name: "bundled_with_workers_without_glue",
        programs: &["{root}edited/app.js"],
        edit: Some(bundle),
        head: "<script>globalThis.wasmMt = { createWorker: () => new Worker('{root}wasm-mt-worker.js') };</script>",
        expected: Expected::IsStartup(&["brings no JavaScript of the program", "glue_url"]),
        ..PLAIN
    },
    Scenario {
        name: "workers_that_are_none",
        head: "<script>globalThis.wasmMt = { createWorker: () => 7 };</script>",
        expected: Expected::IsStartup(&["globalThis.wasmMt.createWorker", "7", "must give a Worker"]),
        ..PLAIN
    },
    Scenario {
        name: "policy_without_blob_with_setup",
        policy: Some("script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'"),
        query: "?setup={root}wasm-mt-worker.js",
        ..PLAIN
    },
    Scenario {
        name: "one_program_twice",
        programs: &["{root}app/app.js", "{root}my%20app/app.js"],
        expected: Expected::Prints(&["computed 42", "computed 42"]),
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
