//! Figures as pictures, for the guide and for whoever measures: a bar for each library, grouped by platform.
//!
//! The ground is light on every page, since a picture in a page does not know the theme of that page.

use svg::Document;
use svg::node::element::{Group, Line, Rectangle, Style, Text, Title};
use wasm_mt_benches::{Benchmark, Cell, Outcome};

use super::{Run, table};

/// The library whose bars stand out.
const OURS: &str = "wasm-mt";

const WIDTH: f64 = 720.0;
const MARGIN: f64 = 20.0;
/// Where the first group begins.
const TOP: f64 = 64.0;
/// Below the last group.
const BOTTOM: f64 = 34.0;
const ROW: f64 = 20.0;
/// Where the words of a row stand within it.
const BASELINE: f64 = 14.5;
/// Between groups.
const GAP: f64 = 14.0;
/// Where bars begin.
const LEFT: f64 = 196.0;
/// The length of the longest bar; its figure stands behind it.
const LONGEST: f64 = 430.0;

/// Words have a seam of the ground's colour, for lines of the scale would run through them.
const STYLE: &str = include_str!("picture.css");

/// What all platforms took for a benchmark, if any has done it.
pub(super) fn of(benchmark: Benchmark, runs: &[Run<Cell>]) -> Option<Document> {
    let group = |run| Some((run, rows(benchmark, run)?));
    let groups: Vec<(&Run<Cell>, Vec<Row<'_>>)> = runs.iter().filter_map(group).collect();
    let scale = Scale::of(groups.iter().flat_map(|(_, rows)| rows).filter_map(|(_, time)| time.ok()));
    let count = groups.iter().map(|(_, rows)| rows.len()).sum::<usize>();
    let end = TOP + count as f64 * ROW + groups.len().checked_sub(1)? as f64 * GAP;
    let (title, height) = (capital(benchmark.workload()), end + BOTTOM);

    let ground = Rectangle::new().set("class", "ground").set("rx", 8).set("x", 0.5).set("y", 0.5);
    let mut picture = Document::new()
        .set("viewBox", (0, 0, WIDTH, height))
        .set("width", WIDTH)
        .set("height", height)
        .set("role", "img")
        .add(Title::new(title.clone()))
        .add(Style::new(STYLE))
        .add(ground.set("width", WIDTH - 1.0).set("height", height - 1.0))
        .add(text("title", MARGIN, 28.0, title))
        .add(text("note", MARGIN, 47.0, scale.note()));
    for tick in scale.ticks() {
        let x = scale.place(tick);
        let line = Line::new().set("x1", x).set("x2", x).set("y1", TOP - 4.0).set("y2", end + 4.0);
        picture = picture.add(line).add(text("tick", x, end + 20.0, figure(tick, round)));
    }
    let mut y = TOP;
    for (run, rows) in groups {
        picture = picture.add(text("platform", MARGIN, y + BASELINE, run.platform.as_str()));
        for row in rows {
            picture = picture.add(draw(row, y, &scale));
            y += ROW;
        }
        y += GAP;
    }
    Some(picture)
}

/// A library, and its time in milliseconds or a word in place of that.
type Row<'a> = (&'a str, Result<f64, &'static str>);

/// The libraries of a platform, if that platform has the benchmark.
fn rows(benchmark: Benchmark, run: &Run<Cell>) -> Option<Vec<Row<'_>>> {
    let cells = || run.measured.iter().filter(|cell| cell.workload == benchmark.workload());
    cells().next()?;
    let row = |library| {
        let cell = cells().find(|cell| cell.library == library);
        let time = match cell.map(|cell| &cell.outcome) {
            Some(Outcome::Took { time, .. }) => Ok(time.median),
            Some(Outcome::Hung) => Err("hung"),
            Some(Outcome::Failed(_)) => Err("failed"),
            None => Err("not measured"),
        };
        (library, time)
    };
    Some(table::libraries(run).into_iter().map(row).collect())
}

fn draw((library, time): Row<'_>, y: f64, scale: &Scale) -> Group {
    let words = |class, x, words| text(class, x, y + BASELINE, words);
    let row = Group::new().set("class", if library == OURS { "ours" } else { "" });
    let row = row.add(words("library", LEFT - 10.0, library.to_owned()));
    match time {
        Ok(time) => {
            let end = scale.place(time);
            let bar = Rectangle::new().set("x", LEFT).set("y", y + 3.0).set("rx", 2);
            row.add(bar.set("width", tenths(end - LEFT)).set("height", ROW - 6.0)).add(words(
                "figure",
                end + 8.0,
                figure(time, table::digits),
            ))
        }
        Err(word) => row.add(words("word", LEFT + 8.0, word.to_owned())),
    }
}

/// From a time to the end of its bar.
struct Scale {
    /// Where bars begin, and where the longest ends, in milliseconds or in their powers of ten.
    begin: f64,
    end: f64,
    is_logarithmic: bool,
}

impl Scale {
    /// Logarithmic if the times differ by more than ten times.
    fn of(times: impl Iterator<Item = f64>) -> Self {
        let times: Vec<f64> = times.collect();
        let least = times.iter().copied().fold(f64::INFINITY, f64::min);
        let most = times.iter().copied().fold(0.0, f64::max);
        if least > 0.0 && most > 10.0 * least {
            // The shortest bar can be seen.
            return Self { begin: (least / 1.25).log10().floor(), end: most.log10(), is_logarithmic: true };
        }
        Self { begin: 0.0, end: most, is_logarithmic: false }
    }

    fn note(&self) -> String {
        let scale = if self.is_logarithmic { "; the scale is logarithmic" } else { "" };
        format!("Median time: shorter is faster{scale}")
    }

    fn place(&self, time: f64) -> f64 {
        let value = if self.is_logarithmic { time.log10() } else { time };
        tenths(LEFT + LONGEST * (value - self.begin) / (self.end - self.begin).max(f64::MIN_POSITIVE))
    }

    /// Powers of ten, or some six multiples of one, two or five of them; none if nothing took any time.
    fn ticks(&self) -> Vec<f64> {
        if self.is_logarithmic {
            return (self.begin as i32..=self.end.floor() as i32).map(|power| 10_f64.powi(power)).collect();
        }
        let power = 10_f64.powf((self.end / 6.0).log10().floor());
        let steps = [1.0, 2.0, 5.0, 10.0].map(|times| times * power);
        let step = steps.into_iter().find(|step| self.end > 0.0 && self.end / step <= 6.0);
        step.map_or_else(Vec::new, |step| {
            (0..=(self.end / step) as u32).map(|nth| f64::from(nth) * step).collect()
        })
    }
}

fn text(class: &str, x: f64, y: f64, content: impl Into<String>) -> Text {
    Text::new(content).set("class", class).set("x", x).set("y", y)
}

/// So many milliseconds, in their unit.
fn figure(time: f64, digits: fn(f64) -> String) -> String {
    if time == 0.0 {
        return "0".to_owned();
    }
    let (factor, unit) = table::scale(time);
    format!("{} {}", digits(time * factor), unit.replace("us", "µs"))
}

/// A number that may have been calculated from round ones.
fn round(value: f64) -> String {
    format!("{value:.3}").trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// As exact as a picture has to be.
fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// With a capital at its beginning.
fn capital(words: &str) -> String {
    let (first, rest) = words.split_at(words.chars().next().map_or(0, char::len_utf8));
    first.to_uppercase() + rest
}

#[cfg(test)]
mod tests {
    use wasm_mt_benches::Spread;

    use super::*;

    fn cell(benchmark: Benchmark, library: &str, outcome: Outcome) -> Cell {
        Cell { workload: benchmark.workload().to_owned(), library: library.to_owned(), outcome }
    }

    fn took(median: f64) -> Outcome {
        let spread = Spread { median, least: median, most: median };
        Outcome::Took { time: spread, ratio: spread }
    }

    fn run(platform: &str, measured: Vec<Cell>) -> Run<Cell> {
        Run { platform: platform.to_owned(), engine: String::new(), concurrency: 2, measured }
    }

    #[test]
    fn a_library_without_a_time_has_a_word_in_place_of_a_bar() {
        use Benchmark::{RoundTrip, Transfer};
        let measured = vec![
            cell(RoundTrip, "wasm-mt", took(0.5)),
            cell(RoundTrip, "a", Outcome::Hung),
            cell(RoundTrip, "<b>", Outcome::Failed("why".to_owned())),
            cell(Transfer, "wasm-mt", took(2.0)),
        ];
        let runs = [run("here", measured), run("there", Vec::new())];
        let picture = of(RoundTrip, &runs).unwrap().to_string();
        for part in ["Round trip", "500.0 µs", "hung", "&lt;b&gt;", "failed", "here"] {
            assert!(picture.contains(part), "{part} in {picture}");
        }
        assert_eq!(picture.matches("<rect").count(), 2, "the ground and one bar: {picture}");
        assert!(!picture.contains("there"), "{picture}");
        let picture = of(Transfer, &runs).unwrap().to_string();
        assert_eq!(picture.matches("not measured").count(), 2, "{picture}");
        assert!(of(Benchmark::ForkJoin, &runs).is_none());
    }

    #[test]
    fn a_picture_without_any_time_has_no_scale() {
        let runs = [run("here", vec![cell(Benchmark::RoundTrip, "a", Outcome::Hung)])];
        let picture = of(Benchmark::RoundTrip, &runs).unwrap().to_string();
        assert!(picture.contains("hung") && !picture.contains("<line"), "{picture}");
    }

    #[test]
    fn a_picture_is_small() {
        let libraries = ["JavaScript", "wasm-mt", "comlink", "workerpool", "gloo-worker", "wasmworker"];
        let cells = || libraries.map(|library| cell(Benchmark::RoundTrip, library, took(0.123_456))).to_vec();
        let runs = ["chromium", "firefox", "webkit", "native"].map(|platform| run(platform, cells()));
        let picture = of(Benchmark::RoundTrip, &runs).unwrap().to_string();
        assert!(picture.len() < 12_000, "{}", picture.len());
    }

    #[test]
    fn the_scale_is_logarithmic_where_times_differ_by_more_than_ten_times() {
        let scale = Scale::of([2.0, 20.0].into_iter());
        assert_eq!((scale.ticks(), scale.place(20.0)), (vec![0.0, 5.0, 10.0, 15.0, 20.0], LEFT + LONGEST));
        let scale = Scale::of([0.002, 0.2, 0.03].into_iter());
        assert_eq!(
            scale.ticks().iter().map(|tick| figure(*tick, round)).collect::<Vec<_>>(),
            ["1 µs", "10 µs", "100 µs"]
        );
        assert_eq!((scale.place(0.001), scale.place(0.2)), (LEFT, LEFT + LONGEST));
    }
}
