//! How figures are shown.

use std::fmt::Write as _;

use wasm_mt_benches::{Aim, Measured, Spread};

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
fn of_run(run: &Run) -> String {
    let Run { platform, engine, concurrency, measured } = run;
    let mut text = format!("\n{platform}: {engine}, {concurrency} threads at once\n\n");
    text.push_str("| | ours | beside | | ratio | aim |\n| --- | --- | --- | --- | --- | --- |\n");
    for each in measured {
        let aim = each.aim.map_or_else(String::new, |aim| self::aim(aim, each.ratio.median));
        let cells = [&each.name, &time(each.ours), &each.beside, &time(each.floor), &ratio(each.ratio), &aim];
        writeln!(text, "| {} |", cells.map(String::as_str).join(" | ")).unwrap_or(());
    }
    text
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
    let (factor, unit) = if median < 1.0 { (1000.0, "us") } else { (1.0, "ms") };
    let [median, least, most] = [median, least, most].map(|value| digits(value * factor));
    format!("{median} {unit} ({least} - {most})")
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
fn digits(value: f64) -> String {
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
    fn an_aim_says_how_far_it_is() {
        assert_eq!(aim(Aim::AtMost(1.3), 1.25), "1.30: reached");
        assert_eq!(aim(Aim::TimesAsFast(5.0), 0.25), "5 x as fast: missed with 4.00");
    }
}
