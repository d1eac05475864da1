//! What things are called: one name for one thing, in the words of the house.

use std::collections::{BTreeMap, BTreeSet};

use super::modules::Modules;
use super::reader::Item;
use super::{Fault, Tree};
use crate::source::tokens;

/// Names that more than one thing may have, and why.
const SHARED: [(&str, &str); 1] = [("WORKER_SCRIPT", "the face shows the constant of the platform")];

/// Words that names no longer hold, also in the plural, and what is said instead. Several words stand in this order.
const WORDS: [(&str, &str); 18] = [
    ("seat", "WorkerSlot"),
    ("duty", "WorkerConfig"),
    ("parcel", "Outgoing"),
    ("ledger", "page"),
    ("roster", "Workers"),
    ("verdict", "Completion"),
    ("terms", "TaskOptions"),
    ("haste", "Urgency"),
    ("holder", "TaskOwner"),
    ("hear", "on_signal, on_message"),
    ("heard", "on_signal, on_message"),
    ("hungry", "idle"),
    ("killable", "uninterruptible"),
    ("doomed", "cancelled"),
    ("loan", "serializer slot"),
    ("door", "entry point"),
    ("given_back", "stolen"),
    ("give_back", "steal"),
];

/// Whole names that are no longer used, and what is said instead.
const NAMES: [(&str, &str); 13] = [
    ("Books", "WorkerState"),
    ("Inside", "WorkerContext"),
    ("Line", "Injector"),
    ("Life", "WorkerPhase"),
    ("Alarms", "Deadlines"),
    ("Store", "IdMap"),
    ("Order", "SortedQueue"),
    ("Word", "HandleSignal"),
    ("Ask", "StealRequest"),
    ("Settled", "Completed"),
    ("Waits", "Suspended"),
    ("Returned", "Migrated"),
    ("Exit", "none, since no name of std's is taken"),
];

/// One name is one thing: no two types, traits, constants or statics of the library are called the same.
///
/// The backends of the platform offer the same names to the seam.
pub(super) fn one_thing(tree: &Tree) -> Vec<Fault> {
    let modules = match Modules::read(tree) {
        Ok(modules) => modules,
        Err(faults) => return faults,
    };
    let mut by_name: BTreeMap<&str, Vec<&Item>> = BTreeMap::new();
    let items = modules.parts.items.iter().filter(|item| item.kind != "fn" && item.name != "_");
    for item in items.filter(|item| SHARED.iter().all(|(name, _)| *name != item.name)) {
        by_name.entry(&item.name).or_default().push(item);
    }
    let path = |item: &Item| modules.files[item.file].path.clone();
    let mut faults = Vec::new();
    for (name, items) in by_name {
        for (place, item) in items.iter().enumerate() {
            let Some(other) = items[..place].iter().find(|other| !is_one_thing(item, other)) else {
                continue;
            };
            faults.push(Fault {
                file: path(item),
                line: item.line,
                what: format!(
                    "the {} `{name}` has the name of the {} at {}:{}",
                    item.kind,
                    other.kind,
                    path(other),
                    other.line
                ),
                cure: "call one of them by what sets it apart, or enter it in SHARED, in xtask/src/tidy/names.rs"
                    .to_owned(),
            });
        }
    }
    faults
}

/// True if two items of one name are one thing: alternatives of `cfg` in one module, or what both backends offer.
fn is_one_thing(a: &Item, b: &Item) -> bool {
    let backend = |item: &Item| match item.module.first().map(String::as_str) {
        Some("platform") => {
            item.module.get(1).filter(|side| ["native", "web"].contains(&side.as_str())).cloned()
        }
        _ => None,
    };
    let sides = (backend(a), backend(b));
    a.module == b.module || matches!(&sides, (Some(a), Some(b)) if a != b)
}

/// Names are made of the words of the house.
pub(super) fn words(tree: &Tree) -> Vec<Fault> {
    let mut faults = Vec::new();
    let is_ours = |path: &str| path.starts_with("src/") || path.starts_with("macros/src/");
    for file in tree.sources.iter().filter(|file| is_ours(&file.path)) {
        let mut seen = BTreeSet::new();
        for token in tokens(&file.code).into_iter().filter(|token| seen.insert(token.text)) {
            if let Some((old, new)) = old_word(token.text) {
                faults.push(Fault {
                    file: file.path.clone(),
                    line: token.line,
                    what: format!("`{}` holds the old word `{old}`", token.text),
                    cure: format!("the word now is: {new}"),
                });
            }
        }
    }
    faults
}

/// The old word in a name, and the new one.
fn old_word(name: &str) -> Option<(&'static str, &'static str)> {
    let words = split(name);
    let is_word = |word: &String, old: &str| word == old || word.strip_suffix('s') == Some(old);
    let holds = |old: &str| {
        let old: Vec<&str> = old.split('_').collect();
        words.windows(old.len()).any(|window| window.iter().zip(&old).all(|(word, old)| is_word(word, old)))
    };
    let whole = NAMES.iter().find(|(old, _)| *old == name);
    whole.or_else(|| WORDS.iter().find(|(old, _)| holds(old))).copied()
}

/// The words of a name in camel or snake case, in lower case.
fn split(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = '_';
    for c in name.chars() {
        if c == '_' || (c.is_uppercase() && !before.is_uppercase()) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c != '_') {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::super::SourceFile;
    use super::*;

    fn faults(rule: fn(&Tree) -> Vec<Fault>, files: &[(&str, &str)]) -> Vec<String> {
        let sources = files.iter().map(|(path, text)| SourceFile::new(*path, *text)).collect();
        let tree = Tree { sources, ..Tree::default() };
        rule(&tree)
            .into_iter()
            .map(|fault| format!("{}:{}: {}", fault.file, fault.line, fault.what))
            .collect()
    }

    #[test]
    fn two_things_of_one_name_are_found() {
        let found = faults(
            one_thing,
            &[
                ("src/task/a.rs", "\npub struct Call;\nconst LIMIT: u8 = 0;"),
                (
                    "src/wire/b.rs",
                    "mod inner {\n    pub(super) trait Call {}\n}\nthread_local! {\n    static LIMIT: u8 = 0;\n}",
                ),
            ],
        );
        let places = [
            "src/wire/b.rs:2: the trait `Call` has the name of the struct at src/task/a.rs:2",
            "src/wire/b.rs:5: the static `LIMIT` has the name of the const at src/task/a.rs:3",
        ];
        assert_eq!(found, places);
    }

    #[test]
    fn backends_alternatives_tests_and_parts_may_share_a_name() {
        let found = faults(
            one_thing,
            &[
                ("src/lib.rs", "pub const WORKER_SCRIPT: &str = platform::WORKER_SCRIPT;"),
                ("src/platform/script.rs", "pub const WORKER_SCRIPT: &str = \"\";"),
                (
                    "src/platform/web/port.rs",
                    "pub struct Port;\nimpl Port { const SIZE: u8 = 0; }\nfn f() {}",
                ),
                (
                    "src/platform/native/mod.rs",
                    "pub struct Port;\nimpl Port { const SIZE: u8 = 0; }\nfn f() {}",
                ),
                (
                    "src/task/a.rs",
                    "#[cfg(a)]\nstruct A;\n#[cfg(not(a))]\nstruct A;\nconst _: () = ();\nconst _: () = ();",
                ),
                ("src/task/b.rs", "#[cfg(test)]\nmod tests {\n    struct A;\n}\nfn f() { struct A; }"),
            ],
        );
        assert_eq!(found, Vec::<String>::new());
        let seam = ("src/platform/mod.rs", "struct Port;");
        assert_eq!(faults(one_thing, &[("src/platform/web/port.rs", "struct Port;"), seam]).len(), 1);
    }

    #[test]
    fn old_words_are_found_in_names() {
        let text = "struct FreeSeats;\nfn on_heard(inside: u8) {}\nlet x = GiveBack::SEAT;\nenum Line { Given, Back }\nfn was_given_back() {}";
        let found = faults(words, &[("macros/src/a.rs", text)]);
        let places: Vec<&str> = found.iter().map(|fault| fault.split(" holds").next().unwrap()).collect();
        let expected = [
            "macros/src/a.rs:1: `FreeSeats`",
            "macros/src/a.rs:2: `on_heard`",
            "macros/src/a.rs:3: `GiveBack`",
            "macros/src/a.rs:3: `SEAT`",
            "macros/src/a.rs:4: `Line`",
            "macros/src/a.rs:5: `was_given_back`",
        ];
        assert_eq!(places, expected);
    }

    #[test]
    fn old_words_within_others_in_comments_and_elsewhere_are_not() {
        let text = "// a Seat\nfn indoors(shears: Outline, inside: u8, line: Lines) { say(\"duty\") }";
        assert_eq!(
            faults(words, &[("src/a.rs", text), ("xtask/src/a.rs", "struct Seat;")]),
            Vec::<String>::new()
        );
    }
}
