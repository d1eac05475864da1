//! What one file of the library says, as `syn` reads it: what it defines, and which paths it writes down.
//!
//! Fields, methods and local variables are not looked at.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::visit::{self, Visit};

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
    pub(super) module: Path,
    /// As it is written, with `crate`, `self` and `super`.
    pub(super) segments: Path,
    /// True in a `use` that others can see: `pub use`, `pub(crate) use`.
    pub(super) is_reexport: bool,
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
pub(super) fn anchor<'s>(from: &[String], segments: &'s [String]) -> Option<(Path, &'s [String])> {
    let first = segments.first()?;
    if first == "crate" {
        return Some((Path::new(), &segments[1..]));
    }
    let start = if first == "self" { 1 } else { 0 };
    let supers = segments[start..].iter().take_while(|segment| *segment == "super").count();
    let kept = from.len().saturating_sub(supers);
    (start + supers > 0).then(|| (from[..kept].to_vec(), &segments[start + supers..]))
}

/// What names mean in a module.
#[derive(Debug, Default)]
pub(super) struct Scope {
    pub(super) file: usize,
    pub(super) items: BTreeSet<String>,
    pub(super) imports: Vec<(String, Path)>,
    pub(super) globs: Vec<Path>,
}

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) items: Vec<Item>,
    pub(super) mentions: Vec<Mention>,
    /// Macros that stand at the root because they are exported. Whoever calls one does not name what it expands to.
    pub(super) exported: BTreeSet<String>,
    pub(super) scopes: BTreeMap<Path, Scope>,
}

impl Parts {
    /// Adds what stands in a file, of which this is the text, the number, and the path of its module.
    ///
    /// # Errors
    ///
    /// Fails if the text is no Rust.
    pub(super) fn read(&mut self, text: &str, file: usize, module: Path) -> syn::Result<()> {
        let parsed = syn::parse_file(text)?;
        Reader { file, module, parts: self }.read(&parsed.items);
        Ok(())
    }
}

/// Reads the items of one file.
struct Reader<'p> {
    file: usize,
    module: Path,
    parts: &'p mut Parts,
}

impl Reader<'_> {
    fn read(&mut self, items: &[syn::Item]) {
        let file = self.file;
        self.parts.scopes.entry(self.module.clone()).or_default().file = file;
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
        self.parts.scopes.entry(self.module.clone()).or_default()
    }

    fn define(&mut self, kind: &'static str, name: &Ident) {
        self.scope().items.insert(name.to_string());
        self.parts.items.push(Item {
            name: name.to_string(),
            kind,
            module: self.module.clone(),
            file: self.file,
            line: name.span().start().line,
        });
    }

    fn mention(&mut self, segments: Path, line: usize, is_reexport: bool) {
        let module = self.module.clone();
        self.parts.mentions.push(Mention { file: self.file, line, module, segments, is_reexport });
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

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if item.leading_colon.is_none() {
            self.import(&item.tree, &[], !matches!(item.vis, syn::Visibility::Inherited));
        }
    }

    fn visit_item_macro(&mut self, item: &'ast syn::ItemMacro) {
        let is_exported = item.attrs.iter().any(|attribute| attribute.path().is_ident("macro_export"));
        match &item.ident {
            Some(name) if is_exported => {
                self.parts.exported.insert(name.to_string());
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
