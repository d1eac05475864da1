//! The situations, and which of all combinations are tried.

use std::cell::Cell;
use std::fmt;

use crate::faults::{Fault, faults};
use crate::subjects::Subject;
use crate::{run, target};

/// So many tests share the cases.
const GROUPS: u32 = 24;
/// So many pages share the groups.
const PAGES: u32 = 6;
/// WebKit starves of more: natively and there no loop is ended before its code calls the outside.
const LOOPS_PER_PAGE: usize = 3;

/// What the fault happens in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Situation {
    /// Nothing else is there.
    Alone,
    /// Among many short tasks.
    Many,
    /// In a child, beside others.
    Nested,
    /// In a call of a function over items.
    ParMap,
    /// Beside open channels and a stream, in a call of an object if the executor can have some.
    Open,
}

impl Situation {
    pub(crate) const ALL: [Self; 5] = [Self::Alone, Self::Many, Self::Nested, Self::ParMap, Self::Open];
}

/// One combination.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    /// The place of the fault among all.
    pub(crate) place: u32,
    pub(crate) fault: &'static Fault,
    pub(crate) subject: Subject,
    pub(crate) situation: Situation,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} / {:?} / {:?}", self.fault.name, self.subject, self.situation)
    }
}

/// Two of three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pair {
    OnExecutor(u32, Subject),
    InSituation(u32, Situation),
    Place(Subject, Situation),
}

impl Case {
    fn pairs(&self) -> [Pair; 3] {
        let Self { place, subject, situation, .. } = *self;
        [
            Pair::OnExecutor(place, subject),
            Pair::InSituation(place, situation),
            Pair::Place(subject, situation),
        ]
    }
}

/// Every combination that there can be.
fn combinations() -> Vec<Case> {
    let mut all = Vec::new();
    for (place, fault) in (0..).zip(faults()) {
        for subject in Subject::ALL {
            for situation in Situation::ALL {
                if fault.situations.contains(&situation) && subject.can_have(fault, situation) {
                    all.push(Case { place, fault, subject, situation });
                }
            }
        }
    }
    all
}

/// The combinations that are tried: always the first of those that bring the most new pairs.
fn chosen() -> Vec<Case> {
    let all = combinations();
    let mut seen: Vec<Pair> = Vec::new();
    let mut chosen = Vec::new();
    loop {
        let new = |case: &Case| case.pairs().iter().filter(|pair| !seen.contains(pair)).count();
        let best = all.iter().rev().max_by_key(|case| new(case));
        let Some(best) = best.filter(|case| new(case) > 0) else { return chosen };
        seen.extend(best.pairs());
        chosen.push(*best);
    }
}

/// The cases, with their numbers.
fn cases() -> impl Iterator<Item = (u32, Case)> {
    let mut cases = chosen();
    // Each page is to have its share of the loops.
    cases.sort_by_key(|case| !case.fault.loops);
    (0..).zip(cases)
}

/// Runs the cases of a group, all of them whatever fails. Groups count from one.
pub(crate) async fn group(group: u32) {
    if let Some(name) = target::program() {
        let (number, case) = cases().find(|(_, case)| case.to_string() == name).expect("it was listed");
        let found = run::run(number, &case, &Cell::new("")).await;
        panic!("the process lives on: {found:?}");
    }
    let mut faults = Vec::new();
    for (number, case) in cases().filter(|(number, _)| number % GROUPS == group - 1) {
        let begun = web_time::Instant::now();
        let found =
            run::watched(number, &case, &format!("page_{}::group_{group}", (group - 1) % PAGES + 1)).await;
        let verdict = if found.is_empty() { "ok" } else { "FAILED" };
        wasm_mt::println!("{case}: {verdict}, {} ms", begun.elapsed().as_millis());
        faults.extend(found.into_iter().map(|fault| format!("{case}: {fault}")));
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// Every pair that can be is in a case, and the loops are shared out.
pub(crate) fn check_cover() {
    let run = chosen();
    for case in combinations() {
        for pair in case.pairs() {
            assert!(run.iter().any(|chosen| chosen.pairs().contains(&pair)), "no case for {pair:?}");
        }
    }
    let cases: Vec<_> = cases().collect();
    for page in 0..PAGES {
        let loops =
            cases.iter().filter(|(number, case)| case.fault.loops && number % GROUPS % PAGES == page).count();
        assert!(loops <= LOOPS_PER_PAGE, "{loops} on page {}", page + 1);
    }
    let mut names: Vec<_> = cases.iter().map(|(_, case)| case.to_string()).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), cases.len(), "two cases of one name");
}
