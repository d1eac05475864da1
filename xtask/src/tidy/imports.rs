//! Who may import whom: the rooms of the library know only what stands below them, and so do the files of a room.

use std::collections::{BTreeMap, VecDeque};

use super::modules::{Modules, module};
use super::reader::Mention;
use super::{Fault, Tree};

/// The rooms, from the ground up, and what each may use. A room may always use itself.
const ROOMS: [(&str, &[&str]); 15] = [
    ("guide", &[]),
    ("error", &[]),
    ("schedule", &[]),
    ("platform", &["error"]),
    ("wire", &["error", "schedule", "platform"]),
    ("task", &["error", "schedule", "platform", "wire"]),
    ("worker", &["error", "schedule", "platform", "wire", "task"]),
    ("supervisor", &["error", "schedule", "platform", "wire", "task", "worker"]),
    ("executor", &["error", "schedule", "platform", "wire", "task", "worker", "supervisor"]),
    ("thread", &["error", "schedule", "platform", "task", "supervisor", "executor"]),
    ("run", &["error", "platform", "executor"]),
    ("js", &["error", "platform", "wire", "task", "supervisor", "executor", "thread"]),
    ("compat", &["error", "platform", "task", "executor", "thread", "js", "run"]),
    ("prelude", &["error", "schedule", "task", "executor", "thread", "run", "js", "compat"]),
    ("__private", &["error", "platform", "task", "executor", "thread", "run"]),
];

/// Each room uses only rooms that stand below it.
pub(super) fn one_way(tree: &Tree) -> Vec<Fault> {
    let modules = match Modules::read(tree) {
        Ok(modules) => modules,
        Err(faults) => return faults,
    };
    let mut faults = Vec::new();
    for file in &modules.files {
        let room = module(&file.path).first().cloned();
        if let Some(room) = room.filter(|room| allowed(room).is_none()) {
            faults.push(Fault {
                file: file.path.clone(),
                line: 1,
                what: format!("the room `{room}` is not known"),
                cure: "enter it in ROOMS, in xtask/src/tidy/imports.rs".to_owned(),
            });
        }
    }
    for mention in &modules.parts.mentions {
        let file = modules.files[mention.file].path.clone();
        if let Some((what, cure)) = check(mention, &file, &modules) {
            faults.push(Fault { file, line: mention.line, what, cure });
        }
    }
    // One line may name several things of a room.
    faults.dedup();
    faults
}

fn allowed(room: &str) -> Option<&'static [&'static str]> {
    ROOMS.iter().find(|(name, _)| *name == room).map(|(_, allowed)| *allowed)
}

/// What is wrong with a path that is written in `file`, and the cure.
fn check(mention: &Mention, file: &str, modules: &Modules<'_>) -> Option<(String, String)> {
    let own = module(file);
    let room = own.first()?;
    let allowed = allowed(room)?;
    if mention.climbs_out() {
        return Some((
            "`super` climbs out of the room".to_owned(),
            "write `crate::` and the room".to_owned(),
        ));
    }
    let path = mention.rooted()?;
    let first = path.first().filter(|name| !modules.is_exported_macro(name))?;
    // A name of the face stands for the room that it comes from.
    let target = modules.at_the_root(first).and_then(|path| path.first()).unwrap_or(first);
    if self::allowed(target).is_none() {
        let what = format!("`crate::{target}` does not say which room is used");
        return Some((what, "write the path of the room that it comes from".to_owned()));
    }
    if target != room && !allowed.contains(&target.as_str()) {
        let cure = format!(
            "move what both need to a room below, or ask for it from above (`{room}` may use {allowed:?})"
        );
        return Some((format!("`{room}` uses `{target}`, which does not stand below it"), cure));
    }
    // The two sides of the seam know nothing of each other.
    for (side, other) in [("native", "web"), ("web", "native")] {
        if mention.is_within(&["platform", side]) && path.starts_with(&["platform", other].map(str::to_owned))
        {
            let what = format!("`platform/{side}` uses `platform/{other}`");
            return Some((what, "state what both need at the seam, in src/platform/mod.rs".to_owned()));
        }
    }
    None
}

/// From each file, the files that define what it uses, with the line of the first use.
type Arrows = BTreeMap<usize, BTreeMap<usize, usize>>;

/// No arrow runs back: the files of the library use each other one way, within a room too.
pub(super) fn no_way_back(tree: &Tree) -> Vec<Fault> {
    let modules = match Modules::read(tree) {
        Ok(modules) => modules,
        Err(faults) => return faults,
    };
    let arrows = arrows(&modules);
    let mut faults: Vec<Fault> = Vec::new();
    let mut shown: Vec<usize> = Vec::new();
    for start in 0..modules.files.len() {
        if shown.contains(&start) {
            continue;
        }
        let Some(cycle) = shortest_cycle(&arrows, start) else { continue };
        let name = |file: usize| modules.files[file].path.as_str();
        let line = |place: usize| arrows[&cycle[place]][&cycle[(place + 1) % cycle.len()]];
        let way: String =
            (0..cycle.len()).map(|place| format!("{}:{} -> ", name(cycle[place]), line(place))).collect();
        faults.push(Fault {
            file: name(start).to_owned(),
            line: line(0),
            what: format!("files use each other in a circle: {way}{}", name(start)),
            cure: "move what both need to a file below both".to_owned(),
        });
        shown.extend(cycle);
    }
    faults
}

fn arrows(modules: &Modules<'_>) -> Arrows {
    let mut arrows = Arrows::new();
    for mention in &modules.parts.mentions {
        let own = module(&modules.files[mention.file].path);
        for target in modules.definers(mention) {
            // A module shows what its children define; that alone is no use of it.
            let shows = mention.is_reexport && module(&modules.files[target].path).starts_with(&own);
            if target != mention.file && !shows {
                let line = arrows.entry(mention.file).or_default().entry(target).or_insert(mention.line);
                *line = mention.line.min(*line);
            }
        }
    }
    arrows
}

/// The files of the shortest way from `start` back to it.
fn shortest_cycle(arrows: &Arrows, start: usize) -> Option<Vec<usize>> {
    let next = |file: usize| arrows.get(&file).into_iter().flat_map(BTreeMap::keys).copied();
    let mut came_from = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(file) = queue.pop_front() {
        for target in next(file) {
            if target == start {
                let mut cycle = vec![file];
                while let Some(before) = came_from.get(cycle.last()?) {
                    cycle.push(*before);
                }
                cycle.reverse();
                return Some(cycle);
            }
            came_from.entry(target).or_insert_with(|| {
                queue.push_back(target);
                file
            });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::SourceFile;
    use super::*;

    fn lines(rule: fn(&Tree) -> Vec<Fault>, files: &[(&str, &str)]) -> Vec<String> {
        let sources = files.iter().map(|(path, text)| SourceFile::new(*path, *text)).collect();
        let tree = Tree { sources, ..Tree::default() };
        rule(&tree).into_iter().map(|fault| format!("{}: {}", fault.line, fault.what)).collect()
    }

    fn faults(path: &str, text: &str) -> Vec<String> {
        let lib = "pub use thread::{Thread, ThreadBuilder};\npub use error::Error;";
        lines(one_way, &[("src/lib.rs", lib), (path, text)])
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
            "// crate::supervisor\nuse crate::{error::Error, supervisor::Pool};\nuse crate::Thread;",
        );
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("2: `task` uses `supervisor`"), "{found:?}");
        assert!(found[1].starts_with("3: `task` uses `thread`"), "{found:?}");
    }

    #[test]
    fn what_stands_above_is_found_in_macros_and_functions_too() {
        let found = faults(
            "src/task/job.rs",
            "fn f() {\n    log!(a.b, crate::thread::X);\n    use crate::run::sleep;\n    crate::js::f::<crate::worker::W>()\n}",
        );
        let starts: Vec<_> = found.iter().map(|fault| &fault[..fault.find(',').unwrap()]).collect();
        let uses = [
            "2: `task` uses `thread`",
            "3: `task` uses `run`",
            "4: `task` uses `js`",
            "4: `task` uses `worker`",
        ];
        assert_eq!(starts, uses);
    }

    #[test]
    fn exported_macros_belong_to_nobody() {
        let shout = (
            "src/compat/macros.rs",
            "#[macro_export]\nmacro_rules! shout { () => { $crate::run::sleep() } }",
        );
        assert!(lines(one_way, &[shout, ("src/task/job.rs", "use crate::shout;")]).is_empty());
        let found = faults("src/task/job.rs", "use crate::whisper;");
        assert!(found[0].contains("does not say which room"), "{found:?}");
    }

    #[test]
    fn tests_may_use_anything() {
        let text = "#[cfg(test)]\nmod tests {\n    use crate::supervisor::Pool;\n}";
        assert!(faults("src/task/job.rs", text).is_empty());
        let parent = ("src/task/mod.rs", "#[cfg(test)]\nmod tests;");
        assert!(lines(one_way, &[parent, ("src/task/tests.rs", "use crate::supervisor::Pool;")]).is_empty());
    }

    #[test]
    fn supers_stay_in_their_room() {
        assert!(faults("src/task/codec/mod.rs", "use super::job;").is_empty());
        assert_eq!(faults("src/task/codec/mod.rs", "use super::super::supervisor;").len(), 1);
        assert!(faults("src/run.rs", "mod inner { use super::*; }").is_empty());
        assert_eq!(faults("src/run.rs", "mod inner { use super::*; }\nuse super::task;").len(), 1);
    }

    #[test]
    fn the_sides_of_the_seam_are_strangers() {
        assert_eq!(faults("src/platform/native/mod.rs", "use crate::platform::web::Port;").len(), 1);
        assert_eq!(faults("src/platform/native/time.rs", "use super::super::web::Port;").len(), 1);
        assert_eq!(faults("src/platform/web/port.rs", "use super::Port;"), Vec::<String>::new());
    }

    #[test]
    fn a_new_room_is_entered() {
        assert_eq!(faults("src/novelty.rs", "").len(), 1);
    }

    #[test]
    fn a_file_that_is_no_rust_is_a_fault() {
        assert!(faults("src/run.rs", "fn f() {}\nfn {")[0].starts_with("2: "));
    }

    /// The way around each cycle.
    fn cycles(files: &[(&str, &str)]) -> Vec<String> {
        let faults = lines(no_way_back, files);
        faults.iter().map(|fault| fault.split("circle: ").nth(1).unwrap().to_owned()).collect()
    }

    #[test]
    fn two_files_that_use_each_other_are_a_cycle() {
        let found = cycles(&[
            ("src/task/mod.rs", "mod a;\nmod b;\nmod c;"),
            ("src/task/a.rs", "use super::b;\npub struct A(b::B);"),
            ("src/task/b.rs", "use crate::task::a::A;\npub struct B(Box<A>);"),
            ("src/task/c.rs", "use super::{a::A, b::B};"),
        ]);
        assert_eq!(found, ["src/task/a.rs:2 -> src/task/b.rs:1 -> src/task/a.rs"]);
    }

    #[test]
    fn a_name_that_is_shown_again_belongs_to_its_definer() {
        let parent = "mod a;\nmod b;\npub(crate) use a::A;\npub(super) use b::*;";
        let found = cycles(&[
            ("src/task/mod.rs", parent),
            ("src/task/a.rs", "pub struct A(super::B);"),
            ("src/task/b.rs", "\nuse super::A;\npub struct B(A);"),
        ]);
        assert_eq!(found, ["src/task/a.rs:1 -> src/task/b.rs:2 -> src/task/a.rs"]);
        let found = cycles(&[
            ("src/task/mod.rs", parent),
            ("src/task/a.rs", "pub struct A(super::B);"),
            ("src/task/b.rs", "pub struct B;"),
        ]);
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn a_parent_that_uses_what_it_shows_is_above_it() {
        let child = ("src/task/a.rs", "use super::Task;\npub struct A;\nimpl Task { fn a(&self) {} }");
        let shows = ("src/task/mod.rs", "mod a;\npub use a::A;\npub struct Task;\nfn f(t: Task) { t.a() }");
        assert_eq!(cycles(&[child, shows]), Vec::<String>::new());
        let uses = ("src/task/mod.rs", "mod a;\npub use a::A;\npub struct Task(A);");
        assert_eq!(cycles(&[child, uses]).len(), 1);
    }

    #[test]
    fn a_long_cycle_is_found_through_macros_and_bodies() {
        let found = cycles(&[
            ("src/task/mod.rs", ""),
            ("src/task/a.rs", "pub fn a() { say!(x.c, super::b::b()); }"),
            ("src/task/b.rs", "pub fn b() { use super::c::*; C.go() }"),
            ("src/task/c.rs", "pub const C: u8 = super::d::D;\nthread_local! { pub static T: u8 = 0; }"),
            ("src/task/d.rs", "pub const D: u8 = 0;\nfn f() -> impl Fn() { || crate::task::a::a() }"),
            ("src/task/e.rs", "use super::c::T;"),
        ]);
        assert_eq!(
            found,
            ["src/task/a.rs:1 -> src/task/b.rs:1 -> src/task/c.rs:1 -> src/task/d.rs:2 -> src/task/a.rs"]
        );
    }

    #[test]
    fn other_names_and_what_macros_write_lead_to_the_file_too() {
        let found = cycles(&[
            ("src/task/mod.rs", "mod a;\nmod b;\npub(crate) use b::B as C;"),
            ("src/task/a.rs", "write_down!(A);\nfn f(c: super::C) {}"),
            ("src/task/b.rs", "use super::a;\npub struct B;\nfn f(a: &[Option<a::A>]) {}"),
        ]);
        assert_eq!(found, ["src/task/a.rs:2 -> src/task/b.rs:3 -> src/task/a.rs"]);
    }

    #[test]
    fn comments_tests_and_exported_macros_are_no_arrows() {
        let found = cycles(&[
            (
                "src/task/a.rs",
                "//! See [`b`](super::b::B).\n/// [`super::b::B`]\npub struct A;\n#[cfg(test)]\nuse super::b::B;",
            ),
            (
                "src/task/b.rs",
                "use super::a::A;\npub struct B(A);\n#[macro_export]\nmacro_rules! m { () => { $crate::task::c::C } }",
            ),
            ("src/task/c.rs", "pub struct C;\nfn f() { crate::m!() }\nuse crate::m;\nuse super::b::B;"),
        ]);
        assert_eq!(found, Vec::<String>::new());
    }
}
