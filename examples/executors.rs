//! Runs the same tasks under three strategies and draws who ran what when: a lane per worker, a bar per task.

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::future::IntoFuture;
use std::time::Duration;

use futures::StreamExt;
use futures::channel::mpsc;
use futures::future::{try_join, try_join_all, try_join3};
use wasm_mt::{Error, Executor, Pool, Remote, Strategy, TaskRun, println, remote};
use web_time::Instant;

use self::target::Screen;

/// What each task costs. A few cost most of the time, as is often so.
const COSTS: [u64; 16] = [40, 600, 20, 900, 60, 1200, 20, 500, 90, 20, 150, 200, 50, 30, 20, 30];
/// How many tasks are made by a task that is spawned before these, and by one that is spawned after them.
const CHILDREN: [u64; 2] = [6, 9];

fn main() {
    wasm_mt::run(app());
}

async fn app() -> Result<(), Box<dyn StdError>> {
    let threads = target::cores().clamp(2, 4);
    let mut screen = Screen::new()?;
    let mut serial = Duration::ZERO;
    for strategy in [Strategy::Serial, Strategy::Parallel, Strategy::WorkStealing] {
        // One after another needs but one worker.
        let lanes = if strategy == Strategy::Serial { 1 } else { threads };
        let bars = watch(strategy, lanes, &mut screen).await?;
        check_timeline(&bars)?;

        let makespan = bars.iter().map(|bar| bar.ended).max().unwrap_or_default();
        let mut result = format!("{} ms", makespan.as_millis());
        if strategy == Strategy::Serial {
            serial = makespan;
        } else {
            let factor = serial.as_secs_f64() / makespan.as_secs_f64();
            result += &format!(", {factor:.2} times as fast");
        }
        screen.end(&result, bars.len())?;
        println!("{strategy:?}: {result}");
        for ((worker, maker), count) in handed_over(&bars) {
            println!("    worker {worker} ran {count} of those that a task on worker {maker} had made");
        }
    }
    Ok(())
}

/// Runs all tasks on a pool, and draws each as the pool tells that it has run.
async fn watch(strategy: Strategy, lanes: usize, screen: &mut Screen) -> Result<Vec<Bar>, Box<dyn StdError>> {
    let (sender, mut runs) = mpsc::unbounded();
    let opened = Instant::now();
    let pool = Pool::builder()
        .strategy(strategy)
        .threads(lanes)
        .on_run(move |run| sender.unbounded_send(run.clone()).unwrap_or(()))
        .build();
    // The pool takes tasks at once; here the start of its workers is not to count.
    pool.ready().await?;
    let start = opened.elapsed();
    screen.begin(&format!("{strategy:?}"), lanes)?;

    let run = async move {
        let before = pool.spawn_remote(family(CHILDREN[0]));
        let alone = try_join_all(COSTS.map(|cost| pool.spawn_remote(remote!(move || power(cost)))));
        let after = pool.spawn_remote(family(CHILDREN[1]));
        let (before, alone, after) = try_join3(before, alone, after).await?;
        check_results(&alone, [before?, after?])?;
        pool.close().await;
        Ok(()) // the pool goes, and with it the sender of the runs
    };
    let draw = async {
        let mut bars: Vec<Bar> = Vec::new();
        while let Some(run) = runs.next().await {
            let bar = Bar::new(&run, start, &bars);
            screen.draw(&bar)?;
            bars.push(bar);
        }
        Ok::<_, Box<dyn StdError>>(bars)
    };
    let ((), bars) = try_join(run, draw).await?;
    Ok(bars)
}

/// A task that makes tasks, and awaits their sum.
fn family(children: u64) -> Remote<Result<u64, Error>> {
    remote!(async move {
        // Awaited within a task, they go to the pool that runs it.
        let tasks = (1..=children).rev().map(|n| remote!(move || power(n * 20)).into_future());
        Ok(try_join_all(tasks).await?.into_iter().sum())
    })
}

/// How many multiplications a task of cost 1 is.
const UNIT: u64 = 30_000;
const BASE: u64 = 48_271;
const PRIME: u64 = 2_147_483_647;

/// A power of `BASE` modulo `PRIME`, one multiplication after the other.
fn power(cost: u64) -> u64 {
    (0..cost * UNIT).fold(1, |power, _| power * BASE % PRIME)
}

/// The same in a few steps.
fn power_by_squaring(cost: u64) -> u64 {
    let (mut power, mut square, mut rest) = (1, BASE, cost * UNIT);
    while rest > 0 {
        if rest % 2 == 1 {
            power = power * square % PRIME;
        }
        (square, rest) = (square * square % PRIME, rest / 2);
    }
    power
}

fn check_results(alone: &[u64], families: [u64; 2]) -> Result<(), String> {
    let sum = |children| (1..=children).map(|n| power_by_squaring(n * 20)).sum();
    if alone != COSTS.map(power_by_squaring) || families != CHILDREN.map(sum) {
        return Err(format!("a result is wrong among {alone:?} and {families:?}"));
    }
    Ok(())
}

/// A task in the timeline.
struct Bar {
    /// The place of the call that made it.
    task: String,
    worker: usize,
    made_by: Option<usize>,
    /// Since the tasks were spawned.
    began: Duration,
    ended: Duration,
    /// Others ran on its worker before it had ended: it awaited something.
    awaited: bool,
}

impl Bar {
    /// The bar of a task that has ended after `others`.
    fn new(run: &TaskRun, start: Duration, others: &[Bar]) -> Self {
        let TaskRun { worker, made_by, .. } = *run;
        let task = run.location().map_or_else(String::new, ToString::to_string);
        let (began, ended) = (run.began.saturating_sub(start), run.ended.saturating_sub(start));
        let within = |other: &Bar| {
            other.worker == worker && began <= other.began && began < other.ended && other.ended <= ended
        };
        Self { task, worker, made_by, began, ended, awaited: others.iter().any(within) }
    }

    fn is_handed_over(&self) -> bool {
        self.made_by.is_some_and(|maker| maker != self.worker)
    }
}

/// Checks that the timeline has every task once.
fn check_timeline(bars: &[Bar]) -> Result<(), String> {
    // A task is told from others by the place of its `remote!`, of which there are three.
    let mut named = BTreeMap::new();
    bars.iter().for_each(|bar| *named.entry(&bar.task).or_insert(0) += 1);
    let mut found: Vec<u64> = named.into_values().collect();
    found.sort_unstable();
    let expected = [CHILDREN.len() as u64, CHILDREN.iter().sum(), COSTS.len() as u64];
    if found != expected {
        return Err(format!("the timeline has {found:?} tasks of each kind instead of {expected:?}"));
    }
    Ok(())
}

/// How many tasks each worker ran that a task on another had made.
fn handed_over(bars: &[Bar]) -> BTreeMap<(usize, usize), usize> {
    let mut counts = BTreeMap::new();
    for bar in bars.iter().filter(|bar| bar.is_handed_over()) {
        *counts.entry((bar.worker, bar.made_by.unwrap_or_default())).or_insert(0) += 1;
    }
    counts
}

#[cfg(target_family = "wasm")]
use web as target;

#[cfg(target_family = "wasm")]
mod web {
    use std::error::Error;

    use wasm_bindgen::JsValue;
    use web_sys::Element;

    use super::Bar;

    /// A bar's place is a part of `--span`, which all timelines share: when that grows, all bars move.
    const STYLE: &str = "
        .timelines { width: 100%; --page: #8b8b9a; --w0: #3d7fd9; --w1: #d97a12; --w2: #2a9d6a; --w3: #b04fc0; }
        .timelines figure { margin: 0 0 1rem; }
        .timelines figcaption { margin-bottom: 0.25rem; font-variant-numeric: tabular-nums; }
        .lane { display: flex; align-items: center; margin-top: 3px; }
        .lane > span { width: 6.5rem; white-space: nowrap; }
        .lane > div {
            position: relative; flex: 1; height: 2rem; overflow: hidden; isolation: isolate;
            background: var(--raised); outline: 1px solid var(--line);
        }
        .lane i {
            position: absolute; top: 0; bottom: 0; min-width: 2px; background-color: var(--by);
            left: calc(100% * var(--began) / var(--span));
            width: calc(100% * (var(--ended) - var(--began)) / var(--span));
            border-right: 1px solid var(--ground);
        }
        .lane i.child { top: 0.35rem; bottom: 0.35rem; }
        .lane i.awaited { z-index: -1; background: none; border: solid var(--by); border-width: 0.2rem 1px; }
        .key { display: inline-block; width: 1.5em; height: 0.8em; background-color: var(--by); }
        .over { background-image: repeating-linear-gradient(135deg, transparent 0 4px, #fff9 4px 7px); }
    ";

    pub(super) fn cores() -> usize {
        web_sys::window().map_or(1, |window| window.navigator().hardware_concurrency() as usize)
    }

    /// The timelines, one below the other.
    pub(super) struct Screen {
        all: Element,
        span: f64,
    }

    impl Screen {
        pub(super) fn new() -> Result<Self, Box<dyn Error>> {
            let stage = find("#stage")?;
            let html = format!(
                "<div class='timelines'><style>{STYLE}</style>
                 <p><span class='key' style='--by: var(--page)'></span> was made by the page,
                    <span class='key' style='--by: var(--w0)'></span> by a task on worker 0,
                    <span class='key' style='--by: var(--w1)'></span> by one on worker 1;
                    <span class='key over' style='--by: var(--w0)'></span> was handed over from worker 0 to another.
                    A frame is a task that awaits others.</p></div>"
            );
            append(&stage, &html)?;
            Ok(Self { all: find(".timelines")?, span: 1.0 })
        }

        pub(super) fn begin(&mut self, caption: &str, lanes: usize) -> Result<(), Box<dyn Error>> {
            let lane = |worker| {
                format!(
                    "<div class='lane'><span><span class='key' style='--by: var(--w{worker})'></span> worker {worker}</span>\
                     <div></div></div>"
                )
            };
            let lanes: String = (0..lanes).map(lane).collect();
            append(
                &self.all,
                &format!("<figure><figcaption><b>{caption}</b> <span></span></figcaption>{lanes}</figure>"),
            )
        }

        pub(super) fn draw(&mut self, bar: &Bar) -> Result<(), Box<dyn Error>> {
            let (began, ended) = (milliseconds(bar.began), milliseconds(bar.ended));
            if ended > self.span {
                self.span = ended * 1.02;
                self.all.set_attribute("style", &format!("--span: {}", self.span)).map_err(text)?;
            }
            let lane = find(&format!("figure:last-child .lane:nth-of-type({}) > div", bar.worker + 1))?;
            let by = bar.made_by.map_or("page".to_owned(), |maker| format!("w{maker}"));
            let classes =
                [("child", bar.made_by.is_some()), ("over", bar.is_handed_over()), ("awaited", bar.awaited)];
            let classes: Vec<&str> = classes.iter().filter(|(_, is)| *is).map(|(class, _)| *class).collect();
            let html = format!(
                "<i class='{}' style='--by: var(--{by}); --began: {began}; --ended: {ended}' title='{:.1} ms, {}'></i>",
                classes.join(" "),
                ended - began,
                bar.task
            );
            append(&lane, &html)
        }

        pub(super) fn end(&mut self, result: &str, bars: usize) -> Result<(), Box<dyn Error>> {
            find("figure:last-child figcaption span")?.set_text_content(Some(result));
            let drawn = find("figure:last-child")?.get_elements_by_tag_name("i").length();
            if drawn as usize != bars {
                return Err(format!("{drawn} of {bars} bars were drawn").into());
            }
            Ok(())
        }
    }

    fn milliseconds(time: std::time::Duration) -> f64 {
        time.as_secs_f64() * 1000.0
    }

    fn append(element: &Element, html: &str) -> Result<(), Box<dyn Error>> {
        Ok(element.insert_adjacent_html("beforeend", html).map_err(text)?)
    }

    fn find(selector: &str) -> Result<Element, Box<dyn Error>> {
        let document =
            web_sys::window().and_then(|window| window.document()).ok_or("there is no document")?;
        let found = document.query_selector(selector).map_err(text)?;
        Ok(found.ok_or_else(|| format!("the page has no element {selector}"))?)
    }

    fn text(error: JsValue) -> String {
        format!("{error:?}")
    }
}

#[cfg(not(target_family = "wasm"))]
use native as target;

#[cfg(not(target_family = "wasm"))]
mod native {
    use std::error::Error;
    use std::num::NonZero;
    use std::time::Duration;

    use wasm_mt::println;

    use super::Bar;

    /// How many characters the longest timeline takes.
    const WIDTH: f64 = 90.0;

    pub(super) fn cores() -> usize {
        std::thread::available_parallelism().map_or(1, NonZero::get)
    }

    /// Prints each timeline when it is complete.
    pub(super) struct Screen {
        lanes: Vec<Vec<char>>,
        bars: Vec<(usize, char, Duration, Duration)>,
        span: Duration,
    }

    impl Screen {
        pub(super) fn new() -> Result<Self, Box<dyn Error>> {
            println!(
                "A line per worker: `#` is a task that the page made, a digit one that a task on that worker made,"
            );
            println!("`-` one that awaits others; `|` is where a task begins.");
            Ok(Self { lanes: Vec::new(), bars: Vec::new(), span: Duration::ZERO })
        }

        pub(super) fn begin(&mut self, _caption: &str, lanes: usize) -> Result<(), Box<dyn Error>> {
            self.lanes = vec![vec![' '; WIDTH as usize + 1]; lanes];
            self.bars.clear();
            Ok(())
        }

        pub(super) fn draw(&mut self, bar: &Bar) -> Result<(), Box<dyn Error>> {
            let maker = bar.made_by.and_then(|maker| char::from_digit(maker as u32, 10));
            let sign = if bar.awaited { '-' } else { maker.unwrap_or('#') };
            self.bars.push((bar.worker, sign, bar.began, bar.ended));
            self.span = self.span.max(bar.ended);
            Ok(())
        }

        pub(super) fn end(&mut self, _result: &str, _bars: usize) -> Result<(), Box<dyn Error>> {
            // A task lies behind the children that it awaits.
            self.bars.sort_by_key(|(_, _, began, ended)| std::cmp::Reverse(*ended - *began));
            for (worker, sign, began, ended) in &self.bars {
                let column =
                    |time: &Duration| (time.as_secs_f64() / self.span.as_secs_f64() * WIDTH) as usize;
                let cells = &mut self.lanes[*worker][column(began)..=column(ended)];
                cells.fill(*sign);
                if cells.len() > 1 {
                    cells[0] = '|';
                }
            }
            for (worker, lane) in self.lanes.iter().enumerate() {
                println!("worker {worker} {}", lane.iter().collect::<String>());
            }
            Ok(())
        }
    }
}
