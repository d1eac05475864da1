//! Shows most of the library in one short program: a task, a pool, a picture, tasks within tasks, and a time limit.

use std::error::Error as StdError;
use std::future::IntoFuture;
use std::time::Duration;

use futures::StreamExt;
use futures::future::{try_join, try_join_all};
use serde::{Deserialize, Serialize};
use wasm_mt::{Error, Executor, ExecutorExt, Pool, Strategy, Transfer, println, remote};

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
    use web_sys::{CanvasRenderingContext2d, Element, HtmlCanvasElement, ImageData};

    use super::Scene;

    /// How many rows are drawn at once: each time costs some browsers milliseconds.
    const BAND: u32 = 20;

    /// A canvas on the page.
    pub(super) struct Screen {
        canvas: CanvasRenderingContext2d,
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
                "<canvas width='{width}' height='{height}' role='img' aria-label='A Julia set'></canvas>"
            );
            find("#stage")?.insert_adjacent_html("beforeend", &html).map_err(text)?;
            let canvas: HtmlCanvasElement = find("#stage canvas")?.unchecked_into();
            let context = canvas.get_context("2d").map_err(text)?.ok_or("the canvas has no context")?;
            Ok(Self { canvas: context.unchecked_into(), width, height, drawn: 0, band: Vec::new() })
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
    }

    impl Screen {
        pub(super) fn new(_scene: &Scene) -> Result<Self, Box<dyn Error>> {
            Ok(Self { drawn: 0 })
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
    }
}
