//! Shows most of the library in one short program: a task, a pool, a picture, tasks within tasks, progress, and a time limit.

use std::error::Error as StdError;
use std::future::IntoFuture;
use std::time::Duration;

use futures::StreamExt;
use futures::future::{try_join, try_join_all};
use serde::{Deserialize, Serialize};
use wasm_mt::{Error, Executor, ExecutorExt, Pool, Sender, Strategy, Transfer, println, remote, watch};

use self::target::Screen;

fn main() {
    wasm_mt::run(app());
}

async fn app() -> Result<(), Box<dyn StdError>> {
    // A closure, run on the default pool; its result is typed.
    let n = 30;
    let value = remote!(move || fib(n)).await?;
    println!("fib({n}) = {value}");
    assert_eq!(value, 832_040);

    // A pool is usable at once; its workers start behind it.
    let pool = Pool::builder()
        .strategy(Strategy::WorkStealing)
        .threads(4)
        .on_start(remote!(|| logger::init())) // in every worker, replacements too
        .build();
    let pool: Box<dyn Executor> = Box::new(pool);

    // A stream of results in order, each moved as one block.
    let scene = Scene { width: 800, height: 800, c: (-0.8, 0.156) };
    let height = scene.height;
    let mut screen = Screen::new(&scene)?;
    let mut rows = pool.par_map(0..height, remote!(move |y| Transfer(row(&scene, y))));
    while let Some(row) = rows.next().await {
        screen.draw(&row?.0)?;
    }
    assert_eq!(screen.drawn(), height);

    // Tasks within a task, on the pool that runs it.
    let sum = pool.spawn_remote(remote!(async move {
        let (a, b) = try_join(remote!(|| left()).into_future(), remote!(|| right()).into_future()).await?;
        Ok::<_, Error>(a + b)
    }));
    let sum = sum.await??;
    println!("left and right make {sum}");
    assert_eq!(sum, fib(20) + fib(21));

    // Handles are futures, so all combinators apply.
    let jobs = (0..8).map(|i| pool.spawn_remote(remote!(move || i * i)));
    let squares = try_join_all(jobs).await?;
    println!("squares: {squares:?}");
    assert_eq!(squares, [0, 1, 4, 9, 16, 25, 36, 49]);

    // What a task sends while it runs, synchronous as it is. Of progress, the newest value counts.
    let (progress, mut percents) = watch();
    let start = pool.spawn_remote(remote!(move || longest_way(1_000_000, &progress)));
    while let Some(percent) = percents.next().await {
        screen.show_progress(percent?);
    }
    let start = start.await??;
    println!("below a million, {start} has the longest way to 1");
    assert_eq!((screen.progress(), start), (100, 837_799));

    // Time and faults are values.
    let slow = remote!(move || grind(n)).timeout(Duration::from_millis(300));
    match pool.spawn_remote(slow).await {
        Ok(value) => println!("in time: {value}"),
        Err(error) if error.is_timeout() => println!("too slow: {error}"),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

fn fib(n: u32) -> u64 {
    if n < 2 { n.into() } else { fib(n - 1) + fib(n - 2) }
}

fn left() -> u64 {
    fib(20)
}

fn right() -> u64 {
    fib(21)
}

/// Which number below `end` has the longest way to 1. Sends how many percent of them are done.
fn longest_way(end: u64, progress: &Sender<u32>) -> Result<u64, Error> {
    let part = |percent: u32| end * u64::from(percent) / 100;
    let mut longest = (0, 0);
    for percent in 1..=100 {
        let starts = part(percent - 1).max(1)..part(percent);
        longest = starts.map(|start| (way(start), start)).fold(longest, Ord::max);
        progress.try_send(percent)?;
    }
    Ok(longest.1)
}

/// How many steps lead to 1, where an even number is halved and an odd one tripled and increased by 1.
fn way(mut number: u64) -> u32 {
    let mut steps = 0;
    while number != 1 {
        number = if number % 2 == 0 { number / 2 } else { 3 * number + 1 };
        steps += 1;
    }
    steps
}

/// Takes years.
fn grind(n: u32) -> u64 {
    fib(n * 3)
}

mod logger {
    /// A worker has a memory of its own: what the program sets up in `main` is not there.
    pub(super) fn init() {
        wasm_mt::println!("a worker of the pool is up");
    }
}

/// A view of the Julia set of z -> z * z + c.
#[derive(Serialize, Deserialize)]
struct Scene {
    width: u32,
    height: u32,
    c: (f64, f64),
}

/// Red, green, blue and alpha of each pixel of a row.
fn row(scene: &Scene, y: u32) -> Vec<u8> {
    let scale = 3.2 / f64::from(scene.width);
    let place = |pixel: u32, pixels: u32| (f64::from(pixel) - f64::from(pixels) / 2.0) * scale;
    let pixel = |x| {
        let (mut re, mut im) = (place(x, scene.width), place(y, scene.height));
        let mut steps: u8 = 0;
        while steps < u8::MAX && re * re + im * im < 4.0 {
            (re, im) = (re * re - im * im + scene.c.0, 2.0 * re * im + scene.c.1);
            steps += 1;
        }
        // From dark blue over green to yellow.
        [steps.saturating_mul(3), steps.saturating_mul(5), 64 + steps / 4, u8::MAX]
    };
    (0..scene.width).flat_map(pixel).collect()
}

#[cfg(target_family = "wasm")]
use web as target;

#[cfg(target_family = "wasm")]
mod web {
    use std::error::Error;

    use wasm_bindgen::{Clamped, JsCast, JsValue};
    use web_sys::{CanvasRenderingContext2d, Element, HtmlCanvasElement, HtmlProgressElement, ImageData};

    use super::Scene;

    /// How many rows are drawn at once: each time costs some browsers milliseconds.
    const BAND: u32 = 20;

    /// A canvas on the page, and a progress bar below it.
    pub(super) struct Screen {
        canvas: CanvasRenderingContext2d,
        progress: HtmlProgressElement,
        width: u32,
        height: u32,
        drawn: u32,
        /// The rows that are not drawn yet.
        band: Vec<u8>,
    }

    impl Screen {
        pub(super) fn new(scene: &Scene) -> Result<Self, Box<dyn Error>> {
            let Scene { width, height, .. } = *scene;
            let html = format!(
                "<canvas width='{width}' height='{height}' role='img' aria-label='A Julia set'></canvas>\
                 <label>The longest way to 1<progress max='100' value='0'></progress></label>"
            );
            find("#stage")?.insert_adjacent_html("beforeend", &html).map_err(text)?;
            let canvas: HtmlCanvasElement = find("#stage canvas")?.unchecked_into();
            let context = canvas.get_context("2d").map_err(text)?.ok_or("the canvas has no context")?;
            Ok(Self {
                canvas: context.unchecked_into(),
                progress: find("#stage progress")?.unchecked_into(),
                width,
                height,
                drawn: 0,
                band: Vec::new(),
            })
        }

        /// Takes the next row.
        pub(super) fn draw(&mut self, row: &[u8]) -> Result<(), Box<dyn Error>> {
            self.band.extend(row);
            let rows = (self.band.len() / row.len()) as u32;
            if rows == BAND || self.drawn + rows == self.height {
                let image = ImageData::new_with_u8_clamped_array(Clamped(&self.band), self.width);
                let image = image.map_err(text)?;
                self.canvas.put_image_data(&image, 0.0, self.drawn.into()).map_err(text)?;
                self.drawn += rows;
                self.band.clear();
            }
            Ok(())
        }

        /// How many rows were drawn.
        pub(super) fn drawn(&self) -> u32 {
            self.drawn
        }

        pub(super) fn show_progress(&mut self, percent: u32) {
            self.progress.set_value(percent.into());
        }

        /// How many percent were shown last.
        pub(super) fn progress(&self) -> u32 {
            self.progress.value() as u32
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

    use wasm_mt::println;

    use super::Scene;

    /// The terminal: every few pixels are a character.
    pub(super) struct Screen {
        drawn: u32,
        progress: u32,
    }

    impl Screen {
        pub(super) fn new(_scene: &Scene) -> Result<Self, Box<dyn Error>> {
            Ok(Self { drawn: 0, progress: 0 })
        }

        /// Prints the next row, if it is one of those that are shown.
        pub(super) fn draw(&mut self, row: &[u8]) -> Result<(), Box<dyn Error>> {
            if self.drawn % 25 == 12 {
                let shades = row.chunks(4 * 10).map(|pixels| b" .:-=+*#%@"[usize::from(pixels[1]) * 9 / 255]);
                println!("{}", shades.map(char::from).collect::<String>().trim_end());
            }
            self.drawn += 1;
            Ok(())
        }

        /// How many rows were drawn.
        pub(super) fn drawn(&self) -> u32 {
            self.drawn
        }

        /// Prints a bar whenever it is longer than before.
        pub(super) fn show_progress(&mut self, percent: u32) {
            let marks = |percent| percent as usize / 10;
            if marks(percent) > marks(self.progress) {
                println!("[{:<10}] {percent} %", "#".repeat(marks(percent)));
            }
            self.progress = percent;
        }

        /// How many percent were shown last.
        pub(super) fn progress(&self) -> u32 {
            self.progress
        }
    }
}
