//! Swaps the executor while tasks run: the old one finishes what it has, and new tasks go to the new one.

use std::error::Error as StdError;
use std::time::Duration;

use futures::channel::mpsc;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt, select};
use wasm_mt::{
    Executor, ExecutorExt, ParallelExecutor, SerialExecutor, Thread, WorkStealingExecutor, println, remote,
};
use web_time::Instant;

use self::target::Screen;

type Make = fn() -> Box<dyn Executor>;

/// What can be chosen.
const EXECUTORS: [(&str, Make); 4] = [
    ("Serial", || Box::new(SerialExecutor::new())),
    ("Parallel", || Box::new(ParallelExecutor::new())),
    ("WorkStealing", || Box::new(WorkStealingExecutor::new())),
    ("Thread", || Box::new(Thread::new())),
];
/// So many tasks are always on their way.
const PENDING: u64 = 16;
/// For so long each executor is in its place, unless somebody chooses.
const STAY: Duration = Duration::from_millis(1200);
/// For so long answers are counted before the count is shown.
const STEP: Duration = Duration::from_millis(100);

fn main() {
    wasm_mt::run(app());
}

async fn app() -> Result<(), Box<dyn StdError>> {
    let (sender, mut choices) = mpsc::unbounded();
    let mut screen = Screen::new(sender)?;
    screen.choose(0)?;

    let mut executor: Option<Box<dyn Executor>> = None;
    let mut turns: Vec<Turn> = Vec::new();
    let mut tasks = FuturesUnordered::new();
    let mut closing = FuturesUnordered::new();
    let mut stay = Box::pin(wasm_mt::sleep(STAY).fuse());
    let mut step = Step::new();
    let expected: Vec<u64> = (0..20).map(scramble).collect();
    let mut numbers = (0..20).cycle();
    loop {
        if let (Some(executor), Some(turn)) = (&executor, turns.last_mut()) {
            let place = turn.place;
            for n in numbers.by_ref().take((PENDING - turn.pending()) as usize) {
                let handle = executor.spawn_remote(remote!(move || scramble(n)));
                tasks.push(handle.map(move |result| (place, n, result)));
                turn.given += 1;
            }
        }
        select! {
            choice = choices.select_next_some() => {
                if let (Some(old), Some(turn)) = (executor.take(), turns.last()) {
                    println!("{} finishes {} tasks", turn.name(), turn.pending());
                    closing.push(close(old, turn.place));
                }
                if let Some((name, make)) = EXECUTORS.get(choice) {
                    println!("{name} takes over");
                    executor = Some(make());
                    turns.push(Turn::new(turns.len(), choice));
                }
            }
            (place, n, result) = tasks.select_next_some() => {
                if result? != expected[n as usize] {
                    return Err(format!("{} gave a wrong result for {n}", turns[place].name()).into());
                }
                turns[place].answered += 1;
                step.answers[turns[place].choice] += 1;
            }
            place = closing.select_next_some() => {
                let turn = &mut turns[place];
                turn.closed_after = Some(turn.since.elapsed());
                // It has answered all, if this program has not looked at each answer yet.
                println!("{} is closed: {} tasks, {:.0} per second", turn.name(), turn.given, turn.rate());
            }
            () = stay => {
                // The way on, unless somebody has chosen another.
                screen.choose(turns.last().map_or(0, |turn| turn.choice + 1))?;
                stay.set(wasm_mt::sleep(STAY).fuse());
            }
        }
        if step.since.elapsed() >= STEP {
            screen.show(&step, &turns)?;
            step = Step::new();
        }
        // So that the page stays responsive, also when an executor runs its tasks here.
        wasm_mt::yield_now().await;
        if executor.is_none() && tasks.is_empty() && closing.is_empty() && !turns.is_empty() {
            break;
        }
    }
    screen.show(&step, &turns)?;
    screen.end();

    let (given, answered): (Vec<u64>, Vec<u64>) =
        turns.iter().map(|turn| (turn.given, turn.answered)).unzip();
    if given != answered || answered.contains(&0) {
        return Err(format!("executors were given {given:?} tasks and answered {answered:?}").into());
    }
    println!("all {} tasks were answered by the executors they were given to", answered.iter().sum::<u64>());
    Ok(())
}

/// Lets an executor finish what it has. It is there until then: dropped before, it would answer that it is closed.
async fn close(executor: Box<dyn Executor>, place: usize) -> usize {
    executor.close().await;
    place
}

/// Slow on purpose: each step needs the one before.
fn scramble(n: u64) -> u64 {
    (0..100_000).fold(n, |x, _| x * 48_271 % 2_147_483_647)
}

/// An executor's time in the place.
struct Turn {
    place: usize,
    choice: usize,
    since: Instant,
    given: u64,
    answered: u64,
    closed_after: Option<Duration>,
}

impl Turn {
    fn new(place: usize, choice: usize) -> Self {
        Self { place, choice, since: Instant::now(), given: 0, answered: 0, closed_after: None }
    }

    fn name(&self) -> &'static str {
        EXECUTORS[self.choice].0
    }

    fn pending(&self) -> u64 {
        self.given - self.answered
    }

    /// Tasks per second.
    fn rate(&self) -> f64 {
        let (tasks, time) =
            self.closed_after.map_or((self.answered, self.since.elapsed()), |time| (self.given, time));
        tasks as f64 / time.as_secs_f64()
    }
}

/// How many tasks each executor has answered within a short time.
struct Step {
    since: Instant,
    answers: [u32; EXECUTORS.len()],
}

impl Step {
    fn new() -> Self {
        Self { since: Instant::now(), answers: [0; EXECUTORS.len()] }
    }
}

#[cfg(target_family = "wasm")]
use web as target;

#[cfg(target_family = "wasm")]
mod web {
    use std::cell::Cell;
    use std::error::Error;
    use std::rc::Rc;

    use futures::channel::mpsc::UnboundedSender;
    use wasm_bindgen::JsCast;
    use wasm_bindgen::prelude::{Closure, JsValue};
    use web_sys::{Element, Event, HtmlSelectElement};

    use super::{EXECUTORS, Step, Turn};

    /// The newest columns of the chart, as many as fit on a telephone.
    const COLUMNS: u32 = 75;

    const STYLE: &str = "
        .strategies { width: 100%; --e0: #8b8b9a; --e1: #d97a12; --e2: #3d7fd9; --e3: #2a9d6a; --e4: #b04fc0; }
        .strategies select { min-height: 2.75rem; padding: 0 0.5rem; font: inherit; }
        .chart {
            display: flex; align-items: flex-end; gap: 1px; height: 10rem; margin: 1rem 0 0.25rem;
            background: var(--raised); outline: 1px solid var(--line);
        }
        .chart > div { flex: 0 0 calc(100% / 75 - 1px); height: 100%; display: flex; flex-direction: column-reverse; }
        .chart i { height: calc(100% * var(--count) / var(--most)); background: var(--by); }
        .strategies table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
        .strategies th, .strategies td { padding: 0.25rem 0.5rem 0.25rem 0; text-align: right; border-top: 1px solid var(--line); }
        .strategies :is(th, td):first-child { text-align: left; white-space: nowrap; }
        .strategies td:first-child::before {
            content: ''; display: inline-block; width: 0.8em; height: 0.8em; margin-right: 0.5em; background: var(--by);
        }
    ";

    /// A select box, a chart of the answers, and a table of the executors.
    pub(super) struct Screen {
        select: HtmlSelectElement,
        chart: Element,
        rows: Element,
        most: u32,
        /// Somebody has chosen by hand.
        touched: Rc<Cell<bool>>,
    }

    impl Screen {
        /// Every choice in the select box is sent; the one after the last executor is to stop.
        pub(super) fn new(choices: UnboundedSender<usize>) -> Result<Self, Box<dyn Error>> {
            let options: String = EXECUTORS.map(|(name, _)| format!("<option>{name}</option>")).concat();
            let html = format!(
                "<div class='strategies'><style>{STYLE}</style>
                 <label>Executor <select>{options}<option>none: stop</option></select></label>
                 <div class='chart' role='img' aria-label='Answers over time'></div>
                 <p>Answers in each tenth of a second, in the colour of the executor that gave them.
                    It is swapped by itself, until you choose one.</p>
                 <table><thead><tr><th>executor</th><th>answered</th><th>pending</th><th>per s</th></tr></thead>
                 <tbody></tbody></table></div>"
            );
            find("#stage")?.insert_adjacent_html("beforeend", &html).map_err(text)?;

            let select: HtmlSelectElement = find(".strategies select")?.unchecked_into();
            let touched = Rc::new(Cell::new(false));
            let (source, hand) = (select.clone(), touched.clone());
            let listener = Closure::<dyn FnMut()>::new(move || {
                hand.set(true);
                // Nobody listens any more when the program has ended.
                choices.unbounded_send(source.selected_index() as usize).unwrap_or(());
            });
            select
                .add_event_listener_with_callback("change", listener.as_ref().unchecked_ref())
                .map_err(text)?;
            listener.forget(); // it is needed as long as the page
            Ok(Self { select, chart: find(".chart")?, rows: find(".strategies tbody")?, most: 1, touched })
        }

        /// Does what a hand would do, if none does.
        pub(super) fn choose(&self, choice: usize) -> Result<(), Box<dyn Error>> {
            if !self.touched.get() && choice <= EXECUTORS.len() {
                self.select.set_selected_index(choice as i32);
                self.select.dispatch_event(&Event::new("change").map_err(text)?).map_err(text)?;
                self.touched.set(false); // that was no hand
            }
            Ok(())
        }

        pub(super) fn show(&mut self, step: &Step, turns: &[Turn]) -> Result<(), Box<dyn Error>> {
            self.most = self.most.max(step.answers.iter().sum());
            self.chart.set_attribute("style", &format!("--most: {}", self.most)).map_err(text)?;
            let piece = |(by, count)| format!("<i style='--by: var(--e{by}); --count: {count}'></i>");
            let pieces: String = step.answers.iter().enumerate().map(piece).collect();
            self.chart.insert_adjacent_html("beforeend", &format!("<div>{pieces}</div>")).map_err(text)?;
            if self.chart.child_element_count() > COLUMNS {
                self.chart.first_element_child().inspect(Element::remove);
            }
            let row = |turn: &Turn| {
                let (by, name, rate) = (turn.choice, turn.name(), turn.rate());
                let pending = turn.closed_after.map_or(turn.pending().to_string(), |_| "closed".to_owned());
                format!(
                    "<tr><td style='--by: var(--e{by})'>{name}</td><td>{}</td><td>{pending}</td><td>{rate:.0}</td></tr>",
                    turn.answered
                )
            };
            self.rows.set_inner_html(&turns.iter().map(row).collect::<String>());
            Ok(())
        }

        pub(super) fn end(&self) {
            self.select.set_disabled(true);
        }
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

    use futures::channel::mpsc::UnboundedSender;
    use wasm_mt::println;

    use super::{EXECUTORS, Step, Turn};

    /// Prints a line for each step, which is as long as there were answers, in the initials of who gave them.
    pub(super) struct Screen {
        choices: UnboundedSender<usize>,
        most: u32,
    }

    impl Screen {
        pub(super) fn new(choices: UnboundedSender<usize>) -> Result<Self, Box<dyn Error>> {
            println!(
                "the answers of each tenth of a second, in the initials of the executors that gave them:"
            );
            Ok(Self { choices, most: 1 })
        }

        pub(super) fn choose(&self, choice: usize) -> Result<(), Box<dyn Error>> {
            Ok(self.choices.unbounded_send(choice)?)
        }

        pub(super) fn show(&mut self, step: &Step, _turns: &[Turn]) -> Result<(), Box<dyn Error>> {
            self.most = self.most.max(step.answers.iter().sum());
            let length = |count: u32| (60 * count).div_ceil(self.most) as usize;
            let letters = |((name, _), count): (&(&str, _), u32)| name[..1].repeat(length(count));
            println!("    {}", EXECUTORS.iter().zip(step.answers).map(letters).collect::<String>());
            Ok(())
        }

        pub(super) fn end(&self) {}
    }
}
