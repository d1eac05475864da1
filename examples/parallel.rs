//! Computes a Julia set here and then on four workers, draws each tile as it arrives, and compares the pixels.

use std::error::Error;
use std::time::Duration;

use futures::StreamExt;
use serde::{Deserialize, Serialize};
use wasm_mt::{ExecutorExt, Pool, Transfer, println, remote};
use web_time::Instant;

/// Width and height of the picture, in pixels.
const SIZE: u32 = 800;
/// Width and height of a tile.
const TILE: u32 = 80;
/// The set is that of z -> z * z + C.
const C: (f64, f64) = (-0.8, 0.156);

fn main() {
    wasm_mt::run(app());
}

async fn app() -> Result<(), Box<dyn Error>> {
    let screen = Screen::new()?;

    screen.begin("Here, one tile after another");
    let mut serial = Picture::new();
    let mut serial_time = Duration::ZERO;
    for tile in Tile::all() {
        let start = Instant::now();
        let pixels = tile.render();
        screen.draw(tile, &pixels)?;
        serial.put(tile, &pixels);
        serial_time += start.elapsed();
        wasm_mt::yield_now().await; // so that the page stays responsive
    }
    println!("here: {serial_time:.0?}");

    let pool = Pool::builder().threads(4).build();
    // The pool takes tasks at once; here the start of its workers is not to count.
    pool.ready().await?;

    screen.begin("On four workers");
    let mut parallel = Picture::new();
    let start = Instant::now();
    let mut tiles = pool.par_map(Tile::all(), remote!(|tile: Tile| (tile, Transfer(tile.render()))));
    while let Some(rendered) = tiles.next().await {
        let (tile, Transfer(pixels)) = rendered?;
        screen.draw(tile, &pixels)?;
        parallel.put(tile, &pixels);
    }
    let parallel_time = start.elapsed();
    println!("on four workers: {parallel_time:.0?}");
    println!("{:.2} times as fast", serial_time.as_secs_f64() / parallel_time.as_secs_f64());

    let differing = parallel.differing(&serial);
    if differing > 0 {
        return Err(format!("{differing} of {} pixels differ", SIZE * SIZE).into());
    }
    println!("all {} pixels are equal; their checksum is {:08x}", SIZE * SIZE, parallel.checksum());
    screen.end(&parallel)
}

/// A square of the picture.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Tile {
    left: u32,
    top: u32,
}

impl Tile {
    fn all() -> impl Iterator<Item = Tile> {
        (0..SIZE)
            .step_by(TILE as usize)
            .flat_map(|top| (0..SIZE).step_by(TILE as usize).map(move |left| Tile { left, top }))
    }

    /// Red, green, blue and alpha of each pixel, row by row.
    fn render(self) -> Vec<u8> {
        let rows = self.top..self.top + TILE;
        rows.flat_map(|y| (self.left..self.left + TILE).flat_map(move |x| pixel(x, y))).collect()
    }
}

/// The colour of a pixel: the mean of four points in it.
fn pixel(x: u32, y: u32) -> [u8; 4] {
    let points = [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)];
    let colours = points.map(|(right, down)| colour(f64::from(x) + right, f64::from(y) + down));
    let mean = |channel: usize| (colours.iter().map(|colour| colour[channel]).sum::<u32>() / 4) as u8;
    [mean(0), mean(1), mean(2), u8::MAX]
}

/// Red, green and blue of a point: how long z takes to leave. Plain arithmetic, so that every machine gets the same.
fn colour(x: f64, y: f64) -> [u32; 3] {
    const LIMIT: u32 = 400;
    let scale = 3.2 / f64::from(SIZE);
    let (mut re, mut im) = (x * scale - 1.6, y * scale - 1.6);
    let mut steps = 0;
    while steps < LIMIT && re * re + im * im < 4.0 {
        (re, im) = (re * re - im * im + C.0, 2.0 * re * im + C.1);
        steps += 1;
    }
    // From black over blue and violet to white.
    let shade = |from: u32, to: u32| (steps.clamp(from, to) - from) * 255 / (to - from);
    [shade(16, 120), shade(60, 300), shade(0, 50)]
}

/// The whole picture: red, green, blue and alpha of each pixel, row by row.
struct Picture(Vec<u8>);

impl Picture {
    fn new() -> Self {
        Self(vec![0; (SIZE * SIZE * 4) as usize])
    }

    fn put(&mut self, tile: Tile, pixels: &[u8]) {
        for (y, row) in (tile.top..).zip(pixels.chunks((TILE * 4) as usize)) {
            let start = ((y * SIZE + tile.left) * 4) as usize;
            self.0[start..start + row.len()].copy_from_slice(row);
        }
    }

    /// How many pixels are not the same.
    fn differing(&self, other: &Self) -> usize {
        self.0.chunks(4).zip(other.0.chunks(4)).filter(|(a, b)| a != b).count()
    }

    /// The same natively and in every browser.
    fn checksum(&self) -> u32 {
        self.0.iter().fold(0, |sum: u32, byte| sum.rotate_left(5).wrapping_add(u32::from(*byte)))
    }
}

#[cfg(target_family = "wasm")]
use web::Screen;

#[cfg(target_family = "wasm")]
mod web {
    use std::error::Error;

    use wasm_bindgen::{Clamped, JsCast, JsValue};
    use web_sys::{CanvasRenderingContext2d, Element, HtmlCanvasElement, HtmlProgressElement, ImageData};

    use super::{Picture, SIZE, TILE, Tile};

    /// A progress bar and a canvas on the page.
    pub(super) struct Screen {
        caption: Element,
        progress: HtmlProgressElement,
        canvas: CanvasRenderingContext2d,
    }

    impl Screen {
        pub(super) fn new() -> Result<Self, Box<dyn Error>> {
            let tiles = (SIZE / TILE).pow(2);
            let html = format!(
                "<label><span></span><progress max='{tiles}'></progress></label>\
                 <canvas width='{SIZE}' height='{SIZE}' role='img' aria-label='A Julia set'></canvas>"
            );
            let stage = find("#stage")?;
            stage.insert_adjacent_html("beforeend", &html).map_err(text)?;
            let canvas: HtmlCanvasElement = find("#stage canvas")?.unchecked_into();
            let context = canvas.get_context("2d").map_err(text)?.ok_or("the canvas has no context")?;
            Ok(Self {
                caption: find("#stage label span")?,
                progress: find("#stage progress")?.unchecked_into(),
                canvas: context.unchecked_into(),
            })
        }

        pub(super) fn begin(&self, caption: &str) {
            self.caption.set_text_content(Some(caption));
            self.progress.set_value(0.0);
            self.canvas.clear_rect(0.0, 0.0, f64::from(SIZE), f64::from(SIZE));
        }

        pub(super) fn draw(&self, tile: Tile, pixels: &[u8]) -> Result<(), Box<dyn Error>> {
            let image = ImageData::new_with_u8_clamped_array(Clamped(pixels), TILE).map_err(text)?;
            self.canvas.put_image_data(&image, tile.left.into(), tile.top.into()).map_err(text)?;
            self.progress.set_value(self.progress.value() + 1.0);
            Ok(())
        }

        pub(super) fn end(&self, _picture: &Picture) -> Result<(), Box<dyn Error>> {
            Ok(()) // all is drawn
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
use native::Screen;

#[cfg(not(target_family = "wasm"))]
mod native {
    use std::error::Error;
    use std::fs::File;

    use wasm_mt::println;

    use super::{Picture, SIZE, Tile};

    /// Nothing to see until the picture is complete; then it is a PNG file.
    pub(super) struct Screen;

    impl Screen {
        pub(super) fn new() -> Result<Self, Box<dyn Error>> {
            Ok(Self)
        }

        pub(super) fn begin(&self, _caption: &str) {}

        pub(super) fn draw(&self, _tile: Tile, _pixels: &[u8]) -> Result<(), Box<dyn Error>> {
            Ok(())
        }

        pub(super) fn end(&self, picture: &Picture) -> Result<(), Box<dyn Error>> {
            let path = std::env::args().nth(1).unwrap_or_else(|| "target/julia.png".to_owned());
            let file = File::create(&path).map_err(|error| format!("failed to create {path}: {error}"))?;
            let mut encoder = png::Encoder::new(file, SIZE, SIZE);
            encoder.set_color(png::ColorType::Rgba);
            encoder.write_header()?.write_image_data(&picture.0)?;
            println!("wrote {path}");
            Ok(())
        }
    }
}
