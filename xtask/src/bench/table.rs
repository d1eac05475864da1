//! How figures are shown.

use std::fmt::Write as _;

use wasm_mt_benches::{Measured, Spread};

use super::Report;

/// All figures, as Markdown.
pub(super) fn of(report: &Report) -> String {
    let mut text = String::from("| the smallest program | raw | gzip -9 |\n| --- | --- | --- |\n");
    let mut row = |cells: &[String]| writeln!(text, "| {} |", cells.join(" | ")).unwrap_or(());
    for weight in &report.size {
        row(&[weight.what.clone(), kilobytes(weight.raw), kilobytes(weight.gzip)]);
    }
    text.push('\n');
    text.push_str("| | | ours | floor | ratio |\n| --- | --- | --- | --- | --- |\n");
    for run in &report.runs {
        for each in &run.measured {
            let cells = [&run.platform, &each.name, &time(each.ours), &time(each.floor), &ratio(each.ratio)];
            writeln!(text, "| {} |", cells.map(String::as_str).join(" | ")).unwrap_or(());
        }
    }
    text
}

/// One benchmark in a line.
pub(super) fn line(measured: &Measured) -> String {
    let Measured { name, ours, beside, floor, ratio, rounds, operations } = measured;
    format!(
        "{name}: {}; {beside}: {}; ratio {} ({rounds} rounds of {operations})",
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
}
