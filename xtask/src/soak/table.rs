//! The figures of a target, for people.

use std::fmt::Write as _;

use super::Outcome;
use super::leaks::ALLOWED;

/// The table of one target.
pub(super) fn of(outcome: &Outcome) -> String {
    let balance = &outcome.balance;
    let mut table = String::new();
    let mut line = |name: &str, value: &str| {
        writeln!(table, "{name:>26}  {value}").expect("a text can be written to");
    };
    line(&outcome.target, &format!("{} rounds, {} workers", outcome.rounds, balance.workers));
    line("spawned", &balance.spawned.to_string());
    for (end, count) in &balance.ends {
        line(end, &count.to_string());
    }
    let ended: u64 = balance.ends.values().sum();
    line("not ended", &(i128::from(balance.spawned) - i128::from(ended)).to_string());
    let growths = outcome.leaks.growths();
    for growth in &growths {
        let allowed = growth.allowed.map_or(String::new(), |allowed| format!(", allowed {allowed}"));
        line(&growth.name, &format!("{} -> {} in {} rounds{allowed}", growth.from, growth.to, growth.rounds));
    }
    let is_untold = |gauge: &&str| growths.iter().all(|growth| growth.name != **gauge);
    let untold: Vec<&str> = ALLOWED.iter().map(|(gauge, _)| *gauge).filter(is_untold).collect();
    line("not told here", &untold.join(", "));
    let kinds: Vec<String> = balance.kinds.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
    line("kinds", &kinds.join(", "));
    table
}
