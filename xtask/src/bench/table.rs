//! How figures are shown.

use std::fmt::Write as _;

use wasm_mt_benches::{Aim, Cell, Measured, Outcome, Spread};

use super::size::{Program, Weight};
use super::{Report, Run};

/// All figures, as Markdown.
pub(super) fn of(report: &Report) -> String {
    let mut text = String::from(
        "| smallest program of, gzip -9 (raw) | JavaScript | module | after wasm-opt -Oz |\n| --- | --- | --- | --- |\n",
    );
    for Program { name, glue, module, smaller } in &report.sizes {
        let smaller = smaller.as_ref().map_or_else(String::new, weight);
        writeln!(text, "| {name} | {} | {} | {smaller} |", weight(glue), weight(module)).unwrap_or(());
    }
    report.runs.iter().for_each(|run| text.push_str(&of_run(run)));
    text
}

fn weight(Weight { raw, gzip }: &Weight) -> String {
    format!("{} ({})", kilobytes(*gzip), kilobytes(*raw))
}

/// The figures of one platform.
fn of_run(run: &Run<Measured>) -> String {
    rows(run, |_, spread| time(spread))
}

/// The figures of one platform. Where there are many operations, with how many of them that is in a second.
pub(super) fn of_rates(run: &Run<Measured>) -> String {
    const MANY: u32 = 10_000;
    rows(run, |each, spread| {
        let rate = (each.operations >= MANY).then(|| format!(", {:.0}/s", 1000.0 / spread.median));
        time(spread) + &rate.unwrap_or_default()
    })
}

fn rows(run: &Run<Measured>, time: impl Fn(&Measured, Spread) -> String) -> String {
    let mut text = heading(run);
    text.push_str("| | ours | beside | | ratio | aim |\n| --- | --- | --- | --- | --- | --- |\n");
    for each in &run.measured {
        let aim = each.aim.map_or_else(String::new, |aim| self::aim(aim, each.ratio.median));
        let cells = [
            &each.name,
            &time(each, each.ours),
            &each.beside,
            &time(each, each.floor),
            &ratio(each.ratio),
            &aim,
        ];
        writeln!(text, "| {} |", cells.map(String::as_str).join(" | ")).unwrap_or(());
    }
    text
}

/// The figures of several libraries on one platform: each has a column, and each workload a row. Nothing if there are none.
pub(super) fn of_peers(run: &Run<Cell>) -> String {
    if run.measured.is_empty() {
        return String::new();
    }
    let mut text = heading(run);
    let libraries = libraries(run);
    let mut rows = vec![libraries.join(" | "), vec!["---"; libraries.len()].join(" | ")];
    rows[0].insert_str(0, "| | ");
    rows[1].insert_str(0, "| --- | ");
    for workload in distinct(run.measured.iter().map(|cell| cell.workload.as_str())) {
        let cell = |library: &&str| {
            let cell = run.measured.iter().find(|cell| cell.workload == workload && cell.library == *library);
            cell.map_or_else(|| "-".to_owned(), |cell| outcome(&cell.outcome))
        };
        let cells: Vec<String> = libraries.iter().map(cell).collect();
        rows.push(format!("| {workload} | {}", cells.join(" | ")));
    }
    rows.iter().for_each(|row| writeln!(text, "{row} |").unwrap_or(()));
    text
}

/// The libraries of one platform, in the order of their columns.
pub(super) fn libraries(run: &Run<Cell>) -> Vec<&str> {
    distinct(run.measured.iter().map(|cell| cell.library.as_str()))
}

fn heading<M>(Run { platform, engine, concurrency, .. }: &Run<M>) -> String {
    format!("\n{platform}: {engine}, {concurrency} threads at once\n\n")
}

/// Each once, in the order in which they first come.
fn distinct<'a>(words: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut found = Vec::new();
    words.for_each(|word| {
        if !found.contains(&word) {
            found.push(word);
        }
    });
    found
}

/// The time in the middle and its ratio, or why there is none.
fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Took { time, ratio } => {
            let (factor, unit) = scale(time.median);
            format!("{} {unit} ({:.2})", digits(time.median * factor), ratio.median)
        }
        Outcome::Hung => "hung".to_owned(),
        Outcome::Failed(_) => "failed".to_owned(),
    }
}

/// One cell in a line.
pub(super) fn cell(Cell { workload, library, outcome }: &Cell) -> String {
    let outcome = match outcome {
        Outcome::Took { time, ratio } => format!("{}; ratio {}", self::time(*time), self::ratio(*ratio)),
        Outcome::Hung => "hung, and was left behind".to_owned(),
        Outcome::Failed(reason) => format!("failed, and was left behind: {reason}"),
    };
    format!("{workload}, {library}: {outcome}")
}

/// One comparison in a line.
pub(super) fn line(measured: &Measured) -> String {
    let Measured { name, ours, beside, floor, ratio, aim, rounds, operations } = measured;
    let aim = aim.map_or_else(String::new, |aim| format!(", aim {}", self::aim(aim, ratio.median)));
    format!(
        "{name}: {}; {beside}: {}; ratio {}{aim} ({rounds} rounds of {operations})",
        time(*ours),
        time(*floor),
        self::ratio(*ratio),
    )
}

/// The middle, and both ends in brackets.
fn time(Spread { median, least, most }: Spread) -> String {
    let (factor, unit) = scale(median);
    let [median, least, most] = [median, least, most].map(|value| digits(value * factor));
    format!("{median} {unit} ({least} - {most})")
}

/// The factor and the name of the unit in which so many milliseconds are shown.
pub(super) fn scale(median: f64) -> (f64, &'static str) {
    if median < 1.0 { (1000.0, "us") } else { (1.0, "ms") }
}

fn ratio(Spread { median, least, most }: Spread) -> String {
    format!("{median:.2} ({least:.2} - {most:.2})")
}

/// What was aimed at, and whether this ratio is there.
fn aim(aim: Aim, ratio: f64) -> String {
    let verdict = if aim.is_met(ratio) { "reached" } else { "missed" };
    match aim {
        Aim::AtMost(most) => format!("{most:.2}: {verdict}"),
        Aim::TimesAsFast(times) => format!("{times} x as fast: {verdict} with {:.2}", 1.0 / ratio),
    }
}

/// About three digits.
pub(super) fn digits(value: f64) -> String {
    if value < 10.0 { format!("{value:.2}") } else { format!("{value:.1}") }
}

fn kilobytes(bytes: usize) -> String {
    format!("{:.1} KB", bytes as f64 / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_in_their_unit() {
        let spread = |median, least, most| Spread { median, least, most };
        assert_eq!(time(spread(0.0312, 0.025, 0.1)), "31.2 us (25.0 - 100.0)");
        assert_eq!(time(spread(9.5, 0.5, 12.25)), "9.50 ms (0.50 - 12.2)");
    }

    #[test]
    fn a_library_that_was_left_behind_is_named_in_the_table() {
        let spread = |median| Spread { median, least: 1.0, most: 9.0 };
        let cell = |workload: &str, library: &str, outcome| Cell {
            workload: workload.to_owned(),
            library: library.to_owned(),
            outcome,
        };
        let took = |time, ratio| Outcome::Took { time: spread(time), ratio: spread(ratio) };
        let measured = vec![
            cell("a", "plain", took(0.5, 1.0)),
            cell("a", "ours", took(1.5, 3.0)),
            cell("a", "other", Outcome::Hung),
            cell("b", "plain", took(2.0, 1.0)),
            cell("b", "ours", Outcome::Failed("why".to_owned())),
        ];
        let run = Run { platform: "p".to_owned(), engine: "e".to_owned(), concurrency: 2, measured };
        let table = "\np: e, 2 threads at once\n\n| | plain | ours | other |\n| --- | --- | --- | --- |\n\
            | a | 500.0 us (1.00) | 1.50 ms (3.00) | hung |\n| b | 2.00 ms (1.00) | failed | - |\n";
        assert_eq!(of_peers(&run), table);
    }

    #[test]
    fn an_aim_says_how_far_it_is() {
        assert_eq!(aim(Aim::AtMost(1.3), 1.25), "1.30: reached");
        assert_eq!(aim(Aim::TimesAsFast(5.0), 0.25), "5 x as fast: missed with 4.00");
    }
}
