//! What things are called: one name for one thing, in the words of the house.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use heck::ToSnakeCase as _;
use regex::Regex;

use super::reader::Item;
use super::{Fault, Tree};

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
    let mut by_name: BTreeMap<&str, Vec<&Item>> = BTreeMap::new();
    let mut faults = Vec::new();
    let items = tree.modules.parts.items.iter().filter(|item| item.kind != "fn" && item.name != "_");
    for item in items.filter(|item| SHARED.iter().all(|(name, _)| *name != item.name)) {
        let namesakes = by_name.entry(&item.name).or_default();
        if let Some(other) = namesakes.iter().find(|other| !is_one_thing(item, other)) {
            let path = |item: &Item| &tree.modules.files[item.file];
            let (Item { kind, name, line, .. }, other_path) = (item, path(other));
            let what = format!(
                "the {kind} `{name}` has the name of the {} at {other_path}:{}",
                other.kind, other.line
            );
            let cure =
                "call one of them by what sets it apart, or enter it in SHARED, in xtask/src/tidy/names.rs";
            faults.push(Fault::new(path(item), *line, format!("{what}; {cure}")));
        }
        namesakes.push(item);
    }
    faults
}

/// True if two items of one name are one thing: alternatives of `cfg` in one module, or what both backends offer.
fn is_one_thing(a: &Item, b: &Item) -> bool {
    let backend = |item: &Item| match &item.module[..] {
        [room, side, ..] if room == "platform" => {
            Some(side.clone()).filter(|side| side == "native" || side == "web")
        }
        _ => None,
    };
    let sides = (backend(a), backend(b));
    a.module == b.module || matches!(&sides, (Some(a), Some(b)) if a != b)
}

/// Names are made of the words of the house.
pub(super) fn words(tree: &Tree) -> Vec<Fault> {
    static NAME: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\b[A-Za-z_]\w*").expect("it is well formed"));

    let mut faults = Vec::new();
    let is_ours = |path: &str| path.starts_with("src/") || path.starts_with("macros/src/");
    for file in tree.sources.iter().filter(|file| is_ours(&file.path)) {
        let mut seen = BTreeSet::new();
        for (number, line) in file.code.lines().enumerate() {
            for name in NAME.find_iter(line).map(|name| name.as_str()).filter(|name| seen.insert(*name)) {
                faults.extend(old_word(name).map(|(old, new)| {
                    let what = format!("`{name}` holds the old word `{old}`; the word now is: {new}");
                    Fault::new(&file.path, number + 1, what)
                }));
            }
        }
    }
    faults
}

/// The old word in a name, and the new one.
fn old_word(name: &str) -> Option<(&'static str, &'static str)> {
    let words = format!("_{}_", name.to_snake_case());
    let holds = |old: &str| words.contains(&format!("_{old}_")) || words.contains(&format!("_{old}s_"));
    let whole = NAMES.iter().find(|(old, _)| *old == name);
    whole.or_else(|| WORDS.iter().find(|(old, _)| holds(old))).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is wrong, without the cures.
    fn faults(rule: fn(&Tree) -> Vec<Fault>, files: &[(&str, &str)]) -> Vec<String> {
        let faults = rule(&Tree::of(files)).into_iter().map(|fault| fault.to_string());
        faults.map(|fault| fault.split(';').next().unwrap_or_default().to_owned()).collect()
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
