//! The modules of the library, and the files that define what a path names.
//!
//! Names are resolved as far as items and `use` declarations tell. Code for tests is left out: items with `#[cfg(test)]`, and
//! the files of modules that are declared with it.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};

use super::SourceFile;
use super::reader::{Mention, Parts, Path, anchor};

/// No name is shown again by more modules than this.
const DEEP: usize = 8;

/// What a path leads to.
enum Target {
    Module(Path),
    /// Something that this module defines.
    ItemOf(Path),
}

/// All modules of the library.
#[derive(Debug, Default)]
pub(super) struct Modules {
    /// The paths of their files.
    pub(super) files: Vec<String>,
    pub(super) parts: Parts,
}

impl Modules {
    /// Reads all files under `src/`.
    pub(super) fn read(sources: &[SourceFile]) -> Result<Self> {
        let mut modules = Self::default();
        for file in sources.iter().filter(|file| file.path.starts_with("src/")) {
            let module = module(&file.path);
            if !is_for_tests(sources, &module) {
                let read = modules.parts.read(file, modules.files.len(), module);
                read.with_context(|| format!("failed to read {}", file.path))?;
                modules.files.push(file.path.clone());
            }
        }
        Ok(modules)
    }

    /// The files that define what is mentioned; none if it is a module, or comes from another crate.
    pub(super) fn definers(&self, mention: &Mention) -> BTreeSet<usize> {
        let targets = self.resolve(&mention.module, &mention.segments, 0);
        let items = targets.into_iter().filter_map(|target| match target {
            Target::ItemOf(module) => self.parts.scopes.get(&module).map(|scope| scope.file),
            Target::Module(_) => None,
        });
        items.collect()
    }

    /// What the root of the crate calls by `name`, as it says itself.
    pub(super) fn at_the_root(&self, name: &str) -> Option<&Path> {
        let root = self.parts.scopes.get(&Path::new())?;
        root.imports.iter().find(|(import, _)| import == name).map(|(_, path)| path)
    }

    fn resolve(&self, from: &[String], segments: &[String], depth: usize) -> Vec<Target> {
        // Two modules may import all of each other.
        if depth > DEEP {
            return Vec::new();
        }
        let anchored = anchor(from, segments);
        let is_anchored = anchored.is_some();
        let (start, rest) = anchored.unwrap_or_else(|| (from.to_vec(), segments));
        let Some((first, more)) = rest.split_first() else { return vec![Target::Module(start)] };
        let mut found = self.lookup(&start, first, depth);
        if found.is_empty() && is_anchored && !start.is_empty() && self.parts.scopes.contains_key(&start) {
            // It is there, since the compiler finds it: a macro wrote it.
            found.push(Target::ItemOf(start));
        }
        let follow = |target: Target| match target {
            Target::Module(module) if !more.is_empty() => {
                let inner: Path = std::iter::once("self".to_owned()).chain(more.iter().cloned()).collect();
                self.resolve(&module, &inner, depth + 1)
            }
            target => vec![target],
        };
        found.into_iter().flat_map(follow).collect()
    }

    fn lookup(&self, module: &[String], name: &str, depth: usize) -> Vec<Target> {
        let mut found = Vec::new();
        let child: Path = module.iter().cloned().chain([name.to_owned()]).collect();
        if self.parts.scopes.contains_key(&child) {
            found.push(Target::Module(child));
        }
        let Some(scope) = self.parts.scopes.get(module) else { return found };
        if scope.items.contains(name) {
            found.push(Target::ItemOf(module.to_vec()));
        }
        for (_, path) in scope.imports.iter().filter(|(import, _)| import == name) {
            found.extend(self.resolve(module, path, depth + 1));
        }
        if found.is_empty() {
            for glob in &scope.globs {
                for target in self.resolve(module, glob, depth + 1) {
                    if let Target::Module(target) = target {
                        found.extend(self.lookup(&target, name, depth + 1));
                    }
                }
            }
        }
        found
    }
}

/// The path of a file's module: `src/task/codec/mod.rs` is `task::codec`, and `src/lib.rs` is the root.
pub(super) fn module(file: &str) -> Path {
    let path = file.trim_start_matches("src/").trim_end_matches(".rs");
    let path = path.strip_suffix("/mod").unwrap_or(path);
    if path == "lib" { Path::new() } else { path.split('/').map(str::to_owned).collect() }
}

/// True if this module, or one that it is in, is declared for tests only.
fn is_for_tests(sources: &[SourceFile], path: &[String]) -> bool {
    (1..=path.len()).any(|length| {
        let (name, parent) = (format!("mod {};", path[length - 1]), &path[..length - 1]);
        let is_parent = |file: &&SourceFile| file.path.starts_with("src/") && module(&file.path) == parent;
        let parent = sources.iter().find(is_parent);
        parent.is_some_and(|file| file.code.contains(&name) && !file.library.contains(&name))
    })
}
