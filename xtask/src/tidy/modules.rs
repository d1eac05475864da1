//! The modules of the library as `syn` reads them: what each defines, and which paths each writes down.
//!
//! Names are resolved as far as `use` declarations and items tell. Fields, methods and local variables are not looked at.
//! Code for tests is left out: items with `#[cfg(test)]`, and the files of modules that are declared with it.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::visit::{self, Visit};

use super::{Fault, SourceFile, Tree};
use crate::source::tokens;

/// The path of a module or an item from the root of the crate: `task::codec` is `["task", "codec"]`.
pub(super) type Path = Vec<String>;

/// An item that other code can name.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) name: String,
    pub(super) kind: &'static str,
    /// The module that it stands in.
    pub(super) module: Path,
    pub(super) file: usize,
    pub(super) line: usize,
}

/// A path that is written in a file.
#[derive(Debug)]
pub(super) struct Mention {
    pub(super) file: usize,
    pub(super) line: usize,
    /// The module that it stands in.
    module: Path,
    /// As it is written, with `crate`, `self` and `super`.
    segments: Path,
    /// True in a `use` that others can see: `pub use`, `pub(crate) use`.
    pub(super) is_reexport: bool,
}

/// No name is shown again by more modules than this.
const DEEP: usize = 8;

/// What names mean in a module.
#[derive(Debug, Default)]
struct Scope {
    file: usize,
    items: BTreeSet<String>,
    imports: Vec<(String, Path)>,
    globs: Vec<Path>,
}

/// What a path leads to.
enum Target {
    Module(Path),
    /// Something that this module defines.
    ItemOf(Path),
}

/// All modules of the library.
#[derive(Debug, Default)]
pub(super) struct Modules<'a> {
    pub(super) files: Vec<&'a SourceFile>,
    pub(super) items: Vec<Item>,
    pub(super) mentions: Vec<Mention>,
    /// Macros that stand at the root because they are exported; who writes their expansion down names nothing.
    exported: BTreeSet<String>,
    scopes: BTreeMap<Path, Scope>,
}

impl<'a> Modules<'a> {
    /// Reads all files under `src/`; a file that cannot be read is a fault.
    pub(super) fn read(tree: &'a Tree) -> Result<Self, Vec<Fault>> {
        let mut modules = Self::default();
        let mut faults = Vec::new();
        for file in tree.sources.iter().filter(|file| file.path.starts_with("src/")) {
            let module = module(&file.path);
            if is_for_tests(tree, &module) {
                continue;
            }
            match syn::parse_file(&without_tests(file)) {
                Ok(parsed) => {
                    modules.files.push(file);
                    let mut reader = Reader { file: modules.files.len() - 1, module, modules: &mut modules };
                    reader.read(&parsed.items);
                }
                Err(error) => faults.push(Fault {
                    file: file.path.clone(),
                    line: error.span().start().line,
                    what: format!("this is not understood: {error}"),
                    cure: "write Rust that `syn` reads, or update it".to_owned(),
                }),
            }
        }
        if faults.is_empty() { Ok(modules) } else { Err(faults) }
    }

    pub(super) fn is_exported_macro(&self, name: &str) -> bool {
        self.exported.contains(name)
    }

    /// The files that define what is mentioned; none if it is a module, or comes from another crate.
    pub(super) fn definers(&self, mention: &Mention) -> BTreeSet<usize> {
        let targets = self.resolve(&mention.module, &mention.segments, 0);
        let items = targets.into_iter().filter_map(|target| match target {
            Target::ItemOf(module) => self.scopes.get(&module).map(|scope| scope.file),
            Target::Module(_) => None,
        });
        items.collect()
    }

    /// What the root of the crate calls by `name`, as it says itself.
    pub(super) fn at_the_root(&self, name: &str) -> Option<&Path> {
        let root = self.scopes.get(&Path::new())?;
        root.imports.iter().find(|(import, _)| import == name).map(|(_, path)| path)
    }

    fn resolve(&self, from: &[String], segments: &[String], depth: usize) -> Vec<Target> {
        // Two modules may import all of each other.
        if depth > DEEP {
            return Vec::new();
        }
        let (start, rest) = match anchor(from, segments) {
            Some((start, rest)) => (start, rest),
            None => (from.to_vec(), segments),
        };
        let is_anchored = rest.len() < segments.len();
        let Some((first, more)) = rest.split_first() else { return vec![Target::Module(start)] };
        let mut found = self.lookup(&start, first, depth);
        if found.is_empty() && is_anchored && !start.is_empty() && self.scopes.contains_key(&start) {
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
        if self.scopes.contains_key(&child) {
            found.push(Target::Module(child));
        }
        let Some(scope) = self.scopes.get(module) else { return found };
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

impl Mention {
    /// The path from the root, if it says so itself, by `crate`, `self` or `super`.
    pub(super) fn rooted(&self) -> Option<Path> {
        let (start, rest) = anchor(&self.module, &self.segments)?;
        Some(start.iter().chain(rest).cloned().collect())
    }

    /// True if `super` leads to the root of the crate.
    pub(super) fn climbs_out(&self) -> bool {
        let supers = self.segments.iter().take_while(|segment| *segment == "super").count();
        supers > 0 && supers >= self.module.len()
    }

    /// True if the path stands in this module or below it.
    pub(super) fn is_within(&self, module: &[&str]) -> bool {
        self.module.len() >= module.len() && self.module.iter().zip(module).all(|(a, b)| a == b)
    }
}

/// Where a path begins that starts with `crate`, `self` or `super`, and what follows.
fn anchor<'s>(from: &[String], segments: &'s [String]) -> Option<(Path, &'s [String])> {
    let first = segments.first()?;
    if first == "crate" {
        return Some((Path::new(), &segments[1..]));
    }
    let start = if first == "self" { 1 } else { 0 };
    let supers = segments[start..].iter().take_while(|segment| *segment == "super").count();
    let kept = from.len().saturating_sub(supers);
    (start + supers > 0).then(|| (from[..kept].to_vec(), &segments[start + supers..]))
}

/// The path of a file's module: `src/task/codec/mod.rs` is `task::codec`, and `src/lib.rs` is the root.
pub(super) fn module(file: &str) -> Path {
    let path = file.trim_start_matches("src/").trim_end_matches(".rs");
    let path = path.strip_suffix("/mod").unwrap_or(path);
    if path == "lib" { Path::new() } else { path.split('/').map(str::to_owned).collect() }
}

/// True if this module, or one that it is in, is declared for tests only.
fn is_for_tests(tree: &Tree, path: &[String]) -> bool {
    let declares = |code: &str, name: &str| {
        let tokens = tokens(code);
        tokens.windows(3).any(|three| [three[0].text, three[1].text, three[2].text] == ["mod", name, ";"])
    };
    (1..=path.len()).any(|length| {
        let parent = tree
            .sources
            .iter()
            .find(|file| file.path.starts_with("src/") && module(&file.path) == path[..length - 1]);
        let name = path[length - 1].as_str();
        parent.is_some_and(|file| declares(&file.code, name) && !declares(&file.library, name))
    })
}

/// The text, with empty lines where there is code for tests.
fn without_tests(file: &SourceFile) -> String {
    let lines = file.text.lines().zip(file.library.lines());
    lines.flat_map(|(text, library)| [if library.is_empty() { "" } else { text }, "\n"]).collect()
}

/// Reads the items of one file.
struct Reader<'r, 'a> {
    file: usize,
    module: Path,
    modules: &'r mut Modules<'a>,
}

impl Reader<'_, '_> {
    fn read(&mut self, items: &[syn::Item]) {
        let file = self.file;
        self.modules.scopes.entry(self.module.clone()).or_default().file = file;
        for item in items {
            match item {
                syn::Item::Mod(inner) => {
                    if let Some((_, items)) = &inner.content {
                        self.module.push(inner.ident.to_string());
                        self.read(items);
                        self.module.pop();
                    }
                }
                item => {
                    if let Some((kind, name)) = definition(item) {
                        self.define(kind, name);
                    }
                    self.visit_item(item);
                }
            }
        }
    }

    fn scope(&mut self) -> &mut Scope {
        self.modules.scopes.entry(self.module.clone()).or_default()
    }

    fn define(&mut self, kind: &'static str, name: &Ident) {
        self.scope().items.insert(name.to_string());
        self.modules.items.push(Item {
            name: name.to_string(),
            kind,
            module: self.module.clone(),
            file: self.file,
            line: name.span().start().line,
        });
    }

    fn mention(&mut self, segments: Path, line: usize, is_reexport: bool) {
        let module = self.module.clone();
        self.modules.mentions.push(Mention { file: self.file, line, module, segments, is_reexport });
    }

    fn import(&mut self, tree: &syn::UseTree, before: &[String], is_reexport: bool) {
        let with = |name: &Ident| before.iter().cloned().chain([name.to_string()]).collect::<Path>();
        let (name, alias) = match tree {
            syn::UseTree::Path(path) => return self.import(&path.tree, &with(&path.ident), is_reexport),
            syn::UseTree::Group(group) => {
                return group.items.iter().for_each(|tree| self.import(tree, before, is_reexport));
            }
            syn::UseTree::Glob(glob) => {
                self.scope().globs.push(before.to_vec());
                let line = glob.star_token.spans[0].start().line;
                return self.mention(before.to_vec(), line, is_reexport);
            }
            syn::UseTree::Name(name) => (&name.ident, None),
            syn::UseTree::Rename(rename) => (&rename.ident, Some(rename.rename.to_string())),
        };
        let path = if name == "self" { before.to_vec() } else { with(name) };
        if let Some(name) = alias.or_else(|| path.last().cloned()) {
            self.scope().imports.push((name, path.clone()));
        }
        self.mention(path, name.span().start().line, is_reexport);
    }

    /// Finds paths in the input of a macro, which only the macro knows how to read.
    fn scan(&mut self, tokens: TokenStream) {
        let mut path = Path::new();
        let mut line = 0;
        // What stands between the last word and the next.
        let mut between = String::new();
        for token in tokens {
            match token {
                TokenTree::Ident(word) => {
                    if path.is_empty() || between != "::" {
                        self.mention_words(&mut path, line);
                        line = word.span().start().line;
                    }
                    // A field, a method, or a name within a type.
                    let is_part = (between.ends_with('.') && !between.ends_with(".."))
                        || (between.ends_with("::") && path.is_empty());
                    if !is_part {
                        path.push(word.to_string());
                    }
                    between.clear();
                }
                TokenTree::Punct(sign) => between.push(sign.as_char()),
                TokenTree::Literal(_) => between.push(' '),
                TokenTree::Group(group) => {
                    self.scan(group.stream());
                    between.push(' ');
                }
            }
        }
        self.mention_words(&mut path, line);
    }

    fn mention_words(&mut self, path: &mut Path, line: usize) {
        if !path.is_empty() {
            self.mention(std::mem::take(path), line, false);
        }
    }

    /// `thread_local!` defines statics.
    fn define_statics(&mut self, tokens: TokenStream) {
        let words: Vec<TokenTree> = tokens.into_iter().collect();
        for pair in words.windows(2) {
            if let (TokenTree::Ident(word), TokenTree::Ident(name)) = (&pair[0], &pair[1])
                && word == "static"
            {
                self.define("static", name);
            }
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_, '_> {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if item.leading_colon.is_none() {
            self.import(&item.tree, &[], !matches!(item.vis, syn::Visibility::Inherited));
        }
    }

    fn visit_item_macro(&mut self, item: &'ast syn::ItemMacro) {
        let is_exported = item.attrs.iter().any(|attribute| attribute.path().is_ident("macro_export"));
        match &item.ident {
            Some(name) if is_exported => {
                self.modules.exported.insert(name.to_string());
            }
            Some(name) => {
                self.scope().items.insert(name.to_string());
                self.scan(item.mac.tokens.clone());
            }
            None => {
                if item.mac.path.is_ident("thread_local") {
                    self.define_statics(item.mac.tokens.clone());
                }
                self.visit_macro(&item.mac);
            }
        }
    }

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        let path = &mac.path;
        let is_of_the_crate = path.segments.len() == 2 && path.segments[0].ident == "crate";
        if !is_of_the_crate {
            self.visit_path(path);
        }
        self.scan(mac.tokens.clone());
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none()
            && let Some(first) = path.segments.first()
        {
            let segments = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            self.mention(segments, first.ident.span().start().line, false);
        }
        visit::visit_path(self, path);
    }

    // What may see an item, and what a derive or a lint is called, uses nothing of ours.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}
    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}
}

/// What kind of thing an item defines, and its name.
fn definition(item: &syn::Item) -> Option<(&'static str, &Ident)> {
    Some(match item {
        syn::Item::Struct(item) => ("struct", &item.ident),
        syn::Item::Enum(item) => ("enum", &item.ident),
        syn::Item::Union(item) => ("union", &item.ident),
        syn::Item::Trait(item) => ("trait", &item.ident),
        syn::Item::TraitAlias(item) => ("trait", &item.ident),
        syn::Item::Type(item) => ("type", &item.ident),
        syn::Item::Const(item) => ("const", &item.ident),
        syn::Item::Static(item) => ("static", &item.ident),
        syn::Item::Fn(item) => ("fn", &item.sig.ident),
        _ => return None,
    })
}
