//! The houses.

use super::{BUNDLER, House, NODEJS, Steps, WEB};
use crate::bindings::BindingsTarget;

/// As strict as one can be: no blobs, no inline code, and Trusted Types.
const STRICT: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; \
    require-trusted-types-for 'script'; trusted-types wasm-mt";

/// What most houses have in common.
const HOUSE: House = House {
    name: "",
    folder: "",
    site: "",
    package: Some(WEB),
    path: "{site}/pkg",
    steps: Steps::Static("{site}"),
    base: "/",
    policy: "",
    has_feature: false,
    is_everywhere: false,
    is_quick: true,
};

const PLAIN: House = House { folder: "plain", ..HOUSE };

const VITE: House = House { folder: "vite", has_feature: true, ..HOUSE };
const VITE_BUILD: Steps = Steps::Build(
    &["vite", "build", "{site}", "--config", "vite.config.js", "--outDir", "../dist/{site}"],
    "dist/{site}",
);
const VITE_SERVE: Steps = Steps::Serve(&[
    "vite",
    "{site}",
    "--config",
    "vite.config.js",
    "--host",
    "127.0.0.1",
    "--strictPort",
    "--port",
]);

const WEBPACK: House = House { folder: "webpack", has_feature: true, ..HOUSE };
const WEBPACK_PRODUCTION: Steps =
    Steps::Build(&["webpack", "--config-name", "{site}", "--mode", "production"], "dist/{site}");
const WEBPACK_DEVELOPMENT: Steps =
    Steps::Build(&["webpack", "--config-name", "{site}", "--mode", "development"], "dist/{site}");

/// The package stays beside the bundle.
const BESIDE: House = House { site: "dist", is_quick: false, ..HOUSE };

/// A page without a build tool that starts a framework's program, which takes minutes to build.
const FRAMEWORK: House = House { site: ".", is_quick: false, ..HOUSE };

const NODE: House = House { folder: "node", path: "{site}", ..HOUSE };
const DENO: House = House { folder: "deno", path: "{site}", ..HOUSE };

pub(super) const HOUSES: &[House] = &[
    House { name: "a module script, no build tool", site: "module", ..PLAIN },
    House {
        name: "a classic script, no build tool",
        site: "classic",
        package: Some((BindingsTarget::NoModules, None)),
        ..PLAIN
    },
    House {
        name: "a strict content security policy, Trusted Types",
        folder: "policy",
        site: "static",
        policy: STRICT,
        is_quick: false,
        ..HOUSE
    },
    House { name: "Leptos", folder: "leptos", ..FRAMEWORK },
    House {
        name: "Leptos, Trunk: hashes, integrity, below a path",
        folder: "leptos",
        package: None,
        steps: Steps::Build(&["trunk", "build", "--dist", "{copy}/dist"], "dist"),
        base: "/some/where/",
        ..FRAMEWORK
    },
    House { name: "Yew", folder: "yew", ..FRAMEWORK },
    House { name: "Dioxus", folder: "dioxus", ..FRAMEWORK },
    House { name: "Sycamore", folder: "sycamore", ..FRAMEWORK },
    House { name: "Vite, web package, production", site: "web", steps: VITE_BUILD, ..VITE },
    House { name: "Vite, web package, development", site: "web", steps: VITE_SERVE, ..VITE },
    House {
        name: "Vite, bundler package, production",
        site: "bundler",
        package: Some(BUNDLER),
        steps: VITE_BUILD,
        is_everywhere: true,
        ..VITE
    },
    House {
        name: "Vite, bundler package, development",
        site: "bundler",
        package: Some(BUNDLER),
        steps: VITE_SERVE,
        ..VITE
    },
    House {
        name: "Vite, web package, its URL is said, production",
        site: "url",
        steps: VITE_BUILD,
        has_feature: false,
        ..VITE
    },
    House {
        name: "Vite, web package, its URL is said, development",
        site: "url",
        steps: VITE_SERVE,
        has_feature: false,
        ..VITE
    },
    House { name: "webpack, web package, production", site: "web", steps: WEBPACK_PRODUCTION, ..WEBPACK },
    House {
        name: "webpack, web package, development",
        site: "web",
        steps: WEBPACK_DEVELOPMENT,
        is_everywhere: true,
        ..WEBPACK
    },
    House {
        name: "webpack, bundler package, production",
        site: "bundler",
        package: Some(BUNDLER),
        steps: WEBPACK_PRODUCTION,
        ..WEBPACK
    },
    House {
        name: "webpack, bundler package, development",
        site: "bundler",
        package: Some(BUNDLER),
        steps: WEBPACK_DEVELOPMENT,
        ..WEBPACK
    },
    House {
        name: "webpack, web package, its URL is said, production",
        site: "url",
        steps: WEBPACK_PRODUCTION,
        has_feature: false,
        ..WEBPACK
    },
    House {
        name: "webpack, web package, its URL is said, development",
        site: "url",
        steps: WEBPACK_DEVELOPMENT,
        has_feature: false,
        ..WEBPACK
    },
    House {
        name: "esbuild, the package beside the bundle",
        folder: "esbuild",
        steps: Steps::Build(
            &["esbuild", "main.js", "--bundle", "--format=esm", "--external:./pkg/*", "--outdir=dist"],
            ".",
        ),
        ..BESIDE
    },
    House {
        name: "Rollup, the package beside the bundle",
        folder: "rollup",
        steps: Steps::Build(&["rollup", "--config"], "."),
        ..BESIDE
    },
    House {
        name: "Parcel, web package, production",
        folder: "parcel",
        path: "pkg",
        steps: Steps::Build(&["parcel", "build", "index.html", "--no-cache", "--dist-dir", "dist"], "dist"),
        has_feature: true,
        is_quick: false,
        ..HOUSE
    },
    House {
        name: "Node.js, --target nodejs",
        site: "nodejs",
        package: Some((BindingsTarget::Nodejs, None)),
        steps: Steps::Run(&["node", "commonjs.cjs"]),
        ..NODE
    },
    House {
        name: "Node.js, --target experimental-nodejs-module",
        site: "module",
        package: Some(NODEJS),
        steps: Steps::Run(&["node", "module.mjs"]),
        ..NODE
    },
    House { name: "Node.js, --target web", site: "web", steps: Steps::Run(&["node", "web.mjs"]), ..NODE },
    House {
        name: "Deno, --target deno",
        site: "deno",
        package: Some((BindingsTarget::Deno, Some("module"))),
        steps: Steps::Run(&["deno", "run", "--allow-read", "deno.js"]),
        ..DENO
    },
    House {
        name: "Deno, --target module",
        site: "source",
        package: Some((BindingsTarget::Module, Some("module"))),
        steps: Steps::Run(&["deno", "run", "--allow-read", "source.js"]),
        ..DENO
    },
    House {
        name: "Deno, --target web",
        site: "web",
        steps: Steps::Run(&["deno", "run", "--allow-read", "web.js"]),
        ..DENO
    },
];
