//! What must not compile, and what the compiler says then.
//!
//! The texts are our own where they can be, but the compiler frames them. Whole messages are compared only with the
//! version that framed the recorded ones; after a change: `TRYBUILD=overwrite cargo test --test ui`. With every other
//! version each file must fail to compile, and our own sentences must be in what the compiler says.
#![cfg(not(target_family = "wasm"))]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// What the recorded messages are of.
const COMPILER: &str = "rustc 1.95.";

#[test]
fn misuse_of_remote_is_told_its_cure() {
    let version = Command::new("rustc").arg("--version").output().expect("the compiler runs").stdout;
    if version.starts_with(COMPILER.as_bytes()) {
        trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
    } else {
        println!("whole messages are compared only with {COMPILER}x: here our own sentences are");
        compare_sentences();
    }
}

fn compare_sentences() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let cases = cases(&root.join("tests/ui"));
    let said = messages_of(&project(root, &cases));
    let mut faults = Vec::new();
    for (name, file) in &cases {
        let Some(said) = said.get(name) else {
            faults.push(format!("{name} compiles"));
            continue;
        };
        let recorded = fs::read_to_string(file.with_extension("stderr")).expect("each case has its message");
        let missing = recorded.lines().filter_map(sentence).filter(|sentence| !said.contains(sentence));
        faults.extend(missing.map(|sentence| format!("{name} does not say {sentence:?}, but:\n{said}")));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The files that must not compile, by name.
fn cases(folder: &Path) -> BTreeMap<String, PathBuf> {
    let entries = fs::read_dir(folder).expect("the cases can be listed");
    let files = entries.map(|entry| entry.expect("the cases can be listed").path());
    let sources = files.filter(|file| file.extension().is_some_and(|extension| extension == "rs"));
    sources.map(|file| (file.file_stem().unwrap_or_default().to_string_lossy().into_owned(), file)).collect()
}

/// Our own sentence in a recorded line, as far as no name of a type stands in it, which versions write differently.
fn sentence(line: &str) -> Option<&str> {
    if let Some(sentence) = line.strip_prefix("error: ") {
        return Some(sentence);
    }
    // The text of a missing trait is ours; of all other codes it is the compiler's.
    line.strip_prefix("error[E0277]: ").and_then(|sentence| sentence.split('`').next())
}

/// Writes a package with a program for each case.
fn project(root: &Path, cases: &BTreeMap<String, PathBuf>) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ui");
    fs::create_dir_all(&folder).expect("the folder for temporary files can be written to");
    let mut manifest = format!(
        "[package]\nname = \"ui\"\nversion = \"0.0.0\"\nedition = \"2024\"\nautobins = false\n\n[workspace]\n\n\
         [dependencies]\nwasm-mt = {{ path = {root:?} }}\nserde = {{ version = \"1\", features = [\"derive\", \"rc\"] }}\n"
    );
    for (name, file) in cases {
        manifest += &format!("\n[[bin]]\nname = {name:?}\npath = {file:?}\n");
    }
    fs::write(folder.join("Cargo.toml"), manifest).expect("the package can be written");
    // The versions that are there already.
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).expect("the versions are locked");
    folder
}

/// What the compiler says of each program of a package that does not compile.
fn messages_of(project: &Path) -> BTreeMap<String, String> {
    let cargo = env::var_os("CARGO").expect("Cargo runs the tests");
    let output = Command::new(cargo)
        .args(["check", "--bins", "--keep-going", "--offline", "--quiet", "--message-format=json"])
        .current_dir(project)
        .env("CARGO_TARGET_DIR", project.join("target"))
        .output()
        .expect("Cargo can be run");
    let mut said = BTreeMap::<String, String>::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let Ok(line) = serde_json::from_str::<serde_json::Value>(line) else { continue };
        let (message, name) = (&line["message"], &line["target"]["name"]);
        if let ("error", Some(text), Some(name)) =
            (message["level"].as_str().unwrap_or_default(), message["rendered"].as_str(), name.as_str())
        {
            said.entry(name.to_owned()).or_default().push_str(text);
        }
    }
    assert!(!said.is_empty(), "nothing was checked: {}", String::from_utf8_lossy(&output.stderr));
    said
}
