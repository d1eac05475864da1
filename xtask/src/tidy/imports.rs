//! Who may import whom: the rooms of the library know only what stands below them.

use std::collections::BTreeMap;

use super::{Fault, SourceFile, Tree};
use crate::source::{Token, blank, end_of_group, tokens};

/// The rooms, from the ground up, and what each may use. A room may always use itself.
const ROOMS: [(&str, &[&str]); 13] = [
    ("error", &[]),
    ("schedule", &[]),
    ("platform", &["error"]),
    ("wire", &["error", "schedule", "platform"]),
    ("task", &["error", "schedule", "platform", "wire"]),
    ("worker", &["error", "schedule", "platform", "wire", "task"]),
    ("pool", &["error", "schedule", "platform", "wire", "task", "worker"]),
    ("executor", &["error", "schedule", "platform", "wire", "task", "worker", "pool"]),
    ("thread", &["error", "schedule", "platform", "wire", "task", "worker", "pool", "executor"]),
    ("js", &["error", "platform", "wire", "task", "executor", "thread"]),
    ("run", &["error", "platform", "executor"]),
    ("compat", &["error", "platform", "task", "pool", "executor", "thread", "js", "run"]),
    ("__private", &["error", "platform", "task", "pool", "executor", "thread", "js", "run"]),
];

/// Each room uses only rooms that stand below it.
pub(super) fn one_way(tree: &Tree) -> Vec<Fault> {
    let mut names = tree.sources.iter().find(|file| file.path == "src/lib.rs").map(face).unwrap_or_default();
    for file in tree.sources.iter().filter(|file| file.path.starts_with("src/")) {
        let room = module(&file.path).first().cloned().unwrap_or_default();
        for name in exported_macros(&file.library) {
            names.entry(name).or_insert_with(|| room.clone());
        }
    }
    let mut faults = Vec::new();
    for file in tree.sources.iter().filter(|file| file.path.starts_with("src/") && file.path != "src/lib.rs")
    {
        check(file, &names, &mut faults);
    }
    faults
}

fn check(file: &SourceFile, names: &BTreeMap<String, String>, faults: &mut Vec<Fault>) {
    let path = module(&file.path);
    let room = path.first().map_or("", String::as_str);
    let mut fault = |line, what: String, cure: String| {
        faults.push(Fault { file: file.path.clone(), line, what, cure });
    };
    let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else {
        fault(
            1,
            format!("the room `{room}` is not known"),
            "enter it in ROOMS, in xtask/src/tidy/imports.rs".to_owned(),
        );
        return;
    };
    for (line, used) in uses(&file.library) {
        let target = used[0].as_str();
        // A name of the face stands for the room that it comes from.
        let target = names.get(target).map_or(target, String::as_str);
        if ROOMS.iter().all(|(name, _)| *name != target) {
            let cure = "write the path of the room that it comes from";
            fault(line, format!("`crate::{target}` does not say which room is used"), cure.to_owned());
        } else if target != room && !allowed.contains(&target) {
            let cure = format!(
                "move what both need to a room below, or ask for it from above (`{room}` may use {allowed:?})"
            );
            fault(line, format!("`{room}` uses `{target}`, which does not stand below it"), cure);
        }
    }
    for (line, climbed) in climbs(&file.library) {
        if climbed >= path.len() {
            fault(
                line,
                "`super` climbs out of the room".to_owned(),
                "write `crate::` and the room".to_owned(),
            );
        }
    }
    // The two sides of the seam know nothing of each other.
    for (side, other) in [("native", "web"), ("web", "native")] {
        if path.starts_with(&["platform".to_owned(), side.to_owned()]) {
            let reached = tokens(&file.library);
            for pair in reached.windows(3) {
                if ["platform", "super"].contains(&pair[0].text)
                    && pair[1].text == "::"
                    && pair[2].text == other
                {
                    let what = format!("`platform/{side}` uses `platform/{other}`");
                    fault(
                        pair[2].line,
                        what,
                        "state what both need at the seam, in src/platform/mod.rs".to_owned(),
                    );
                }
            }
        }
    }
}

/// The path of a file's module: `src/task/codec/mod.rs` is `task::codec`.
fn module(file: &str) -> Vec<String> {
    let path = file.trim_start_matches("src/").trim_end_matches(".rs");
    let path = path.strip_suffix("/mod").unwrap_or(path);
    // The face gives this room another name than its file's, so that nobody takes it for public.
    let path = if path == "private" { "__private" } else { path };
    path.split('/').map(str::to_owned).collect()
}

/// The public names of the face, each with the room that it comes from.
fn face(lib: &SourceFile) -> BTreeMap<String, String> {
    let code = blank(&lib.text);
    let tokens = tokens(&code);
    let mut names = BTreeMap::new();
    for place in 0..tokens.len() {
        if tokens[place].text == "use"
            && let Some(room) = tokens.get(place + 1)
        {
            let end = tokens[place..]
                .iter()
                .position(|token| token.text == ";")
                .map_or(tokens.len(), |end| place + end);
            let listed = tokens[place + 2..end]
                .iter()
                .filter(|token| token.text.chars().all(|c| c.is_alphanumeric() || c == '_'));
            names.extend(listed.map(|name| (name.text.to_owned(), room.text.to_owned())));
        }
    }
    names
}

/// The macros that stand on the face because they are exported.
fn exported_macros(code: &str) -> Vec<String> {
    let tokens = tokens(code);
    let texts: Vec<&str> = tokens.iter().map(|token| token.text).collect();
    let exported = |words: &[&str]| words[..5] == ["macro_export", "]", "macro_rules", "!", words[4]];
    texts.windows(5).filter(|words| exported(words)).map(|words| words[4].to_owned()).collect()
}

/// Each path that begins with `crate::`, with its line; macros and what `macro_rules` writes as `$crate` aside.
fn uses(code: &str) -> Vec<(usize, Vec<String>)> {
    let tokens = tokens(code);
    let mut uses = Vec::new();
    for place in 0..tokens.len() {
        let begins =
            tokens[place].text == "crate" && tokens.get(place + 1).is_some_and(|token| token.text == "::");
        if !begins || place > 0 && tokens[place - 1].text == "$" {
            continue;
        }
        match tokens.get(place + 2) {
            Some(open) if open.text == "{" => {
                let group = &tokens[place + 3..end_of_group(&tokens, place + 2)];
                uses.extend(firsts(group).map(|token| (token.line, vec![token.text.to_owned()])));
            }
            Some(name) if tokens.get(place + 3).is_none_or(|token| token.text != "!") => {
                uses.push((name.line, vec![name.text.to_owned()]));
            }
            _ => {}
        }
    }
    uses
}

/// The first word of each path in a list between braces.
fn firsts<'a>(group: &'a [Token<'a>]) -> impl Iterator<Item = Token<'a>> {
    let mut depth = 0usize;
    let mut fresh = true;
    group.iter().copied().filter(move |token| {
        let first = fresh && depth == 0 && !["}", ","].contains(&token.text);
        match token.text {
            "{" => depth += 1,
            "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        fresh = token.text == "," && depth == 0;
        first
    })
}

/// Each chain of `super::`, with its line and how far it climbs from the file's own module.
fn climbs(code: &str) -> Vec<(usize, usize)> {
    let tokens = tokens(code);
    let mut climbs = Vec::new();
    // Where each module that is written out in this file ends; one within it starts deeper.
    let mut inline: Vec<usize> = Vec::new();
    let mut place = 0;
    while place < tokens.len() {
        inline.retain(|end| *end > place);
        let text = |place: usize| tokens.get(place).map(|token| token.text);
        if text(place) == Some("mod") && text(place + 2) == Some("{") {
            inline.push(end_of_group(&tokens, place + 2));
        }
        let start = place;
        while text(place) == Some("super") && text(place + 1) == Some("::") {
            place += 2;
        }
        if place > start {
            climbs.push((tokens[start].line, ((place - start) / 2).saturating_sub(inline.len())));
        }
        place += 1;
    }
    climbs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(path: &str, text: &str) -> Vec<String> {
        let lib =
            SourceFile::new("src/lib.rs", "pub use thread::{Thread, ThreadBuilder};\npub use error::Error;");
        let tree = Tree { sources: vec![lib, SourceFile::new(path, text)], ..Tree::default() };
        one_way(&tree).into_iter().map(|fault| format!("{}: {}", fault.line, fault.what)).collect()
    }

    #[test]
    fn what_stands_below_may_be_used() {
        let text = "use crate::{error::Error, platform::{Packet, self}};\nuse crate::Error as E;\nfn f() { crate::remote!(); }";
        assert_eq!(faults("src/task/job.rs", text), Vec::<String>::new());
    }

    #[test]
    fn what_stands_above_may_not() {
        let found = faults(
            "src/task/job.rs",
            "// crate::pool\nuse crate::{error::Error, pool::Pool};\nuse crate::Thread;",
        );
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("2: `task` uses `pool`"), "{found:?}");
        assert!(found[1].starts_with("3: `task` uses `thread`"), "{found:?}");
    }

    #[test]
    fn tests_may_use_anything() {
        assert!(
            faults("src/task/job.rs", "#[cfg(test)]\nmod tests {\n    use crate::pool::Pool;\n}").is_empty()
        );
    }

    #[test]
    fn supers_stay_in_their_room() {
        assert!(faults("src/task/codec/mod.rs", "use super::job;").is_empty());
        assert_eq!(faults("src/task/codec/mod.rs", "use super::super::pool;").len(), 1);
        assert!(faults("src/run.rs", "mod inner { use super::*; }").is_empty());
        assert_eq!(faults("src/run.rs", "mod inner { use super::*; }\nuse super::task;").len(), 1);
    }

    #[test]
    fn the_sides_of_the_seam_are_strangers() {
        assert_eq!(faults("src/platform/native/mod.rs", "use crate::platform::web::Port;").len(), 1);
        assert_eq!(faults("src/platform/web/port.rs", "use super::Port;"), Vec::<String>::new());
    }

    #[test]
    fn a_new_room_is_entered() {
        assert_eq!(faults("src/novelty.rs", "").len(), 1);
    }
}
