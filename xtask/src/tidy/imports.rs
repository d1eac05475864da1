//! Who may import whom: the rooms of the library know only what stands below them, and so do the files of a room.

use std::collections::BTreeMap;

use super::modules::{Modules, module};
use super::reader::{Mention, Path, anchor};
use super::{Fault, Tree};

/// The rooms, from the ground up, and what each may use. A room may always use itself.
const ROOMS: [(&str, &[&str]); 17] = [
    ("guide", &[]),
    ("error", &[]),
    ("schedule", &[]),
    ("platform", &["error"]),
    ("wire", &["error", "schedule", "platform"]),
    ("task", &["error", "schedule", "platform", "wire"]),
    ("worker", &["error", "schedule", "platform", "wire", "task"]),
    ("channel", &["error", "platform", "wire", "task", "worker"]),
    ("supervisor", &["error", "schedule", "platform", "wire", "task", "worker"]),
    ("executor", &["error", "schedule", "platform", "wire", "task", "worker", "channel", "supervisor"]),
    ("transport", &["error", "schedule", "platform", "task", "executor"]),
    ("thread", &["error", "schedule", "platform", "task", "supervisor", "executor"]),
    ("run", &["error", "platform", "executor"]),
    ("js", &["error", "platform", "wire", "task", "supervisor", "executor", "thread"]),
    ("compat", &["error", "platform", "task", "executor", "thread", "js", "run"]),
    ("prelude", &["error", "schedule", "task", "executor", "thread", "run", "js", "compat"]),
    ("__private", &["error", "platform", "task", "executor", "thread", "run"]),
];

/// Each room uses only rooms that stand below it.
pub(super) fn one_way(tree: &Tree) -> Vec<Fault> {
    let modules = &tree.modules;
    let unknown =
        modules.files.iter().filter(|file| module(file).first().is_some_and(|room| allowed(room).is_none()));
    let what = "the room of this file is not known; enter it in ROOMS, in xtask/src/tidy/imports.rs";
    let mut faults: Vec<Fault> = unknown.map(|file| Fault::new(file, 1, what)).collect();
    for mention in &modules.parts.mentions {
        let file = &modules.files[mention.file];
        faults
            .extend(check(mention, &module(file), modules).map(|what| Fault::new(file, mention.line, what)));
    }
    faults
}

fn allowed(room: &str) -> Option<&'static [&'static str]> {
    ROOMS.iter().find(|(name, _)| *name == room).map(|(_, allowed)| *allowed)
}

/// What is wrong with a path that is written in the file of the module `own`, and the cure.
fn check(mention: &Mention, own: &Path, modules: &Modules) -> Option<String> {
    let room = own.first()?;
    let allowed = allowed(room)?;
    let (mut path, rest) = anchor(&mention.module, &mention.segments)?;
    path.extend_from_slice(rest);
    let first = path.first().filter(|name| !modules.parts.exported.contains(*name))?;
    // A name of the face stands for the room that it comes from.
    let target = modules.at_the_root(first).and_then(|path| path.first()).unwrap_or(first);
    if self::allowed(target).is_none() {
        return Some(format!(
            "`crate::{target}` does not say which room is used; write the path in that room"
        ));
    }
    if target != room && !allowed.contains(&target.as_str()) {
        return Some(format!(
            "`{room}` uses `{target}`, which does not stand below it; move what both need to a room below, \
             or ask for it from above (`{room}` may use {allowed:?})"
        ));
    }
    // The two sides of the seam know nothing of each other.
    let side = |path: &Path| match path.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["platform", side @ ("native" | "web"), ..] => Some(side.to_owned()),
        _ => None,
    };
    let (own, other) = (side(own)?, side(&path)?);
    (own != other).then(|| {
        format!("`platform/{own}` uses `platform/{other}`; state what both need at the seam, in src/platform/mod.rs")
    })
}

/// From each file, the files that define what it uses, with the line of the first use.
type Arrows = BTreeMap<usize, BTreeMap<usize, usize>>;

/// No arrow runs back: the files of the library use each other one way, within a room too. One circle is shown.
pub(super) fn no_way_back(tree: &Tree) -> Vec<Fault> {
    let mut arrows = arrows(&tree.modules);
    // A file that uses none of those that are left is in no circle.
    while let Some(file) = arrows.keys().copied().find(|file| next(&arrows, *file).is_none()) {
        arrows.remove(&file);
    }
    let Some(mut file) = arrows.keys().next().copied() else { return Vec::new() };
    let mut way = Vec::new();
    while !way.contains(&file) {
        way.push(file);
        file = next(&arrows, file).expect("each file that is left uses another");
    }
    way.drain(..way.iter().position(|passed| *passed == file).expect("the way has led there"));
    let name = |file: usize| tree.modules.files[file].as_str();
    let line =
        |from: usize| arrows[&from][&next(&arrows, from).expect("each file that is left uses another")];
    let places: String = way.iter().map(|from| format!("{}:{} -> ", name(*from), line(*from))).collect();
    let cure = "move what both need to a file below both";
    let what = format!("files use each other in a circle: {places}{}; {cure}", name(file));
    vec![Fault::new(name(file), line(file), what)]
}

/// The first that `file` uses of those that use others.
fn next(arrows: &Arrows, file: usize) -> Option<usize> {
    arrows[&file].keys().copied().find(|target| arrows.contains_key(target))
}

fn arrows(modules: &Modules) -> Arrows {
    let mut arrows = Arrows::new();
    for mention in &modules.parts.mentions {
        let own = module(&modules.files[mention.file]);
        for target in modules.definers(mention) {
            // A module shows what its children define; that alone is no use of it.
            let shows = mention.is_reexport && module(&modules.files[target]).starts_with(&own);
            if target != mention.file && !shows {
                let line = arrows.entry(mention.file).or_default().entry(target).or_insert(mention.line);
                *line = mention.line.min(*line);
            }
        }
    }
    arrows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(rule: fn(&Tree) -> Vec<Fault>, files: &[(&str, &str)]) -> Vec<String> {
        let faults = rule(&Tree::of(files)).into_iter();
        faults.map(|fault| format!("{}: {}", fault.line, fault.what)).collect()
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
            "3: `task` uses `run`",
            "2: `task` uses `thread`",
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

    /// The way around each cycle.
    fn cycles(files: &[(&str, &str)]) -> Vec<String> {
        let faults = lines(no_way_back, files);
        let ways = faults.iter().filter_map(|fault| fault.split("circle: ").nth(1)?.split(';').next());
        ways.map(str::to_owned).collect()
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
