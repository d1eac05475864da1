//! The houses.

use super::{BUNDLER, House, NODEJS, Steps, WEB};
use crate::bindings::BindingsTarget;

pub(super) const HOUSES: &[House] = &[
    House {
        name: "a module script, no build tool",
        folder: "plain",
        package: WEB,
        path: "module/pkg",
        steps: Steps::Static("module"),
        ..House::QUICK
    },
    House {
        name: "a classic script, no build tool",
        folder: "plain",
        package: (BindingsTarget::NoModules, None),
        path: "classic/pkg",
        steps: Steps::Static("classic"),
        ..House::QUICK
    },
    House {
        name: "Vite, web package, production",
        folder: "vite",
        package: WEB,
        path: "web/pkg",
        steps: Steps::Build(
            &["vite", "build", "web", "--config", "vite.config.js", "--outDir", "../dist/web"],
            "dist/web",
        ),
        ..House::BUNDLER
    },
    House {
        name: "Vite, web package, development",
        folder: "vite",
        package: WEB,
        path: "web/pkg",
        steps: Steps::Serve(&[
            "vite",
            "web",
            "--config",
            "vite.config.js",
            "--host",
            "127.0.0.1",
            "--strictPort",
            "--port",
        ]),
        ..House::BUNDLER
    },
    House {
        name: "Vite, bundler package, production",
        folder: "vite",
        package: BUNDLER,
        path: "bundler/pkg",
        steps: Steps::Build(
            &["vite", "build", "bundler", "--config", "vite.config.js", "--outDir", "../dist/bundler"],
            "dist/bundler",
        ),
        ..House::BUNDLER
    },
    House {
        name: "Vite, bundler package, development",
        folder: "vite",
        package: BUNDLER,
        path: "bundler/pkg",
        steps: Steps::Serve(&[
            "vite",
            "bundler",
            "--config",
            "vite.config.js",
            "--host",
            "127.0.0.1",
            "--strictPort",
            "--port",
        ]),
        ..House::BUNDLER
    },
    House {
        name: "Vite, web package, its URL is said, production",
        folder: "vite",
        package: WEB,
        path: "url/pkg",
        steps: Steps::Build(
            &["vite", "build", "url", "--config", "vite.config.js", "--outDir", "../dist/url"],
            "dist/url",
        ),
        ..House::QUICK
    },
    House {
        name: "Vite, web package, its URL is said, development",
        folder: "vite",
        package: WEB,
        path: "url/pkg",
        steps: Steps::Serve(&[
            "vite",
            "url",
            "--config",
            "vite.config.js",
            "--host",
            "127.0.0.1",
            "--strictPort",
            "--port",
        ]),
        ..House::QUICK
    },
    House {
        name: "webpack, web package, production",
        folder: "webpack",
        package: WEB,
        path: "web/pkg",
        steps: Steps::Build(&["webpack", "--config-name", "web", "--mode", "production"], "dist/web"),
        ..House::BUNDLER
    },
    House {
        name: "webpack, web package, development",
        folder: "webpack",
        package: WEB,
        path: "web/pkg",
        steps: Steps::Build(&["webpack", "--config-name", "web", "--mode", "development"], "dist/web"),
        ..House::BUNDLER
    },
    House {
        name: "webpack, bundler package, production",
        folder: "webpack",
        package: BUNDLER,
        path: "bundler/pkg",
        steps: Steps::Build(&["webpack", "--config-name", "bundler", "--mode", "production"], "dist/bundler"),
        ..House::BUNDLER
    },
    House {
        name: "webpack, bundler package, development",
        folder: "webpack",
        package: BUNDLER,
        path: "bundler/pkg",
        steps: Steps::Build(
            &["webpack", "--config-name", "bundler", "--mode", "development"],
            "dist/bundler",
        ),
        ..House::BUNDLER
    },
    House {
        name: "webpack, web package, its URL is said, production",
        folder: "webpack",
        package: WEB,
        path: "url/pkg",
        steps: Steps::Build(&["webpack", "--config-name", "url", "--mode", "production"], "dist/url"),
        ..House::QUICK
    },
    House {
        name: "webpack, web package, its URL is said, development",
        folder: "webpack",
        package: WEB,
        path: "url/pkg",
        steps: Steps::Build(&["webpack", "--config-name", "url", "--mode", "development"], "dist/url"),
        ..House::QUICK
    },
    House {
        name: "esbuild, the package beside the bundle",
        folder: "esbuild",
        package: WEB,
        path: "dist/pkg",
        steps: Steps::Build(
            &["esbuild", "main.js", "--bundle", "--format=esm", "--external:./pkg/*", "--outdir=dist"],
            ".",
        ),
        is_quick: false,
        ..House::QUICK
    },
    House {
        name: "Rollup, the package beside the bundle",
        folder: "rollup",
        package: WEB,
        path: "dist/pkg",
        steps: Steps::Build(&["rollup", "--config"], "."),
        is_quick: false,
        ..House::QUICK
    },
    House {
        name: "Parcel, web package, production",
        folder: "parcel",
        package: WEB,
        path: "pkg",
        steps: Steps::Build(&["parcel", "build", "index.html", "--no-cache", "--dist-dir", "dist"], "dist"),
        is_quick: false,
        ..House::BUNDLER
    },
    House {
        name: "Node.js, --target nodejs",
        folder: "node",
        package: (BindingsTarget::Nodejs, None),
        path: "nodejs",
        steps: Steps::Run(&["node", "commonjs.cjs"]),
        ..House::QUICK
    },
    House {
        name: "Node.js, --target experimental-nodejs-module",
        folder: "node",
        package: NODEJS,
        path: "module",
        steps: Steps::Run(&["node", "module.mjs"]),
        ..House::QUICK
    },
    House {
        name: "Node.js, --target web",
        folder: "node",
        package: WEB,
        path: "web",
        steps: Steps::Run(&["node", "web.mjs"]),
        ..House::QUICK
    },
    House {
        name: "Deno, --target deno",
        folder: "deno",
        package: (BindingsTarget::Deno, Some("module")),
        path: "deno",
        steps: Steps::Run(&["deno", "run", "--allow-read", "deno.js"]),
        ..House::QUICK
    },
    House {
        name: "Deno, --target web",
        folder: "deno",
        package: WEB,
        path: "web",
        steps: Steps::Run(&["deno", "run", "--allow-read", "web.js"]),
        ..House::QUICK
    },
];
