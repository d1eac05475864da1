//! What one file of the library says: what it defines, and which paths it writes down.
//!
//! `syn` tells the items. Paths are found in their text, so that one in a macro call is like any other.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;
use syn::spanned::Spanned as _;

use super::SourceFile;

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

/// A path that is written in a file, where it stands there first.
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
    /// Adds what stands in a file, and gives it a number. `module`: its path.
    pub(super) fn read(&mut self, source: &SourceFile, file: usize, module: Path) -> syn::Result<()> {
        let parsed = syn::parse_file(&source.text)?;
        Reader { code: &source.library, file, module, parts: self, seen: BTreeSet::new() }
            .read(&parsed.items);
        Ok(())
    }
}

/// A path in code is the first group. What else is found is no path of ours: who sees an item, a range, a field, a method, a name
/// within a type or from the root of all crates, a lifetime, an exported macro.
static PATH: LazyLock<Regex> = LazyLock::new(|| {
    let expression =
        r"pub\([^)]*\)|\.\.|(?:\.|::|')\s*\w+(?:::\w+)*|crate::\w+!|([A-Za-z_]\w*(?:::[A-Za-z_]\w*)*)";
    Regex::new(expression).expect("it is well formed")
});

/// A `use` in a block.
static USE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\buse ([^;<]+);").expect("it is well formed"));

/// A static in `thread_local!`.
static STATIC: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\bstatic (\w+)").expect("it is well formed"));

/// Reads the items of one file.
struct Reader<'p> {
    /// The file without comments, literals and tests.
    code: &'p str,
    file: usize,
    module: Path,
    parts: &'p mut Parts,
    /// What was mentioned in which module.
    seen: BTreeSet<(Path, Path)>,
}

impl Reader<'_> {
    fn read(&mut self, items: &[syn::Item]) {
        let file = self.file;
        self.scope().file = file;
        for item in items {
            let range = item.span().byte_range();
            // Of an item for tests nothing is left.
            if self.code[range.clone()].trim().is_empty() {
                continue;
            }
            if let Some((kind, name)) = definition(item) {
                self.define(kind, name.to_string(), name.span().byte_range().start);
            }
            match item {
                syn::Item::Mod(inner) => {
                    if let Some((_, items)) = &inner.content {
                        self.module.push(inner.ident.to_string());
                        self.read(items);
                        self.module.pop();
                    }
                }
                syn::Item::Use(item) => {
                    let is_reexport = !matches!(item.vis, syn::Visibility::Inherited);
                    self.import(&item.tree, &[], range.start, is_reexport);
                }
                syn::Item::Macro(item) if item.attrs.iter().any(|of| of.path().is_ident("macro_export")) => {
                    self.parts.exported.extend(item.ident.iter().map(ToString::to_string));
                }
                syn::Item::Macro(item) => {
                    let names = item.ident.iter().map(ToString::to_string);
                    self.scope().items.extend(names);
                    if item.mac.path.is_ident("thread_local") {
                        for found in STATIC.captures_iter(&self.code[range.clone()]) {
                            self.define(
                                "static",
                                found[1].to_owned(),
                                range.start + found.get_match().start(),
                            );
                        }
                    }
                    self.scan(range);
                }
                _ => self.scan(range),
            }
        }
    }

    fn scope(&mut self) -> &mut Scope {
        self.parts.scopes.entry(self.module.clone()).or_default()
    }

    fn line(&self, place: usize) -> usize {
        self.code[..place].matches('\n').count() + 1
    }

    fn define(&mut self, kind: &'static str, name: String, place: usize) {
        self.scope().items.insert(name.clone());
        let (module, file, line) = (self.module.clone(), self.file, self.line(place));
        self.parts.items.push(Item { name, kind, module, file, line });
    }

    fn mention(&mut self, segments: Path, place: usize, is_reexport: bool) {
        if self.seen.insert((self.module.clone(), segments.clone())) {
            let (module, file, line) = (self.module.clone(), self.file, self.line(place));
            self.parts.mentions.push(Mention { file, line, module, segments, is_reexport });
        }
    }

    fn import(&mut self, tree: &syn::UseTree, before: &[String], place: usize, is_reexport: bool) {
        let with = |name: &syn::Ident| before.iter().cloned().chain([name.to_string()]).collect::<Path>();
        let (name, alias) = match tree {
            syn::UseTree::Path(path) => {
                return self.import(&path.tree, &with(&path.ident), place, is_reexport);
            }
            syn::UseTree::Group(group) => {
                return group.items.iter().for_each(|tree| self.import(tree, before, place, is_reexport));
            }
            syn::UseTree::Glob(_) => {
                self.scope().globs.push(before.to_vec());
                return self.mention(before.to_vec(), place, is_reexport);
            }
            syn::UseTree::Name(name) => (&name.ident, &name.ident),
            syn::UseTree::Rename(rename) => (&rename.ident, &rename.rename),
        };
        let path = if name == "self" { before.to_vec() } else { with(name) };
        let alias = if alias == "self" { path.last().cloned() } else { Some(alias.to_string()) };
        self.scope().imports.extend(alias.map(|alias| (alias, path.clone())));
        self.mention(path, place, is_reexport);
    }

    /// Finds the paths in code.
    fn scan(&mut self, range: Range<usize>) {
        let code = self.code;
        for found in USE.captures_iter(&code[range.clone()]) {
            if let Ok(tree) = syn::parse_str(&found[1]) {
                self.import(&tree, &[], range.start + found.get_match().start(), false);
            }
        }
        for found in PATH.captures_iter(&code[range.clone()]).filter_map(|found| found.get(1)) {
            let segments = found.as_str().split("::").map(str::to_owned).collect();
            self.mention(segments, range.start + found.start(), false);
        }
    }
}

/// What kind of thing an item defines, and its name.
fn definition(item: &syn::Item) -> Option<(&'static str, &syn::Ident)> {
    Some(match item {
        syn::Item::Struct(item) => ("struct", &item.ident),
        syn::Item::Enum(item) => ("enum", &item.ident),
        syn::Item::Union(item) => ("union", &item.ident),
        syn::Item::Trait(item) => ("trait", &item.ident),
        syn::Item::Type(item) => ("type", &item.ident),
        syn::Item::Const(item) => ("const", &item.ident),
        syn::Item::Static(item) => ("static", &item.ident),
        syn::Item::Fn(item) => ("fn", &item.sig.ident),
        _ => return None,
    })
}
